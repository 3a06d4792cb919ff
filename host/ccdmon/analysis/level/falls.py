"""Falls of the level that stay: hard and partial shorts, and a cell that slid to nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.level.creeping import creeps
from ccdmon.analysis.level.drifts import drifts
from ccdmon.analysis.level.excursions import Excursion
from ccdmon.analysis.level.first_half_cycles import TEACH, takes_back
from ccdmon.analysis.level.leveled import MOST_BLOCKS
from ccdmon.analysis.level.line import Line, block_at, level_event
from ccdmon.analysis.order_statistics import middle


def _sudden(
    line: Line, e: Excursion, top: float, bottom: float, steps: Sequence[dict[str, float]]
) -> tuple[bool, int, int | None]:
    """Does the level pass from near `top` to near `bottom` between neighbouring informative blocks?

    Returns also the first block behind it, and its row by the core's steps.
    """
    drop = top - bottom
    at = block_at(line, e.row)
    end = block_at(line, e.end_row if e.end_row is not None else line.row[-1]) + 1
    sure = line.error * e.kept * th.SURE < 2 * drop
    high = [
        k
        for k in range(max(0, at - MOST_BLOCKS), min(at + MOST_BLOCKS, end))
        if sure[k] and line.level[k] > bottom + th.SUDDEN * drop
    ]
    low = [
        k for k in range(max(0, at - 3), end) if sure[k] and line.level[k] < bottom + (1 - th.SUDDEN) * drop
    ]
    if not low:
        return False, at, None
    # The first low one from which on it stays low, by three.
    first = next(
        (k for n, k in enumerate(low) if middle(line.level[k : k + 3]) < bottom + (1 - th.SUDDEN) * drop),
        low[0],
    )
    last = max((k for k in high if k < first), default=None)
    if last is None:
        return False, first, None
    between = [k for k in range(last + 1, first) if sure[k]]
    sudden = len(between) <= 1
    before = [k for k in range(max(0, last - 2 * th.LEAST_ROWS), last + 1) if sure[k]][-6:]
    behind = [k for k in range(first, min(first + 2 * th.LEAST_ROWS, line.level.size)) if sure[k]][:6]
    if sudden and len(before) >= 2 and len(behind) >= 2:
        jump = float(middle(line.level[before]) - middle(line.level[behind]))
        sudden = jump > th.SUDDEN * drop and _shows(line, before[-2:], behind[:2], drop / top)
    # Unsure blocks between them: it happened in a reversal or while V settled.
    start = first
    while start - 1 > last and not sure[start - 1]:
        start -= 1
    place = start if line.number[start] != line.number[last] else first
    row = None
    lo, hi = line.row[last], line.row[first] + line.rows[first]
    near = [s for s in steps if lo - 3 <= s["row"] <= hi + 3 and -s["step_V"] > 0]
    if near:
        row = int(max(near, key=lambda s: s["before_V"] - s["after_V"])["row"])
    elif between:
        place = between[0]
    return sudden, place, row


def _is_nothing(line: Line, e: Excursion, at: int) -> bool:
    """Is what is left little beside all that was kept, and V over I beside what it was?"""
    little = e.lowest_kept is None or e.level < th.HALF * e.lowest_kept
    return little and bool(middle(line.ohm[at:]) < th.HALF * line.ohm[: at + 1].max())


def _shows(line: Line, before: list[int], behind: list[int], fall: float) -> bool:
    """Does V over I itself fall, while half-cycles teach? What only the level does then is the shape's.

    After a reversal V over I begins low, too.
    """
    if line.number[before[0]] >= TEACH:
        return True
    left = middle(line.ohm[behind]) / middle(line.ohm[before])
    return left < 1 - (1 - th.SUDDEN) * fall


def _slid(line: Line, place: int, steps: Sequence[dict[str, float]]) -> bool:
    """Does the core, which looks at rows, see V fall around a block, and nowhere at once?"""
    near = [s["abruptness"] for s in _around(line, place, steps) if s["step_V"] < 0]
    return bool(near) and max(near) < th.HALF


def _around(line: Line, place: int, steps: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """The core's steps around a block."""
    low, high = line.row[max(place - 2, 0)], line.row[place] + line.rows[place]
    return [s for s in steps if low <= s["row"] <= high]


def _died(line: Line, first: int) -> int | None:
    """The block near `first` at which a level that fluctuated before falls to what a hard short leaves of it."""
    for k in range(max(first - 2, 1), min(first + 3, line.level.size)):
        before, after = line.level[max(0, k - 3) : k], line.level[k : k + 3]
        if middle(after) < th.HARD_REMAINS * middle(before) and after[0] < th.HARD_REMAINS * before[-1]:
            return k
    return None


