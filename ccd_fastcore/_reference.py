"""The streaming analysis of one cell in plain Python: what `_core.pyx` does, statement for statement.

Slow, readable, and the judge of the compiled twin: the same rows give the same bits from both, in any chunking.

A row is (time, voltage, current). Rows with the same current, within its noise, form a *segment*; segments with
current are half-cycles. A row that does not belong to the running segment waits: only when the next one agrees with
it did the current really change, so that a single bad row splits nothing.

Inside a half-cycle R = V sign(I) / mean|I| is compared with two references, as in the firmware's detector
(`ccdmon_fw/detector.py` tells why): the running average of the half-cycle, and the profile of earlier half-cycles at
the same position. R below COLLAPSE of a reference is a hard short. An offset cell (`mode` 1: half, 2: full) must
show the collapse in |V| as well, or instead.
"""

from math import isfinite

ON_FRACTION = 0.02  # of the largest |I| so far: below it the cell rests
STEP_FRACTION = 0.10  # of the mean current: a change beyond it, and beyond the noise, is a step
STEP_NOISE = 8.0  # times the mean |difference| of the current
SETTLE_ROWS = 2
SETTLE_S = 1.0  # the double layer's charging, and a cycler's slewing
JUDGE_FRACTION = 0.25  # of the largest |I| so far: a ramp rises; below it runs a scan, or a cell at its voltage limit
COLLAPSE = 0.41  # between the deepest partial short (half of R) and a leak far below the cell's own R
RUN_WEIGHT = 1.0 / 8.0
CONFIRM_ROWS = 2
RECOVERED = 0.7  # of R before the short
RECOVERED_ROWS = 4
HOLD_INTERVALS = 3.0  # a row's current holds until the next row, but not over a gap longer than this
OCTAVES = 24
MODES = ("symmetric", "half", "full")

# Fields of a half-cycle record and of an event record, in order; all float64.
HALF_CYCLE_FIELDS = (
    "first_row", "last_row", "rows", "start_s", "end_s", "current_A", "charge_C", "voltage_mean_V",
    "resistance_start_ohm", "resistance_end_ohm", "noise_V",
)  # fmt: skip
EVENT_FIELDS = ("recovery", "row", "time_s", "current_A", "before_ohm", "after_ohm", "reference")

HALF_CYCLE = 1
EVENT = 2


