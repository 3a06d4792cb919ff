"""Which of the four protocols a test followed (Lu et al. 2021, 2.3.1), read from its half-cycles alone.

| protocol | constant | one current level is |
|---|---|---|
| time_control | time per half-cycle | one cycle |
| capacity_control | capacity per half-cycle | one cycle |
| endurable_time | time per half-cycle | several cycles |
| long_cycling | current and time | the whole test |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from ccdmon.analysis.half_cycles import HalfCycle, per_area, same_level
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.thresholds import ALIKE, HALF, MOST, SLACK_ROWS, WHOLE
from ccdmon.analysis.voltage_limit import limits


@dataclass(frozen=True)
class Level:
    """Half-cycles in a row at one |current|."""

    current_A: float
    half_cycles: tuple[HalfCycle, ...]


@dataclass(frozen=True)
class TestProtocol:
    """What was held constant and what rose. Times in s, charges in C; None where it varies or is unknown."""

    __test__ = False  # not a test case

    kind: str
    levels: tuple[Level, ...]
    half_cycle_s: float | None
    half_cycle_C: float | None
    cycles_per_level: int
    times_s: tuple[float, float] | None = (
        None  # of half-cycles with and against a positive current, where they differ
    )

    def document(self, area_cm2: float | None) -> dict[str, Any]:
        """Its entry in the report."""
        return {
            "kind": self.kind,
            "levels_mA_cm2": [per_area(level.current_A, area_cm2, 1e3) for level in self.levels],
            "levels_A": [level.current_A for level in self.levels],
            "half_cycle_s": self.half_cycle_s,
            "half_cycle_mAh_cm2": per_area(self.half_cycle_C, area_cm2, 1 / 3.6),
            "cycles_per_level": self.cycles_per_level,
        }

    def complete(self, half_cycle: HalfCycle, *, last: bool = False) -> bool:
        """Did this half-cycle run as long as the protocol asks? One with a hole counts."""
        return half_cycle.after_gap or self.ran_out(half_cycle, last=last)

    def ran_out(self, half_cycle: HalfCycle, *, last: bool = False) -> bool:
        """As `complete`, by what was recorded of it alone."""
        share = (MOST if last else WHOLE) / (1 + SLACK_ROWS / half_cycle.rows)
        if self.times_s is not None:
            return half_cycle.duration_s >= share * self.times_s[0 if half_cycle.current_A > 0 else 1]
        if self.half_cycle_s is not None:
            return half_cycle.duration_s >= share * self.half_cycle_s
        if self.half_cycle_C is not None:
            return half_cycle.charge_C >= share * self.half_cycle_C
        return True


def levels_of(half_cycles: Sequence[HalfCycle]) -> tuple[Level, ...]:
    """Current levels in the order they were applied."""
    groups: list[list[HalfCycle]] = []
    for half_cycle in half_cycles:
        if groups and same_level(half_cycle.level_A, middle([h.level_A for h in groups[-1][-8:]])):
            groups[-1].append(half_cycle)
        else:
            groups.append([half_cycle])
    return tuple(Level(middle([h.level_A for h in group]), tuple(group)) for group in groups)


def recognise(half_cycles: Sequence[HalfCycle]) -> TestProtocol:
    """The protocol of a test. A short changes nothing in the current; a cell at its limit is left out."""
    held = _not_limited(half_cycles)
    # The last one may have been cut off by the end of the recording; holes hide where one began.
    whole = [h for h in held[:-1] if not (h.after_gap or h.before_gap)]
    sure = whole if len(whole) > 1 else held
    levels = levels_of(held)
    per_level = _cycles_per_level(levels)
    half_cycle_s, same_time = _constant([h.duration_s for h in sure])
    half_cycle_C, same_charge = _constant([h.charge_C for h in sure])
    times_s = _of_each_direction(sure)
    if times_s is not None and same_charge < 1:
        kind = (
            "unknown"
            if not levels
            else "long_cycling"
            if len(levels) == 1
            else "time_control"
            if per_level <= 1
            else "endurable_time"
        )
        return TestProtocol(kind, levels, None, None, per_level, times_s)
    kind = _kind(levels, per_level, half_cycle_s, half_cycle_C, same_time >= same_charge)
    if kind == "capacity_control":
        half_cycle_s = None
    return TestProtocol(kind, levels, half_cycle_s, half_cycle_C, per_level)


def _of_each_direction(sure: Sequence[HalfCycle]) -> tuple[float, float] | None:
    """Time of the half-cycles of each direction, where each keeps its own and they differ: 2:1 tests."""
    times = [
        _constant([h.duration_s for h in sure if (h.current_A > 0) == positive]) for positive in (True, False)
    ]
    a, b = times[0][0], times[1][0]
    if a is None or b is None or len(sure) < 4 or abs(a - b) <= ALIKE * max(a, b):
        return None
    return a, b


def _not_limited(half_cycles: Sequence[HalfCycle]) -> list[HalfCycle]:
    """Without those at the limit whose current gave way by more than a level's width: it is nobody's level."""
    kept: list[HalfCycle] = []
    largest_A, at_limit = 0.0, {limit.half_cycle.index for limit in limits(half_cycles)}
    for h in half_cycles:
        if not (h.index in at_limit and h.level_A < largest_A * (1 - ALIKE)):
            kept.append(h)
            largest_A = max(largest_A, h.level_A)
    return kept


def _kind(
    levels: Sequence[Level],
    per_level: int,
    half_cycle_s: float | None,
    half_cycle_C: float | None,
    by_time: bool,
) -> str:
    if not levels:
        return "unknown"
    if len(levels) == 1:
        return "long_cycling" if per_level >= 2 else "unknown"
    if half_cycle_s is not None and (by_time or half_cycle_C is None):
        return "time_control" if per_level <= 1 else "endurable_time"
    return "capacity_control" if half_cycle_C is not None else "unknown"


def _cycles_per_level(levels: Sequence[Level]) -> int:
    """Cycles of a typical level; the last may be cut short."""
    counts = [(len(level.half_cycles) + 1) // 2 for level in (levels[:-1] or levels)]
    return int(median(counts)) if counts else 0


def _constant(values: Sequence[float]) -> tuple[float | None, float]:
    """The median of values of which most are alike, or half and none is longer, else None; and the share alike."""
    if not values:
        return None, 0.0
    x, usual = np.array(values), middle(values)
    alike = np.abs(x - usual) <= ALIKE * np.maximum(np.abs(x), abs(usual))
    share = int(np.count_nonzero(alike)) / x.size
    none_longer = float(x.max()) <= usual * (1 + ALIKE)
    return usual if share >= (HALF if none_longer else MOST) else None, share
