# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""A segment (half-cycle, current step or rest) begins, forgets and becomes a record."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from . import _steps as steps

if TYPE_CHECKING:
    from ccd_fastcore._interpreted import State

SEGMENT_FIELDS = (
    "first_row", "last_row", "rows", "start_s", "end_s", "sign", "current_A", "charge_C", "voltage_mean_V",
    "start_V", "end_V", "noise_V", "highest_V", "rows_highest", "current_end_A", "after_gap", "interval_s",
    "pressure_start_Pa", "pressure_end_Pa", "mean_V", "stuck_rows",
    "p0_V", "p1_V", "p2_V", "p3_V", "p4_V", "p5_V", "p6_V", "p7_V", "p8_V", "p9_V", "p10_V", "p11_V", "p12_V", "p13_V",
    "p14_V", "p15_V",
)  # fmt: skip
SEGMENT = 1  # flag of the record
NEW_SCALE = 5.0  # times the level so far: nothing learned holds any more


def open(s: State, row: int, t: float, sign: int, a: float, gap: int) -> None:
    """A segment begins with this row."""
    if sign != 0 and s.level_s > 0.0 and a > s.level_s:
        _grow(s, a / s.level_s)
        s.level_s = a
    s.sign = sign
    s.first_row = row
    s.start = t
    s.after_gap = gap
    s.n = 0
    s.mean = a
    s.rest_level = 0
    s.current_sum = 0.0
    s.charge = 0.0
    if sign != 0 and gap == 0 and s.seen > 1:
        dt = t - s.segment_time
        s.charge = a * (dt if dt < s.interval else s.interval) * 0.5
    s.voltage_sum = 0.0
    s.block_a = 0.0
    s.block_v = 0.0
    s.block_charge = 0.0
    s.stuck = 0
    s.p_first = 0.0
    s.p_last = 0.0
    s.p_n = 0
    restart(s)


def _grow(s: State, grown: float) -> None:
    """Noise may be a share of V and of I: until it is learned again it is taken to grow with the level."""
    if grown > NEW_SCALE:  # what went before was a rest
        grown = 0.0
        s.votes = 0
        s.spread_n = 0
        s.cov = 0.0
        s.var = 0.0
        s.beta = 0.0
    s.spread *= grown
    s.sigma *= grown


def restart(s: State) -> None:
    """Forget the voltages of this segment."""
    s.current_sum += s.block_a
    s.voltage_sum += s.block_v
    s.charge += 0.5 * s.block_charge
    s.valid = 0
    s.block_sum = 0.0
    s.block_d2 = 0.0
    s.block_a = 0.0
    s.block_v = 0.0
    s.block_charge = 0.0
    s.block_dev = 0.0
    s.block_cov = 0.0
    s.block_var = 0.0
    s.pending = 0
    s.octave = 1
    s.octave_sum = 0.0
    s.noise_sum = 0.0
    s.highest = 0.0
    s.top = 0.0
    s.rows_highest = 0
    for k in range(16):
        s.profile[k] = 0.0


def octave(s: State) -> None:
    """The profile: means of rows 4-7, 8-15, 16-31 and so on."""
    s.profile[s.octave] = s.octave_sum / octave_blocks(s)
    s.octave += 1
    s.octave_sum = 0.0


def octave_blocks(s: State) -> int:
    """Blocks since the octave began."""
    return (s.valid >> 2) - ((1 << (s.octave - 1)) >> 1)


def pressure(s: State, p: float) -> None:
    """The stack pressure of the segment's first and last rows."""
    if not math.isfinite(p):
        return
    s.p_n += 1
    if s.p_n <= 8:
        s.p_first += (p - s.p_first) / s.p_n
        s.p_last = s.p_first
    else:
        s.p_last += (p - s.p_last) * 0.125


def close(s: State, end: float, gap: int, turned: bool) -> int:
    """The running segment becomes a record; `turned`: V runs against the current, as its signs were given."""
    flags = 0
    if s.sign != 0 and (s.pending > 0 or steps.tail_drops(s)):
        flags = steps.confirm(s)
    if s.sign != 0 and s.valid >= 16:
        s.level_s = s.mean
    if s.sign != 0 and gap == 0:
        dt = end - s.segment_time
        s.charge += s.current_last * (dt if dt < 0.5 * s.interval else 0.5 * s.interval)
    n = s.n if s.n > 0 else 1
    volts = (s.voltage_sum + s.block_v) / n
    mean = volts
    if s.mode == 2:
        mean = math.fabs(mean)
    elif (s.sign < 0) != turned:
        mean = -mean
    if octave_blocks(s) > 0:
        s.profile[s.octave] = s.octave_sum / octave_blocks(s)
    _write(s, n, volts, mean)
    return flags | SEGMENT


def _write(s: State, n: int, volts: float, mean: float) -> None:
    """The record: its places are those of `SEGMENT_FIELDS`."""
    record = s.segment
    record[0] = s.first_row
    record[1] = s.last_row
    record[2] = s.n
    record[3] = s.start
    record[4] = s.segment_time
    record[5] = s.sign
    total = s.current_sum + s.block_a
    record[6] = (-total if s.sign < 0 else total) / n
    record[7] = s.charge + 0.5 * s.block_charge
    record[8] = volts
    whole = s.valid >> 2
    start = s.octave - 4 if s.octave > 6 else 2  # what the segment began with, settled
    record[9] = s.profile[start] if s.octave > 2 else mean
    record[10] = 0.5 * (s.m1 + s.m2) if whole >= 3 else (s.m1 if whole >= 1 else mean)
    record[11] = s.noise_sum / (4 * whole - 4) * steps.SIGMA_D2 if whole > 1 else 0.0
    record[12] = s.highest
    record[13] = s.rows_highest
    record[14] = s.mean
    record[15] = s.after_gap
    record[16] = s.interval
    record[17] = s.p_first
    record[18] = s.p_last if s.p_n > 16 else s.p_first
    record[19] = mean
    record[20] = s.stuck
    for k in range(16):
        record[21 + k] = s.profile[k]
