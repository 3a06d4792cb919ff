# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The streaming analysis of one cell, compiled: the twin of `_reference.py`, which explains it.

The two are kept statement for statement alike, and the build forbids contracting a*b+c, so both give the same bits.
Beside the way of single rows there is a second one here, `_steady`, for the many rows in which nothing happens: blocks
of four rows, eight at a time, in vectors. It computes the same sums in the same order and leaves off where a row does
not belong; what a block says (`_judge`) is asked as ever, but for the nearly all that say nothing (`_judge_calm`).
"""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer
from libc.math cimport INFINITY, fabs, isfinite, sqrt
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy, memset

import numpy as np

from ccd_fastcore._reference import STATE_BYTES as _STATE_BYTES
from ccd_fastcore._reference_frames import MAX_FRAME_BYTES as _MAX_FRAME_BYTES

cdef Py_ssize_t STATE_BYTES = _STATE_BYTES
cdef Py_ssize_t MAX_FRAME_BYTES = _MAX_FRAME_BYTES

cdef extern from *:
    double ON_FRACTION "(0.3)"
    double LOW_LEVEL "(0.02)"
    double STEP_FRACTION "(0.05)"
    double SPREAD_FACTOR "(5.0)"
    double GAP "(20.0)"
    double NEW_SCALE "(5.0)"
    double LONG "(3.0)"
    int RING "(64)"
    int VOTES "(64)"
    int MAJORITY "(6)"
    double SCREEN_DROP "(0.04)"
    double SCREEN_NOISE "(3.0)"
    int CONFIRM_BLOCKS "(7)"
    double KEEP_DROP "(0.04)"
    double KEEP_ERRORS "(4.0)"
    int SETTLE_ROWS "(2)"
    double FLOOR "(0.003)"
    int LEARN_BLOCKS "(8)"
    double DRIFT "(1.7)"
    double DRIFT_BLOCK "(2.2)"
    double WHITE_BLOCK "(0.1018)"
    double CAP "(4.0)"
    double CAP_BLOCK "(6.0)"
    double FULL "(12.0)"
    double ALARM "(8.0)"
    double QUIET "(3.0)"
    double SIGMA_D2 "(0.511663)"
    int SEGMENT "(1)"
    int STEP "(2)"
    int BURST "(4)"


cdef extern from *:
    # A second copy of `_steady` for processors with wider vectors, chosen when the module is loaded. The bits are the
    # same: a lane computes what it did, and nothing is contracted. Should Cython name the function differently one
    # day, this declares one that nobody calls, and the core is a seventh slower.
    """
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
    struct __pyx_t_12ccd_fastcore_5_core_State;
    static int __pyx_f_12ccd_fastcore_5_core__steady(
        struct __pyx_t_12ccd_fastcore_5_core_State *, double const *, double const *, double const *, int, int *
    ) __attribute__((target_clones("avx2", "default"), flatten));
    #endif
    """


cdef struct State:
    long long row, seen, first_row, last_row, wait_row, burst_end_row, turn_row
    double time_last, interval, level, start, segment_time, mean, spread, current_sum
    double current_last, charge, voltage_sum, block_charge, block_v, wait_time, wait_v, wait_i, beta, cov
    double var, block_cov, block_var, y1, d1, di1, block_sum, block_d2
    double block_i2, block_a, block_dev, pair_u, pair_iu, noise_sum, sigma, m1
    double m2, m3, m4, m5, pair_last, pair_d, s1, s8
    double si, g1, g8, r_slow, level_s, burst_end_time, burst_sum, burst_low
    double burst_r1, burst_r8, burst_ri, burst_amp, lsb, turn_time, turn_before, octave_sum
    double highest, top, v_last, p_first, p_last
    double profile[16]
    double ring_y[64]
    double ring_t[64]
    int mode, sign, n, after_gap, waiting, wait_gap, dt_long, spread_n
    int rest_level, valid, pending, octave, learned, burst, burst_blocks, rows_highest, stuck, p_n, votes
    int ring_r[64]
    double segment[37]  # from here on records, not state
    double step[14]
    double bursts[14]


cdef struct Blocks:  # of four rows each, a lane for a block; where there are nine, place 0 is from before the first
    double t[9]  # of the last row
    double y[9]
    double i[9]
    double di[9]
    double follow_y[9]  # V without what it follows of I's wobble
    double follow_d[9]
    double mean[9]
    double beta[9]
    double cov[9]
    double var[9]
    double spread[9]
    double charge[8]  # sums
    double amperes[8]
    double volts[8]
    double block_cov[8]
    double block_var[8]
    double deviation[8]
    double total[8]
    double i2[8]
    double d2[8]
    double shortest[8]  # extremes
    double longest[8]
    double furthest[8]
    double least[8]
    double highest[8]
    double sure[8]  # 0 or 1
    double m[12]  # means of V without what follows I, the four before these blocks first
    double m8[5]  # of eight rows: a pair of blocks
    double turn[5]
    double e1[4]
    double e8[4]
    double ei[4]


cdef int _row(State* s, double t, double v, double i) noexcept nogil:
    cdef long long row, gap, sign, flags
    cdef double on, a, wait_a
    row = s.row
    s.row += 1
    if not (isfinite(v) and isfinite(i)):
        return 0
    if not isfinite(t):
        t = s.time_last
    gap = _clock(s, t)
    on = ON_FRACTION * s.level
    sign = 1 if i > on else (-1 if i < -on else 0)
    a = fabs(i)
    if s.seen == 1:
        _open(s, row, t, sign, a, 0)
        return _take(s, row, t, v, i)
    if gap == 0 and _belongs(s, sign, a) == 1:
        s.waiting = 0
        return _take(s, row, t, v, i)
    if gap == 0 and s.waiting == 1 and _agrees(s, sign, a) == 1:
        flags = _close(s, 0.5 * (s.wait_time + s.segment_time), s.wait_gap)
        wait_a = fabs(s.wait_i)
        _open(s, s.wait_row, s.wait_time, sign, wait_a, s.wait_gap)
        s.waiting = 0
        flags = flags | _take(s, s.wait_row, s.wait_time, s.wait_v, s.wait_i)
        return flags | _take(s, row, t, v, i)
    if gap == 1 and s.n > 0:
        flags = _close(s, s.segment_time, 1)
        _open(s, row, t, sign, a, 1)
        s.waiting = 0
        return flags | _take(s, row, t, v, i)
    s.waiting = 1
    s.wait_gap = gap
    s.wait_row = row
    s.wait_time = t
    s.wait_v = v
    s.wait_i = i
    return 0


cdef int _clock(State* s, double t) noexcept nogil:
    """Follow the row interval; 1 for a gap."""
    cdef long long gap
    cdef double dt
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


cdef int _belongs(State* s, long long sign, double a) noexcept nogil:
    cdef double dev
    if sign != s.sign:
        return 0
    if sign == 0:
        return 1
    if s.spread_n < 16:
        return 1 if a < 3.0 * s.mean and 3.0 * a > s.mean else 0
    dev = a - s.mean
    dev = fabs(dev)
    return 1 if dev <= STEP_FRACTION * s.mean + SPREAD_FACTOR * s.spread else 0


cdef int _agrees(State* s, long long sign, double a) noexcept nogil:
    """Does the row continue what the waiting row began?"""
    cdef long long wait_sign
    cdef double on, wait_a, dev
    on = ON_FRACTION * s.level
    wait_sign = 1 if s.wait_i > on else (-1 if s.wait_i < -on else 0)
    if sign != wait_sign:
        return 0
    if sign == 0:
        return 1
    wait_a = fabs(s.wait_i)
    dev = a - wait_a
    dev = fabs(dev)
    return 1 if dev <= 2.0 * STEP_FRACTION * a + 2.0 * SPREAD_FACTOR * s.spread else 0


cdef void _open(State* s, long long row, double t, long long sign, double a, long long gap) noexcept nogil:
    cdef double dt
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
    _restart(s)


cdef void _restart(State* s) noexcept nogil:
    """Forget the voltages of this segment."""
    cdef long long k
    s.current_sum += s.block_a
    s.voltage_sum += s.block_v
    s.charge += 0.5 * s.block_charge
    s.valid = 0
    s.block_sum = 0.0
    s.block_d2 = 0.0
    s.block_i2 = 0.0
    s.block_a = 0.0
    s.block_v = 0.0
    s.block_charge = 0.0
    s.block_dev = 0.0
    s.block_cov = 0.0
    s.block_var = 0.0
    s.pair_u = 0.0
    s.pair_iu = 0.0
    s.pending = 0
    s.octave = 1
    s.octave_sum = 0.0
    s.noise_sum = 0.0
    s.highest = 0.0
    s.top = 0.0
    s.rows_highest = 0
    k = 0
    while k < 16:
        s.profile[k] = 0.0
        k += 1


cdef void _grow(State* s, double grown) noexcept nogil:
    """Noise may be a share of V and of I: until it is learned again it is taken to grow with the level."""
    if grown > NEW_SCALE:  # what went before was a rest
        grown = 0.0
        s.learned = 0
        s.votes = 0
        s.spread_n = 0
        s.g1 = 0.0
        s.g8 = 0.0
        s.cov = 0.0
        s.var = 0.0
        s.beta = 0.0
    s.spread *= grown
    s.s1 *= grown
    s.s8 *= grown
    s.si *= grown
    s.sigma *= grown


cdef int _take(State* s, long long row, double t, double v, double i) noexcept nogil:
    """One row into the running segment."""
    cdef long long flags
    cdef double a, dt, dev
    a = fabs(i)
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
    dev = fabs(dev)
    s.block_dev += dev
    if s.spread_n < 32:
        s.spread += (dev - s.spread) / (s.spread_n + 1)
    if s.spread_n <= 32:
        s.spread_n += 1
    if s.n == 3:
        s.level = s.mean
        if s.level_s == 0.0:
            s.level_s = s.mean
    if s.mode == 2:
        flags = _sample(s, row, t, fabs(v), fabs(s.v_last), a)
    elif _direction(s, v) > 0:
        flags = _sample(s, row, t, v, s.v_last, a)
    else:
        flags = _sample(s, row, t, -v, -s.v_last, a)
    s.current_last = a
    s.v_last = v
    return flags


cdef int _direction(State* s, double v) noexcept nogil:
    """Sign of V along the current: a cell takes up power, whatever sign its currents were given. Voted by rows."""
    cdef long long flipped, along
    if s.votes < VOTES and s.votes > -VOTES and v != 0.0:
        flipped = 1 if s.votes <= -MAJORITY else 0
        along = 1 if v > 0.0 else -1
        s.votes += along * s.sign
        if flipped != (1 if s.votes <= -MAJORITY else 0):
            _restart(s)
    return _along(s)


cdef int _along(State* s) noexcept nogil:
    """1 where V counts as measured, -1 where its sign is turned."""
    return -s.sign if s.votes <= -MAJORITY else s.sign


cdef int _rest(State* s, double i) noexcept nogil:
    """A steady small current is no rest."""
    cdef double steady, dev
    if s.n >= 8 and s.level > 0.0:
        steady = s.block_a / s.n
        dev = i - steady
        dev = fabs(dev)
        steady = fabs(steady)
        if steady > LOW_LEVEL * s.level and dev < 0.1 * steady:
            s.rest_level += 1
            if s.rest_level >= 8:
                s.level = steady
        else:
            s.rest_level = 0
    return 0


cdef int _sample(State* s, long long row, double t, double y_raw, double y_last, double a) noexcept nogil:
    """One row under load; y is V along the current, without what it follows of I's wobble."""
    cdef long long k
    cdef double y, d_raw, d, di, x
    y = y_raw - s.beta * (a - s.mean)
    if y_raw == y_last:
        s.stuck += 1
    if s.valid > 0:
        d_raw = y_raw - y_last
        d = y - s.y1
        di = a - s.current_last
        x = fabs(d_raw)
        if x > 0.0 and (x < s.lsb or s.lsb == 0.0):
            s.lsb = x
        s.block_cov += d_raw * di
        s.block_var += di * di
        if s.valid > 1:
            s.block_d2 += fabs(d - s.d1)
            s.block_i2 += fabs(di - s.di1)
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


