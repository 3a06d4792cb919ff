"""Faults brought about inside the firmware and at its pins, on the emulated Pico: gate open, right reason, latched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdmon.link.decoder import Event, Message
from ccdmon_fw import wire
from ccdmon_hil.faults.in_pico import FIRMWARE_FAULTS, RIG_FAULTS
from ccdmon_hil.faults.stages.on_pico import OnPico
from ccdmon_hil.rigs.breakable.pico import open_hooked
from ccdmon_hil.rigs.session import Session

pytestmark = pytest.mark.pico
EXTERNAL = RIG_FAULTS[0]
FREE_BYTES, LARGEST_BYTES = 64_000, 12_000
# Free after a collection, and whether a piece that large can be had in one place.
HEAP = f"""
import gc
gc.collect()
free, piece = gc.mem_free(), 1
try: bytearray({LARGEST_BYTES})
except MemoryError: piece = 0
edge.telemetry.event(0, 0, free, piece)
"""
FAULTS = {fault.name: fault for fault in (*FIRMWARE_FAULTS, EXTERNAL)}


@pytest.fixture(scope="module")
def edge(pico_image: Path) -> Iterator[Session]:
    session = open_hooked(pico_image)
    yield session
    session.close()


def test_armed_with_all_its_buffers_the_heap_keeps_a_margin(edge: Session) -> None:
    """What the main loop makes and forgets needs some of it; the texts of these tests take 2 kB of it, too."""
    told: list[dict[str, int]] = []

    def take(event: Event) -> None:
        session_takes(event)
        if isinstance(event, Message) and event.name == "event":
            told.append(event.fields)

    session_takes, edge.device.on_event = edge.take, take
    stage = OnPico(python=HEAP)
    stage.bring_about(edge, opens=False)
    edge.device.wait(lambda: bool(told), "what is free")
    edge.device.on_event = edge.take
    stage.mended(edge)
    assert told[0]["value"] >= FREE_BYTES
    assert told[0]["limit"], f"no {LARGEST_BYTES} bytes in one place"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_opens_the_gate_and_latches(edge: Session, name: str) -> None:
    outcome = FAULTS[name].bring_about(edge)
    FAULTS[name].stage.mended(edge)
    assert not FAULTS[name].problem(outcome), outcome
    assert edge.trip is not None
    assert edge.status()["trip_id"] == edge.trip["trip_id"]
    with pytest.raises(Exception, match="latched"):
        edge.command(wire.ARM)
