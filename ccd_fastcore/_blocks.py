# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""Rows under load: V compensated for the wobble of I, the ring of the last 64 rows, blocks of four and what they say.

V is not divided by the noisy I: only the part of I's wobble that V follows is taken out (regression of dV on dI).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from . import _fluctuation as fluctuation
from . import _steps as steps

if TYPE_CHECKING:
    from ccd_fastcore._interpreted import State

MAJORITY = 6  # rows against the current that turn the sign of V


def sample(s: State, row: int, t: float, y_raw: float, y_last: float, a: float) -> int:
    """One row under load; y is V along the current, without what it follows of I's wobble."""
    y = y_raw - s.beta * (a - s.mean)
    if y_raw == y_last:
        s.stuck += 1
    if s.valid > 0:
        d_raw = y_raw - y_last
        d = y - s.y1
        di = a - s.current_last
        x = math.fabs(d_raw)
        if x > 0.0 and (x < s.lsb or s.lsb == 0.0):
            s.lsb = x
        s.block_cov += d_raw * di
        s.block_var += di * di
        if s.valid > 1:
            s.block_d2 += math.fabs(d - s.d1)
            s.block_i2 += math.fabs(di - s.di1)
        s.d1 = d
        s.di1 = di
    s.y1 = y
    if y_raw > s.highest:
        s.highest = y_raw
        if y_raw > 1.002 * s.top:
            s.top = y_raw
            s.rows_highest = 0
    if y_raw >= 0.998 * s.top:
        s.rows_highest += 1
    k = s.valid & 63
    s.ring_y[k] = y
    s.ring_t[k] = t
    s.ring_r[k] = row - s.first_row
    s.valid += 1
    s.block_sum += y
    if s.valid & 3 == 0:
        return _block(s, row, t)
    return 0


def _block(s: State, row: int, t: float) -> int:
    """Four rows are complete."""
    s.current_sum += s.block_a
    s.voltage_sum += s.block_v
    s.charge += 0.5 * s.block_charge
    if s.valid > 4:
        s.mean += (s.block_a * 0.25 - s.mean) * (4.0 / s.n if s.n < 64 else 0.0625)
    if s.spread_n > 32:
        s.spread += (s.block_dev * 0.25 - s.spread) * 0.125
    if s.valid > 4:
        _regress(s)
    flags = judge(s, row, t, s.block_sum * 0.25, s.block_d2, s.block_i2)
    s.block_a = 0.0
    s.block_v = 0.0
    s.block_charge = 0.0
    s.block_dev = 0.0
    s.block_sum = 0.0
    s.block_d2 = 0.0
    s.block_i2 = 0.0
    s.block_cov = 0.0
    s.block_var = 0.0
    return flags


def _regress(s: State) -> None:
    """How much of the wobble of I does V follow? 0 when I's is only measurement noise."""
    s.cov += (s.block_cov - s.cov) * 0.0625
    s.var += (s.block_var - s.var) * 0.0625
    volts = s.block_v * 0.25
    volts = math.fabs(volts) if s.mode == 2 else along(s) * volts
    s.beta = followed(s.cov, s.var, volts, s.mean)


def followed(cov: float, var: float, volts: float, amperes: float) -> float:
    """The regression's ohms: none below zero, no more than one and a half times the resistance."""
    if not (var > 0.0 and cov > 0.0 and amperes > 0.0):
        return 0.0
    beta = cov / var
    most = 1.5 * volts / amperes
    if beta > most:
        return most if most > 0.0 else 0.0
    return beta


def turned(s: State) -> bool:
    """Does V run against the current, as its signs were given?"""
    return s.votes <= -MAJORITY


def along(s: State) -> int:
    """1 where V counts as measured, -1 where its sign is turned."""
    return -s.sign if turned(s) else s.sign


def judge(s: State, row: int, t: float, mean: float, d2: float, i2: float) -> int:
    """What four rows say: their mean V, and the sums of |second differences| of V and I."""
    blocks = s.valid >> 2
    s.m5 = s.m4
    s.m4 = s.m3
    s.m3 = s.m2
    s.m2 = s.m1
    s.m1 = mean
    if blocks > 1:
        s.noise_sum += d2
        sigma = d2 * 0.25 * steps.SIGMA_D2
        if s.sigma == 0.0:
            s.sigma = sigma
        else:
            x = 2.0 * s.sigma
            s.sigma += ((sigma if sigma < x else x) - s.sigma) * 0.0625
    s.octave_sum += mean
    if blocks >= 1 << (s.octave - 1) and s.octave < 15:
        octave(s)
    flags = 0
    if s.pending > 0:
        s.pending -= 1
        if s.pending == 0:
            flags = steps.confirm(s)
    elif blocks >= 3:
        steps.screen(s, blocks)
    if blocks & 1 == 1:
        s.pair_u = d2
        s.pair_iu = i2
        return flags
    return flags | fluctuation.fluctuate(s, row, t, blocks >> 1, s.pair_u + d2, s.pair_iu + i2)


def octave(s: State) -> None:
    """The profile: means of rows 4-7, 8-15, 16-31 and so on."""
    s.profile[s.octave] = s.octave_sum / octave_blocks(s)
    s.octave += 1
    s.octave_sum = 0.0


def octave_blocks(s: State) -> int:
    """Blocks since the octave began."""
    return (s.valid >> 2) - ((1 << (s.octave - 1)) >> 1)
