"""The level of a whole test in one line of blocks, and an event made at a place of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.analysis.events import Event
from ccdmon.analysis.level.excursions import Excursion
from ccdmon.analysis.level.leveled import Leveled
from ccdmon.analysis.rows_in_blocks import Array

Places = npt.NDArray[np.int64]


@dataclass
class Line:
    """All blocks of a test in one line."""

    row: Array
    time_s: Array
    level: Array
    error: Array
    rows: Array
    number: Array
    current_A: Array
    ohm: Array
    since_s: Array
    interval_s: Array
    span_ohm: Array  # between the lowest and the highest row of each block

    @classmethod
    def of(cls, leveled: Sequence[Leveled]) -> "Line":
        def col(name: str) -> Array:
            return np.concatenate([getattr(h, name) for h in leveled]) if leveled else np.zeros(0)

        size = [h.row.size for h in leveled]
        return cls(
            col("row"), col("time_s"), col("level"), col("error"), col("rows"),
            number=np.repeat([float(h.number) for h in leveled], size),
            current_A=np.repeat([h.stretch.current_A for h in leveled], size),
            ohm=col("ohm"), since_s=col("time_s") - np.repeat([h.stretch.start_s for h in leveled], size),
            interval_s=col("interval_s"), span_ohm=col("span_ohm"),
        )  # fmt: skip

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
