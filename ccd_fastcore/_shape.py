# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""How V of this cell goes at a constant current: its linear response, and the bend that is left.

V answers I at once and through relaxations. I through some RC filters on a logarithmic grid of times, the same for
every test, spans what any of them can do; weights by least squares on the sound half-cycles before (the last eight), a
residual profile over the log of the time since the step for what is not linear.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from . import _few as few
from . import _filters as filters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccd_fastcore._reference_levels import Half, LevelState

AT_ONCE = 0.6  # of the usual shape, the rest over all filters
PULL = 2e-4  # towards it, of what a block tells
CLEAR = 0.4  # of the level: where the fit says more, it tells of the scale
LEAST_CLEAR = 8
BINS = 41
PICKED = 24
ODD_ROWS = 0.3  # of the level: rows further away are no part of a shape


def expect(s: LevelState, h: Half) -> None:
    """V / I over the level in each block, and the filters' answers."""
    filters.beside(s.filters, h.current_A, h.away)
    for k in range(h.n):
        goes_on = k > 0 and h.begin_s[k] == h.stop_s[k - 1]
        filters.answers(h.away, h.begin_s[k], h.stop_s[k], goes_on, h.left, h.answers[k])
    if s.taught_n == 1 and s.first_n > 0:
        for k in range(h.n):
            x = math.log(1.0 + 0.5 * (h.begin_s[k] + h.stop_s[k]))
            h.shape[k] = interpolated(x, s.first_x, s.first_y, s.first_n)
        return
    if s.taught_n == 0:
        for k in range(h.n):
            h.shape[k] = 1.0
        return
    _fit(s, h)
    for k in range(h.n):
        h.shape[k] = _answer(h.answers[k], h.weights)


def interpolated(x: float, xs: Sequence[float], ys: Sequence[float], n: int) -> float:
    """Straight lines between n points; the first and the last beyond them."""
    if math.isnan(x):
        return x
    if x <= xs[0]:
        return ys[0]
    if x >= xs[n - 1]:
        return ys[n - 1]
    k = 0
    while xs[k + 1] <= x:
        k += 1
    return (ys[k + 1] - ys[k]) / (xs[k + 1] - xs[k]) * (x - xs[k]) + ys[k]


def _answer(a: Sequence[float], w: Sequence[float]) -> float:
    """Of the weights: the first is that of the current itself."""
    said = w[0]
    for j in range(filters.FILTERS):
        said += a[j] * w[j + 1]
    return said


def _fit(s: LevelState, h: Half) -> None:
    """Weights by least squares, pulled towards the usual ones; the pull must not shift the scale."""
    first = s.taught_n - 8 if s.taught_n > 8 else 0
    rows = 0.0
    for i in range(filters.FILTERS + 1):
        for j in range(filters.FILTERS + 2):
            h.equations[i][j] = 0.0
    for k in range(first, s.taught_n):
        at = k % 8
        rows += s.picked[at]
        for i in range(filters.FILTERS + 1):
            for j in range(filters.FILTERS + 2):
                h.equations[i][j] += s.equations[at][i][j]
    pull = PULL * rows
    for i in range(filters.FILTERS + 1):
        h.equations[i][i] += pull
        h.equations[i][filters.FILTERS + 1] += pull * (
            AT_ONCE if i == 0 else (1.0 - AT_ONCE) / filters.FILTERS
        )
    _solve(h)
    count = 0
    for k in range(first, s.taught_n):
        at = k % 8
        for i in range(s.picked[at]):
            said = _answer(s.answers[at][i], h.weights)
            if said > CLEAR:
                h.few[count] = s.y[at][i] / said
                count += 1
    if count >= LEAST_CLEAR:
        scale = few.middle_of(h.few, count)
        for i in range(filters.FILTERS + 1):
            h.weights[i] *= scale


def _solve(h: Half) -> None:
    """Elimination with the largest pivot of each column; the last column is the right side."""
    m = filters.FILTERS + 1
    for k in range(m):
        top = k
        for i in range(k + 1, m):
            top = i if math.fabs(h.equations[i][k]) > math.fabs(h.equations[top][k]) else top
        for j in range(k, m + 1):
            factor = h.equations[k][j]
            h.equations[k][j] = h.equations[top][j]
            h.equations[top][j] = factor
        for i in range(k + 1, m):
            factor = h.equations[i][k] / h.equations[k][k]
            for j in range(k + 1, m + 1):
                h.equations[i][j] -= factor * h.equations[k][j]
    for k in range(m - 1, -1, -1):
        h.weights[k] = h.equations[k][m]
        for j in range(k + 1, m):
            h.weights[k] -= h.equations[k][j] * h.weights[j]
        h.weights[k] /= h.equations[k][k]


