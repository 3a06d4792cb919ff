"""Rows at the end of a test whose current nobody wrote down: cyclers leave it blank where none flows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ccdmon.analysis.events import Event
from ccdmon.analysis.stretches import Stretch
from ccdmon.analysis.whole_test import leap_V, opened_at, rail_V
from ccdmon.model.trace import Trace


@dataclass
class Blank:
    """Since the last row with a current: how many rows have a V, the first of them, the least |V|, the two largest."""

    rows: int = 0
    first_row: int = 0
    first_s: float = 0.0
    least_V: float = np.inf
    largest_V: tuple[float, ...] = ()

    def feed(self, chunk: Trace, row: int) -> None:
        """Take the next rows, which begin at number `row` of the test."""
        # As nearly all end: of chunks of a few rows no more is asked.
        ends = len(chunk) > 0 and math.isfinite(chunk.current_A[-1])
        known = np.zeros(0) if ends else np.flatnonzero(np.isfinite(chunk.current_A))
        if ends or known.size:
            self.rows, self.least_V, self.largest_V = 0, np.inf, ()
        if ends:
            return
        first = int(known[-1]) + 1 if known.size else 0
        there = first + np.flatnonzero(np.isfinite(chunk.voltage_V[first:]))
        if there.size == 0:
            return
        if self.rows == 0:
            self.first_row, self.first_s = row + int(there[0]), float(chunk.test_time_s[there[0]])
        self.rows += there.size
        volts = np.abs(chunk.voltage_V[there])
        self.least_V = min(self.least_V, float(volts.min()))
        self.largest_V = tuple(sorted([*self.largest_V, *volts.tolist()])[-2:])

    def opened(self, stretches: Sequence[Stretch], *, stands: bool) -> list[Event]:
        """Open circuit: V is far beyond all that a current made of it.

        In each of these rows; of a cell that `stands`, in those in which a current was asked for: it floats in others.
        """
        edges_V = [abs(x[0]) for s in stretches if s.is_kept for x in (s.blocks.first, s.blocks.last)]
        top_V = max([*edges_V, *(s.most_V for s in stretches)], default=0.0)
        leaps = stands and len(self.largest_V) == 2 and self.largest_V[0] > leap_V(top_V)
        if self.rows < 3 or top_V == 0 or not (leaps or self.least_V > rail_V(top_V, stands=stands)):
            return []
        evidence = {"voltage_V": self.largest_V[-1], "highest_V_before": top_V, "current": "not told"}
        return [opened_at(self.first_s, self.first_row, 0.0, evidence)]