class Stream:
    """State of one channel. `feed` rows, take records; `finish` closes the last half-cycle."""

    def __init__(self, mode: int = 0) -> None:
        self.mode = mode
        self.row = 0
        self.current_max = 0.0
        self.time_last = 0.0
        self.interval = 0.0  # typical row interval, s
        self.seen = 0
        # the segment
        self.sign = 0
        self.rows = 0
        self.first_row = 0
        self.last_row = 0
        self.start = 0.0
        self.segment_time = 0.0  # of its last row
        self.current_sum = 0.0
        self.current_last = 0.0
        self.current_noise = 0.0
        self.charge = 0.0
        self.voltage_sum = 0.0
        self.v1 = 0.0
        self.v2 = 0.0
        self.difference_sum = 0.0
        self.differences = 0
        self.r_start_sum = 0.0
        self.r_starts = 0
        self.r1 = 0.0
        self.r2 = 0.0
        self.r3 = 0.0
        self.position = 0
        self.octave = 0
        self.octave_min = -1.0
        self.swinging = 0
        self.low = 0
        self.lower = 0
        self.lower_at = 0
        self.r_lower = 0.0
        self.candidate_row = 0
        self.candidate_time = 0.0
        self.run = 0.0
        # the row that waits for a second one
        self.waiting = 0
        self.wait_row = 0
        self.wait_time = 0.0
        self.wait_v = 0.0
        self.wait_i = 0.0
        # across half-cycles
        self.shorted = 0
        self.r_before = 0.0
        self.recovering = 0
        self.recovery_row = 0
        self.recovery_time = 0.0
        self.v_abs = -1.0
        self.profile = [0.0] * OCTAVES
        self.profile_n = [0] * OCTAVES
        self.half_cycle = [0.0] * len(HALF_CYCLE_FIELDS)
        self.event = [0.0] * len(EVENT_FIELDS)

    def feed(self, time_s, voltage_V, current_A):  # type: ignore[no-untyped-def]
        """Take rows (three sequences of equal length); (half-cycle records, event records) closed by them."""
        half_cycles: list[tuple[float, ...]] = []
        events: list[tuple[float, ...]] = []
        for t, v, i in zip(time_s, voltage_V, current_A, strict=True):
            self._collect(self._row(float(t), float(v), float(i)), half_cycles, events)
        return half_cycles, events

    def finish(self):  # type: ignore[no-untyped-def]
        """Close the last half-cycle; (half-cycle records, event records). The stream takes no more rows."""
        half_cycles: list[tuple[float, ...]] = []
        events: list[tuple[float, ...]] = []
        flags = self._close(self.time_last + self.interval) if self.sign != 0 else 0
        self._collect(flags, half_cycles, events)
        return half_cycles, events

    def _collect(self, flags, half_cycles, events):  # type: ignore[no-untyped-def]
        if flags & HALF_CYCLE:
            half_cycles.append(tuple(self.half_cycle))
        if flags & EVENT:
            events.append(tuple(self.event))

    def _row(self, t: float, v: float, i: float) -> int:
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

    def _interval(self, t: float) -> None:
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

    def _belongs(self, sign: int, a: float) -> bool:
        if sign != self.sign:
            return False
        if sign == 0:
            return True
        mean = self.current_sum / self.rows
        return self._near(a, mean)

    def _agrees(self, sign: int, a: float) -> bool:
        wait_a = -self.wait_i if self.wait_i < 0.0 else self.wait_i
        wait_sign = 0
        if wait_a > ON_FRACTION * self.current_max:
            wait_sign = 1 if self.wait_i > 0.0 else -1
        if sign != wait_sign:
            return False
        return sign == 0 or self._near(a, wait_a)

    def _near(self, a: float, mean: float) -> bool:
        tolerance = STEP_FRACTION * mean
        if STEP_NOISE * self.current_noise > tolerance:
            tolerance = STEP_NOISE * self.current_noise
        deviation = a - mean
        if deviation < 0.0:
            deviation = -deviation
        return deviation <= tolerance

    def _open(self, row: int, t: float, sign: int) -> None:
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

    def _take(self, row: int, t: float, v: float, a: float) -> int:
        """One row into the running segment."""
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

    def _hold(self, t: float) -> None:
        dt = t - self.segment_time
        if dt > HOLD_INTERVALS * self.interval:
            dt = HOLD_INTERVALS * self.interval
        self.charge += self.current_last * dt

    def _collapsed(self, v: float) -> bool:
        v_abs = -v if v < 0.0 else v
        if self.v_abs < 0.0:
            self.v_abs = v_abs
            return False
        if v_abs < COLLAPSE * self.v_abs:
            return True
        x = v_abs if v_abs < 2.0 * self.v_abs or self.v_abs == 0.0 else 2.0 * self.v_abs
        self.v_abs += (x - self.v_abs) * RUN_WEIGHT
        return False

    def _judge(self, row: int, t: float, v: float, v_low: bool) -> int:
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

    def _compare(self, row: int, t: float, r: float, v_low: bool, mean: float) -> int:
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

    def _enter_octave(self) -> None:
        if self.position == 1:
            self.octave = 0
            self.octave_min = -1.0
            return
        if self.octave >= OCTAVES - 1 or self.position < (2 << self.octave):
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

    def _confirm_low(self, row: int, t: float, low: bool, before: float, after: float, mean: float) -> int:
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

    def _short(self, mean: float, before: float, after: float, reference: float) -> int:
        self.shorted = 1
        self.r_before = before
        self.recovering = 0
        self.low = 0
        self.lower = 0
        self.event[0] = 0.0
        self.event[1] = float(self.candidate_row)
        self.event[2] = self.candidate_time
        self.event[3] = mean * self.sign
        self.event[4] = before
        self.event[5] = after
        self.event[6] = reference
        return EVENT

    def _watch_recovery(self, row: int, t: float, r: float) -> int:
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
        self.event[1] = float(self.recovery_row)
        self.event[2] = self.recovery_time
        self.event[3] = self.current_sum / self.rows * self.sign
        self.event[4] = self.r_before
        self.event[5] = r
        self.event[6] = 0.0
        return EVENT

    def _close(self, end: float) -> int:
        self._hold(end)
        last = self.segment_time
        if end - last > HOLD_INTERVALS * self.interval:
            end = last + self.interval
        h = self.half_cycle
        h[0] = float(self.first_row)
        h[1] = float(self.last_row)
        h[2] = float(self.rows)
        h[3] = self.start
        h[4] = end
        h[5] = self.current_sum / self.rows * self.sign
        h[6] = self.charge
        h[7] = self.voltage_sum / self.rows
        h[8] = self.r_start_sum / self.r_starts if self.r_starts > 0 else self.r1
        h[9] = (self.r1 + self.r2 + self.r3) / 3.0 if self.rows >= 3 else self.r1
        # mean |second difference| of white noise is sqrt(6) sqrt(2/pi) times its deviation
        h[10] = self.difference_sum / self.differences / 1.9544100476116797 if self.differences > 0 else 0.0
        return HALF_CYCLE
