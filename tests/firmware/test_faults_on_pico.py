"""Faults brought about inside the firmware on the emulated Pico: gate open, right reason, latched, black box kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdmon_fw import limits, wire
from ccdmon_hil import hooked
from ccdmon_hil.session import Session

pytestmark = pytest.mark.pico
QUICK = {"self_test_ms": 20, "overrun_limit": 20}
# what is done to it, settings, what mends it afterwards, reason, value of the trip
FAULTS = {
    "the timer stops": ("pico._timer.deinit()", {}, "", "overrun", None),
    "ticks take too long": ("trouble[0] = busy(500, 40)", {}, "trouble[0] = None", "overrun", 21),
    "the tick fails": ("trouble[0] = fail", {}, "", "exception", 0),
    "the timer is too slow": ("board.start_timer(360, edge.sampler.tick)", {}, "", "self_check", 4),
    "a setting changes in memory": (
        "edge.detector.memory[detector.SETTINGS_AT + 1] += 1", {},
        "edge.detector.memory[detector.SETTINGS_AT + 1] -= 1", "self_check", 1,
    ),
    "something writes behind the ring": (
        "edge.ring.records[4096] = 0", {}, "edge.ring.records[4096] = limits.CANARY", "self_check", 2,
    ),
    "the pin does not follow": (
        "machine_pin = pico._gate_pin; machine_pin.init(machine_pin.IN)", {},
        "machine_pin.init(machine_pin.OUT, value=0)", "self_check", 3,
    ),
    "the host is silent": ("pass", {"host_timeout_ms": 30}, "", "host_silent", None),
}  # fmt: skip


@pytest.fixture(scope="module")
def edge(pico_image: Path) -> Iterator[Session]:
    session = hooked.open_hooked(pico_image)
    yield session
    session.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_opens_the_gate_and_latches(edge: Session, fault: str) -> None:
    done, settings, mended, reason, value = FAULTS[fault]
    edge.configure(hooked.settings(**QUICK, **settings))
    edge.arm()
    hooked.run_for(edge, 3_000)
    assert edge.target.edges[-1].closed
    hooked.hook(edge, done)
    hooked.wait_for_opening(edge)
    edge.wait_for_trip()
    assert edge.trip is not None
    assert limits.REASONS[edge.trip["reason"]] == reason
    if value is not None:
        assert edge.trip["value"] == value
    hooked.hook(edge, mended + "\nboard.start_timer(250, edge.sampler.tick)")
    assert edge.status()["trip_id"] == edge.trip["trip_id"]
    with pytest.raises(Exception, match="latched"):
        edge.command(wire.ARM)
