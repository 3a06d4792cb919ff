"""The closed loop: the gate's opening stops the simulated cell's current, and the loop ends."""

from typing import NamedTuple

from ccdmon.model.front_end import FrontEnd
from ccdmon_hil.play.closed_loop import CellSource
from ccdmon_hil.play.one_run import run_rows, settings_for
from ccdmon_hil.rigs.session import Session

FRONT_END = FrontEnd(1.0, 1e-3)
SHORT_ROW = 60
AFTER_TRIP = 5


class Row(NamedTuple):
    test_time_s: float
    voltage_V: float
    current_A: float


class Cell:
    """500 ohm until it shorts; no current with the gate open."""

    def __init__(self, shorts: bool, short_row: int = SHORT_ROW) -> None:
        self.asked: list[bool] = []
        self._shorts = shorts
        self._short_row = short_row

    def __call__(self, gate_closed: bool) -> Row | None:
        row = len(self.asked)
        if row == 100:
            return None
        self.asked.append(gate_closed)
        current_A = 5e-4 if gate_closed and row >= 10 else 0.0
        resistance_ohm = 5.0 if self._shorts and row >= self._short_row else 500.0
        return Row(float(row), current_A * resistance_ohm, current_A)


def _run(rig: Session, cell: Cell):  # type: ignore[no-untyped-def]
    loop = CellSource(cell, FRONT_END, AFTER_TRIP)
    return run_rows(rig, loop, settings_for(FRONT_END, 1.0), closed_loop=True), loop.rows


def test_the_opened_gate_stops_the_current(rig: Session) -> None:
    cell = Cell(shorts=True)
    result, rows = _run(rig, cell)
    assert (result.reason, result.trip_row, result.gate_closed) == ("hard_short", SHORT_ROW + 1, False)
    assert cell.asked == [True] * (SHORT_ROW + 2) + [False] * AFTER_TRIP
    assert [row.current_A for row in rows[SHORT_ROW + 2 :]] == [0.0] * AFTER_TRIP
    assert result.rows == result.samples_received == len(rows)


def test_a_cell_that_does_not_short_runs_to_its_end(rig: Session) -> None:
    cell = Cell(shorts=False)
    result, rows = _run(rig, cell)
    assert (result.tripped, result.gate_closed, result.rows, len(rows)) == (False, True, 100, 100)
    assert all(cell.asked)
