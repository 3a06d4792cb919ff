"""The streaming analysis of one cell, in plain Python: what `_core.pyx` compiles, statement for statement.

Longer than the house's 250 lines because it is one machine with one state. A row goes this way:

    _row        time and gaps, sign of the current, does it belong to the running segment?
      _open     a new segment (half-cycle, current step or rest) begins when two rows in a row agree on it
      _take     charge, means, noise; V compensated for the wobble of I; the ring of the last 64 rows
        _block  every 4 rows: `_judge`, is the mean lower than a moment ago? `_fluctuate` every 8, does V swing?
          _confirm   a possible step: located in the ring and fitted with a common slope on both sides
      _close    the finished segment becomes a record

Why it holds for a 4 mV and a 2 V cell, 0.1 s and 30 s rows: every threshold is a ratio. Positions are counted in rows;
noise is measured on the trace itself, from second differences, which no drift or relaxation touches; fluctuation is
counted only where V turns around (the smaller of two opposite differences), which no smooth curve does. V is not
divided by the noisy I: only the part of I's wobble that V follows is taken out (regression of dV on dI).

The state is a few hundred numbers, whatever the rows; chunks of any size give the same bits, and so does a state
saved with `save` and given to `restore`.
"""

import struct
from collections.abc import Iterable, Sequence
from math import fabs, isfinite

Column = Iterable[float]
Records = tuple[list[Sequence[float]], list[Sequence[float]], list[Sequence[float]]]

MODES = ("symmetric", "half", "full")
SEGMENT_FIELDS = (
    "first_row", "last_row", "rows", "start_s", "end_s", "sign", "current_A", "charge_C", "voltage_mean_V",
    "start_V", "end_V", "noise_V", "highest_V", "rows_highest", "current_end_A", "after_gap", "interval_s",
    "pressure_start_Pa", "pressure_end_Pa", "mean_V", "stuck_rows",
    "p0_V", "p1_V", "p2_V", "p3_V", "p4_V", "p5_V", "p6_V", "p7_V", "p8_V", "p9_V", "p10_V", "p11_V", "p12_V", "p13_V",
    "p14_V", "p15_V",
)  # fmt: skip
STEP_FIELDS = (
    "row", "time_s", "before_V", "after_V", "step_V", "step_error_V", "noise_before_V", "noise_after_V", "abruptness",
    "rows_before", "rows_after", "current_A", "position", "sign",
)  # fmt: skip
BURST_FIELDS = (
    "row", "time_s", "end_row", "end_time_s", "before_ohm", "mean_ohm", "lowest_ohm", "row_ratio", "block_ratio",
    "current_ratio", "blocks", "open", "current_A", "amplitude",
)  # fmt: skip
SEGMENT, STEP, BURST = 1, 2, 4

ON_FRACTION = 0.3  # of the level of the last half-cycle: below it the cell rests (scans in rests reach 20 %)
LOW_LEVEL = 0.02  # of that level: a "rest" whose current is steady above it is a half-cycle at a low level
STEP_FRACTION = 0.05  # of the mean current: a change beyond it, and beyond the spread, is a new level
SPREAD_FACTOR = 5.0  # times the mean |deviation| of the current (3 is the peak of a sine over its mean)
GAP = 20.0  # row intervals: longer is a gap, and nothing is known of what happened in it
NEW_SCALE = 5.0  # times the level so far: nothing learned holds any more
LONG = 3.0  # row intervals: three in a row are a new sampling rate
RING = 64
VOTES = 64  # rows that decide whether V runs with or against the current,
MAJORITY = 6  # rows against it that turn the sign
SCREEN_DROP = 0.04  # relative: half of the smallest step wanted, the fit decides
SCREEN_NOISE = 3.0  # times the error of the difference of two means
CONFIRM_BLOCKS = 7
KEEP_DROP = 0.04
KEEP_ERRORS = 4.0
SETTLE_ROWS = 2
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
SIGMA_D2 = 0.511663  # standard deviation over the mean |second difference|: sqrt(pi / 2) / sqrt(6)


