"""The critical current of stripping: the first level at which voids outrun the supply of lithium to the interface.

Flux balance (review, eq. 10, 11): an interface strips j and is given J_0 by diffusion and creep. Below J_0 it stays
planar; above, lithium is missing at a rate of j - J_0 and contact with it, so that the resistance grows within the
half-cycle, and more so at every level that follows. The half-cycles before a level teach the cell's linear response
(I through RC filters) and its drift; what a level's half-cycles grow beyond it, over their last three quarters, is
compared with what half-cycles grew for no reason until then. A wrong shape is no void: later levels must grow, too.
Whether voids grew is told by the first level where they are clear; where they began is then read from all (`supply`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ccd_fastcore import FILTERS
from ccdmon.analysis.level.line import Places
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.why.half_cycle_rows import Explained, HalfCycleRows
from ccdmon.analysis.why.supply import Grown, first_starved

MOST_STARTS = 16  # of a single level: where in it
GROWN = 1.6  # of the resistance: what follows says nothing new of when it began
EARLY = 0.25  # of a half-cycle: relaxations are there, voids are not
LEAST_GROWTH = 0.008  # of the resistance, within a half-cycle
CLEAR, CLEAR_LAST = 3.0, 4.5  # standard errors; of the last level, which none confirms
TOGETHER, LEAST_TOGETHER = (
    14.0,
    0.006,
)  # -2 ln of the likelihood that all levels say so, and what the last grows
LASTS = 0.7  # of a level's growth: later ones have no less
STEEP = 0.1  # of a half-cycle: voids breed voids
FLOOR = 0.002  # of the resistance: no fit of ours is better
RELAXES, DRIFT = 0.5, 0.03  # how large each may be, of the resistance
# How wrong a linear response is that so many half-cycles have taught, as a growth within one.
UNSURE = (1.0, 1.0, 0.02, 0.015, 0.008, 0.006, 0.004, 0.003, 0.002)


@dataclass(frozen=True)
class Onset:
    """`level` is the index of the first that outran the supply, None if none did."""

    level: int | None
    growth: float  # of the resistance within a half-cycle, at the level `clear`
    errors: float  # how many standard errors that is
    row: int | None  # the first of its first half-cycle
    half_cycles: int  # looked at
    clear: int | None = None  # index of the level that shows it for sure, at or after `level`
    likely: float = 1.0  # that it is this level, and no neighbour, if voids it was


@dataclass(frozen=True)
class _Rows:
    """One number a block: which half-cycle; weighted, without its mean, the resistance and what that rests on."""

    half: Places
    grows: Array  # a growth by 1 within its half-cycle
    y: Array
    base: Array  # (blocks, columns)


@dataclass(frozen=True)
class _Level:
    """Half-cycles `first` to before `end`; `slope`, the growth beyond those before, and `white`, its noise, of all."""

    first: int
    end: int
    slope: Array
    scatter: float  # of those before
    white: Array
    grown: float
    errors: float  # standard errors that is
    most: float


def onset(test: Sequence[HalfCycleRows], levels_A: Sequence[float], explained: Explained) -> Onset | None:
    """Read half-cycles up to the one that has grown by half; None where there are too few to read."""
    read = _until_grown(test)
    if len(read) < 3 or not levels_A:
        return None
    at = [int(np.argmin([abs(abs(h.stretch.current_A) - j) for j in levels_A])) for h in read]
    starts = [k for k in range(2, len(read)) if at[k] > max(at[:k])]
    if not starts:
        starts = list(range(2, len(read), max(1, len(read) // MOST_STARTS)))
    rows = _rows(read, explained)
    found = [_level(rows, k, end) for k, end in zip(starts, [*starts[1:], len(read)], strict=True)]
    clear = _clear(found)
    none = Onset(None, 0.0, 0.0, None, len(read))
    if at[starts[-1]] == at[starts[0]]:  # parts of one level, which differ in nothing
        return none if clear is None else _told(read, at, found[clear], found[clear])
    seen = _seen(read, found, len(found) - 1 if clear is None else clear)
    if clear is None and float(((seen.growth / seen.error) ** 2).sum()) < TOGETHER:
        return none  # as nearly always: nothing to be found in it
    below_A = min(levels_A[at[starts[0]] - 1], 0.98 * abs(read[starts[0]].stretch.current_A))
    each, gain = first_starved(seen, below_A)
    if clear is None and (gain < TOGETHER or found[-1].grown < LEAST_TOGETHER):
        return none
    first = int(np.argmax(each))
    shown = found[-1] if clear is None else found[max(first, clear)]
    errors = math.sqrt(gain) if clear is None else shown.errors
    return replace(_told(read, at, found[first], shown), errors=errors, likely=float(each[first]))


def _told(read: Sequence[HalfCycleRows], at: Sequence[int], begins: _Level, shown: _Level) -> Onset:
    row = read[begins.first].stretch.first_row
    return Onset(at[begins.first], shown.grown, shown.errors, row, len(read), at[shown.first])


def _clear(found: Sequence[_Level]) -> int | None:
    """The first level that is clear and is confirmed by all that follow."""
    for n, level in enumerate(found):
        later = [x.most for x in found[n + 1 :]]
        lost = next((k for k, most in enumerate(later) if most > STEEP), len(later))  # no more is asked
        sure = level.errors > (CLEAR if later else CLEAR_LAST) and level.grown > LEAST_GROWTH
        if sure and all(most > LASTS * level.grown for most in later[:lost]):
            return n
    return None


def _seen(read: Sequence[HalfCycleRows], found: Sequence[_Level], clear: int) -> Grown:
    """Growth of each half-cycle beyond what those before its level taught; those after the clear one teach nothing."""
    taught = [found[min(n, clear)] for n in range(len(found))]
    spans = [slice(level.first, level.end) for level in found]
    halves = read[found[0].first :]
    return Grown(
        np.repeat(np.arange(len(found)), [level.end - level.first for level in found]),
        np.array([abs(h.stretch.current_A) for h in halves]),
        np.array([h.lasts_s for h in halves]),
        np.concatenate([t.slope[span] for t, span in zip(taught, spans, strict=True)]),
        np.concatenate([np.hypot(t.scatter, t.white[span]) for t, span in zip(taught, spans, strict=True)]),
    )


def _level(rows: _Rows, first: int, end: int) -> _Level:
    """What half-cycles `first` to before `end` grow beyond those before.

    The two electrodes need not be alike, and one heals while the other is stripped: a single one may tell it.
    """
    h = rows.half
    known = slice(int(np.searchsorted(h, first)))
    A, b = rows.base[known], rows.y[known]
    off = rows.y - rows.base @ _weights(A, b)
    size = np.maximum(np.bincount(h, rows.grows**2), 1e-300)
    slope = np.bincount(h, rows.grows * off) / size
    scatter = max(float(np.sqrt(np.mean(slope[:first][-12:] ** 2))), UNSURE[min(first, len(UNSURE) - 1)])
    white = 1 / np.sqrt(size)
    one = math.hypot(scatter, float(np.sqrt(np.mean(white[first:end] ** 2))))
    mean, most = float(np.mean(slope[first:end])), float(np.max(slope[first:end]))
    errors = max(mean / one * math.sqrt(end - first), most / one - 0.5)
    return _Level(first, end, slope, scatter, white, mean if mean > 0.5 * most else 0.5 * most, errors, most)


def _weights(A: Array, b: Array) -> Array:
    """Least squares in which no relaxation weighs less than nothing: those that would are left out."""
    size = np.full(A.shape[1], DRIFT)
    size[:FILTERS] = RELAXES
    square, right = A.T @ A + np.diag(1 / size**2), A.T @ b
    used, w = np.ones(A.shape[1], dtype=bool), np.zeros(A.shape[1])
    for _ in range(FILTERS):
        w[:] = 0.0
        w[used] = np.linalg.solve(square[used][:, used], right[used])
        wrong = w[:FILTERS] < 0
        if not wrong.any():
            break
        used[:FILTERS] &= ~wrong
    return w


def _until_grown(read: Sequence[HalfCycleRows]) -> list[HalfCycleRows]:
    """Up to and with the first that has grown by half."""
    usual_ohm = middle([h.stretch.ohm for h in read[:4]]) if read else 0.0
    last = next((k for k, h in enumerate(read) if h.stretch.ohm > GROWN * usual_ohm), len(read))
    return list(read[: last + 1])


def _rows(read: Sequence[HalfCycleRows], explained: Explained) -> _Rows:
    """All blocks but the first of each half-cycle, which relax, without their half-cycle's mean, weighted."""
    usual_ohm = middle([h.stretch.ohm for h in read[:4]])
    begin_s = read[0].stretch.start_s
    whole_s = max(read[-1].stretch.end_s - begin_s, 1e-9)
    known = [explained(h.blocks) for h in read]
    count = [h.middle_s.size for h in read]

    def each(values: Sequence[float] | Array) -> Array:
        return np.repeat(values, count)

    middle_s, lasts_s = np.concatenate([h.middle_s for h in read]), each([h.lasts_s for h in read])
    keep = middle_s > EARLY * lasts_s
    t = (each([h.stretch.start_s for h in read]) + middle_s - begin_s) / whole_s
    noise = each([h.stretch.noise_V / abs(h.stretch.current_A) / usual_ohm for h in read])
    whole = np.concatenate(known)
    heads = np.cumsum([0, *count[:-1]])
    spread = np.maximum.reduceat(whole, heads) - np.minimum.reduceat(whole, heads)
    off = each(0.5 * spread)  # what is explained is known to a half
    rows = np.concatenate([h.blocks.rows for h in read])
    square = 1 / (noise**2 / rows + FLOOR**2 + off**2)[keep]
    drift = (t, np.sqrt(t), np.log(1 + 20 * t), np.exp(-10 * t))
    y = np.concatenate([h.ohm for h in read]) / usual_ohm * np.exp(-whole)
    table = np.column_stack([middle_s / lasts_s, y, np.concatenate([h.filtered for h in read]), *drift])[keep]
    half = np.repeat(np.arange(len(read)), count)[keep]
    begins = np.flatnonzero(np.diff(half, prepend=-1))
    means = np.add.reduceat(table * square[:, None], begins) / np.add.reduceat(square, begins)[:, None]
    table = (table - np.repeat(means, np.diff(begins, append=half.size), axis=0)) * np.sqrt(square)[:, None]
    return _Rows(half, table[:, 0], table[:, 1], np.ascontiguousarray(table[:, 2:]))
