# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""The streaming analysis of one cell, row by row: interpreted it is the reference, compiled it is the core.

Written once, in plain Python, with the types in `_stream.pxd`; `_interpreted.py` loads it as it stands. A row goes so:

    run             as it stands here every row singly; compiled many at once where nothing happens (`_steady.pxd`)
    take_row        time and gaps, sign of the current, does it belong to the running segment?
      segment.open  a new segment (half-cycle, current step or rest) begins when two rows in a row agree on it
      _take         charge, means, noise
        sample      V compensated for the wobble of I; the ring of the last 64 rows
          judge     every 4 rows: `screen`, is the mean lower than a moment ago?
            steps.confirm   a possible step: located in the ring and fitted with a common slope on both sides
      segment.close the finished segment becomes a record

Why it holds for a 4 mV and a 2 V cell, 0.1 s and 30 s rows: every threshold is a ratio. Positions are counted in rows;
noise is measured on the trace itself, from second differences, which no drift or relaxation touches. V is not divided
by the noisy I: only the part of I's wobble that V follows is taken out (regression of dV on dI).

The state (`_state.pxd`) is a few hundred numbers, whatever the rows; chunks of any size give the same bits, and so does
a state saved with `save` and given to `restore`. So do the twins, for the build forbids contracting a*b+c, and as long
as no integer is divided by an integer here (compiled, that gives one).

