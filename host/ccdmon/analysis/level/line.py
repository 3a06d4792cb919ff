"""The level of a whole test in one line of blocks, and an event made at a place of it."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.analysis.events import Event
from ccdmon.analysis.level.excursions import Excursion
from ccdmon.analysis.level.leveled import Leveled
from ccdmon.analysis.rows_in_blocks import Array

Places = npt.NDArray[np.int64]


def _column(name: str) -> cached_property[Array]:
    return cached_property(lambda line: line.joined([getattr(h, name) for h in line.leveled]))


def _of_each(number: Callable[[Leveled], float]) -> cached_property[Array]:
    """One number of each half-cycle, for each of its blocks."""
    return cached_property(
        lambda line: line.joined([np.full(h.row.size, float(number(h))) for h in line.leveled])
    )


class Line:
    """All blocks of a test in one line, a number each; a column is put together when it is asked for."""

    row = _column("row")
    time_s = _column("time_s")
    level = _column("level")
    error = _column("error")
    rows = _column("rows")
    ohm = _column("ohm")
    interval_s = _column("interval_s")
    span_ohm = _column("span_ohm")  # between the lowest and the highest row of each block
    number = _of_each(lambda h: h.number)  # of its half-cycle
    current_A = _of_each(lambda h: h.stretch.current_A)

    def __init__(self, leveled: Sequence[Leveled]) -> None:
        self.leveled = leveled

    @staticmethod
    def joined(columns: Sequence[Array]) -> Array:
        return np.concatenate(columns) if columns else np.zeros(0)

    @cached_property
    def within_ohm(self) -> Array:
        """By how much V / I moves within each block beyond the way to its neighbours, on which it only climbs."""
        way = np.abs(np.diff(self.ohm))
        ways = np.maximum(np.append(way, 0.0), np.insert(way, 0, 0.0))
        return np.asarray(np.maximum(self.span_ohm - ways, 0.0))

    def of_number(self, number: float, first: int = 0, end: int | None = None) -> Places:
        """Blocks of a half-cycle, from block `first` to before `end`."""
        low, high = np.searchsorted(self.number, (number - 0.5, number + 0.5))
        return np.arange(max(int(low), first), int(high) if end is None else min(int(high), end))

    def time_of(self, row: float) -> float:
        """Of a row, by the mean interval of its block."""
        k = max(block_at(self, row), 0)
        return float(self.time_s[k] + (row - self.row[k] - 0.5 * self.rows[k]) * self.interval_s[k])


def block_at(line: Line, row: float) -> int:
    return int(np.searchsorted(line.row, row, side="right") - 1)


def level_event(
    kind: str, line: Line, k: int, row: int | None, e: Excursion, criterion: str, **more: Any
) -> Event:
    evidence = {
        "criterion": criterion,
        "resistance_before_ohm": e.kept,
        "resistance_after_ohm": e.level,
        "ratio": e.ratio,
        **more,
    }
    recovered, provisional = (evidence.pop(name, False) for name in ("recovered", "provisional"))
    row = int(line.row[k]) if row is None else row
    return Event(
        kind,
        line.time_of(row),
        row,
        None,
        float(line.current_A[k]),
        e.end_s if recovered else None,
        recovered,
        provisional,
        evidence,
    )
