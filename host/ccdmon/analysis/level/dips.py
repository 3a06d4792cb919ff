"""Falls of the level that come back: soft shorts."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.level.excursions import Excursion
from ccdmon.analysis.level.falls import came_back
from ccdmon.analysis.level.leveled import MOST_BLOCKS, Leveled
from ccdmon.analysis.level.line import Line, block_at, level_event
from ccdmon.analysis.order_statistics import middle, quantile


def micro_shorts(leveled: Sequence[Leveled]) -> list[Event]:
    """Single rows towards 0, many within two half-cycles, hardly any the other way: interference has both."""
    for a, b in itertools.zip_longest(leveled, leveled[1:]):
        if not a.dips.size:
            continue
        near = [a] if b is None or b.number != a.number + 1 else [a, b]
        rows = np.concatenate([h.dips for h in near])
        later_alone = not _many([a]) and _many(near[1:])  # a row or two of noise are no begin
        if _many(near) and not later_alone:
            k = int(np.searchsorted(a.row, a.dips[0]))
            row = int(a.row[k] + a.rows[k]) - 1  # one of these: not before it began
            start_s = float(a.time_s[k] + 0.5 * (a.rows[k] - 1) * a.interval_s[k])
            last = next(h for h in reversed(near) if h.dips.size)
            end_s = float(np.interp(last.dips[-1], last.row, last.time_s))
            evidence = {"criterion": "many single rows towards 0, none the other way", "dips": int(rows.size)}
            where = start_s, row, None, a.stretch.current_A, end_s
            return [Event("soft_short", *where, True, False, evidence)]
    return []


def _many(half_cycles: Sequence[Leveled]) -> bool:
    return sum(h.dips.size - 3 * h.peaks for h in half_cycles) >= th.DIPS


def _with_step(d: Excursion, steps: Sequence[dict[str, float]]) -> bool:
    """Early, before the shape is known well: does the core see V itself fall?"""
    return any(
        abs(s["row"] - d.row) <= MOST_BLOCKS
        and s["after_V"] < th.MOST * s["before_V"]
        and s["abruptness"] > th.SUDDEN
        for s in steps
    )


def _onset(line: Line, e: Excursion) -> int:
    """The block in which it is a good part of the way down."""
    k = block_at(line, e.row)
    while (
        k + 1 < line.level.size
        and line.row[k] < (e.end_row or line.row[-1])
        and line.level[k] > e.kept * (1 - (1 - th.SUDDEN) * _depth(e))
    ):
        k += 1
    return k


def _enough(d: Excursion) -> float:
    """Depth that tells by itself."""
    return max(2 * th.FALL, d.error + th.FALL)


def fluctuating(line: Line, e: Excursion, all_: Sequence[Excursion]) -> list[Event]:
    """A fall whose level swings by far more than before: a leak that forms and dissolves."""
    inside = [k for k in range(block_at(line, e.row), line.row.size) if line.row[k] <= (e.end_row or np.inf)]
    if not inside:
        return []
    before = np.arange(max(0, inside[0] - MOST_BLOCKS), max(0, inside[0] - 1))
    before, known = (
        np.array([k for k in ks if line.error[k] < th.UNKNOWN / 2], int) for ks in (before, inside)
    )
    if min(before.size, known.size) < th.LEAST_ROWS or e.number < 4 or e.error > th.UNKNOWN:
        return []
    swing, usual = (float(middle(np.abs(np.diff(line.level[ks])))) / e.kept for ks in (known, before))
    level = middle(line.level[known])
    if swing < max(th.SWING * usual, 0.5 * th.LEAST):  # from block to block; or faster, within each
        swing, usual = (middle(line.within_ohm[ks]) / e.kept for ks in (known, before))
    if e.lowest_kept is not None and level > (1 - th.LEAST) * e.lowest_kept:  # only back from a growth
        return []
    if level > (1 - th.FALL) * e.kept or swing < max(th.SWING * usual, 0.5 * th.LEAST):
        return []
    back = e if e.state == "back" else came_back(e, all_)
    shown = replace(e, level=level, end_s=e.end_s if back is None or back is e else back.time_s)
    evidence = {"swing_ratio": swing / usual if usual > 0 else None}
    criterion = "the level is lower and swings"
    return [
        level_event(
            "soft_short",
            line,
            _onset(line, e),
            None,
            shown,
            criterion,
            recovered=back is not None,
            **evidence,
        )
    ]


def followed(line: Line, events: Sequence[Event]) -> list[Event]:
    """The events, a soft short told to the end of the half-cycles behind it in which the level goes on to swing.

    It comes back for moments, and a level that is learned anew from what swings takes that for usual. One that swings
    in every half-cycle to the end of the test has not recovered, and what begins within it is it.
    """
    if not any(x.kind == "soft_short" and x.recovered for x in events):
        return list(events)
    halves = line.leveled
    swings = [_swing(h) for h in halves]
    told: list[Event] = []
    for event in sorted(events, key=lambda x: x.row):
        if event.kind != "soft_short" or not event.recovered:
            told.append(event)
            continue
        if any(x.kind == "soft_short" and not x.recovered for x in told):
            continue
        number = line.number[max(block_at(line, event.row), 0)]
        at = next(k for k, h in enumerate(halves) if h.number == number)
        least = max(2 * th.FALL, th.SWING * middle(swings[:at]))
        on = list(itertools.takewhile(lambda k, least=least: swings[k] > least, range(at + 1, len(halves))))  # type: ignore[misc]
        goes_on = on and on[-1] == len(halves) - 1
        if goes_on and len(on) >= th.SOFT_WITHIN and halves[-1].number == number + len(on):  # none was let go
            event = replace(event, recovered=False, end_s=None)
        elif on and not goes_on:
            last_s = _last_low_s(halves[on[-1]])
            event = replace(event, end_s=max(last_s, event.end_s or last_s))
        told.append(event)
    return told


def _swing(h: Leveled) -> float:
    """Of the level within a half-cycle, what lies between its tenths, over the upper; 0 where too little is known."""
    level = h.level[h.error < th.UNKNOWN]
    if level.size < th.LEAST_ROWS:
        return 0.0
    high = quantile(level, 0.9)
    return 1 - quantile(level, 0.1) / high if high > 0 else 0.0


def _last_low_s(h: Leveled) -> float:
    """When the last block began that lies lower than the upper ones."""
    known = h.error < th.UNKNOWN
    level = h.level[known]
    return float(h.time_s[known][level < (1 - th.FALL) * quantile(level, 0.9)][-1])


def _settled(d: Excursion) -> list[float]:
    """Its levels without the block in which the current turned."""
    return d.levels[1:] if d.place == 0 else d.levels


def _depth(d: Excursion) -> float:
    return 1 - min(_settled(d), default=d.kept) / d.kept


def _of_direction(d: Excursion, blocks: float) -> bool:
    """A little lower for most of a half-cycle, but where it ends in the next: the two directions differ."""
    lower = sorted(d.levels)[th.SLACK_ROWS :]
    return len(d.levels) > th.HALF * blocks and 1 - min(lower, default=d.kept) / d.kept < th.FALL


def dips_of(
    line: Line,
    dips: Sequence[Excursion],
    up: Sequence[Excursion],
    steps: Sequence[dict[str, float]],
    blocks: float,
    asked: Callable[[Excursion], bool],
) -> list[Event]:
    """One deep, or many: a leak only lowers, so what goes up speaks against. None if it begins with one not `asked`."""
    dips = [
        d
        for d in dips
        if _depth(d) > th.LEAST
        and not _of_direction(d, blocks)
        and (d.lowest_kept is None or min(_settled(d)) < (1 - th.LEAST) * d.lowest_kept)
        and d.error < th.UNKNOWN
    ]
    big = [
        d
        for d in dips
        if 1 - min(_settled(d)) / min(d.kept, d.lowest_kept or d.kept) > _enough(d)
        and (len(d.levels) >= 3 or sum(d.weights) >= 6)
        and d.number > 0
        and (d.number >= 4 or _with_step(d, steps))
    ]
    best: tuple[float, int] | None = None
    for a in range(len(dips)):
        near = [d for d in dips[a:] if d.number - dips[a].number <= 2]
        ups = sum(1 for u in up if abs(u.number - dips[a].number) <= 2 * th.SOFT_WITHIN and u.state == "back")
        score = (
            sum(
                1 + sum(_depth(d) > max(k * th.FALL, 1.5 * d.error) for k in (1, 2))
                for d in near
                if sum(d.weights) >= 2
            )
            - 3
            - 3 * ups
        )
        if len(near) >= 3 and (best is None or score > best[0]):
            best = (score, a)
    chosen = list(
        ([dips[best[1]]] if best is not None and best[0] >= 2 and dips[best[1]].number > 0 else []) + big[:1]
    )
    if not chosen:
        return []
    first = min(chosen, key=lambda d: d.row)
    if not asked(first):
        return []
    k = _onset(line, first)
    stepped = [
        s
        for s in steps
        if line.row[k] - th.LEAST_ROWS <= s["row"] <= line.row[k] + line.rows[k] + 2 and -s["step_V"] > 0
    ]
    row = int(stepped[0]["row"]) if stepped else int(line.row[k])
    last = max((d for d in dips if d.number - first.number <= 3), key=lambda d: d.row)
    shown = replace(first, end_s=last.end_s)
    return [
        level_event(
            "soft_short",
            line,
            k,
            row,
            shown,
            "the level dips and comes back",
            recovered=True,
            dips=len(dips),
            ups=len(up),
        )
    ]
