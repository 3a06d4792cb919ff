# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""What a half-cycle teaches: is it sound, what level is kept, how far the two directions lie apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from . import _few as few
from . import _shape as shape

if TYPE_CHECKING:
    from ccd_fastcore._reference_levels import Half, LevelState


CLEAR = 0.25  # of the shape: below it a block tells of the size of the level
LEAST_OHM = 1e-15  # no cell has less


def learn(s: LevelState, h: Half) -> None:
    """What a sound half-cycle teaches; an odd one nothing, unless the cell has become like that."""
    if s.number == 0:
        shape.begin(s, h)
    median_ohm = h.level_ohm
    if s.taught_n >= 4:
        h.sound = _as_the_shape_says(s, h)
        if h.sound == 0:
            h.sound = _odd(s, h)
    else:
        h.sound = _as_it_was(s, h)  # and changes the level to what was measured
    if h.sound == 1:
        s.odd_n = 0
        _follow(s, h)
        if h.after_hole == 0 or s.taught_n < 4:  # else nobody knows what it answers
            shape.teach(s, h)
        if s.number > 0 and h.after_hole == 0:
            shape.teach_bend(s, h)
    h.level_ohm = median_ohm


def _follow(s: LevelState, h: Half) -> None:
    """Its level, its noise, and the other direction's before it."""
    told = s.last_known == 1 and s.last_sound == 1 and s.last_median_ohm > 0.0
    if s.kept_n > 0 and told and s.last_sign != h.sign:
        before = math.log(s.last_median_ohm) + h.rho * s.last_sign
        s.asymmetry[s.asymmetry_n % 6] = h.sign * (math.log(h.level_ohm) - before) / 2.0
        s.asymmetry_n += 1
    s.noise_V[s.noise_n % 8] = h.noise_V
    s.noise_A[s.noise_n % 8] = math.fabs(h.current_A)
    s.noise_n += 1
    s.reversals += h.turned
    s.kept_ohm[s.kept_n % 5] = h.level_ohm * math.exp(-rho_of(s, h) * h.sign)
    s.kept_n += 1
    if s.kept_n >= 3:
        x = few.between(
            s.kept_ohm[(s.kept_n - 1) % 5], s.kept_ohm[(s.kept_n - 2) % 5], s.kept_ohm[(s.kept_n - 3) % 5]
        )
        s.best = x if x > s.best else s.best