cdef int _block(State* s, long long row, double t) noexcept nogil:
    """Four rows are complete."""
    cdef long long flags
    s.current_sum += s.block_a
    s.voltage_sum += s.block_v
    s.charge += 0.5 * s.block_charge
    if s.valid > 4:
        s.mean += (s.block_a * 0.25 - s.mean) * (4.0 / s.n if s.n < 64 else 0.0625)
    if s.spread_n > 32:
        s.spread += (s.block_dev * 0.25 - s.spread) * 0.125
    if s.valid > 4:
        _regress(s)
    flags = _judge(s, row, t, s.block_sum * 0.25, s.block_d2, s.block_i2)
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


cdef void _regress(State* s) noexcept nogil:
    """How much of the wobble of I does V follow? 0 when I's is only measurement noise."""
    cdef double volts
    s.cov += (s.block_cov - s.cov) * 0.0625
    s.var += (s.block_var - s.var) * 0.0625
    volts = s.block_v * 0.25
    volts = fabs(volts) if s.mode == 2 else _along(s) * volts
    s.beta = _followed(s, s.cov, s.var, volts, s.mean)


cdef double _followed(State* s, double cov, double var, double volts, double amperes) noexcept nogil:
    """The regression's ohms: none below zero, no more than one and a half times the resistance."""
    cdef double beta, most
    if not (var > 0.0 and cov > 0.0 and amperes > 0.0):
        return 0.0
    beta = cov / var
    most = 1.5 * volts / amperes
    if beta > most:
        return most if most > 0.0 else 0.0
    return beta


cdef int _judge(State* s, long long row, double t, double mean, double d2, double i2) noexcept nogil:
    """What four rows say: their mean V, and the sums of |second differences| of V and I."""
    cdef long long flags, blocks
    cdef double sigma, x
    blocks = s.valid >> 2
    s.m5 = s.m4
    s.m4 = s.m3
    s.m3 = s.m2
    s.m2 = s.m1
    s.m1 = mean
    if blocks > 1:
        s.noise_sum += d2
        sigma = d2 * 0.25 * SIGMA_D2
        if s.sigma == 0.0:
            s.sigma = sigma
        else:
            x = 2.0 * s.sigma
            s.sigma += ((sigma if sigma < x else x) - s.sigma) * 0.0625
    s.octave_sum += mean
    if blocks >= 1 << (s.octave - 1) and s.octave < 15:
        _octave(s)
    flags = 0
    if s.pending > 0:
        s.pending -= 1
        if s.pending == 0:
            flags = _confirm(s)
    elif blocks >= 3:
        _screen(s, blocks)
    if blocks & 1 == 1:
        s.pair_u = d2
        s.pair_iu = i2
        return flags
    return flags | _fluctuate(s, row, t, blocks >> 1, s.pair_u + d2, s.pair_iu + i2)


