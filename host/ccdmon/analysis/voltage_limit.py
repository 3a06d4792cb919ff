"""Where the cycler held the voltage: the current gives way and V does not follow it down.

No limit is told in a trace, and noise hides a flat top, so neither is asked for: V of the last rows, a mean, stays at
the largest of the test while the current falls below its level. A test that goes back to a lower level, or an
excitation on the current, takes V down with I and is no limit.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.half_cycles import HalfCycle


class Limit(NamedTuple):
    """A half-cycle in which the limit was reached, and about the row where."""

    half_cycle: HalfCycle
    row: int


def limits(half_cycles: Sequence[HalfCycle]) -> Iterator[Limit]:
    """The half-cycles in which the current gave way."""
    return iter(()) if _all_at_their_level(half_cycles) else _limits(half_cycles)


def _all_at_their_level(half_cycles: Sequence[HalfCycle]) -> bool:
    """Does each end at the largest current so far, as nearly all do?"""
    stands_A = 0.0
    for h in half_cycles:
        level_A = h.level_A
        stands_A = max(stands_A, (1 - th.STANDS) * level_A)
        if not (level_A >= stands_A <= h.current_end_A):
            return False
    return True


def _limits(half_cycles: Sequence[HalfCycle]) -> Iterator[Limit]:
    top_V = max((h.end_V for h in half_cycles if h.rows >= th.LIMIT_ROWS), default=0.0)
    highest_V = max((h.highest_V for h in half_cycles), default=0.0)
    planned_A = excited = 0.0
    moved: deque[float] = deque(maxlen=th.LEAST_ROWS)  # by how much the current ended off its level
    for h in half_cycles:
        level_A, end_A = h.level_A, h.current_end_A
        if level_A > (1 + th.ALIKE) * planned_A:
            planned_A = level_A
        stands_A = (1 - th.STANDS) * planned_A
        if planned_A > 0 and end_A > (1 - 2 * th.ALIKE) * planned_A:
            excited = th.AGED * max(moved, default=0.0)
            moved.append(abs(min(end_A, level_A) / planned_A - 1))
        if level_A >= stands_A <= end_A:  # as nearly all
            continue
        left = min(end_A, level_A) / planned_A if planned_A > 0 else 1.0
        if left < 1 - max(th.STANDS, excited) and (_held(h, left, top_V) or _flat(h, highest_V)):
            yield Limit(h, limit_row(h, planned_A))
        elif left < 1 - th.ALIKE:
            planned_A = h.level_A  # the program went down to a lower level


def _held(h: HalfCycle, left: float, top_V: float) -> bool:
    return h.rows >= th.LIMIT_ROWS and h.end_V > (1 - th.HALF * (1 - left)) * top_V


def _flat(h: HalfCycle, highest_V: float) -> bool:
    """It was, and the current came back since."""
    return h.rows_highest >= th.LIMIT_ROWS and h.highest_V > (1 - th.STANDS) * highest_V


def limit_row(h: HalfCycle, planned_A: float) -> int:
    """Where the limit was reached in a half-cycle of the level `planned_A` that ends at it."""
    if h.rows_highest >= th.LIMIT_ROWS:
        return max(h.first_row, h.last_row - h.rows_highest + 1)
    # Noise hides the flat top. A current that gives way evenly has lost half of its last loss in the mean.
    lost_A = planned_A - h.current_end_A
    share = min(2 * (planned_A - h.level_A) / lost_A, 1.0) if lost_A > 0 else 0.0
    return h.last_row - int(share * (h.last_row - h.first_row))
