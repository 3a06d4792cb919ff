"""A stimulus board end to end: two emulated Picos on two terminals, an MCP4728 between them, stock mpremote."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ccdmon.simulation.simulate import simulate
from ccdmon_hil.play.closed_loop import CellSource
from ccdmon_hil.play.one_run import run_rows, settings_for
from ccdmon_hil.play.replay import replay_on
from ccdmon_hil.rigs.session import Session
from tests.hil.play.test_closed_loop import FRONT_END, Cell

if TYPE_CHECKING:
    from ccdmon_hil.rigs.pico_pair import PairPty

pytestmark = [
    pytest.mark.pico,
    pytest.mark.skipif(not os.environ.get("CCDMON_SLOW"), reason="slow: CCDMON_SLOW=1 runs it"),
]
BEFORE, AFTER = 24, 6  # rows around the short: each costs
# Both edges are seen late by an interrupt's entry, the first one by a second board whose flash cache is cold.
INSTRUMENT_US = 60.0


@pytest.fixture(scope="module")
def pair(pico_image: Path) -> "Iterator[PairPty]":
    pytest.importorskip(
        "ccdmon_hil.rigs.pico", reason="the emulated Pico is not installed: pip install '.[pico]'"
    )
    from ccdmon_hil.rigs.pico_pair import PairPty

    with PairPty(pico_image) as running:
        yield running


@pytest.fixture(scope="module")
def bench(pair: "PairPty") -> Iterator[Session]:
    from ccdmon_hil.rigs.stimulus.player import StimulusTarget

    session = Session(StimulusTarget(pair.wiring))
    session.start()
    yield session
    session.close()


def test_a_hard_short_is_replayed_and_timed_outside_the_chip(
    bench: Session, pair: "PairPty", unix: Session
) -> None:
    simulated = simulate("hard_short", 3)
    short = simulated.truth["first_faulty_row"]
    rows = {"start": short - BEFORE, "stop": short + AFTER}
    played, expected = (replay_on(session, simulated.trace, **rows) for session in (bench, unix))
    assert (played.reason, played.trip_row) == ("hard_short", expected.trip_row)
    assert played.codes.tolist() == expected.codes.tolist(), "also of the rows after the gate has opened"
    assert (played.dropped, played.crc_errors, played.gate_closed) == (0, 0, False)
    assert bench.identity["board"] == "rpi_pico", "the very firmware, nothing injected"
    assert (played.virtual_us is not None, played.real_us) == (True, None), "nothing is real here"
    closed, opened = (edge.at_us for edge in bench.target.edges)
    assert closed is not None and opened is not None
    seen = [said["virtual_us"] for said in pair.listen()][
        -2:
    ]  # by the emulator, at the tested chip's own pin
    assert opened - closed == pytest.approx(seen[1] - seen[0], abs=INSTRUMENT_US)


def test_in_a_closed_loop_each_row_waits_for_the_pins_answer(bench: Session) -> None:
    cell = Cell(shorts=True, short_row=16)
    loop = CellSource(cell, FRONT_END, rows_left=3)
    result = run_rows(bench, loop, settings_for(FRONT_END, 1.0), closed_loop=True)
    assert (result.reason, result.trip_row, result.gate_closed) == ("hard_short", 17, False)
    assert cell.asked == [True] * 18 + [False] * 3
