# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""Fluctuation of V, judged every eight rows against what is usual; where it stays larger, a burst.

It is counted only where V turns around (the smaller of two opposite differences), which no smooth curve does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ccd_fastcore._interpreted import State

BURST_FIELDS = (
    "row", "time_s", "end_row", "end_time_s", "before_ohm", "mean_ohm", "lowest_ohm", "row_ratio", "block_ratio",
    "current_ratio", "blocks", "open", "current_A", "amplitude",
)  # fmt: skip
BURST = 4  # flag of the record
FLOOR = 0.003  # of V: fluctuations below are the converter's
LEARN_BLOCKS = 8
DRIFT = 1.7  # ratio to the usual fluctuation of rows that counts as more: a mean of 8, it scatters by a third
DRIFT_BLOCK = 2.2  # the same of blocks: single values, they scatter by more than their mean
WHITE_BLOCK = 0.1018  # turn of 8-row means over |second difference| of rows, both means, for white noise
CAP = 4.0
CAP_BLOCK = 6.0  # block means are averages: a large swing of them says more
FULL = 12.0
ALARM = 8.0
QUIET = 3.0


def fluctuate(s: State, row: int, t: float, pairs: int, d2: float, i2: float) -> int:
    """Eight rows are complete: how much did V turn around, row by row and block by block?"""
    m8 = 0.5 * (s.m1 + s.m2)
    e1 = d2 * 0.125
    ei = i2 * 0.125
    e8 = _turn(s, m8, pairs)
    if pairs < 2 or s.mean <= 0.0:
        return 0
    if s.learned < LEARN_BLOCKS:
        _learn(s, e1, e8, ei, 1.0 / (s.learned + 1))
        s.r_slow = m8 / s.mean
        s.learned += 1
        return 0
    floor = FLOOR * math.fabs(m8)
    before = s.r_slow * s.mean * FLOOR
    if before > floor:
        floor = before
    # A quantised signal flips by a step now and then.
    usual = s.lsb if s.lsb > floor else floor
    usual = s.s1 if s.s1 > usual else usual
    r1 = e1 / usual if usual > 0.0 else 0.0
    # What white noise of that size would give.
    usual = WHITE_BLOCK * s.s1
    usual = s.s8 if s.s8 > usual else usual
    usual = usual if usual > 0.5 * s.lsb else 0.5 * s.lsb
    usual = usual if usual > floor else floor
    r8 = e8 / usual if usual > 0.0 else 0.0
    ri = ei / s.si if s.si > 0.0 else 0.0
    calm = s.g1 + s.g8 < QUIET
    s.g1 = _accumulate(s.g1, r1, CAP, DRIFT)
    s.g8 = _accumulate(s.g8, r8, CAP_BLOCK, DRIFT_BLOCK)
    return _follow(s, row, t, m8, e1, e8, ei, r1, r8, ri, calm)


def _turn(s: State, m8: float, pairs: int) -> float:
    """By how much the means of eight rows turn around: the smaller of two differences of opposite sign."""
    e8 = 0.0
    if pairs > 2:
        d = m8 - s.pair_last
        x = math.fabs(d)
        z = math.fabs(s.pair_d)
        x = x if x < z else z
        e8 = x if d * s.pair_d < 0.0 else 0.0  # no branch: it is as good as a coin
        s.pair_d = d
    elif pairs == 2:
        s.pair_d = m8 - s.pair_last
    s.pair_last = m8
    return e8


def _accumulate(g: float, ratio: float, cap: float, drift: float) -> float:
    """The sum g of what is more than usual; what is less takes from it."""
    g += (ratio if ratio < cap else cap) - drift
    g = g if g < FULL else FULL
    return g if g > 0.0 else 0.0


def _learn(s: State, e1: float, e8: float, ei: float, weight: float) -> None:
    """What is usual follows what is."""
    s.s1 += (e1 - s.s1) * weight
    s.s8 += (e8 - s.s8) * weight
    s.si += (ei - s.si) * weight
    s.level_s = s.mean


def _follow(
    s: State,
    row: int,
    t: float,
    m8: float,
    e1: float,
    e8: float,
    ei: float,
    r1: float,
    r8: float,
    ri: float,
    calm: bool,
) -> int:
    """Is there a burst, does it begin, go on or end?"""
    g = s.g1 + s.g8
    r = m8 / s.mean
    if calm and g >= QUIET:
        s.turn_row = row
        s.turn_time = t
        s.turn_before = s.r_slow
    if s.burst == 0:
        if g < QUIET:
            _learn_slowly(s, e1, e8, ei, r)
        if g < ALARM:
            return 0
        _begin_burst(s, r)
    s.burst_blocks += 1
    s.burst_sum += r
    s.burst_r1 += r1
    s.burst_r8 += r8
    s.burst_ri += ri
    s.burst_amp += (e1 + e8) / s.mean
    if r < s.burst_low:
        s.burst_low = r
    if r1 > DRIFT or r8 > DRIFT_BLOCK:
        s.burst_end_row = row
        s.burst_end_time = t
    if g > 0.0:
        return 0
    return burst_record(s, 0)


def _learn_slowly(s: State, e1: float, e8: float, ei: float, r: float) -> None:
    """As `_learn`, an outlier no more than a multiple of what is usual; the resistance r is followed too."""
    x1 = 3.0 * s.s1
    x8 = 4.0 * s.s8
    # From nothing (a quantised signal) it must be able to grow.
    e1 = e1 if e1 < x1 or x1 == 0.0 else x1
    e8 = e8 if e8 < x8 or x8 == 0.0 else x8
    _learn(s, e1, e8, ei, 0.03125)
    s.r_slow += (r - s.r_slow) * (0.25 if s.valid >= 40 else 0.125)


def _begin_burst(s: State, r: float) -> None:
    s.burst = 1
    s.burst_sum = 0.0
    s.burst_blocks = 0
    s.burst_low = r
    s.burst_r1 = 0.0
    s.burst_r8 = 0.0
    s.burst_ri = 0.0
    s.burst_amp = 0.0


def burst_record(s: State, still_open: int) -> int:
    """The burst becomes a record."""
    s.burst = 0
    n = s.burst_blocks
    s.bursts[0] = s.turn_row
    s.bursts[1] = s.turn_time
    s.bursts[2] = s.burst_end_row
    s.bursts[3] = s.burst_end_time
    s.bursts[4] = s.turn_before
    s.bursts[5] = s.burst_sum / n
    s.bursts[6] = s.burst_low
    s.bursts[7] = s.burst_r1 / n
    s.bursts[8] = s.burst_r8 / n
    s.bursts[9] = s.burst_ri / n
    s.bursts[10] = n
    s.bursts[11] = still_open
    s.bursts[12] = s.mean * s.sign
    s.bursts[13] = s.burst_amp / n
    return BURST