def dead(line: Line, e: Excursion, steps: Sequence[dict[str, float]], explained: Any) -> list[Event]:
    """Open at the end of the rows and dead."""
    n = len(e.levels)
    if e.lowest_kept is not None and e.level > th.MOST * e.lowest_kept:
        return []
    at = block_at(line, e.row)
    if e.ratio < -th.HARD_REMAINS:
        return [level_event("sensor_fault", line, at, None, e, "V does not follow the sign of the current")]
    low = line.level[at:] < th.HARD_REMAINS * e.kept
    first = at + next((k for k in range(low.size) if low[k : k + 3].mean() > th.HALF), 0)
    if explained(line.row[max(at - MOST_BLOCKS, 0)], line.row[-1], e.ratio):
        return []
    sudden, place, row = _sudden(line, e, e.kept, e.level, steps)
    creeping = creeps(line, place, e)
    hard = sudden and not (creeping or _slid(line, place, steps))
    if not hard:  # early, the shape is not known yet, or it was low already: the core's own step tells
        began = line.row[np.flatnonzero(line.number == e.number)[0]]
        stepped = [
            s
            for s in steps
            if began <= s["row"] <= line.row[first] + line.rows[first]
            and s["after_V"] < th.HARD_REMAINS * s["before_V"]
            and s["abruptness"] > th.SUDDEN
        ]
        if stepped and not creeping:
            hard, row = True, int(stepped[-1]["row"])
        elif (died := _died(line, first)) is not None:
            hard, place = True, died
    if not hard and (n < 4 or not _is_nothing(line, e, at)):
        return []
    kind = "hard_short" if hard else "fake_stable"
    if hard:
        here = int(np.flatnonzero(line.number == line.number[place])[0])
        if (
            row is None
            and 0 < place - here <= 3
            and np.all((line.level[here:place] < th.SUDDEN * e.kept) | (line.error[here:place] > th.UNKNOWN))
        ):
            place = here  # in the reversal
        if row is None:
            around = _around(line, place, steps)
            near = [s for s in around if s["after_V"] < th.HARD_REMAINS * s["before_V"]]
            row = int(near[0]["row"]) if near else None
        return [level_event(kind, line, place, row, e, "the level falls at once and stays")]
    return [level_event(kind, line, at, None, e, "the level slides to a fraction and stays")]


def lasting(
    line: Line,
    e: Excursion,
    all_: Sequence[Excursion],
    steps: Sequence[dict[str, float]],
    blocks: float,
    explained: Any,
) -> list[Event]:
    """A fall that stays: partial if it was sudden, and below all that the cell kept."""
    fall = 1 - e.ratio
    if fall < th.FALL:
        return []
    lowest = _lowest_before(line, e) if e.lowest_kept is None else e.lowest_kept
    if lowest is not None and e.level > (1 - th.HALF * th.FALL) * lowest:
        return []
    if e.state == "open" and len(e.levels) < (1 - th.MOST) * blocks:
        return []
    sudden, place, row = _sudden(line, e, e.kept, e.level, steps)
    before, behind = place - int(blocks), place + int(blocks)  # over these it was kept, and is told
    if not sudden or explained(line.row[max(before, 0)], line.row[min(behind, line.row.size - 1)], e.ratio):
        return []
    first = line.number[place]
    if drifts(line, place, fall):
        return []
    if first == 0 and takes_back(line, line.of_number(0), line.row[place], fall * line.ohm[place]):
        return []
    if (first <= 1 and fall < th.UNKNOWN) or (first == 0 and row is None):
        return []
    back = came_back(e, all_, for_good=True)
    if back is not None:
        healed = replace(e, end_s=back.time_s)
        return [
            level_event(
                "soft_short", line, place, row, healed, "the level falls and comes back", recovered=True
            )
        ]
    sure = {"standard_errors": fall / (e.error / 5), "provisional": e.state == "open"}
    return [level_event("partial_short", line, place, row, e, "the level falls at once and stays", **sure)]


def _lowest_before(line: Line, e: Excursion) -> float | None:
    """Early: of the half-cycles before."""
    known = [k[line.error[k] < th.UNKNOWN] for k in (line.of_number(n) for n in range(e.number))]
    return min((middle(line.level[k]) for k in known if k.size >= th.LEAST_ROWS), default=None)


def came_back(e: Excursion, all_: Sequence[Excursion], *, for_good: bool = False) -> Excursion | None:
    """The rise that undoes a fall within some half-cycles, and for good if so asked: a jolt does not heal."""
    for x in all_:
        rises = x.sign > 0 and not (for_good and x.state == "back")
        soon = rises and x.row > e.row and x.number - e.number <= th.SOFT_WITHIN
        if soon and x.level > e.level + th.MOST * (e.kept - e.level):
            return x
    return None
