"""Levels that slide from half-cycle to half-cycle: what looks like a step of one is none."""

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.level.line import Line
from ccdmon.analysis.order_statistics import middle


def drifts(line: Line, place: int, fall: float) -> bool:
    """Did the level fall before, or does it go on to fall: in half-cycles next to it, by a good part of the loss?"""
    number = int(line.number[place])
    here = np.flatnonzero(line.number == number)
    inside = place - here[0] > 2
    spans = (
        [here[here < place - 1], here[here > place + 1]]
        if inside
        else [np.flatnonzero(line.number == number - 1), here]
    )
    before, behind = _slides(line, number, inside)
    most = min(before, behind) if inside else max(before, behind)
    if most > (1 - th.SUDDEN) * fall or (
        not inside and (_of_direction(line, number, fall) or _of_current(line, number, fall))
    ):
        return True
    for span in spans:
        span = span[line.error[span] < th.UNKNOWN]
        if span.size > th.LEAST_ROWS:
            third = span.size // 3
            a, b = middle(line.level[span[:third]]), middle(line.level[span[-third:]])
            if 1 - b / a > (1 - th.SUDDEN) * fall:
                return True
            x, y = middle(line.ohm[span[:third]]), middle(line.ohm[span[-third:]])
            if (
                number < 4 and 1 - y / x > (1 - th.SUDDEN) * fall
            ):  # the shape is not known: V of a sound cell rises
                return True
    return False


def _slides(line: Line, number: int, inside: bool) -> tuple[float, float]:
    """How far the level fell a half-cycle, at most, over one and two of them before one, and behind it."""
    first = number + inside  # one that holds the fall says nothing
    medians = {
        n: middle(line.level[line.number == n])
        for n in range(number - 3, first + 3)
        if np.any(line.number == n) and not (inside and n == number)
    }

    def most(*pairs: tuple[int, int]) -> float:
        fell = [
            float(np.log(medians[a] / medians[b])) / (b - a)
            for a, b in pairs
            if a in medians and b in medians and min(medians[a], medians[b]) > 0
        ]
        return max(fell, default=0.0)

    before = most((number - 2, number - 1), (number - 3, number - 1))
    return before, most((first, first + 1), (first, first + 2))


def _of_direction(line: Line, number: int, fall: float) -> bool:
    """Was the half-cycle of the same direction before as low? The two directions differ, and both drift."""
    before, now = line.of_number(number - 2), line.of_number(number)
    same = before.size and line.current_A[before[0]] * line.current_A[now[0]] > 0
    return bool(same and middle(line.level[now]) > (1 - th.HALF * fall) * middle(line.level[before]))


def _of_current(line: Line, number: int, fall: float) -> bool:
    """Does the level fall where the current steps up, here and at the step before or behind? It is not linear then."""
    levels = [(h.number, abs(h.stretch.current_A), h.median_ohm) for h in line.leveled]
    up = [
        (k, 1 - levels[k][2] / levels[k - 2][2])
        for k in range(2, len(levels))
        if levels[k][1] > (1 + th.ALIKE) * levels[k - 1][1] and levels[k - 2][2] > 0
    ]
    at = next((n for n, (k, _) in enumerate(up) if levels[k][0] == number), None)
    beside = [] if at is None else [fell for _, fell in up[max(at - 1, 0) : at] + up[at + 1 : at + 2]]
    return any(fell > th.HALF * fall for fell in beside)
