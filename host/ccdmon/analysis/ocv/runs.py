"""Charges and discharges of a cell with an open-circuit voltage."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.stretches import Stretch


@dataclass
class Run:
    """Stretches of one direction of the current, rests between them included: a charge or a discharge.

    What it tells is computed once, when `runs_of` has put all its stretches in.
    """

    sign: int
    stretches: list[Stretch] = field(default_factory=list)

    @cached_property
    def loaded(self) -> list[Stretch]:
        return [s for s in self.stretches if s.sign != 0]

    @cached_property
    def charge_C(self) -> float:
        return sum(s.charge_C for s in self.loaded)

    @cached_property
    def begin_V(self) -> float:
        """Behind the step of the current."""
        return float(self.loaded[0].volts[min(1, self.loaded[0].volts.size - 1)])

    @cached_property
    def end_V(self) -> float:
        return self.loaded[-1].end_V

    @cached_property
    def middle_V(self) -> float:
        """Median over its blocks."""
        return middle(np.concatenate([s.volts for s in self.loaded]))

    @cached_property
    def span_V(self) -> float:
        return max(s.most_mean_V for s in self.loaded) - min(s.least_mean_V for s in self.loaded)


def ocv_event(
    kind: str,
    s: Stretch,
    block: int,
    row: int | None = None,
    *,
    recovered: bool = False,
    provisional: bool = False,
    end_s: float | None = None,
    **evidence: Any,
) -> Event:
    start_s, first = float(s.time_s[block]), int(s.row[block])
    if row is not None:  # within the block
        end_s_of_it = float(s.time_s[block + 1]) if block + 1 < s.time_s.size else s.end_s
        start_s += (row - first) * (end_s_of_it - start_s) / float(s.blocks.rows[block])
    return Event(
        kind,
        start_s,
        first if row is None else row,
        None,
        s.current_A,
        end_s,
        recovered,
        provisional,
        evidence,
    )


def offset_A(stretches: Sequence[Stretch]) -> float:
    """A current that is none beside those of the test."""
    return th.OFFSET_CURRENT * max((s.level_A for s in stretches), default=0.0)


def runs_of(stretches: Sequence[Stretch]) -> list[Run]:
    runs: list[Run] = []
    for s in stretches:
        if s.sign != 0 and (not runs or runs[-1].sign != s.sign):
            runs.append(Run(s.sign))
        if runs:
            runs[-1].stretches.append(s)
    return runs