# The state in memory and in `save`: one order for both twins.
LONGS = (
    "row", "seen", "first_row", "last_row", "wait_row", "burst_end_row", "turn_row",
)  # fmt: skip
DOUBLES = (
    "time_last", "interval", "level", "start", "segment_time", "mean", "spread", "current_sum", "current_last",
    "charge", "voltage_sum", "block_charge", "block_v", "wait_time", "wait_v", "wait_i", "beta", "cov", "var",
    "block_cov", "block_var",
    "y1", "d1", "di1", "block_sum", "block_d2", "block_i2", "block_a", "block_dev", "pair_u", "pair_iu",
    "noise_sum", "sigma", "m1", "m2", "m3", "m4", "m5", "pair_last", "pair_d", "s1", "s8", "si", "g1", "g8",
    "r_slow", "level_s", "burst_end_time", "burst_sum", "burst_low", "burst_r1", "burst_r8", "burst_ri",
    "burst_amp", "lsb", "turn_time", "turn_before", "octave_sum", "highest", "top", "v_last", "p_first",
    "p_last",
)  # fmt: skip
ARRAYS = ("profile", "ring_y", "ring_t")
INTS = (
    "mode", "sign", "n", "after_gap", "waiting", "wait_gap", "dt_long", "spread_n", "rest_level", "valid",
    "pending", "octave", "learned", "burst", "burst_blocks", "rows_highest", "stuck", "p_n", "votes",
)  # fmt: skip
LAYOUT = f"={len(LONGS)}q{len(DOUBLES) + 16 + 2 * RING}d{len(INTS) + RING}i"
STATE_BYTES = struct.calcsize(LAYOUT)


def add_known(column: Iterable[float], total: float) -> tuple[float, int]:
    """`total` plus the finite values of a column of shape (n,), one after the other, and how many there were."""
    count = 0
    for value in map(float, column):
        if isfinite(value):
            total += value
            count += 1
    return total, count


