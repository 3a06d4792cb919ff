"""The first half-cycles, before there is a shape to compare with."""

from collections.abc import Sequence

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.level.excursions import Excursion
from ccdmon.analysis.level.line import Line, Places, block_at, level_event
from ccdmon.analysis.order_statistics import middle

TEACH = 4  # half-cycles that teach a shape


def first_half_cycles(
    line: Line, steps: Sequence[dict[str, float]], up: Sequence[Excursion], known: Sequence[Event]
) -> list[Event]:
    """Events of the first that has some beside those `known`; a later one is asked where nothing is known so far."""
    for number in range(TEACH):
        end = line.of_number(number + 1)
        if number and end.size and any(e.row <= line.row[end[-1]] for e in known):
            break
        if events := _of_half_cycle(line, number, steps, up, known):
            return events
    return []


def _of_half_cycle(
    line: Line,
    number: int,
    steps: Sequence[dict[str, float]],
    up: Sequence[Excursion],
    known: Sequence[Event],
) -> list[Event]:
    """There is no shape yet: the core's sure steps down, unless V had jumped up before."""
    here = line.of_number(number)
    if here.size < th.LEAST_ROWS or any(
        e.kind == "hard_short" and line.row[here[0]] <= e.row < line.row[here[4]] for e in known
    ):
        return []
    jolts = np.concatenate([line.of_number(number - 1), here])
    dead = [e.row - th.LEAST_ROWS for e in known if e.kind == "hard_short"]
    end = min([line.row[here[-1]] + line.rows[here[-1]], *dead])
    fallen = [
        (s, _comes_back(line, here, s, end))
        for s in steps
        if line.row[here[2]] <= s["row"] < end
        and _is_sure(s)
        and not takes_back(line, jolts, s["row"], _drop_ohm(s))
        and _is_low(line, number, here, s)
    ]
    jolted = [
        u.row
        for u in up
        if u.number == number and u.depth > th.UNKNOWN and u.state == "back" and _sudden(line, u)
    ]
    jolted += [int(line.row[j]) for j in here[3:] if line.ohm[j] > th.GROWN * line.ohm[j - 1] > 0]
    fallen = [
        (s, back)
        for s, back in fallen
        if not any(j < s["row"] and not any(f["row"] < j for f, _ in fallen) for j in jolted)
    ]
    told = _told(line, fallen) if fallen else []
    return [
        e for e in told if not any(x.kind == e.kind and abs(x.row - e.row) <= th.LEAST_ROWS for x in known)
    ]


def _is_sure(s: dict[str, float]) -> bool:
    """Far beyond its error, within a row, and not while V settles."""
    drop = s["before_V"] - s["after_V"]
    return (
        min(drop, -s["step_V"]) > max(th.FALL * s["before_V"], th.SURE * s["step_error_V"])
        and th.SUDDEN < s["abruptness"] < 1 / th.SUDDEN
        and s["before_V"] > 0
        and s["position"] >= 2 * th.LEAST_ROWS
    )


def _is_low(line: Line, number: int, here: Places, s: dict[str, float]) -> bool:
    """Is V over I behind it, late in the half-cycle, lower than late in the one before, if there is one?"""
    before = line.of_number(number - 1)
    late = here[here > max(block_at(line, s["row"]), here[here.size // 2])]
    if number == 0 or not before.size or not late.size:
        return number == 0
    left = 1 - th.HALF * (1 - s["after_V"] / s["before_V"])
    return middle(line.ohm[late]) < left * middle(line.ohm[before[before.size // 2 :]])


def _drop_ohm(s: dict[str, float]) -> float:
    return (s["before_V"] - s["after_V"]) / abs(s["current_A"])


def _comes_back(line: Line, here: Places, s: dict[str, float], end: float) -> bool:
    """Does V jump up again in this half-cycle, or is it up in the next ones, or too little left to tell?"""
    k = block_at(line, s["row"])
    behind = [j for j in here if j > k and line.row[j] < end]
    if len(behind) < 2 or any(line.ohm[j] - line.ohm[j - 1] > 0.5 * _drop_ohm(s) for j in behind[1:]):
        return True
    before_ohm, climb = s["before_V"] / abs(s["current_A"]), max(line.ohm[k - 1] - line.ohm[k - 2], 0.0)
    if any(line.ohm[j] > before_ohm - (1 - th.MOST) * _drop_ohm(s) + 3 * climb for j in behind[:3]):
        return True  # within a few blocks, faster than it climbed before
    number = int(line.number[k])
    later = [middle(line.ohm[ks[ks.size // 2 :]]) for n in (1, 2) if (ks := line.of_number(number + n)).size]
    left = before_ohm - th.HALF * _drop_ohm(s)
    return number > 0 and bool(later) and min(later) > left


def _told(line: Line, fallen: Sequence[tuple[dict[str, float], bool]]) -> list[Event]:
    """One soft short if any of them comes back, else up to three partial ones."""
    first = fallen[0][0]
    row, per_A = int(first["row"]), 1 / abs(first["current_A"])
    before_ohm, after_ohm = first["before_V"] * per_A, first["after_V"] * per_A
    shown = Excursion(row, first["time_s"], before_ohm, 0.0, 0, 0, None, level=after_ohm)
    came_back = [s for s, back in fallen if back]
    if came_back:
        shown.end_s = came_back[-1]["time_s"]
        k, criterion = block_at(line, row), "V falls and comes back"
        return [
            level_event("soft_short", line, k, row, shown, criterion, recovered=True, dips=len(came_back))
        ]
    return [
        level_event(
            "partial_short", line, block_at(line, s["row"]), int(s["row"]), shown, "V falls at once and stays"
        )
        for s, _ in fallen[:3]
    ]


def _sudden(line: Line, up: Excursion) -> bool:
    """Did it rise at once? V of a cell climbs by itself, and a short takes that back."""
    first, end = block_at(line, up.row), block_at(line, up.end_row or up.row)
    rises = np.diff(line.level[max(first - 1, 0) : end + 1])
    return bool(rises.size and rises.max() > th.HALF * up.depth * up.kept)


def takes_back(line: Line, here: Places, row: float, drop_ohm: float) -> bool:
    """Had V risen at once by as much as it loses in a row, faster than it climbed before that?"""
    ohm, before = line.ohm, here[4:][here[4:] < block_at(line, row)]
    rise, climbed = ohm[before + 1] - ohm[before - 1], ohm[before - 1] - ohm[before - 3]
    rise = np.maximum(rise, ohm[before] - ohm[before - 1])  # the next block may hold the fall
    return bool(np.any(rise > np.maximum(th.MOST * drop_ohm, th.SWING * np.abs(climbed))))