def _as_it_was(s: LevelState, h: Half) -> int:
    """Sound, before four have taught a shape? Its level is of what was measured."""
    sound = h.raw_ohm > 0.0 and h.n >= 4 and not h.raw_ohm <= 0.45 * s.most_raw_ohm
    whole = _whole(s, h)
    if whole and not h.raw_ohm <= s.most_raw_ohm:
        s.most_raw_ohm = h.raw_ohm
    if sound and s.number > 0:
        half_way = few.middle_of(h.few, few.copied(h.shape, h.n // 3, h.n, h.few))
        h.level_ohm = h.raw_ohm / half_way if half_way > 0.3 else h.raw_ohm
    return 1 if sound and whole else 0


def _whole(s: LevelState, h: Half) -> bool:
    """Not one in which V collapses, or falls at once: no shape of a sound cell."""
    if h.n < 6:
        return True
    top = 0.0
    last = 0.0
    last_but_one = 0.0
    for k in range(1, h.n - 1):
        x = few.between(h.ohm[k - 1], h.ohm[k], h.ohm[k + 1])
        top = x if x > top else top
        if top > 0.0 and (x <= 0.45 * top or (k > 4 and x < (1.0 - 2.0 * s.fall) * last_but_one)):
            return False
        last_but_one = last
        last = x
    return True


def _as_the_shape_says(s: LevelState, h: Half) -> int:
    """Is there a level, of the size it was, and do the blocks agree on it?"""
    m = h.level_ohm
    ref = kept_ohm(s, h) if s.kept_n > 0 else m
    least = s.hard_remains * 1.1 * (ref if ref > 0.8 * s.best else 0.8 * s.best)
    if not (m > 0.0 and h.n >= 4 and m > least):
        return 0
    count = 0
    for k in range(h.n):
        if h.stop_s[k] >= 0.1 * h.stop_s[h.n - 1]:
            x = math.fabs(h.shape[k])
            h.few[count] = math.fabs((h.level[k] / m - 1.0) * (x if x < 1.0 else 1.0))
            count += 1
    return 1 if few.quantile_of(h.few, count, 0.8) < 0.12 else 0


def _odd(s: LevelState, h: Half) -> int:
    """Four in a row that are odd, but like each other: the cell has changed, and this is its shape now."""
    at = s.odd_n % 4
    s.odd_level[at] = h.level_ohm
    s.odd_size[at] = few.copied(h.ohm, 0, h.n, s.odd_ohm[at])
    s.odd_n += 1
    if s.odd_n < 4:
        return 0
    low = s.odd_level[0]
    high = s.odd_level[0]
    for k in range(1, 4):
        x = s.odd_level[k]
        low = x if x < low else low
        high = x if x > high else high
    before = (at + 2) % 4
    n = h.n if h.n < s.odd_size[before] else s.odd_size[before]
    for k in range(n):
        x = s.odd_ohm[before][k]
        h.few[k] = math.fabs(h.ohm[k] / (x if x != 0.0 else 1.0) - 1.0)
    return 1 if low > 0.0 and few.middle_of(h.few, n) < 0.05 and high < 1.15 * low else 0


def rho_of(s: LevelState, h: Half) -> float:
    """Half the log ratio of the two directions, where the last neighbours agree on its sign: a drift does not."""
    n = s.asymmetry_n if s.asymmetry_n < 6 else 6
    low = 0
    high = 0
    for k in range(n):
        h.few[k] = s.asymmetry[k]
        high += 1 if s.asymmetry[k] > 0.0 else 0
        low += 1 if s.asymmetry[k] < 0.0 else 0
    if n < 3 or not (low == n or high == n):
        return 0.0
    rho = few.middle_of(h.few, n)
    return rho if math.fabs(rho) > 0.02 else 0.0


def noise_of(s: LevelState, h: Half) -> float:
    """A step within counts as noise of its half-cycle: no more than twice what is usual at its current."""
    n = s.noise_n if s.noise_n < 8 else 8
    for k in range(n):
        x = math.fabs(h.current_A) / s.noise_A[k]
        h.few[k] = s.noise_V[k] * (x if x > 1.0 else 1.0)
    usual_V = few.middle_of(h.few, n)
    return 2.0 * usual_V if usual_V > 0.0 and 2.0 * usual_V < h.noise_V else h.noise_V


def size_of(s: LevelState, h: Half) -> float:
    """Of the level, as far as its noise is concerned."""
    clear = 0
    for k in range(h.n):
        if math.fabs(h.shape[k]) > CLEAR:
            h.few[clear] = math.fabs(h.level[k])
            clear += 1
    size = math.fabs(h.level_ohm)
    if clear > 0:
        x = few.quantile_of(h.few, clear, 0.9)
        size = x if x > size else size
    if s.kept_n > 0:
        x = kept_ohm(s, h)
        size = x if x > size else size
    return size if size > LEAST_OHM else LEAST_OHM


def kept_ohm(s: LevelState, h: Half) -> float:
    """Median of the last sound levels; NaN of none."""
    return few.middle_of(h.few, few.copied(s.kept_ohm, 0, s.kept_n if s.kept_n < 5 else 5, h.few))


def lower_half_ohm(s: LevelState, h: Half) -> float:
    """Of the first half and the second of what tells something, the lower level; NaN where one tells nothing."""
    known = 0
    for k in range(h.n):
        if 5.0 * h.error[k] < s.unknown:
            h.bent[known] = h.level[k] * h.scale
            known += 1
    half = known // 2
    if half < 2:
        return few.NAN
    first = few.middle_of(h.few, few.copied(h.bent, 0, half, h.few))
    second = few.middle_of(h.few, few.copied(h.bent, half, known, h.few))
    return second if second < first else first
