# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The streaming analysis of one cell, compiled: the twin of `_reference.py`, which explains it.

The two are kept statement for statement alike, and the build forbids contracting a*b+c, so both give the same bits.
"""

from libc.math cimport isfinite

import numpy as np

from ccd_fastcore._reference import EVENT_FIELDS, HALF_CYCLE_FIELDS

cdef double ON_FRACTION = 0.02  # of the largest |I| so far: below it the cell rests
cdef double STEP_FRACTION = 0.10  # of the mean current: a change beyond it, and beyond the noise, is a step
cdef double STEP_NOISE = 8.0  # times the mean |difference| of the current
cdef int SETTLE_ROWS = 2
cdef double SETTLE_S = 1.0  # the double layer's charging, and a cycler's slewing
cdef double JUDGE_FRACTION = 0.25  # of the largest |I| so far: a ramp rises; below it runs a scan, or a cell at its voltage limit
cdef double COLLAPSE = 0.41  # between the deepest partial short (half of R) and a leak far below the cell's own R
cdef double RUN_WEIGHT = 0.125
cdef int CONFIRM_ROWS = 2
cdef double RECOVERED = 0.7  # of R before the short
cdef int RECOVERED_ROWS = 4
cdef double HOLD_INTERVALS = 3.0  # a row's current holds until the next row, but not over a gap longer than this
cdef int OCTAVES = 24
cdef int HALF_CYCLE = 1
cdef int EVENT = 2


cdef class Stream:
    """State of one channel; see `_reference.Stream`. Memory does not grow with the rows."""

    cdef int mode, sign, rows, differences, r_starts, position, octave, swinging
    cdef int low, lower, lower_at, waiting, shorted, recovering
    cdef long long row, seen, first_row, last_row, candidate_row, wait_row, recovery_row
    cdef double current_max, time_last, interval, start, segment_time, current_sum, current_last, current_noise
    cdef double charge, voltage_sum, v1, v2, difference_sum, r_start_sum, r1, r2
    cdef double r3, octave_min, r_lower, candidate_time, run, wait_time, wait_v, wait_i
    cdef double r_before, recovery_time, v_abs
    cdef double profile[24]
    cdef int profile_n[24]
    cdef double half_cycle[11]
    cdef double event[7]

    def __init__(self, int mode=0):
        # Cython zeroes all fields
        self.mode = mode
        self.octave_min = -1.0
        self.v_abs = -1.0

    def feed(self, time_s, voltage_V, current_A):
        """Take rows: three float64 arrays of shape (n,). Returns (half-cycle records, event records) closed by them."""
        cdef const double[::1] t = np.ascontiguousarray(time_s, dtype=np.float64)
        cdef const double[::1] v = np.ascontiguousarray(voltage_V, dtype=np.float64)
        cdef const double[::1] i = np.ascontiguousarray(current_A, dtype=np.float64)
        cdef Py_ssize_t n = t.shape[0]
        cdef Py_ssize_t k = 0
        cdef int flags
        if v.shape[0] != n or i.shape[0] != n:
            raise ValueError("time, voltage and current must have the same length")
        half_cycles = []
        events = []
        while k < n:
            with nogil:
                flags = 0
                while k < n and flags == 0:
                    flags = self._row(t[k], v[k], i[k])
                    k += 1
            self._collect(flags, half_cycles, events)
        return half_cycles, events

    def finish(self):
        """Close the last half-cycle; (half-cycle records, event records). The stream takes no more rows."""
        half_cycles = []
        events = []
        self._collect(self._close(self.time_last + self.interval) if self.sign != 0 else 0, half_cycles, events)
        return half_cycles, events

    cdef _collect(self, int flags, half_cycles, events):
        cdef int k
        if flags & HALF_CYCLE:
            half_cycles.append(tuple([self.half_cycle[k] for k in range(11)]))
        if flags & EVENT:
            events.append(tuple([self.event[k] for k in range(7)]))

    cdef int _row(self, double t, double v, double i) noexcept nogil:
        cdef long long row
        cdef double a
        cdef int sign
        cdef int flags
        cdef double wait_a
        row = self.row
        self.row += 1
        if not (isfinite(t) and isfinite(v) and isfinite(i)):
            return 0
        self._interval(t)
        a = -i if i < 0.0 else i
        if a > self.current_max:
            self.current_max = a
        sign = 0
        if a > ON_FRACTION * self.current_max:
            sign = 1 if i > 0.0 else -1
        if self.seen == 1:
            self._open(row, t, sign)
            return self._take(row, t, v, a)
        if self._belongs(sign, a):
            self.waiting = 0
            return self._take(row, t, v, a)
        if self.waiting and self._agrees(sign, a):
            flags = 0
            if self.sign != 0:
                flags = self._close(self.wait_time)
            wait_a = -self.wait_i if self.wait_i < 0.0 else self.wait_i
            self._open(self.wait_row, self.wait_time, sign)
            self.waiting = 0
            self._take(self.wait_row, self.wait_time, self.wait_v, wait_a)
            return flags | self._take(row, t, v, a)
        self.waiting = 1
        self.wait_row = row
        self.wait_time = t
        self.wait_v = v
        self.wait_i = i
        return 0

    cdef void _interval(self, double t) noexcept nogil:
        cdef double dt
        if self.seen > 0:
            dt = t - self.time_last
            if self.interval == 0.0:
                self.interval = dt
            elif dt > 0.0:
                if dt > 2.0 * self.interval:
                    dt = 2.0 * self.interval
                self.interval += (dt - self.interval) / 16.0
        self.seen += 1
        self.time_last = t

    cdef bint _belongs(self, int sign, double a) noexcept nogil:
        cdef double mean
        if sign != self.sign:
            return False
        if sign == 0:
            return True
        mean = self.current_sum / self.rows
        return self._near(a, mean)

    cdef bint _agrees(self, int sign, double a) noexcept nogil:
        cdef double wait_a
        cdef int wait_sign
        wait_a = -self.wait_i if self.wait_i < 0.0 else self.wait_i
        wait_sign = 0
        if wait_a > ON_FRACTION * self.current_max:
            wait_sign = 1 if self.wait_i > 0.0 else -1
        if sign != wait_sign:
            return False
        return sign == 0 or self._near(a, wait_a)

    cdef bint _near(self, double a, double mean) noexcept nogil:
        cdef double tolerance
        cdef double deviation
        tolerance = STEP_FRACTION * mean
        if STEP_NOISE * self.current_noise > tolerance:
            tolerance = STEP_NOISE * self.current_noise
        deviation = a - mean
        if deviation < 0.0:
            deviation = -deviation
        return deviation <= tolerance

    cdef void _open(self, long long row, double t, int sign) noexcept nogil:
        self.sign = sign
        self.rows = 0
        self.first_row = row
        self.start = t
        self.current_sum = 0.0
        self.charge = 0.0
        self.voltage_sum = 0.0
        self.difference_sum = 0.0
        self.differences = 0
        self.r_start_sum = 0.0
        self.r_starts = 0
        self.position = 0
        self.octave = 0
        self.octave_min = -1.0
        self.swinging = 0
        self.low = 0
        self.lower = 0
        self.run = 0.0
        self.recovering = 0

    cdef int _take(self, long long row, double t, double v, double a) noexcept nogil:
        """One row into the running segment."""
        cdef double step
        cdef double weight
        cdef bint v_low
        cdef int flags
        if self.rows > 0:
            step = a - self.current_last
            if step < 0.0:
                step = -step
            if self.sign != 0:
                self._hold(t)
                weight = 1.0 / 32.0 if self.rows > 32 else 1.0 / self.rows
                self.current_noise += (step - self.current_noise) * weight
        self.rows += 1
        self.last_row = row
        self.segment_time = t
        self.current_sum += a
        self.current_last = a
        self.voltage_sum += v
        v_low = self._collapsed(v) if self.mode != 0 else True
        flags = 0
        if self.sign != 0:
            flags = self._judge(row, t, v, v_low)
        elif self.mode == 2:
            flags = self._confirm_low(row, t, v_low, self.v_abs, v if v > 0.0 else -v, 1.0)
        self.v2 = self.v1
        self.v1 = v
        return flags

    cdef void _hold(self, double t) noexcept nogil:
        cdef double dt
        dt = t - self.segment_time
        if dt > HOLD_INTERVALS * self.interval:
            dt = HOLD_INTERVALS * self.interval
        self.charge += self.current_last * dt

    cdef bint _collapsed(self, double v) noexcept nogil:
        cdef double v_abs
        cdef double x
        v_abs = -v if v < 0.0 else v
        if self.v_abs < 0.0:
            self.v_abs = v_abs
            return False
        if v_abs < COLLAPSE * self.v_abs:
            return True
        x = v_abs if v_abs < 2.0 * self.v_abs or self.v_abs == 0.0 else 2.0 * self.v_abs
        self.v_abs += (x - self.v_abs) * RUN_WEIGHT
        return False

    cdef int _judge(self, long long row, double t, double v, bint v_low) noexcept nogil:
        cdef double mean
        cdef double r
        cdef double d
        mean = self.current_sum / self.rows
        r = (v if self.sign > 0 else -v) / mean
        self.r3 = self.r2
        self.r2 = self.r1
        self.r1 = r
        if self.rows > 3:
            d = v - 2.0 * self.v1 + self.v2
            if d < 0.0:
                d = -d
            self.difference_sum += d
            self.differences += 1
        if self.rows <= SETTLE_ROWS or t - self.start < SETTLE_S or mean < JUDGE_FRACTION * self.current_max:
            return 0
        self.position += 1
        if self.r_starts < 3:
            self.r_start_sum += r
            self.r_starts += 1
        if self.shorted:
            return self._watch_recovery(row, t, r)
        if self.mode == 2:
            return self._confirm_low(row, t, v_low, self.v_abs, v if v > 0.0 else -v, mean)
        return self._compare(row, t, r, v_low, mean)

    cdef int _compare(self, long long row, double t, double r, bint v_low, double mean) noexcept nogil:
        cdef double positive
        cdef double reference
        cdef int lower
        cdef double x
        positive = r if r > 0.0 else 0.0
        self._enter_octave()
        reference = self.profile[self.octave]
        lower = 0
        if self.profile_n[self.octave] >= 2 and reference > 0.0:
            if positive >= COLLAPSE * reference:
                self.swinging = 0
            elif -r * 8.0 > reference:  # still charged by the half-cycle before
                self.swinging = 1
            elif self.swinging == 0 and v_low:
                lower = 1
        if lower == 0:
            self.lower = 0
        else:
            # a swing through zero leaves the low zone in about the time it took to reach it; a short stays
            if self.lower == 0 or positive > self.r_lower + reference / 16.0:
                self.lower = 0
                self.lower_at = self.position
                self.r_lower = positive
                if self.low == 0:
                    self.candidate_row = row
                    self.candidate_time = t
            self.lower += 1
            if self.lower >= CONFIRM_ROWS + self.lower_at - 1:
                return self._short(mean, reference, positive, 1.0)
        if self.position > 3 and self.run > 0.0 and positive < COLLAPSE * self.run and v_low:
            if self.low == 0:
                self.candidate_row = row
                self.candidate_time = t
            self.low += 1
            if self.low >= CONFIRM_ROWS:
                return self._short(mean, self.run, positive, 0.0)
            return 0
        self.low = 0
        if lower == 0 and (self.octave_min < 0.0 or positive < self.octave_min):
            self.octave_min = positive
        if self.position <= 3:  # the lowest of three: one may be a spike
            if self.position == 1 or positive < self.run:
                self.run = positive
        else:
            x = positive
            if self.run > 0.0 and x > 2.0 * self.run:
                x = 2.0 * self.run
            self.run += (x - self.run) * RUN_WEIGHT
        return 0

    cdef void _enter_octave(self) noexcept nogil:
        cdef int k
        cdef double known
        cdef double x
        if self.position == 1:
            self.octave = 0
            self.octave_min = -1.0
            return
        if self.octave >= OCTAVES - 1 or self.position < ((<long long>2) << self.octave):
            return
        k = self.octave
        if self.octave_min >= 0.0:
            known = self.profile[k]
            x = self.octave_min
            if self.profile_n[k] == 0 or x <= known:  # lower at once, higher slowly
                self.profile[k] = x
            else:
                if known > 0.0 and x > 2.0 * known:
                    x = 2.0 * known
                self.profile[k] = known + (x - known) * 0.25
            self.profile_n[k] += 1
        self.octave = k + 1
        self.octave_min = -1.0

    cdef int _confirm_low(self, long long row, double t, bint low, double before, double after, double mean) noexcept nogil:
        """A full cell: only |V| speaks, in rests too."""
        if self.shorted or not low:
            self.low = 0
            return 0
        if self.low == 0:
            self.candidate_row = row
            self.candidate_time = t
        self.low += 1
        if self.low < CONFIRM_ROWS:
            return 0
        return self._short(mean, before / mean, after / mean, 2.0)

    cdef int _short(self, double mean, double before, double after, double reference) noexcept nogil:
        self.shorted = 1
        self.r_before = before
        self.recovering = 0
        self.low = 0
        self.lower = 0
        self.event[0] = 0.0
        self.event[1] = <double>self.candidate_row
        self.event[2] = self.candidate_time
        self.event[3] = mean * self.sign
        self.event[4] = before
        self.event[5] = after
        self.event[6] = reference
        return EVENT

    cdef int _watch_recovery(self, long long row, double t, double r) noexcept nogil:
        if self.position <= 3 or r < RECOVERED * self.r_before:
            self.recovering = 0
            return 0
        if self.recovering == 0:
            self.recovery_row = row
            self.recovery_time = t
        self.recovering += 1
        if self.recovering < RECOVERED_ROWS:
            return 0
        self.shorted = 0
        self.position = 0
        self.run = r
        self.event[0] = 1.0
        self.event[1] = <double>self.recovery_row
        self.event[2] = self.recovery_time
        self.event[3] = self.current_sum / self.rows * self.sign
        self.event[4] = self.r_before
        self.event[5] = r
        self.event[6] = 0.0
        return EVENT

    cdef int _close(self, double end) noexcept nogil:
        cdef double last
        self._hold(end)
        last = self.segment_time
        if end - last > HOLD_INTERVALS * self.interval:
            end = last + self.interval

        self.half_cycle[0] = <double>self.first_row
        self.half_cycle[1] = <double>self.last_row
        self.half_cycle[2] = <double>self.rows
        self.half_cycle[3] = self.start
        self.half_cycle[4] = end
        self.half_cycle[5] = self.current_sum / self.rows * self.sign
        self.half_cycle[6] = self.charge
        self.half_cycle[7] = self.voltage_sum / self.rows
        self.half_cycle[8] = self.r_start_sum / self.r_starts if self.r_starts > 0 else self.r1
        self.half_cycle[9] = (self.r1 + self.r2 + self.r3) / 3.0 if self.rows >= 3 else self.r1
        # mean |second difference| of white noise is sqrt(6) sqrt(2/pi) times its deviation
        self.half_cycle[10] = self.difference_sum / self.differences / 1.9544100476116797 if self.differences > 0 else 0.0
        return HALF_CYCLE