cdef void _octave(State* s) noexcept nogil:
    """The profile: means of rows 4-7, 8-15, 16-31 and so on."""
    s.profile[s.octave] = s.octave_sum / _octave_blocks(s)
    s.octave += 1
    s.octave_sum = 0.0


cdef long long _octave_blocks(State* s) noexcept nogil:
    """Blocks since the octave began."""
    return (s.valid >> 2) - ((1 << (s.octave - 1)) >> 1)


cdef void _screen(State* s, long long blocks) noexcept nogil:
    """Is the mean of the last rows lower than a moment ago, beyond the noise?"""
    cdef double before, drop, error
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


cdef double _mean_of(State* s, long long first, long long count) noexcept nogil:
    """Mean of ring places first .. first+count-1, counted since the segment began."""
    cdef long long k
    cdef double total
    total = 0.0
    k = first
    while k < first + count:
        total += s.ring_y[k & 63]
        k += 1
    return total / count


cdef double _noise_of(State* s, long long first, long long count) noexcept nogil:
    """Standard deviation of the noise in a stretch of the ring, from second differences."""
    cdef long long k
    cdef double total, d2
    if count < 3:
        return s.sigma
    total = 0.0
    k = first + 2
    while k < first + count:
        d2 = s.ring_y[k & 63] - 2.0 * s.ring_y[(k - 1) & 63] + s.ring_y[(k - 2) & 63]
        total += fabs(d2)
        k += 1
    return total / (count - 2) * SIGMA_D2


cdef int _confirm(State* s) noexcept nogil:
    """Locate the largest drop in the ring and fit it."""
    cdef long long low, at, c, w1, w2
    cdef double best, weight, drop, after
    s.pending = 0
    low = s.valid - RING
    if low < SETTLE_ROWS:
        low = SETTLE_ROWS
    if s.valid - low < 6:
        return 0
    best = 0.0
    at = -1
    c = low + 3
    while c <= s.valid - 3:
        w1 = c - low if c - low < 8 else 8
        w2 = s.valid - c if s.valid - c < 8 else 8
        weight = <double>(w1 * w2) / (w1 + w2)
        drop = _mean_of(s, c - w1, w1) - _mean_of(s, c, w2)
        if drop > 0.0 and drop * drop * weight > best:
            best = drop * drop * weight
            at = c
        c += 1
    if at < 0:
        return 0
    # Only two rows may follow the step: the search above asks for three, and takes a good one for the third.
    if at == s.valid - 3:
        after = _mean_of(s, at + 1, 2)
        if s.ring_y[at & 63] - after > 0.5 * (_mean_of(s, at - 1, 1) - after):
            at += 1
    return _fit(s, low, at)


cdef int _fit(State* s, long long low, long long at) noexcept nogil:
    """A step at `at` with one slope on both sides (least squares); a record when it is large and sure."""
    cdef long long first, nb, na, k, wb, wa
    cdef double mean_b, mean_a, xb, xa, sxy, sxx, slope, step, noise_b, noise_a, noise, error, before, after
    # The row of the step itself may be a mean across it.
    first = at + 1 if s.valid - at > 4 else at
    nb = at - low if at - low < 28 else 28
    na = s.valid - first if s.valid - first < 28 else 28
    mean_b = _mean_of(s, at - nb, nb)
    mean_a = _mean_of(s, first, na)
    xb = at - nb + 0.5 * (nb - 1)
    xa = first + 0.5 * (na - 1)
    sxy = 0.0
    k = at - nb
    while k < at:
        sxy += (k - xb) * (s.ring_y[k & 63] - mean_b)
        k += 1
    k = first
    while k < first + na:
        sxy += (k - xa) * (s.ring_y[k & 63] - mean_a)
        k += 1
    sxx = (nb * (nb * nb - 1.0) + na * (na * na - 1.0)) / 12.0
    slope = sxy / sxx
    step = mean_a - mean_b - slope * (xa - xb)
    noise_b = _noise_of(s, at - nb, nb)
    noise_a = _noise_of(s, first, na)
    noise = noise_b if noise_b > 0.5 * s.sigma else 0.5 * s.sigma
    error = noise * sqrt(1.0 / nb + 1.0 / na + (xa - xb) * (xa - xb) / sxx)
    wb = nb if nb < 8 else 8
    wa = na if na < 8 else 8
    before = _mean_of(s, at - wb, wb)
    after = _mean_of(s, first, wa)
    if before - after < KEEP_DROP * before or (
        before - after < 0.5 * before and -step < KEEP_ERRORS * error
    ):
        return 0
    k = at & 63
    s.step[0] = s.first_row + s.ring_r[k]
    s.step[1] = s.ring_t[k]
    s.step[2] = before
    s.step[3] = after
    s.step[4] = step
    s.step[5] = error
    s.step[6] = noise_b
    s.step[7] = noise_a
    # The share of the drop between the two rows on either side of it.
    s.step[8] = (_mean_of(s, at - 2, 2) - _mean_of(s, first, 2)) / (before - after)
    s.step[9] = nb
    s.step[10] = na
    s.step[11] = s.mean * s.sign
    s.step[12] = at
    s.step[13] = s.sign
    return STEP


cdef int _fluctuate(State* s, long long row, double t, long long pairs, double d2, double i2) noexcept nogil:
    """Eight rows are complete: how much did V turn around, row by row and block by block?"""
    cdef long long calm
    cdef double m8, e1, ei, e8, d, x, z, floor, before, usual, r1, r8, ri
    m8 = 0.5 * (s.m1 + s.m2)
    e1 = d2 * 0.125
    ei = i2 * 0.125
    e8 = 0.0
    if pairs > 2:
        d = m8 - s.pair_last
        x = fabs(d)
        z = fabs(s.pair_d)
        x = x if x < z else z
        e8 = x if d * s.pair_d < 0.0 else 0.0  # no branch: it is as good as a coin
        s.pair_d = d
    elif pairs == 2:
        s.pair_d = m8 - s.pair_last
    s.pair_last = m8
    if pairs < 2 or s.mean <= 0.0:
        return 0
    if s.learned < LEARN_BLOCKS:
        _learn(s, e1, e8, ei, 1.0 / (s.learned + 1))
        s.r_slow = m8 / s.mean
        s.learned += 1
        return 0
    floor = FLOOR * fabs(m8)
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
    calm = 1 if s.g1 + s.g8 < QUIET else 0
    s.g1 = _accumulate(s, s.g1, r1, CAP, DRIFT)
    s.g8 = _accumulate(s, s.g8, r8, CAP_BLOCK, DRIFT_BLOCK)
    return _follow(s, row, t, m8, e1, e8, ei, r1, r8, ri, calm)


cdef double _accumulate(State* s, double g, double ratio, double cap, double drift) noexcept nogil:
    g += (ratio if ratio < cap else cap) - drift
    g = g if g < FULL else FULL
    return g if g > 0.0 else 0.0


