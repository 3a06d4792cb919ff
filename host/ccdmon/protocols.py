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

from ccdmon.half_cycles import HalfCycle, per_area

SAME_LEVEL = 0.02  # relative difference of two currents that are one level; ramps step by more
CONSTANT = 0.08  # relative spread of times or capacities that counts as constant: a row at either end
MOSTLY = 0.7  # of the half-cycles must be alike: a gap in the recording can shorten some
COMPLETE = 0.9  # of the expected time or capacity: a half-cycle cut off earlier is not complete
SLACK_ROWS = 3  # a recording may start late and end early by a row or two


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

    def complete(self, half_cycle: HalfCycle) -> bool:
        """Did this half-cycle run as long as the protocol asks?"""
        slack = 1 + SLACK_ROWS / half_cycle.rows
        if self.half_cycle_s is not None:
            return half_cycle.duration_s * slack >= COMPLETE * self.half_cycle_s
        if self.half_cycle_C is not None:
            return half_cycle.charge_C * slack >= COMPLETE * self.half_cycle_C
        return True


def levels_of(half_cycles: Sequence[HalfCycle]) -> tuple[Level, ...]:
    """Current levels in the order they were applied."""
    groups: list[list[HalfCycle]] = []
    for half_cycle in half_cycles:
        if groups and _same(abs(half_cycle.current_A), abs(groups[-1][0].current_A), SAME_LEVEL):
            groups[-1].append(half_cycle)
        else:
            groups.append([half_cycle])
    return tuple(Level(median(abs(h.current_A) for h in group), tuple(group)) for group in groups)


def recognise(half_cycles: Sequence[HalfCycle], failure_row: int | None) -> TestProtocol:
    """The protocol of a test; half-cycles after a failure say nothing of it."""
    lived = _rising([h for h in half_cycles if failure_row is None or h.first_row <= failure_row])
    # The last one may have been cut off, by the failure or by the end of the recording.
    sure = lived[:-1] if len(lived) > 2 else lived
    levels = levels_of(lived)
    per_level = _cycles_per_level(levels)
    half_cycle_s = _constant([h.duration_s for h in sure])
    half_cycle_C = _constant([h.charge_C for h in sure])
    kind = _kind(levels, per_level, half_cycle_s, half_cycle_C)
    if kind == "capacity_control":
        half_cycle_s = None
    return TestProtocol(kind, levels, half_cycle_s, half_cycle_C, per_level)


def _rising(half_cycles: Sequence[HalfCycle]) -> list[HalfCycle]:
    """Without those of a smaller current than before: there the cell was at its voltage limit, or being scanned."""
    kept: list[HalfCycle] = []
    largest = 0.0
    for half_cycle in half_cycles:
        current = abs(half_cycle.current_A)
        if current >= largest * (1 - SAME_LEVEL):
            kept.append(half_cycle)
            largest = max(largest, current)
    return kept


def _kind(
    levels: Sequence[Level], per_level: int, half_cycle_s: float | None, half_cycle_C: float | None
) -> str:
    if not levels:
        return "unknown"
    if len(levels) == 1:
        return "long_cycling" if per_level >= 2 else "unknown"
    if half_cycle_s is not None and len({round(level.current_A, 15) for level in levels}) > 1:
        return "time_control" if per_level <= 1 else "endurable_time"
    if half_cycle_C is not None:
        return "capacity_control"
    return "unknown"


def _cycles_per_level(levels: Sequence[Level]) -> int:
    """Cycles of a typical level; the last may be cut short."""
    counts = [(len(level.half_cycles) + 1) // 2 for level in (levels[:-1] or levels)]
    return int(median(counts)) if counts else 0


def _constant(values: Sequence[float]) -> float | None:
    """The median of values that are all alike, else None."""
    if not values:
        return None
    middle = median(values)
    alike = [value for value in values if _same(value, middle, CONSTANT)]
    return middle if len(alike) >= MOSTLY * len(values) else None


def _same(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) <= tolerance * max(abs(a), abs(b))