def bend(s: LevelState, h: Half) -> None:
    """Median and scatter of what the shape left, for each bin; of one direction where the two are far apart."""
    side = 0 if h.sign > 0 else 1
    other = 1 - side
    h.known = 0
    if math.fabs(h.rho) > 0.04 and s.left_n[side] >= 2:
        oldest = -1
        other = side
    else:
        oldest = s.all_left_n - 6  # the last six of both
    least = 2 if s.all_left_n > 2 else 1  # a single one that shares no bin with the others stands for itself
    for bin in range(BINS):
        count = _gathered(s, h.few, side, bin, oldest, 0)
        if other != side:
            count = _gathered(s, h.few, other, bin, oldest, count)
        if count >= least:
            usual = few.middle_of(h.few, count)
            for k in range(count):
                h.few[k] = math.fabs(h.few[k] - usual)
            h.at[h.known] = bin
            h.usual[h.known] = 3.0 if usual > 3.0 else 0.3 if usual < 0.3 else usual
            h.scatter[h.known] = 1.4826 * few.middle_of(h.few, count) if count > 2 else 0.0
            h.known += 1


def _gathered(s: LevelState, out: list[float], side: int, bin: int, oldest: int, count: int) -> int:
    """What those from number `oldest` on of one sign have in a bin, behind `count` numbers; how many there are then."""
    kept = s.left_n[side] if s.left_n[side] < 6 else 6
    for k in range(kept):
        if s.left_number[side][k] >= oldest and math.isfinite(s.left[side][k][bin]):
            out[count] = s.left[side][k][bin]
            count += 1
    return count


def begin(s: LevelState, h: Half) -> None:
    """The first half-cycle is all that is known of the second."""
    s.first_n = h.n
    for k in range(h.n):
        middle_s = 0.5 * (h.begin_s[k] + h.stop_s[k])
        s.first_x[k] = math.log(1.0 + middle_s)
        s.first_y[k] = h.ohm[k] / h.raw_ohm if h.raw_ohm != 0.0 else 1.0


def teach(s: LevelState, h: Half) -> None:
    """A sound half-cycle: about 24 of its blocks, log-spaced, for each decade of time teaches as much.

    Of one whose shape was known a stray row teaches nothing.
    """
    at = s.taught_n % 8
    octaves = math.log(h.n)
    place = 1
    last = 0
    count = 0
    for k in range(PICKED):
        x = math.exp(k * octaves / (PICKED - 1.0))
        while place + 0.5 < x:
            place += 1
        if place != last:
            last = place
            for j in range(filters.FILTERS):
                s.answers[at][count][j] = h.answers[place - 1][j]
            s.y[at][count] = _taught(s, h, place - 1)
            count += 1
    s.picked[at] = count
    _normal_equations(s, at, count)
    s.taught_n += 1


def _taught(s: LevelState, h: Half, k: int) -> float:
    if s.taught_n < 4:
        return h.ohm[k] / h.level_ohm
    x = h.level[k] / h.level_ohm
    x = 1.0 - ODD_ROWS if x < 1.0 - ODD_ROWS else x
    return h.shape[k] * (1.0 + ODD_ROWS if x > 1.0 + ODD_ROWS else x)


def _normal_equations(s: LevelState, at: int, count: int) -> None:
    """A.T A and, as the last column, A.T y; the first column of A is 1."""
    for i in range(filters.FILTERS + 1):
        for j in range(filters.FILTERS + 2):
            s.equations[at][i][j] = 0.0
    for k in range(count):
        a = s.answers[at][k]
        y = s.y[at][k]
        s.equations[at][0][0] += 1.0
        s.equations[at][0][filters.FILTERS + 1] += y
        for i in range(filters.FILTERS):
            s.equations[at][0][i + 1] += a[i]
            s.equations[at][i + 1][filters.FILTERS + 1] += a[i] * y
            for j in range(i, filters.FILTERS):
                s.equations[at][i + 1][j + 1] += a[i] * a[j]
    for i in range(filters.FILTERS + 1):
        for j in range(i):
            s.equations[at][i][j] = s.equations[at][j][i]


def teach_bend(s: LevelState, h: Half) -> None:
    """What a sound half-cycle, not the first, has beyond its shape: the median in each bin, NaN of none."""
    side = 0 if h.sign > 0 else 1
    place = s.left_n[side] % 6
    k = 0
    for bin in range(BINS):
        count = 0
        while k < h.n and h.bins[k] == bin:
            h.few[count] = h.ohm[k] / h.shape[k] / h.level_ohm
            count += 1
            k += 1
        s.left[side][place][bin] = few.middle_of(h.few, count)
    s.left_number[side][place] = s.all_left_n
    s.all_left_n += 1
    s.left_n[side] += 1


def clear(s: LevelState) -> None:
    """Nothing is known any more."""
    s.taught_n = 0
    s.first_n = 0
    s.all_left_n = 0
    s.left_n[0] = 0
    s.left_n[1] = 0