cdef void _learn(State* s, double e1, double e8, double ei, double weight) noexcept nogil:
    s.s1 += (e1 - s.s1) * weight
    s.s8 += (e8 - s.s8) * weight
    s.si += (ei - s.si) * weight
    s.level_s = s.mean


cdef int _follow(State* s, long long row, double t, double m8, double e1, double e8, double ei, double r1, double r8, double ri, long long calm) noexcept nogil:
    cdef double g, r, x1, x8, x
    g = s.g1 + s.g8
    r = m8 / s.mean
    if calm == 1 and g >= QUIET:
        s.turn_row = row
        s.turn_time = t
        s.turn_before = s.r_slow
    if s.burst == 0:
        if g < QUIET:
            x1 = 3.0 * s.s1
            x8 = 4.0 * s.s8
            # From nothing (a quantised signal) it must be able to grow.
            _learn(s, 
                e1 if e1 < x1 or x1 == 0.0 else x1, e8 if e8 < x8 or x8 == 0.0 else x8, ei, 0.03125
            )
            s.r_slow += (r - s.r_slow) * (0.25 if s.valid >= 40 else 0.125)
        if g < ALARM:
            return 0
        s.burst = 1
        s.burst_sum = 0.0
        s.burst_blocks = 0
        s.burst_low = r
        s.burst_r1 = 0.0
        s.burst_r8 = 0.0
        s.burst_ri = 0.0
        s.burst_amp = 0.0
    s.burst_blocks += 1
    s.burst_sum += r
    s.burst_r1 += r1
    s.burst_r8 += r8
    s.burst_ri += ri
    x = (e1 + e8) / s.mean
    s.burst_amp += x
    if r < s.burst_low:
        s.burst_low = r
    if r1 > DRIFT or r8 > DRIFT_BLOCK:
        s.burst_end_row = row
        s.burst_end_time = t
    if g > 0.0:
        return 0
    return _burst_record(s, 0)


cdef int _burst_record(State* s, long long still_open) noexcept nogil:
    cdef long long n
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


cdef void _pressure(State* s, double p) noexcept nogil:
    """The stack pressure of the segment's first and last rows."""
    if not isfinite(p):
        return
    s.p_n += 1
    if s.p_n <= 8:
        s.p_first += (p - s.p_first) / s.p_n
        s.p_last = s.p_first
    else:
        s.p_last += (p - s.p_last) * 0.125


cdef int _close(State* s, double end, long long gap) noexcept nogil:
    """The running segment becomes a record."""
    cdef long long flags, n, k, blocks
    cdef double dt, mean, total, volts
    flags = 0
    if s.sign != 0 and (s.pending > 0 or _tail_drops(s) == 1):
        flags = _confirm(s)
    if s.sign != 0 and gap == 0:
        dt = end - s.segment_time
        s.charge += s.current_last * (dt if dt < 0.5 * s.interval else 0.5 * s.interval)
    n = s.n if s.n > 0 else 1
    volts = (s.voltage_sum + s.block_v) / n
    mean = volts
    if s.mode == 2:
        mean = fabs(mean)
    elif (s.sign < 0) != (s.votes <= -MAJORITY):
        mean = -mean
    if _octave_blocks(s) > 0:
        s.profile[s.octave] = s.octave_sum / _octave_blocks(s)
    s.segment[0] = s.first_row
    s.segment[1] = s.last_row
    s.segment[2] = s.n
    s.segment[3] = s.start
    s.segment[4] = s.segment_time
    s.segment[5] = s.sign
    total = s.current_sum + s.block_a
    s.segment[6] = (-total if s.sign < 0 else total) / n
    s.segment[7] = s.charge + 0.5 * s.block_charge
    s.segment[8] = volts
    blocks = s.valid >> 2
    k = s.octave - 4 if s.octave > 6 else 2
    s.segment[9] = s.profile[k] if s.octave > 2 else mean
    s.segment[10] = 0.5 * (s.m1 + s.m2) if blocks >= 3 else (s.m1 if blocks >= 1 else mean)
    s.segment[11] = s.noise_sum / (4 * blocks - 4) * SIGMA_D2 if blocks > 1 else 0.0
    s.segment[12] = s.highest
    s.segment[13] = s.rows_highest
    s.segment[14] = s.mean
    s.segment[15] = s.after_gap
    s.segment[16] = s.interval
    s.segment[17] = s.p_first
    s.segment[18] = s.p_last if s.p_n > 16 else s.p_first
    s.segment[19] = mean
    s.segment[20] = s.stuck
    k = 0
    while k < 16:
        s.segment[21 + k] = s.profile[k]
        k += 1
    return flags | SEGMENT


cdef int _tail_drops(State* s) noexcept nogil:
    """Did the last rows fall, too late for the blocks?"""
    cdef long long count
    cdef double last, before
    if s.valid < SETTLE_ROWS + 6:
        return 0
    last = _mean_of(s, s.valid - 3, 3)
    count = s.valid - 3 - SETTLE_ROWS
    if count > 12:
        count = 12
    before = _mean_of(s, s.valid - 3 - count, count)
    return 1 if before - last > 0.3 * before else 0


cdef int _finish(State* s) noexcept nogil:
    cdef long long flags
    flags = 0
    if s.n > 0:
        flags = _close(s, s.segment_time, 0)
    if s.burst == 1:
        flags = flags | _burst_record(s, 1)
    return flags


cdef _collect(State* s, int flags, tuple records):
    if flags & STEP:
        (<list>records[1]).append(_record(s.step, 14))
    if flags & SEGMENT:
        (<list>records[0]).append(_record(s.segment, 37))
    if flags & BURST:
        (<list>records[2]).append(_record(s.bursts, 14))


cdef class Record:
    """The numbers of a segment, step or burst: a sequence of floats that are made when asked for.

    A tuple of them holds three times the memory and takes as long to make as the analysis of a hundred rows.
    """

    cdef int count
    cdef double values[37]

    def __len__(self):
        return self.count

    def __getitem__(self, at):
        cdef Py_ssize_t k
        if isinstance(at, slice):
            return tuple([self.values[k] for k in range(*at.indices(self.count))])
        k = at
        if k < 0:
            k += self.count
        if not 0 <= k < self.count:
            raise IndexError(f"a record of {self.count} numbers has no place {at}")
        return self.values[k]

    def __iter__(self):
        return iter(self[:])

    def __eq__(self, other):
        return self[:] == (other[:] if isinstance(other, Record) else other)

    __hash__ = None

    def __repr__(self):
        return repr(self[:])


cdef Record _record(const double* values, int count):
    cdef Record record = Record.__new__(Record)
    record.count = count
    memcpy(record.values, values, count * sizeof(double))
    return record


cdef const double[::1] _column(x):
    try:
        return x
    except (TypeError, ValueError, BufferError):
        return np.ascontiguousarray(x, dtype=np.float64)


cdef _open_column(x, Py_buffer* view):
    """The memory of a float64 column of shape (n,), copied where it is anything else; a typed memoryview costs twice."""
    try:
        PyObject_GetBuffer(x, view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)
    except (TypeError, ValueError, BufferError):
        PyObject_GetBuffer(_as_column(x), view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)
        return
    if view.ndim != 1 or view.format == NULL or view.format[0] != c'd' or view.format[1] != 0:
        PyBuffer_Release(view)
        PyObject_GetBuffer(_as_column(x), view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)


