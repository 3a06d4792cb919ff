"""The closed loop: the firmware watches a cell that carries current only while the gate is closed."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ccdmon.model.front_end import FrontEnd
from ccdmon_hil.play.one_run import OnStart, Progress, run_rows, settings_for
from ccdmon_hil.play.result import ReplayResult
from ccdmon_hil.rigs.open_rig import open_session
from ccdmon_hil.rigs.target import Codes

ROWS_AFTER_TRIP = 20


class Measured(Protocol):
    """What a closed loop needs of a row; `ccdmon.simulation.simulate.Row` has more."""

    @property
    def test_time_s(self) -> float: ...
    @property
    def voltage_V(self) -> float: ...
    @property
    def current_A(self) -> float: ...


@dataclasses.dataclass(frozen=True)
class LoopResult:
    """A closed loop's run and every row the cell gave, in order."""

    result: ReplayResult
    rows: list[Any]


def run_closed_loop(
    next_row: Callable[[bool], Measured | None],
    front_end: FrontEnd,
    rig: str = "unix",
    *,
    row_interval_s: float = 1.0,
    configuration: str = "symmetric",
    image: str | Path | None = None,
    port: str | None = None,
    rows_after_trip: int = ROWS_AFTER_TRIP,
    on_bytes: Callable[[bytes], object] | None = None,
    on_start: OnStart | None = None,
    on_progress: Progress | None = None,
    **physical: Any,
) -> LoopResult:
    """Let the firmware watch a cell until the cell ends or is cut off; see the top of `replay.py`."""
    settings = settings_for(front_end, row_interval_s, configuration, **physical)
    loop = CellSource(next_row, front_end, rows_after_trip)
    with open_session(rig, image=image, port=port, on_bytes=on_bytes) as session:
        if on_start:
            on_start(session.identity, settings, front_end, row_interval_s)
        result = run_rows(session, loop, settings, closed_loop=True, on_progress=on_progress)
    if result.trip_row is not None:
        result = dataclasses.replace(result, trip_time_s=float(loop.rows[result.trip_row].test_time_s))
    return LoopResult(result, loop.rows)


class CellSource:
    """A source that asks the cell, and stops some rows after the gate opened."""

    def __init__(
        self, next_row: Callable[[bool], Measured | None], front_end: FrontEnd, rows_left: int
    ) -> None:
        self._next_row = next_row
        self._front_end = front_end
        self._rows_left = rows_left
        self.rows: list[Measured] = []
        self._voltage_V = self._current_A = 0.0

    def __call__(self, _row: int, gate_closed: bool) -> Codes | None:
        if not gate_closed:
            self._rows_left -= 1
        row = self._next_row(gate_closed) if self._rows_left >= 0 else None
        if row is None:
            return None
        self.rows.append(row)
        if math.isfinite(row.voltage_V):  # an empty field repeats the last value, as in a replay
            self._voltage_V = row.voltage_V
        if math.isfinite(row.current_A):
            self._current_A = row.current_A
        return self._front_end.code_of(self._voltage_V, self._current_A)
