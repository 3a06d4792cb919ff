# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""The streaming analysis of one cell, row by row: interpreted it is the reference, compiled it is the core.

Written once, in plain Python with the types in the .pxd files; `_interpreted.py` loads it as it stands. A row goes so:

    row             time and gaps, sign of the current, does it belong to the running segment?
      segment.open  a new segment (half-cycle, current step or rest) begins when two rows in a row agree on it
      _take         charge, means, noise
      blocks.sample     V compensated for the wobble of I; the ring of the last 64 rows
        blocks.judge    every 4 rows: `steps.screen`, is the mean lower than a moment ago? and every 8
                        `fluctuation.fluctuate`, does V swing?
          steps.confirm     a possible step: located in the ring and fitted with a common slope on both sides
      segment.close the finished segment becomes a record

Why it holds for a 4 mV and a 2 V cell, 0.1 s and 30 s rows: every threshold is a ratio. Positions are counted in rows;
noise is measured on the trace itself, from second differences, which no drift or relaxation touches.

The state (`_state.pxd`) is a few hundred numbers, whatever the rows; chunks of any size give the same bits, and so does
a state saved and restored. The build forbids contracting a*b+c, so that the twins give the same bits. `_steady.pyx`
takes the many rows in which nothing happens another, faster way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from . import _blocks as blocks
from . import _fluctuation as fluctuation
from . import _segment as segment

if TYPE_CHECKING:
    from ccd_fastcore._interpreted import State

MODES = ("symmetric", "half", "full")  # in a full cell |V| is looked at, else V along the current
ON_FRACTION = 0.3  # of the level of the last half-cycle: below it the cell rests (scans in rests reach 20 %)
LOW_LEVEL = 0.02  # of that level: a "rest" whose current is steady above it is a half-cycle at a low level
STEP_FRACTION = 0.05  # of the mean current: a change beyond it, and beyond the spread, is a new level
SPREAD_FACTOR = 5.0  # times the mean |deviation| of the current (3 is the peak of a sine over its mean)
GAP = 20.0  # row intervals: longer is a gap, and nothing is known of what happened in it
LONG = 3.0  # row intervals: three in a row are a new sampling rate
VOTES = 64  # rows that decide whether V runs with or against the current


def row(s: State, t: float, v: float, i: float) -> int:
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
        flags = segment.close(s, 0.5 * (s.wait_time + s.segment_time), s.wait_gap)
        segment.open(s, s.wait_row, s.wait_time, sign, math.fabs(s.wait_i), s.wait_gap)
        s.waiting = 0
        flags = flags | _take(s, s.wait_row, s.wait_time, s.wait_v, s.wait_i)
        return flags | _take(s, row, t, v, i)
    if gap == 1 and s.n > 0:
        flags = segment.close(s, s.segment_time, 1)
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
        flags = blocks.sample(s, row, t, math.fabs(v), math.fabs(s.v_last), a)
    elif _direction(s, v) > 0:
        flags = blocks.sample(s, row, t, v, s.v_last, a)
    else:
        flags = blocks.sample(s, row, t, -v, -s.v_last, a)
    s.current_last = a
    s.v_last = v
    return flags


def _direction(s: State, v: float) -> int:
    """Sign of V along the current: a cell takes up power, whatever sign its currents were given. Voted by rows."""
    if s.votes < VOTES and s.votes > -VOTES and v != 0.0:
        turned = blocks.turned(s)
        s.votes += s.sign if v > 0.0 else -s.sign
        if turned != blocks.turned(s):
            segment.restart(s)
    return blocks.along(s)


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
    flags = 0
    if s.n > 0:
        flags = segment.close(s, s.segment_time, 0)
    if s.burst == 1:
        flags = flags | fluctuation.burst_record(s, 1)
    return flags