cdef _as_column(x):
    column = np.ascontiguousarray(x, dtype=np.float64)
    if column.ndim != 1:
        raise ValueError(f"a column has one dimension, not {column.ndim}")
    return column


def add_known(column, double total):
    """`total` plus the finite values of a column of shape (n,), one after the other, and how many there were."""
    cdef const double[::1] x = _column(column)
    cdef Py_ssize_t k
    cdef long long count = 0
    with nogil:
        for k in range(x.shape[0]):
            if isfinite(x[k]):
                total += x[k]
                count += 1
    return total, count


cdef int _steady(State* s, const double* t, const double* v, const double* i, int n, int* unsure) noexcept nogil:
    """Up to eight blocks of four rows at once where nothing can happen but `_take`: the same sums in the same order.

    Each block is a lane, so that the compiler makes vectors of them. Returns flags, or -1 where not even the first
    block is sure to go on as before; `unsure` is how many rows are to be left to `_row` next.
    """
    cdef Blocks b[1]
    cdef double size[32]
    cdef const double* y = v
    cdef int k
    if (
        s.sign == 0 or s.waiting or s.seen < 64 or s.n < 8 or s.spread_n <= 32 or s.valid < 4 or s.valid & 3
        or s.time_last != s.segment_time or (s.mode != 2 and -VOTES < s.votes < VOTES)
    ):
        return -1
    # The ring does not wrap within, and a step is confirmed, if at all, by the last block.
    n = n if n < 16 - ((s.valid & 63) >> 2) else 16 - ((s.valid & 63) >> 2)
    n = s.pending if 0 < s.pending < n else n
    n = 2 if s.valid < 16 and n > 2 else n
    if s.mode == 2:
        for k in range(4 * n):
            size[k] = fabs(v[k])
        y = size
    _add_rows(s, b, t, y, i, n)
    if s.mode == 2:
        for k in range(n):
            b.volts[k] = v[4 * k] + v[4 * k + 1] + v[4 * k + 2] + v[4 * k + 3]
    _follow_current(s, b, n)
    _add_deviations(s, b, i, n)
    k = _sure(s, b, n)
    unsure[0] = 0 if k == n else 4
    n = k
    if n == 0:
        return -1
    _compensate(s, b, y, i, n)
    _take_blocks(s, b, t, v, i, n)
    return _take_volts(s, b, y, n)


cdef void _add_rows(State* s, Blocks* b, const double* t, const double* y, const double* i, int n) noexcept nogil:
    """What needs no running value but those of the row before. Signs of I and V are as measured."""
    cdef double along, t_last, y_last, i_last, di_last, dt, d, di
    cdef double charge, amperes, volts, cov, var, i2, shortest, longest, least, highest
    cdef int k, j
    along = 1 if s.mode == 2 else _along(s)
    b.t[0] = s.time_last
    b.y[0] = fabs(s.v_last) if s.mode == 2 else s.v_last
    b.i[0] = s.sign * s.current_last
    b.di[0] = s.sign * s.di1
    for k in range(n):
        b.t[k + 1] = t[4 * k + 3]
        b.y[k + 1] = y[4 * k + 3]
        b.i[k + 1] = i[4 * k + 3]
        b.di[k + 1] = i[4 * k + 3] - i[4 * k + 2]
    for k in range(n):
        t_last = b.t[k]
        y_last = b.y[k]
        i_last = b.i[k]
        di_last = b.di[k]
        charge = amperes = volts = cov = var = i2 = longest = 0.0
        shortest = least = INFINITY
        highest = -INFINITY
        for j in range(4):
            dt = t[4 * k + j] - t_last
            d = y[4 * k + j] - y_last
            di = i[4 * k + j] - i_last
            shortest = dt if dt < shortest else shortest
            longest = dt if dt > longest else longest
            charge += (i[4 * k + j] + i_last) * dt
            amperes += i[4 * k + j]
            volts += y[4 * k + j]
            cov += d * di
            var += di * di
            i2 += fabs(di - di_last)
            d = fabs(d)
            least = d if d < least else least
            d = along * y[4 * k + j]
            highest = d if d > highest else highest
            t_last = t[4 * k + j]
            y_last = y[4 * k + j]
            i_last = i[4 * k + j]
            di_last = di
        b.shortest[k] = shortest
        b.longest[k] = longest
        b.charge[k] = charge
        b.amperes[k] = amperes
        b.volts[k] = volts
        b.block_cov[k] = cov
        b.block_var[k] = var
        b.i2[k] = i2
        b.least[k] = least
        b.highest[k] = highest


cdef void _follow_current(State* s, Blocks* b, int n) noexcept nogil:
    """Mean current and what V follows of it, from block to block; place k: as block k begins."""
    cdef double mean, cov, var, sign, turn, volts
    cdef int k, rows
    sign = s.sign
    turn = sign if s.mode == 2 else sign * _along(s)
    mean = s.mean
    cov = s.cov
    var = s.var
    rows = s.n
    b.mean[0] = mean
    b.beta[0] = s.beta
    for k in range(n):
        rows += 4
        mean += (sign * b.amperes[k] * 0.25 - mean) * (4.0 / rows if rows < 64 else 0.0625)
        cov += (turn * b.block_cov[k] - cov) * 0.0625
        var += (b.block_var[k] - var) * 0.0625
        b.mean[k + 1] = mean
        b.cov[k + 1] = cov
        b.var[k + 1] = var
        b.beta[k + 1] = 0.0
        if var > 0.0:
            volts = b.volts[k] * 0.25
            volts = fabs(volts) if s.mode == 2 else _along(s) * volts
            b.beta[k + 1] = _followed(s, cov, var, volts, mean)


cdef void _add_deviations(State* s, Blocks* b, const double* i, int n) noexcept nogil:
    """How far the current is from its mean."""
    cdef double sign, middle, dev, deviation, furthest
    cdef int k, j
    sign = s.sign
    for k in range(n):
        middle = sign * b.mean[k]
        deviation = furthest = 0.0
        for j in range(4):
            dev = fabs(i[4 * k + j] - middle)
            deviation += dev
            furthest = dev if dev > furthest else furthest
        b.deviation[k] = deviation
        b.furthest[k] = furthest


cdef int _sure(State* s, Blocks* b, int n) noexcept nogil:
    """How many of the blocks have no row that might not belong to the segment; what is not finite does not."""
    cdef double on, longest, spread, limit, sure
    cdef int k
    on = 1.01 * ON_FRACTION * s.level  # a row within the limit, but below, might be a rest
    longest = 0.7 * LONG * s.interval  # the interval may shrink by a sixteenth with every eighth row
    spread = b.spread[0] = s.spread
    for k in range(n):
        spread += (b.deviation[k] * 0.25 - spread) * 0.125
        b.spread[k + 1] = spread
    for k in range(n):
        limit = STEP_FRACTION * b.mean[k] + SPREAD_FACTOR * b.spread[k]
        sure = 1.0 if b.furthest[k] <= limit else 0.0
        sure = sure if b.mean[k] - limit > on else 0.0
        sure = sure if b.shortest[k] >= 0.0 else 0.0
        sure = sure if b.longest[k] <= longest else 0.0
        sure = sure if fabs(b.charge[k]) <= 1e300 else 0.0
        b.sure[k] = sure if fabs(b.volts[k]) <= 1e300 else 0.0
    k = 0
    while k < n and b.sure[k] > 0.0:
        k += 1
    return k