class Stream:
    """State of one channel. `mode` indexes `MODES`: in a full cell |V| is looked at, else V along the current."""

    def __init__(self, mode: int = 0) -> None:
        self.mode = mode
        self.row = self.seen = self.first_row = self.last_row = self.wait_row = self.burst_end_row = (
            self.turn_row
        ) = 0
        self.time_last = self.interval = self.level = self.start = self.segment_time = self.mean = (
            self.spread
        ) = 0.0
        self.current_sum = self.current_last = self.charge = self.voltage_sum = self.wait_time = (
            self.wait_v
        ) = 0.0
        self.wait_i = self.beta = self.cov = self.var = self.block_cov = self.block_var = self.y1 = 0.0
        self.d1 = self.di1 = self.block_sum = self.block_d2 = self.block_i2 = self.block_a = 0.0
        self.block_dev = self.block_charge = self.block_v = 0.0
        self.pair_u = self.pair_iu = self.noise_sum = self.sigma = self.m1 = self.m2 = self.m3 = self.m4 = 0.0
        self.m5 = self.pair_last = self.pair_d = self.s1 = self.s8 = self.si = self.g1 = self.g8 = 0.0
        self.r_slow = self.level_s = self.burst_end_time = self.burst_sum = self.burst_low = self.burst_r1 = (
            0.0
        )
        self.burst_r8 = self.burst_ri = self.burst_amp = self.lsb = self.turn_time = self.turn_before = 0.0
        self.octave_sum = self.highest = self.top = self.v_last = self.p_first = self.p_last = 0.0
        self.profile = [0.0] * 16
        self.ring_y = [0.0] * RING
        self.ring_t = [0.0] * RING
        self.sign = self.n = self.after_gap = self.waiting = self.wait_gap = self.dt_long = self.spread_n = 0
        self.rest_level = self.valid = self.pending = self.octave = self.learned = self.burst = 0
        self.burst_blocks = self.rows_highest = self.stuck = self.p_n = self.votes = 0
        self.ring_r = [0] * RING
        # The records, filled when `_row` says so: nothing of them is read again.
        self.segment = [0.0] * 37
        self.step = [0.0] * 14
        self.bursts = [0.0] * 14

    def feed(
        self,
        time_s: Iterable[float],
        voltage_V: Iterable[float],
        current_A: Iterable[float],
        pressure_Pa: Iterable[float] | None = None,
    ) -> Records:
        """Take rows. Returns what they completed: segment, step and burst records."""
        t, v, i = ([float(x) for x in column] for column in (time_s, voltage_V, current_A))
        p = None if pressure_Pa is None else [float(x) for x in pressure_Pa]
        if not len(t) == len(v) == len(i) or (p is not None and len(p) != len(t)):
            raise ValueError("all columns must have the same length")
        records: Records = (
            [],
            [],
            [],
        )
        for k in range(len(t)):
            flags = self._row(t[k], v[k], i[k])
            if p is not None:
                self._pressure(p[k])
            self._collect(flags, records)
        return records

    def finish(self) -> Records:
        """Close what is open: (segments, steps, bursts). The stream takes no more rows."""
        records: Records = (
            [],
            [],
            [],
        )
        self._collect(self._finish(), records)
        return records

    def save(self) -> bytes:
        """The whole state as bytes, to `restore` on the same kind of machine; the compiled twin's are the same."""
        values = [getattr(self, name) for name in LONGS + DOUBLES]
        values += [x for name in ARRAYS for x in getattr(self, name)]
        values += [getattr(self, name) for name in INTS]
        return struct.pack(LAYOUT, *values, *self.ring_r)

    def restore(self, state: bytes) -> None:
        """Take over a saved state. Raises ValueError for bytes of another version."""
        if len(state) != STATE_BYTES:
            raise ValueError(f"a saved state has {STATE_BYTES} bytes, not {len(state)}")
        values = iter(struct.unpack(LAYOUT, state))
        for name in LONGS + DOUBLES:
            setattr(self, name, next(values))
        for name in ARRAYS:
            getattr(self, name)[:] = [next(values) for _ in getattr(self, name)]
        for name in INTS:
            setattr(self, name, next(values))
        self.ring_r[:] = list(values)

    def _collect(
        self,
        flags: int,
        records: Records,
    ) -> None:
        if flags & STEP:
            records[1].append(tuple(map(float, self.step)))
        if flags & SEGMENT:
            records[0].append(tuple(map(float, self.segment)))
        if flags & BURST:
            records[2].append(tuple(map(float, self.bursts)))

    # -- from here on the compiled twin says the same --------------------------------------------------------

    def _row(self, t: float, v: float, i: float) -> int:
        row = self.row
        self.row += 1
        if not (isfinite(v) and isfinite(i)):
            return 0
        if not isfinite(t):
            t = self.time_last
        gap = self._clock(t)
        on = ON_FRACTION * self.level
        sign = 1 if i > on else (-1 if i < -on else 0)
        a = fabs(i)
        if self.seen == 1:
            self._open(row, t, sign, a, 0)
            return self._take(row, t, v, i)
        if gap == 0 and self._belongs(sign, a) == 1:
            self.waiting = 0
            return self._take(row, t, v, i)
        if gap == 0 and self.waiting == 1 and self._agrees(sign, a) == 1:
            flags = self._close(0.5 * (self.wait_time + self.segment_time), self.wait_gap)
            wait_a = fabs(self.wait_i)
            self._open(self.wait_row, self.wait_time, sign, wait_a, self.wait_gap)
            self.waiting = 0
            flags = flags | self._take(self.wait_row, self.wait_time, self.wait_v, self.wait_i)
            return flags | self._take(row, t, v, i)
        if gap == 1 and self.n > 0:
            flags = self._close(self.segment_time, 1)
            self._open(row, t, sign, a, 1)
            self.waiting = 0
            return flags | self._take(row, t, v, i)
        self.waiting = 1
        self.wait_gap = gap
        self.wait_row = row
        self.wait_time = t
        self.wait_v = v
        self.wait_i = i
        return 0

    def _clock(self, t: float) -> int:
        """Follow the row interval; 1 for a gap."""
        gap = 0
        if self.seen > 0:
            dt = t - self.time_last
            if dt < 0.0:
                dt = 0.0
                t = self.time_last
            if dt > 0.0:
                if self.interval == 0.0:
                    self.interval = dt
                elif dt > LONG * self.interval:
                    self.dt_long += 1
                    if self.dt_long >= 3:
                        self.interval = dt
                        self.dt_long = 0
                    elif dt > GAP * self.interval:
                        gap = 1
                else:
                    self.dt_long = 0
                    if self.seen & 7 == 0 or self.seen < 64:
                        self.interval += (dt - self.interval) * 0.0625
        self.seen += 1
        self.time_last = t
        return gap

    def _belongs(self, sign: int, a: float) -> int:
        if sign != self.sign:
            return 0
        if sign == 0:
            return 1
        if self.spread_n < 16:
            return 1 if a < 3.0 * self.mean and 3.0 * a > self.mean else 0
        dev = a - self.mean
        dev = fabs(dev)
        return 1 if dev <= STEP_FRACTION * self.mean + SPREAD_FACTOR * self.spread else 0

    def _agrees(self, sign: int, a: float) -> int:
        """Does the row continue what the waiting row began?"""
        on = ON_FRACTION * self.level
        wait_sign = 1 if self.wait_i > on else (-1 if self.wait_i < -on else 0)
        if sign != wait_sign:
            return 0
        if sign == 0:
            return 1
        wait_a = fabs(self.wait_i)
        dev = a - wait_a
        dev = fabs(dev)
        return 1 if dev <= 2.0 * STEP_FRACTION * a + 2.0 * SPREAD_FACTOR * self.spread else 0

    def _open(self, row: int, t: float, sign: int, a: float, gap: int) -> None:
        if sign != 0 and self.level_s > 0.0 and a > self.level_s:
            self._grow(a / self.level_s)
            self.level_s = a
        self.sign = sign
        self.first_row = row
        self.start = t
        self.after_gap = gap
        self.n = 0
        self.mean = a
        self.rest_level = 0
        self.current_sum = 0.0
        self.charge = 0.0
        if sign != 0 and gap == 0 and self.seen > 1:
            dt = t - self.segment_time
            self.charge = a * (dt if dt < self.interval else self.interval) * 0.5
        self.voltage_sum = 0.0
        self.block_a = 0.0
        self.block_v = 0.0
        self.block_charge = 0.0
        self.stuck = 0
        self.p_first = 0.0
        self.p_last = 0.0
        self.p_n = 0
        self._restart()

    def _restart(self) -> None:
        """Forget the voltages of this segment."""
        self.current_sum += self.block_a
        self.voltage_sum += self.block_v
        self.charge += 0.5 * self.block_charge
        self.valid = 0
        self.block_sum = 0.0
        self.block_d2 = 0.0
        self.block_i2 = 0.0
        self.block_a = 0.0
        self.block_v = 0.0
        self.block_charge = 0.0
        self.block_dev = 0.0
        self.block_cov = 0.0
        self.block_var = 0.0
        self.pair_u = 0.0
        self.pair_iu = 0.0
        self.pending = 0
        self.octave = 1
        self.octave_sum = 0.0
        self.noise_sum = 0.0
        self.highest = 0.0
        self.top = 0.0
        self.rows_highest = 0
        k = 0
        while k < 16:
            self.profile[k] = 0.0
            k += 1

    def _grow(self, grown: float) -> None:
        """Noise may be a share of V and of I: until it is learned again it is taken to grow with the level."""
        if grown > NEW_SCALE:  # what went before was a rest
            grown = 0.0
            self.learned = 0
            self.votes = 0
            self.spread_n = 0
            self.g1 = 0.0
            self.g8 = 0.0
            self.cov = 0.0
            self.var = 0.0
            self.beta = 0.0
        self.spread *= grown
        self.s1 *= grown
        self.s8 *= grown
        self.si *= grown
        self.sigma *= grown

    def _take(self, row: int, t: float, v: float, i: float) -> int:
        """One row into the running segment."""
        a = fabs(i)
        if self.sign != 0:
            a = i if self.sign > 0 else -i
        if self.n > 0:
            dt = t - self.segment_time
            self.block_charge += (a + self.current_last) * dt
        self.n += 1
        self.last_row = row
        self.segment_time = t
        self.block_v += v
        if self.sign == 0:
            if v == self.v_last:
                self.stuck += 1
            self.current_last = a
            self.v_last = v
            self.block_a += i
            return self._rest(i)
        self.block_a += a
        dev = a - self.mean
        if self.n < 8:
            self.mean += dev / self.n
        dev = fabs(dev)
        self.block_dev += dev
        if self.spread_n < 32:
            self.spread += (dev - self.spread) / (self.spread_n + 1)
        if self.spread_n <= 32:
            self.spread_n += 1
        if self.n == 3:
            self.level = self.mean
            if self.level_s == 0.0:
                self.level_s = self.mean
        if self.mode == 2:
            flags = self._sample(row, t, fabs(v), fabs(self.v_last), a)
        elif self._direction(v) > 0:
            flags = self._sample(row, t, v, self.v_last, a)
        else:
            flags = self._sample(row, t, -v, -self.v_last, a)
        self.current_last = a
        self.v_last = v
        return flags

    def _direction(self, v: float) -> int:
        """Sign of V along the current: a cell takes up power, whatever sign its currents were given. Voted by rows."""
        if self.votes < VOTES and self.votes > -VOTES and v != 0.0:
            flipped = 1 if self.votes <= -MAJORITY else 0
            along = 1 if v > 0.0 else -1
            self.votes += along * self.sign
            if flipped != (1 if self.votes <= -MAJORITY else 0):
                self._restart()
        return self._along()

    def _along(self) -> int:
        """1 where V counts as measured, -1 where its sign is turned."""
        return -self.sign if self.votes <= -MAJORITY else self.sign

    def _rest(self, i: float) -> int:
        """A steady small current is no rest."""
        if self.n >= 8 and self.level > 0.0:
            steady = self.block_a / self.n
            dev = i - steady
            dev = fabs(dev)
            steady = fabs(steady)
            if steady > LOW_LEVEL * self.level and dev < 0.1 * steady:
                self.rest_level += 1
                if self.rest_level >= 8:
                    self.level = steady
            else:
                self.rest_level = 0
        return 0

    def _sample(self, row: int, t: float, y_raw: float, y_last: float, a: float) -> int:
        """One row under load; y is V along the current, without what it follows of I's wobble."""
        y = y_raw - self.beta * (a - self.mean)
        if y_raw == y_last:
            self.stuck += 1
        if self.valid > 0:
            d_raw = y_raw - y_last
            d = y - self.y1
            di = a - self.current_last
            x = fabs(d_raw)
            if x > 0.0 and (x < self.lsb or self.lsb == 0.0):
                self.lsb = x
            self.block_cov += d_raw * di
            self.block_var += di * di
            if self.valid > 1:
                self.block_d2 += fabs(d - self.d1)
                self.block_i2 += fabs(di - self.di1)
            self.d1 = d
            self.di1 = di
        self.y1 = y
        if y_raw > self.highest:
            self.highest = y_raw
            if y_raw > 1.002 * self.top:
                self.top = y_raw
                self.rows_highest = 0
        if y_raw >= 0.998 * self.top:
            self.rows_highest += 1
        k = self.valid & 63
        self.ring_y[k] = y
        self.ring_t[k] = t
        self.ring_r[k] = row - self.first_row
        self.valid += 1
        self.block_sum += y
        if self.valid & 3 == 0:
            return self._block(row, t)
        return 0

    def _block(self, row: int, t: float) -> int:
        """Four rows are complete."""
        self.current_sum += self.block_a
        self.voltage_sum += self.block_v
        self.charge += 0.5 * self.block_charge
        if self.valid > 4:
            self.mean += (self.block_a * 0.25 - self.mean) * (4.0 / self.n if self.n < 64 else 0.0625)
        if self.spread_n > 32:
            self.spread += (self.block_dev * 0.25 - self.spread) * 0.125
        if self.valid > 4:
            self._regress()
        flags = self._judge(row, t, self.block_sum * 0.25, self.block_d2, self.block_i2)
        self.block_a = 0.0
        self.block_v = 0.0
        self.block_charge = 0.0
        self.block_dev = 0.0
        self.block_sum = 0.0
        self.block_d2 = 0.0
        self.block_i2 = 0.0
        self.block_cov = 0.0
        self.block_var = 0.0
        return flags

    def _regress(self) -> None:
        """How much of the wobble of I does V follow? 0 when I's is only measurement noise."""
        self.cov += (self.block_cov - self.cov) * 0.0625
        self.var += (self.block_var - self.var) * 0.0625
        volts = self.block_v * 0.25
        volts = fabs(volts) if self.mode == 2 else self._along() * volts
        self.beta = self._followed(self.cov, self.var, volts, self.mean)

    def _followed(self, cov: float, var: float, volts: float, amperes: float) -> float:
        """The regression's ohms: none below zero, no more than one and a half times the resistance."""
        if not (var > 0.0 and cov > 0.0 and amperes > 0.0):
            return 0.0
        beta = cov / var
        most = 1.5 * volts / amperes
        if beta > most:
            return most if most > 0.0 else 0.0
        return beta

    def _judge(self, row: int, t: float, mean: float, d2: float, i2: float) -> int:
        """What four rows say: their mean V, and the sums of |second differences| of V and I."""
        blocks = self.valid >> 2
        self.m5 = self.m4
        self.m4 = self.m3
        self.m3 = self.m2
        self.m2 = self.m1
        self.m1 = mean
        if blocks > 1:
            self.noise_sum += d2
            sigma = d2 * 0.25 * SIGMA_D2
            if self.sigma == 0.0:
                self.sigma = sigma
            else:
                x = 2.0 * self.sigma
                self.sigma += ((sigma if sigma < x else x) - self.sigma) * 0.0625
        self.octave_sum += mean
        if blocks >= 1 << (self.octave - 1) and self.octave < 15:
            self._octave()
        flags = 0
        if self.pending > 0:
            self.pending -= 1
            if self.pending == 0:
                flags = self._confirm()
        elif blocks >= 3:
            self._screen(blocks)
        if blocks & 1 == 1:
            self.pair_u = d2
            self.pair_iu = i2
            return flags
        return flags | self._fluctuate(row, t, blocks >> 1, self.pair_u + d2, self.pair_iu + i2)

    def _octave(self) -> None:
        """The profile: means of rows 4-7, 8-15, 16-31 and so on."""
        self.profile[self.octave] = self.octave_sum / self._octave_blocks()
        self.octave += 1
        self.octave_sum = 0.0

    def _octave_blocks(self) -> int:
        """Blocks since the octave began."""
        return (self.valid >> 2) - ((1 << (self.octave - 1)) >> 1)

    def _screen(self, blocks: int) -> None:
        """Is the mean of the last rows lower than a moment ago, beyond the noise?"""
        if blocks == 3:
            before = self.m3
            drop = before - self.m1
            error = 0.70711 * self.sigma
        elif blocks == 4:
            before = self.m4
            drop = before - 0.5 * (self.m2 + self.m1)
            error = 0.61237 * self.sigma
        else:
            before = 0.5 * (self.m5 + self.m4)
            drop = before - 0.5 * (self.m2 + self.m1)
            error = 0.5 * self.sigma
        if drop > SCREEN_DROP * before and drop > SCREEN_NOISE * error:
            self.pending = CONFIRM_BLOCKS

    def _mean_of(self, first: int, count: int) -> float:
        """Mean of ring places first .. first+count-1, counted since the segment began."""
        total = 0.0
        k = first
        while k < first + count:
            total += self.ring_y[k & 63]
            k += 1
        return total / count

    def _noise_of(self, first: int, count: int) -> float:
        """Standard deviation of the noise in a stretch of the ring, from second differences."""
        if count < 3:
            return self.sigma
        total = 0.0
        k = first + 2
        while k < first + count:
            d2 = self.ring_y[k & 63] - 2.0 * self.ring_y[(k - 1) & 63] + self.ring_y[(k - 2) & 63]
            total += fabs(d2)
            k += 1
        return total / (count - 2) * SIGMA_D2

    def _confirm(self) -> int:
        """Locate the largest drop in the ring and fit it."""
        self.pending = 0
        low = self.valid - RING
        if low < SETTLE_ROWS:
            low = SETTLE_ROWS
        if self.valid - low < 6:
            return 0
        best = 0.0
        at = -1
        c = low + 3
        while c <= self.valid - 3:
            w1 = c - low if c - low < 8 else 8
            w2 = self.valid - c if self.valid - c < 8 else 8
            weight = w1 * w2 / (w1 + w2)
            drop = self._mean_of(c - w1, w1) - self._mean_of(c, w2)
            if drop > 0.0 and drop * drop * weight > best:
                best = drop * drop * weight
                at = c
            c += 1
        if at < 0:
            return 0
        # Only two rows may follow the step: the search above asks for three, and takes a good one for the third.
        if at == self.valid - 3:
            after = self._mean_of(at + 1, 2)
            if self.ring_y[at & 63] - after > 0.5 * (self._mean_of(at - 1, 1) - after):
                at += 1
        return self._fit(low, at)

    def _fit(self, low: int, at: int) -> int:
        """A step at `at` with one slope on both sides (least squares); a record when it is large and sure."""
        # The row of the step itself may be a mean across it.
        first = at + 1 if self.valid - at > 4 else at
        nb = at - low if at - low < 28 else 28
        na = self.valid - first if self.valid - first < 28 else 28
        mean_b = self._mean_of(at - nb, nb)
        mean_a = self._mean_of(first, na)
        xb = at - nb + 0.5 * (nb - 1)
        xa = first + 0.5 * (na - 1)
        sxy = 0.0
        k = at - nb
        while k < at:
            sxy += (k - xb) * (self.ring_y[k & 63] - mean_b)
            k += 1
        k = first
        while k < first + na:
            sxy += (k - xa) * (self.ring_y[k & 63] - mean_a)
            k += 1
        sxx = (nb * (nb * nb - 1.0) + na * (na * na - 1.0)) / 12.0
        slope = sxy / sxx
        step = mean_a - mean_b - slope * (xa - xb)
        noise_b = self._noise_of(at - nb, nb)
        noise_a = self._noise_of(first, na)
        noise = noise_b if noise_b > 0.5 * self.sigma else 0.5 * self.sigma
        error = noise * (1.0 / nb + 1.0 / na + (xa - xb) * (xa - xb) / sxx) ** 0.5
        wb = nb if nb < 8 else 8
        wa = na if na < 8 else 8
        before = self._mean_of(at - wb, wb)
        after = self._mean_of(first, wa)
        if before - after < KEEP_DROP * before or (
            before - after < 0.5 * before and -step < KEEP_ERRORS * error
        ):
            return 0
        k = at & 63
        self.step[0] = self.first_row + self.ring_r[k]
        self.step[1] = self.ring_t[k]
        self.step[2] = before
        self.step[3] = after
        self.step[4] = step
        self.step[5] = error
        self.step[6] = noise_b
        self.step[7] = noise_a
        # The share of the drop between the two rows on either side of it.
        self.step[8] = (self._mean_of(at - 2, 2) - self._mean_of(first, 2)) / (before - after)
        self.step[9] = nb
        self.step[10] = na
        self.step[11] = self.mean * self.sign
        self.step[12] = at
        self.step[13] = self.sign
        return STEP

    def _fluctuate(self, row: int, t: float, pairs: int, d2: float, i2: float) -> int:
        """Eight rows are complete: how much did V turn around, row by row and block by block?"""
        m8 = 0.5 * (self.m1 + self.m2)
        e1 = d2 * 0.125
        ei = i2 * 0.125
        e8 = 0.0
        if pairs > 2:
            d = m8 - self.pair_last
            x = fabs(d)
            z = fabs(self.pair_d)
            x = x if x < z else z
            e8 = x if d * self.pair_d < 0.0 else 0.0  # no branch: it is as good as a coin
            self.pair_d = d
        elif pairs == 2:
            self.pair_d = m8 - self.pair_last
        self.pair_last = m8
        if pairs < 2 or self.mean <= 0.0:
            return 0
        if self.learned < LEARN_BLOCKS:
            self._learn(e1, e8, ei, 1.0 / (self.learned + 1))
            self.r_slow = m8 / self.mean
            self.learned += 1
            return 0
        floor = FLOOR * fabs(m8)
        before = self.r_slow * self.mean * FLOOR
        if before > floor:
            floor = before
        # A quantised signal flips by a step now and then.
        usual = self.lsb if self.lsb > floor else floor
        usual = self.s1 if self.s1 > usual else usual
        r1 = e1 / usual if usual > 0.0 else 0.0
        # What white noise of that size would give.
        usual = WHITE_BLOCK * self.s1
        usual = self.s8 if self.s8 > usual else usual
        usual = usual if usual > 0.5 * self.lsb else 0.5 * self.lsb
        usual = usual if usual > floor else floor
        r8 = e8 / usual if usual > 0.0 else 0.0
        ri = ei / self.si if self.si > 0.0 else 0.0
        calm = 1 if self.g1 + self.g8 < QUIET else 0
        self.g1 = self._accumulate(self.g1, r1, CAP, DRIFT)
        self.g8 = self._accumulate(self.g8, r8, CAP_BLOCK, DRIFT_BLOCK)
        return self._follow(row, t, m8, e1, e8, ei, r1, r8, ri, calm)

    def _accumulate(self, g: float, ratio: float, cap: float, drift: float) -> float:
        g += (ratio if ratio < cap else cap) - drift
        g = g if g < FULL else FULL
        return g if g > 0.0 else 0.0

    def _learn(self, e1: float, e8: float, ei: float, weight: float) -> None:
        self.s1 += (e1 - self.s1) * weight
        self.s8 += (e8 - self.s8) * weight
        self.si += (ei - self.si) * weight
        self.level_s = self.mean

    def _follow(
        self,
        row: int,
        t: float,
        m8: float,
        e1: float,
        e8: float,
        ei: float,
        r1: float,
        r8: float,
        ri: float,
        calm: int,
    ) -> int:
        g = self.g1 + self.g8
        r = m8 / self.mean
        if calm == 1 and g >= QUIET:
            self.turn_row = row
            self.turn_time = t
            self.turn_before = self.r_slow
        if self.burst == 0:
            if g < QUIET:
                x1 = 3.0 * self.s1
                x8 = 4.0 * self.s8
                # From nothing (a quantised signal) it must be able to grow.
                self._learn(
                    e1 if e1 < x1 or x1 == 0.0 else x1, e8 if e8 < x8 or x8 == 0.0 else x8, ei, 0.03125
                )
                self.r_slow += (r - self.r_slow) * (0.25 if self.valid >= 40 else 0.125)
            if g < ALARM:
                return 0
            self.burst = 1
            self.burst_sum = 0.0
            self.burst_blocks = 0
            self.burst_low = r
            self.burst_r1 = 0.0
            self.burst_r8 = 0.0
            self.burst_ri = 0.0
            self.burst_amp = 0.0
        self.burst_blocks += 1
        self.burst_sum += r
        self.burst_r1 += r1
        self.burst_r8 += r8
        self.burst_ri += ri
        x = (e1 + e8) / self.mean
        self.burst_amp += x
        if r < self.burst_low:
            self.burst_low = r
        if r1 > DRIFT or r8 > DRIFT_BLOCK:
            self.burst_end_row = row
            self.burst_end_time = t
        if g > 0.0:
            return 0
        return self._burst_record(0)

    def _burst_record(self, still_open: int) -> int:
        self.burst = 0
        n = self.burst_blocks
        self.bursts[0] = self.turn_row
        self.bursts[1] = self.turn_time
        self.bursts[2] = self.burst_end_row
        self.bursts[3] = self.burst_end_time
        self.bursts[4] = self.turn_before
        self.bursts[5] = self.burst_sum / n
        self.bursts[6] = self.burst_low
        self.bursts[7] = self.burst_r1 / n
        self.bursts[8] = self.burst_r8 / n
        self.bursts[9] = self.burst_ri / n
        self.bursts[10] = n
        self.bursts[11] = still_open
        self.bursts[12] = self.mean * self.sign
        self.bursts[13] = self.burst_amp / n
        return BURST

    def _pressure(self, p: float) -> None:
        """The stack pressure of the segment's first and last rows."""
        if not isfinite(p):
            return
        self.p_n += 1
        if self.p_n <= 8:
            self.p_first += (p - self.p_first) / self.p_n
            self.p_last = self.p_first
        else:
            self.p_last += (p - self.p_last) * 0.125

    def _close(self, end: float, gap: int) -> int:
        """The running segment becomes a record."""
        flags = 0
        if self.sign != 0 and (self.pending > 0 or self._tail_drops() == 1):
            flags = self._confirm()
        if self.sign != 0 and gap == 0:
            dt = end - self.segment_time
            self.charge += self.current_last * (dt if dt < 0.5 * self.interval else 0.5 * self.interval)
        n = self.n if self.n > 0 else 1
        volts = (self.voltage_sum + self.block_v) / n
        mean = volts
        if self.mode == 2:
            mean = fabs(mean)
        elif (self.sign < 0) != (self.votes <= -MAJORITY):
            mean = -mean
        if self._octave_blocks() > 0:
            self.profile[self.octave] = self.octave_sum / self._octave_blocks()
        s = self.segment
        s[0] = self.first_row
        s[1] = self.last_row
        s[2] = self.n
        s[3] = self.start
        s[4] = self.segment_time
        s[5] = self.sign
        total = self.current_sum + self.block_a
        s[6] = (-total if self.sign < 0 else total) / n
        s[7] = self.charge + 0.5 * self.block_charge
        s[8] = volts
        blocks = self.valid >> 2
        k = self.octave - 4 if self.octave > 6 else 2
        s[9] = self.profile[k] if self.octave > 2 else mean
        s[10] = 0.5 * (self.m1 + self.m2) if blocks >= 3 else (self.m1 if blocks >= 1 else mean)
        s[11] = self.noise_sum / (4 * blocks - 4) * SIGMA_D2 if blocks > 1 else 0.0
        s[12] = self.highest
        s[13] = self.rows_highest
        s[14] = self.mean
        s[15] = self.after_gap
        s[16] = self.interval
        s[17] = self.p_first
        s[18] = self.p_last if self.p_n > 16 else self.p_first
        s[19] = mean
        s[20] = self.stuck
        k = 0
        while k < 16:
            s[21 + k] = self.profile[k]
            k += 1
        return flags | SEGMENT

    def _tail_drops(self) -> int:
        """Did the last rows fall, too late for the blocks?"""
        if self.valid < SETTLE_ROWS + 6:
            return 0
        last = self._mean_of(self.valid - 3, 3)
        count = self.valid - 3 - SETTLE_ROWS
        if count > 12:
            count = 12
        before = self._mean_of(self.valid - 3 - count, count)
        return 1 if before - last > 0.3 * before else 0

    def _finish(self) -> int:
        flags = 0
        if self.n > 0:
            flags = self._close(self.segment_time, 0)
        if self.burst == 1:
            flags = flags | self._burst_record(1)
        return flags


def feed_many(
    streams: list[Stream], time_s: Sequence[Column], voltage_V: Sequence[Column], current_A: Sequence[Column]
) -> list[Records]:
    """Rows of many channels in one call: columns of shape (channels, rows), one `Stream` each.

    Returns a list of what `Stream.feed` returns. Raises ValueError for shapes that do not agree.
    """
    if not len(streams) == len(time_s) == len(voltage_V) == len(current_A):
        raise ValueError("time, voltage and current need the shape (channels, rows)")
    return [s.feed(t, v, i) for s, t, v, i in zip(streams, time_s, voltage_V, current_A, strict=True)]
