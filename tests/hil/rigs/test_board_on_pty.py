"""Rig `board`, end to end: only the silicon is missing. An emulated Pico on a terminal, reached through mpremote."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccdmon.simulation.simulate import simulate
from ccdmon_hil.faults.in_rows_wire_commands import FAULTS
from ccdmon_hil.faults.stages.played import HALF_WAY, Part
from ccdmon_hil.play.closed_loop import CellSource
from ccdmon_hil.play.one_run import run_rows, settings_for
from ccdmon_hil.play.replay import open_session, replay_on
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.wire_tap import WireTap
from tests.hil.play.test_closed_loop import FRONT_END, Cell

pytestmark = pytest.mark.pico
BEFORE, AFTER = 24, 6  # rows around the short: each costs


@pytest.fixture(scope="module")
def board(pico_image: Path) -> Iterator[Session]:
    pytest.importorskip(
        "ccdmon_hil.rigs.pico", reason="the emulated Pico is not installed: pip install '.[pico]'"
    )
    from ccdmon_hil.rigs.pico_pty import PicoPty

    with (
        PicoPty(pico_image, with_firmware=True) as emulated,
        open_session("board", port=emulated.port, tap=WireTap) as session,
    ):
        yield session


def test_a_hard_short_is_replayed_with_the_verdict_of_the_other_rigs(board: Session, unix: Session) -> None:
    simulated = simulate("hard_short", 3)
    short = simulated.truth["first_faulty_row"]
    rows = {"start": short - BEFORE, "stop": short + AFTER}
    played, expected = (replay_on(session, simulated.trace, **rows) for session in (board, unix))
    assert (played.reason, played.trip_row) == ("hard_short", expected.trip_row)
    assert played.codes.tolist() == expected.codes.tolist()
    assert (played.dropped, played.crc_errors, played.gate_closed) == (0, 0, False)
    assert played.virtual_us is not None
    assert played.real_us is None, "nothing is real behind a pseudo-terminal"
    assert board.identity["board"] == "rpi_pico+injected"


def test_in_a_closed_loop_the_firmware_waits_for_its_host(board: Session) -> None:
    cell = Cell(shorts=True, short_row=16)
    loop = CellSource(cell, FRONT_END, rows_left=3)
    result = run_rows(board, loop, settings_for(FRONT_END, 1.0), closed_loop=True)
    assert (result.reason, result.trip_row, result.gate_closed) == ("hard_short", 17, False)
    assert cell.asked == [True] * 18 + [False] * 3
    assert board.status()["overruns"] == 0, "a row that comes late makes no late sample"


def test_a_fault_of_the_wire_is_brought_about_and_counted(board: Session) -> None:
    fault = next(fault for fault in FAULTS if fault.name == "garbage to the firmware")
    part = Part(HALF_WAY - BEFORE, HALF_WAY + 4 * BEFORE, closed_loop=False)
    outcome = replace(fault.stage, part=part).bring_about(board)
    assert not fault.problem(outcome), outcome