cdef void _compensate(State* s, Blocks* b, const double* y, const double* i, int n) noexcept nogil:
    """V without what it follows of I's wobble, into the ring, and its second differences."""
    cdef double sign, along, now, last, d, d_last, total, d2
    cdef double* ring
    cdef int k, j
    ring = s.ring_y + (s.valid & 63)  # a multiple of four: the places lie side by side
    sign = s.sign
    along = 1 if s.mode == 2 else _along(s)
    b.follow_y[0] = s.y1
    b.follow_d[0] = s.d1
    for k in range(n):
        total = last = d = 0.0
        for j in range(4):
            now = along * y[4 * k + j] - b.beta[k] * (sign * i[4 * k + j] - b.mean[k])
            total += now
            ring[4 * k + j] = now
            d = now - last
            last = now
        b.total[k] = total
        b.follow_y[k + 1] = last
        b.follow_d[k + 1] = d
    for k in range(n):
        last = b.follow_y[k]
        d_last = b.follow_d[k]
        d2 = 0.0
        for j in range(4):
            now = ring[4 * k + j]
            d = now - last
            d2 += fabs(d - d_last)
            last = now
            d_last = d
        b.d2[k] = d2


cdef void _take_blocks(
    State* s, Blocks* b, const double* t, const double* v, const double* i, int n
) noexcept nogil:
    """Time, charge and current of the blocks become part of the state."""
    cdef double dt, interval, sign
    cdef int k, j, at, first
    sign = s.sign
    for k in range(n):
        s.current_sum += sign * b.amperes[k]
        s.voltage_sum += b.volts[k]
        s.charge += 0.5 * (sign * b.charge[k])
    s.mean = b.mean[n]
    s.cov = b.cov[n]
    s.var = b.var[n]
    s.beta = b.beta[n]
    s.spread = b.spread[n]
    # `_clock`: one row in eight moves the interval.
    interval = s.interval
    j = -s.seen & 7
    while j < 4 * n:
        dt = t[j] - (t[j - 1] if j > 0 else b.t[0])
        if dt > 0.0:
            interval += (dt - interval) * 0.0625
        j += 8
    s.interval = interval
    if b.t[n] > s.time_last:
        s.dt_long = 0
    at = s.valid & 63
    first = <int>(s.row - s.first_row)
    for j in range(4 * n):
        s.ring_t[at + j] = t[j]
    for j in range(4 * n):
        s.ring_r[at + j] = first + j
    s.time_last = s.segment_time = b.t[n]
    s.v_last = v[4 * n - 1]
    s.current_last = s.sign * i[4 * n - 1]
    s.di1 = s.sign * i[4 * n - 1] - s.sign * i[4 * n - 2]
    s.y1 = b.follow_y[n]
    s.d1 = b.follow_d[n]
    s.row += 4 * n
    s.seen += 4 * n
    s.n += 4 * n
    s.last_row = s.row - 1


cdef int _take_volts(State* s, Blocks* b, const double* y, int n) noexcept nogil:
    """Largest, smallest step and repeats of V, then what its means and differences say."""
    cdef double highest, least
    cdef long long before
    cdef int k, flags, finer
    highest = b.highest[0]
    least = b.least[0]
    for k in range(1, n):
        highest = b.highest[k] if b.highest[k] > highest else highest
        least = b.least[k] if b.least[k] < least else least
    _count_near_top(s, y, 4 * n, highest)
    if least == 0.0:
        _count_repeats(s, b, y, n)
    finer = least < s.lsb or s.lsb == 0.0
    if not finer and _judge_calm(s, b, n) == 1:
        return 0
    flags = 0
    before = s.row - 4 * n
    for k in range(n):
        if finer and (b.least[k] < s.lsb or (s.lsb == 0.0 and b.least[k] < INFINITY)):
            s.lsb = b.least[k]
        s.valid += 4
        s.mean = b.mean[k + 1]
        flags = flags | _judge(s, before + 4 * k + 3, b.t[k + 1], b.total[k] * 0.25, b.d2[k], b.i2[k])
    return flags


cdef int _judge_calm(State* s, Blocks* b, int n) noexcept nogil:
    """`_judge` for blocks in which nothing happens, as in nearly all; 0, and nothing done, where something might."""
    cdef double suspicion, before, excess
    cdef int k
    if n & 1 or s.valid & 7 or s.valid < 16 or s.pending or s.burst or s.learned < LEARN_BLOCKS:
        return 0
    b.m[0] = s.m4
    b.m[1] = s.m3
    b.m[2] = s.m2
    b.m[3] = s.m1
    for k in range(n):
        b.m[k + 4] = b.total[k] * 0.25
    suspicion = 0.0
    for k in range(n):  # as `_screen` says
        before = 0.5 * (b.m[k] + b.m[k + 1])
        excess = before - 0.5 * (b.m[k + 3] + b.m[k + 4]) - SCREEN_DROP * before
        suspicion = excess if excess > suspicion else suspicion
    if suspicion > 0.0 or _fluctuate_calmly(s, b, n >> 1) == 0:
        return 0
    s.m1 = b.m[n + 3]
    s.m2 = b.m[n + 2]
    s.m3 = b.m[n + 1]
    s.m4 = b.m[n]
    s.m5 = b.m[n - 1]
    s.pair_u = b.d2[n - 2]
    s.pair_iu = b.i2[n - 2]
    for k in range(n):
        s.valid += 4
        s.octave_sum += b.m[k + 4]
        if s.valid >> 2 >= 1 << (s.octave - 1) and s.octave < 15:
            _octave(s)
    return 1


cdef int _fluctuate_calmly(State* s, Blocks* b, int pairs) noexcept nogil:
    """`_fluctuate` for pairs of blocks that swing no more than usual; 0, and nothing done, where one does."""
    cdef double s1, s8, si, g1, g8, r_slow, lsb, floor, before, usual, e1, e8, r1, r8, mean
    cdef double sigma, noise_sum, x
    cdef int k, j
    _turns(s, b, pairs)
    s1 = s.s1
    s8 = s.s8
    si = s.si
    g1 = s.g1
    g8 = s.g8
    r_slow = s.r_slow
    lsb = s.lsb
    sigma = s.sigma
    noise_sum = s.noise_sum
    for k in range(pairs):
        for j in range(2 * k, 2 * k + 2):
            noise_sum += b.d2[j]
            x = b.d2[j] * 0.25 * SIGMA_D2
            sigma = x if sigma == 0.0 else sigma + ((x if x < 2.0 * sigma else 2.0 * sigma) - sigma) * 0.0625
        mean = b.mean[2 * k + 2]
        e1 = b.e1[k]
        e8 = b.e8[k]
        floor = FLOOR * fabs(b.m8[k + 1])
        before = r_slow * mean * FLOOR
        floor = before if before > floor else floor
        usual = lsb if lsb > floor else floor
        usual = s1 if s1 > usual else usual
        r1 = e1 / usual if usual > 0.0 else 0.0
        usual = WHITE_BLOCK * s1
        usual = s8 if s8 > usual else usual
        usual = usual if usual > 0.5 * lsb else 0.5 * lsb
        usual = usual if usual > floor else floor
        r8 = e8 / usual if usual > 0.0 else 0.0
        g1 = _accumulate(s, g1, r1, CAP, DRIFT)
        g8 = _accumulate(s, g8, r8, CAP_BLOCK, DRIFT_BLOCK)
        if not (mean > 0.0 and g1 + g8 < QUIET):
            return 0
        x = 3.0 * s1 if s1 > 0.0 else INFINITY  # from nothing it must be able to grow
        s1 += ((e1 if e1 < x else x) - s1) * 0.03125
        x = 4.0 * s8 if s8 > 0.0 else INFINITY
        s8 += ((e8 if e8 < x else x) - s8) * 0.03125
        si += (b.ei[k] - si) * 0.03125
        r_slow += (b.m8[k + 1] / mean - r_slow) * (0.25 if s.valid + 8 * k >= 32 else 0.125)
    s.s1 = s1
    s.s8 = s8
    s.si = si
    s.g1 = g1
    s.g8 = g8
    s.r_slow = r_slow
    s.sigma = sigma
    s.noise_sum = noise_sum
    s.level_s = b.mean[2 * pairs]
    s.pair_last = b.m8[pairs]
    s.pair_d = b.turn[pairs]
    return 1