Longer than the house's 250 lines: what every row or every block of four passes stays in one module, for a call from one
compiled module into another cannot be inlined (a sixth of the time where V swings). What happens once a segment or
less is in `_segment.py` and `_steps.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from . import _segment as segment
from . import _steady as steady
from . import _steps as steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccd_fastcore._interpreted import State

    Column = Sequence[float]

MODES = ("symmetric", "half", "full")  # in a full cell |V| is looked at, else V along the current

ON_FRACTION = 0.3  # of the level of the last half-cycle: below it the cell rests (scans in rests reach 20 %)
LOW_LEVEL = 0.02  # of that level: a "rest" whose current is steady above it is a half-cycle at a low level
STEP_FRACTION = 0.05  # of the mean current: a change beyond it, and beyond the spread, is a new level
SPREAD_FACTOR = 5.0  # times the mean |deviation| of the current (3 is the peak of a sine over its mean)
GAP = 20.0  # row intervals: longer is a gap, and nothing is known of what happened in it
LONG = 3.0  # row intervals: three in a row are a new sampling rate
VOTES = 64  # rows that decide whether V runs with or against the current
MAJORITY = 6  # rows against the current that turn the sign of V

SCREEN_DROP = 0.04  # relative: half of the smallest step wanted, the fit decides
SCREEN_NOISE = 3.0  # times the error of the difference of two means
CONFIRM_BLOCKS = 7  # more, then a possible step is looked at


def run(s: State, t: Column, v: Column, i: Column, p: Column | None, n: int, at: list[int]) -> int:
    """Take rows from at[0] on until a record is complete (returns its flags) or all n are taken (0); moves at[0].

    Seconds, volts, amperes and pascals; p may be none.
    """
    k = at[0]
    flags = 0
    singly = 0
    while k < n and flags == 0:
        first = s.row
        if singly == 0 and k + 4 <= n:
            flags = steady.take_many(s, t, v, i, k, n)
            if flags < 0:  # among the next four rows is one that may not belong to the segment
                flags = -1 - flags
                singly = 4
        if s.row == first:
            flags = take_row(s, t[k], v[k], i[k])
            singly = singly - 1 if singly > 0 else 0
        if p:
            for m in range(k, k + s.row - first):
                segment.pressure(s, p[m])
        k += s.row - first
    at[0] = k
    return flags


def take_row(s: State, t: float, v: float, i: float) -> int:
    """Take one row: seconds, volts, amperes. Returns the flags of the records it completed."""
    row = s.row
    s.row += 1
    if not (math.isfinite(v) and math.isfinite(i)):
        return 0
    if not math.isfinite(t):
        t = s.time_last
    gap = _clock(s, t)
    sign = _sign(s, i)
    a = math.fabs(i)
    if s.seen == 1:
        segment.open(s, row, t, sign, a, 0)
        return _take(s, row, t, v, i)
    if gap == 0 and _belongs(s, sign, a):
        s.waiting = 0
        return _take(s, row, t, v, i)
    if gap == 0 and s.waiting == 1 and _agrees(s, sign, a):
        flags = segment.close(s, 0.5 * (s.wait_time + s.segment_time), s.wait_gap, turned(s))
        segment.open(s, s.wait_row, s.wait_time, sign, math.fabs(s.wait_i), s.wait_gap)
        s.waiting = 0
        flags = flags | _take(s, s.wait_row, s.wait_time, s.wait_v, s.wait_i)
        return flags | _take(s, row, t, v, i)
    if gap == 1 and s.n > 0:
        flags = segment.close(s, s.segment_time, 1, turned(s))
        segment.open(s, row, t, sign, a, 1)
        s.waiting = 0
        return flags | _take(s, row, t, v, i)
    s.waiting = 1
    s.wait_gap = gap
    s.wait_row = row
    s.wait_time = t
    s.wait_v = v
    s.wait_i = i
    return 0


def _sign(s: State, i: float) -> int:
    """Of a current; 0 where the cell rests."""
    on = ON_FRACTION * s.level
    return 1 if i > on else (-1 if i < -on else 0)


def _clock(s: State, t: float) -> int:
    """Follow the row interval; 1 for a gap."""
    gap = 0
    if s.seen > 0:
        dt = t - s.time_last
        if dt < 0.0:
            dt = 0.0
            t = s.time_last
        if dt > 0.0:
            if s.interval == 0.0:
                s.interval = dt
            elif dt > LONG * s.interval:
                s.dt_long += 1
                if s.dt_long >= 3:
                    s.interval = dt
                    s.dt_long = 0
                elif dt > GAP * s.interval:
                    gap = 1
            else:
                s.dt_long = 0
                if s.seen & 7 == 0 or s.seen < 64:
                    s.interval += (dt - s.interval) * 0.0625
    s.seen += 1
    s.time_last = t
    return gap


def _belongs(s: State, sign: int, a: float) -> bool:
    """Does the row go on with the running segment?"""
    if sign != s.sign:
        return False
    if sign == 0:
        return True
    if s.spread_n < 16:
        return a < 3.0 * s.mean and 3.0 * a > s.mean
    return math.fabs(a - s.mean) <= STEP_FRACTION * s.mean + SPREAD_FACTOR * s.spread


def _agrees(s: State, sign: int, a: float) -> bool:
    """Does the row continue what the waiting row began?"""
    if sign != _sign(s, s.wait_i):
        return False
    if sign == 0:
        return True
    dev = math.fabs(a - math.fabs(s.wait_i))
    return dev <= 2.0 * STEP_FRACTION * a + 2.0 * SPREAD_FACTOR * s.spread


def _take(s: State, row: int, t: float, v: float, i: float) -> int:
    """One row into the running segment."""
    a = math.fabs(i)
    if s.sign != 0:
        a = i if s.sign > 0 else -i
    if s.n > 0:
        dt = t - s.segment_time
        s.block_charge += (a + s.current_last) * dt
    s.n += 1
    s.last_row = row
    s.segment_time = t
    s.block_v += v
    if s.sign == 0:
        if v == s.v_last:
            s.stuck += 1
        s.current_last = a
        s.v_last = v
        s.block_a += i
        return _rest(s, i)
    s.block_a += a
    dev = a - s.mean
    if s.n < 8:
        s.mean += dev / s.n
    dev = math.fabs(dev)
    s.block_dev += dev
    if s.spread_n < 32:
        s.spread += (dev - s.spread) / (s.spread_n + 1)
    if s.spread_n <= 32:
        s.spread_n += 1
    if s.n == 3:
        s.level = s.mean
        if s.level_s == 0.0:
            s.level_s = s.mean
    if s.mode == 2:  # a full cell
        flags = sample(s, row, t, math.fabs(v), math.fabs(s.v_last), a)
    elif _direction(s, v) > 0:
        flags = sample(s, row, t, v, s.v_last, a)
    else:
        flags = sample(s, row, t, -v, -s.v_last, a)
    s.current_last = a
    s.v_last = v
    return flags


def _direction(s: State, v: float) -> int:
    """Sign of V along the current: a cell takes up power, whatever sign its currents were given. Voted by rows."""
    if s.votes < VOTES and s.votes > -VOTES and v != 0.0:
        before = turned(s)
        s.votes += s.sign if v > 0.0 else -s.sign
        if before != turned(s):
            segment.restart(s)
    return along(s)


def turned(s: State) -> bool:
    """Does V run against the current, as its signs were given?"""
    return s.votes <= -MAJORITY


def along(s: State) -> int:
    """1 where V counts as measured, -1 where its sign is turned."""
    return -s.sign if turned(s) else s.sign


def _rest(s: State, i: float) -> int:
    """A steady small current is no rest."""
    if s.n >= 8 and s.level > 0.0:
        steady = s.block_a / s.n
        dev = math.fabs(i - steady)
        steady = math.fabs(steady)
        if steady > LOW_LEVEL * s.level and dev < 0.1 * steady:
            s.rest_level += 1
            if s.rest_level >= 8:
                s.level = steady
        else:
            s.rest_level = 0
    return 0


def finish(s: State) -> int:
    """Close what is open. Returns the flags of its records."""
    return segment.close(s, s.segment_time, 0, turned(s)) if s.n > 0 else 0


def sample(s: State, row: int, t: float, y_raw: float, y_last: float, a: float) -> int:
    """One row under load; y is V along the current, without what it follows of I's wobble."""
    y = y_raw - s.beta * (a - s.mean)
    if y_raw == y_last:
        s.stuck += 1
    if s.valid > 0:
        d_raw = y_raw - y_last
        d = y - s.y1
        di = a - s.current_last
        s.block_cov += d_raw * di
        s.block_var += di * di
        if s.valid > 1:
            s.block_d2 += math.fabs(d - s.d1)
        s.d1 = d
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
        return _block(s)
    return 0


def _block(s: State) -> int:
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
    flags = judge(s, s.block_sum * 0.25, s.block_d2)
    s.block_a = 0.0
    s.block_v = 0.0
    s.block_charge = 0.0
    s.block_dev = 0.0
    s.block_sum = 0.0
    s.block_d2 = 0.0
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


def judge(s: State, mean: float, d2: float) -> int:
    """What four rows say: their mean V, and the sum of its |second differences|."""
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
        segment.octave(s)
    if s.pending > 0:
        s.pending -= 1
        if s.pending == 0:
            return steps.confirm(s)
    elif blocks >= 3:
        screen(s, blocks)
    return 0


def screen(s: State, blocks: int) -> None:
    """Is the mean of the last rows lower than a moment ago, beyond the noise?"""
    if blocks == 3:
        before = s.m3
        drop = before - s.m1
        error = 0.70711 * s.sigma
    elif blocks == 4:
        before = s.m4
        drop = before - 0.5 * (s.m2 + s.m1)
        error = 0.61237 * s.sigma
    else:
        before = 0.5 * (s.m5 + s.m4)
        drop = before - 0.5 * (s.m2 + s.m1)
        error = 0.5 * s.sigma
    if drop > SCREEN_DROP * before and drop > SCREEN_NOISE * error:
        s.pending = CONFIRM_BLOCKS