cdef void _turns(State* s, Blocks* b, int pairs) noexcept nogil:
    """Means of eight rows, and by how much they and the rows turn around, as `_fluctuate` says."""
    cdef double d, x, z
    cdef int k
    b.m8[0] = s.pair_last
    b.turn[0] = s.pair_d
    for k in range(pairs):
        b.m8[k + 1] = 0.5 * (b.m[2 * k + 5] + b.m[2 * k + 4])
        b.e1[k] = (b.d2[2 * k] + b.d2[2 * k + 1]) * 0.125
        b.ei[k] = (b.i2[2 * k] + b.i2[2 * k + 1]) * 0.125
    for k in range(pairs):
        b.turn[k + 1] = b.m8[k + 1] - b.m8[k]
    for k in range(pairs):
        d = b.turn[k + 1]
        x = fabs(d)
        z = fabs(b.turn[k])
        x = x if x < z else z
        b.e8[k] = x if d * b.turn[k] < 0.0 else 0.0


cdef void _count_near_top(State* s, const double* y, int rows, double highest) noexcept nogil:
    """How often the largest voltage was nearly reached, as in `_sample`."""
    cdef double along, near_top, beyond
    cdef long long near
    cdef int k, since
    along = 1 if s.mode == 2 else _along(s)
    s.highest = highest if highest > s.highest else s.highest
    since = 0
    if highest > 1.002 * s.top:
        beyond = 1.002 * s.top
        for k in range(rows):
            if along * y[k] > beyond:
                s.top = along * y[k]
                beyond = 1.002 * s.top
                since = k
        s.rows_highest = 0
    near_top = 0.998 * s.top
    if highest < near_top:
        return
    near = 0
    for k in range(since, rows):  # no branch: whether a row is near the top is as good as chance
        near += 1 if along * y[k] >= near_top else 0
    s.rows_highest += <int>(near)


cdef void _count_repeats(State* s, Blocks* b, const double* y, int n) noexcept nogil:
    """The rows that repeat a voltage; the smallest step of each block is that of the others."""
    cdef double last, d
    cdef int k, j
    for k in range(n):
        last = b.y[k]
        b.least[k] = INFINITY
        for j in range(4):
            d = fabs(y[4 * k + j] - last)
            last = y[4 * k + j]
            if d == 0.0:
                s.stuck += 1
            elif d < b.least[k]:
                b.least[k] = d


cdef int _run(
    State* s, const double* t, const double* v, const double* i, const double* p, Py_ssize_t n, Py_ssize_t* at
) noexcept nogil:
    """Rows from `at` on until a record is complete (its flags) or all are taken (0)."""
    cdef Py_ssize_t k = at[0], m
    cdef long long row, taken
    cdef int flags = 0
    cdef int unsure[1]
    unsure[0] = 0
    while k < n and flags == 0:
        if unsure[0] == 0 and k + 4 <= n:
            row = s.row
            flags = _steady(s, t + k, v + k, i + k, 8 if k + 32 <= n else <int>((n - k) >> 2), unsure)
            if flags >= 0:
                taken = s.row - row
                if p != NULL:
                    for m in range(k, k + taken):
                        _pressure(s, p[m])
                k += taken
                continue
        unsure[0] = unsure[0] - 1 if unsure[0] > 0 else 0
        flags = _row(s, t[k], v[k], i[k])
        if p != NULL:
            _pressure(s, p[k])
        k += 1
    at[0] = k
    return flags


cdef class Stream:
    """State of one channel; see `_reference.Stream`. Memory does not grow with the rows."""

    cdef State s

    def __init__(self, int mode=0):
        memset(&self.s, 0, sizeof(State))
        self.s.mode = mode

    def feed(self, time_s, voltage_V, current_A, pressure_Pa=None):
        """Take rows: float64 arrays of shape (n,). Returns what they completed: (segments, steps, bursts)."""
        cdef Py_buffer columns[4]
        cdef int opened = 0, k
        records = ([], [], [])
        try:
            for column in (time_s, voltage_V, current_A):
                _open_column(column, &columns[opened])
                opened += 1
            if pressure_Pa is not None:
                _open_column(pressure_Pa, &columns[3])
                opened += 1
            self._take(columns, opened, records)
        finally:
            for k in range(opened):
                PyBuffer_Release(&columns[k])
        return records

    cdef _take(self, const Py_buffer* columns, int opened, tuple records):
        cdef const double* p = <const double*>columns[3].buf if opened == 4 else NULL
        cdef Py_ssize_t n = columns[0].len // 8, at = 0
        cdef int flags, k
        for k in range(1, opened):
            if columns[k].len != columns[0].len:
                raise ValueError("all columns must have the same length")
        while at < n:
            with nogil:
                flags = _run(
                    &self.s, <const double*>columns[0].buf, <const double*>columns[1].buf,
                    <const double*>columns[2].buf, p, n, &at
                )
            if flags:
                _collect(&self.s, flags, records)

    def finish(self):
        """Close what is open: (segments, steps, bursts). The stream takes no more rows."""
        records = ([], [], [])
        _collect(&self.s, _finish(&self.s), records)
        return records

    def save(self):
        """The whole state as bytes, to `restore` later on the same kind of machine."""
        return (<char*>&self.s)[:STATE_BYTES]

    def restore(self, bytes state):
        """Take over a saved state. Raises ValueError for bytes of another version."""
        if len(state) != STATE_BYTES:
            raise ValueError(f"a saved state has {STATE_BYTES} bytes, not {len(state)}")
        memcpy(&self.s, <const char*>state, STATE_BYTES)


def feed_many(list streams, time_s, voltage_V, current_A):
    """Rows of many channels in one call: float64 arrays of shape (channels, rows), one `Stream` each.

    Returns a list of what `Stream.feed` returns. Raises ValueError for shapes that do not agree.
    """
    cdef const double[:, ::1] t = np.ascontiguousarray(time_s, dtype=np.float64)
    cdef const double[:, ::1] v = np.ascontiguousarray(voltage_V, dtype=np.float64)
    cdef const double[:, ::1] i = np.ascontiguousarray(current_A, dtype=np.float64)
    cdef Py_ssize_t channels = len(streams), n = t.shape[1], c, k
    cdef int flags
    cdef State** states
    if not (t.shape[0] == v.shape[0] == i.shape[0] == channels and v.shape[1] == n and i.shape[1] == n):
        raise ValueError("time, voltage and current need the shape (channels, rows)")
    found = [([], [], []) for _ in range(channels)]
    states = <State**>malloc((channels + 1) * sizeof(State*))
    if states == NULL:
        raise MemoryError
    try:
        for c in range(channels):
            states[c] = &(<Stream?>streams[c]).s
        with nogil:
            for c in range(channels):
                k = 0
                while k < n:
                    flags = _run(states[c], &t[c, 0], &v[c, 0], &i[c, 0], NULL, n, &k)
                    if flags:
                        with gil:
                            _collect(states[c], flags, found[c])
    finally:
        free(states)
    return found


# -- frames of the wire, see `_reference_frames` ------------------------------------------------------------------

cdef uint32_t CRC[8][256]
cdef int SAMPLES_TYPE = 2
cdef uint32_t POLYNOMIAL = <uint32_t>0xEDB88320


cdef void _fill_crc() noexcept nogil:
    """Tables of CRC-32 (polynomial 0xEDB88320), eight bytes at a time."""
    cdef uint32_t k, j, c
    for k in range(256):
        c = k
        for j in range(8):
            c = (c >> 1) ^ (POLYNOMIAL if c & 1 else 0)
        CRC[0][k] = c
    for k in range(256):
        for j in range(1, 8):
            CRC[j][k] = (CRC[j - 1][k] >> 8) ^ CRC[0][CRC[j - 1][k] & 255]


_fill_crc()


cdef uint32_t _crc32(const uint8_t* p, Py_ssize_t n) noexcept nogil:
    cdef uint32_t c = ~(<uint32_t>0)
    cdef uint32_t a, b
    while n >= 8:
        a = c ^ (p[0] | (<uint32_t>p[1] << 8) | (<uint32_t>p[2] << 16) | (<uint32_t>p[3] << 24))
        b = p[4] | (<uint32_t>p[5] << 8) | (<uint32_t>p[6] << 16) | (<uint32_t>p[7] << 24)
        c = (
            CRC[7][a & 255] ^ CRC[6][(a >> 8) & 255] ^ CRC[5][(a >> 16) & 255] ^ CRC[4][a >> 24]
            ^ CRC[3][b & 255] ^ CRC[2][(b >> 8) & 255] ^ CRC[1][(b >> 16) & 255] ^ CRC[0][b >> 24]
        )
        p += 8
        n -= 8
    while n > 0:
        c = CRC[0][(c ^ p[0]) & 255] ^ (c >> 8)
        p += 1
        n -= 1
    return ~c


cdef Py_ssize_t _unstuff(const uint8_t* block, Py_ssize_t n, uint8_t* out) noexcept nogil:
    """Bytes written to `out` (room for n), -1 for a block that is none."""
    cdef Py_ssize_t at = 0, end, size = 0
    while at < n:
        end = at + block[at]
        if end == at or end > n:
            return -1
        memcpy(out + size, block + at + 1, end - at - 1)
        size += end - at - 1
        if block[at] < 255 and end < n:
            out[size] = 0
            size += 1
        at = end
    return size


cdef class Unframer:
    """Cuts a byte stream into frames. Counts what it cannot read in `crc_errors`; never raises on input."""

    cdef bytes _held
    cdef bint _skipping
    cdef readonly long long crc_errors

    def __init__(self):
        self._held = b""
        self._skipping = False
        self.crc_errors = 0

    def feed(self, data):
        """The frames `data` completes: (type, sequence, body)."""
        frames = []
        self._cut(data, frames, None, None)
        return frames

    def feed_samples(self, data):
        """As `feed`, with the samples in two arrays: (heads, codes, other frames).

        `heads` is int64 of shape (frames, 7): sequence, first sample, dropped, time in us, run, count, flags; `codes` is
        uint16 of shape (samples, 4): voltage, current, pressure code, verdict. Other frames: (type, sequence, body,
        number of heads before it).
        """
        cdef Py_ssize_t room = (len(data) + len(self._held)) // 8 + 1
        codes = np.empty((room, 4), dtype=np.uint16)
        heads = np.empty((room // 2 + 1, 7), dtype=np.int64)
        frames = []
        n_heads, n_codes = self._cut(data, frames, heads, codes)
        return heads[:n_heads], codes[:n_codes], frames

    cdef _cut(self, data, list frames, heads, codes):
        cdef bytes whole = self._held + bytes(data) if self._held else bytes(data)
        cdef const uint8_t* p = whole
        cdef const uint8_t* end
        cdef Py_ssize_t at = 0, n = len(whole), size, n_heads = 0, n_codes = 0
        cdef int64_t[:, ::1] head_rows = heads
        cdef uint16_t[:, ::1] code_rows = codes
        cdef bint apart = codes is not None
        cdef uint8_t* out = <uint8_t*>malloc(n + 1)
        if out == NULL:
            raise MemoryError
        try:
            while at < n:
                end = <const uint8_t*>memchr(p + at, 0, n - at)
                if end == NULL:
                    break
                size = -1 if self._skipping else _unstuff(p + at, end - p - at, out)
                if size >= 7 and _crc32(out, size - 4) == _u32(out + size - 4):
                    if apart and out[0] == SAMPLES_TYPE and size >= 23 and size == 23 + 8 * out[17]:
                        _head(out, &head_rows[n_heads, 0])
                        memcpy(&code_rows[n_codes, 0], out + 19, 8 * out[17])
                        n_heads += 1
                        n_codes += out[17]
                    elif apart:
                        frames.append((out[0], out[1] | (out[2] << 8), (<char*>out)[3 : size - 4], n_heads))
                    else:
                        frames.append((out[0], out[1] | (out[2] << 8), (<char*>out)[3 : size - 4]))
                elif end != p + at or self._skipping:
                    self.crc_errors += 1
                self._skipping = False
                at = end - p + 1
        finally:
            free(out)
        self._held = whole[at:]
        if len(self._held) > MAX_FRAME_BYTES:
            self._held = b""
            self._skipping = True
        return n_heads, n_codes


cdef void _head(const uint8_t* p, int64_t* row) noexcept nogil:
    row[0] = p[1] | (p[2] << 8)
    row[1] = _u32(p + 3)
    row[2] = _u32(p + 7)
    row[3] = _u32(p + 11)
    row[4] = p[15] | (p[16] << 8)
    row[5] = p[17]
    row[6] = p[18]


def unpack_samples(bytes body):
    """(first sample, dropped, time in us, run, flags, codes) of a SAMPLES body; codes uint16 of shape (count, 4).

    Raises ValueError for a body shorter or longer than it says.
    """
    cdef const uint8_t* p = body
    cdef Py_ssize_t n = len(body)
    if n < 16:
        raise ValueError(f"a samples body of {n} bytes is short")
    if n != 16 + 8 * p[14]:
        raise ValueError(f"a samples body of {n} bytes cannot hold {p[14]} samples")
    codes = np.frombuffer(body, "<u2", -1, 16).reshape(-1, 4)
    return _u32(p), _u32(p + 4), _u32(p + 8), p[12] | (p[13] << 8), p[15], codes


cdef uint32_t _u32(const uint8_t* p) noexcept nogil:
    return p[0] | (<uint32_t>p[1] << 8) | (<uint32_t>p[2] << 16) | (<uint32_t>p[3] << 24)
