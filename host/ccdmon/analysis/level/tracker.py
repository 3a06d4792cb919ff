"""The level: V / I of each block over the shape that this cell's own linear response gives it.

V answers I at once and through relaxations. I through some RC filters on a logarithmic grid of times, the same for
every test, spans what any of them can do; weights by least squares on the sound half-cycles before (the last eight),
a residual profile over the log of the time since the step for what is not linear. What is left, the level, is the
cell's resistance at any time since the step, after reversals, rests and pauses alike; all else is judged on it.
"""

from collections import deque
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from ccd_fastcore import answers, normal_equations, of_bins, robust, scale_of
from ccdmon.analysis import thresholds as th
from ccdmon.analysis.level.leveled import Leveled, fine, single_rows
from ccdmon.analysis.order_statistics import middle, of_three, quantile
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.stretches import Stretch

Places = npt.NDArray[np.int64]
TAU_s = 10.0 ** np.arange(-0.5, 6.1, 0.75)  # nine, 0.3 s to 3e5 s
USUAL = np.r_[0.6, np.full(TAU_s.size, 0.4 / TAU_s.size)]  # weights: mostly at once, the rest over all times
PULL = 2e-4  # towards them, of what a block tells
BINS = 41
MOST_OHM = 1e30  # no cell has more: behind a current of next to nothing
LEAST_A = 1e-30  # what no ammeter tells from nothing has no resistance behind it
ODD_ROWS = 0.3  # of the level: rows further away are no part of a shape
NEW_SCALE = 20.0  # times the charge of all before: those were scans


class LevelTracker:
    """Feeds on stretches in their order; keeps what the last eight sound ones taught."""

    def __init__(self) -> None:
        self.filters = np.zeros(TAU_s.size)
        self.taught: deque[tuple[Array, Array, Array]] = deque(maxlen=8)  # A, y and their normal equations
        self.residuals: dict[int, deque[Array]] = {s: deque(maxlen=6) for s in (0, 1, -1)}
        self.asymmetry: deque[float] = deque(maxlen=8)
        self.kept: deque[float] = deque(maxlen=5)
        self.first_profile: tuple[Array, Array] | None = None
        self.best = 0.0
        self.raw: list[float] = []
        self.last: Leveled | None = None
        self.end_s: float | None = None
        self.largest_C = self.largest_A = 0.0
        self.weights: Array | None = None
        self.out: list[Leveled] = []
        self.along = 0.0
        self.noise_V: deque[tuple[float, float]] = deque(maxlen=8)
        self.reversals = 0
        self.fresh = False  # forgot all with the last stretch
        self.odd: deque[tuple[float, Array]] = deque(maxlen=4)

    @classmethod
    def warm(cls, first: Sequence[Stretch]) -> "LevelTracker":
        """One that the first half-cycles have taught already: they are looked at twice."""
        taught, tracker = cls(), cls()
        for s in first:
            taught.feed(s)
        if len(taught.taught) >= 2:
            tracker.taught, tracker.residuals, tracker.asymmetry = (
                taught.taught,
                taught.residuals,
                taught.asymmetry,
            )
            tracker.first_profile, tracker.noise_V, tracker.reversals = (
                taught.first_profile,
                taught.noise_V,
                taught.reversals,
            )
            tracker.largest_C, tracker.largest_A = taught.largest_C, taught.largest_A
        return tracker

    def feed(self, s: Stretch) -> Leveled | None:
        """The level of a stretch of constant current; None of any other."""
        gap = max(s.start_s - self.end_s, 0.0) if self.end_s is not None and not s.after_gap else 0.0
        leveled = None
        amperes = s.current_A if s.sign != 0 else 0.0
        flows = s.kind == "current" and abs(s.current_A) > LEAST_A
        if flows and s.count >= 3 and s.charge_C > 0.02 * self.largest_C:
            if s.charge_C > NEW_SCALE * self.largest_C and abs(s.current_A) > 1.5 * self.largest_A:
                self._forget()
            self.largest_C, self.largest_A = (
                max(self.largest_C, s.charge_C),
                max(self.largest_A, abs(s.current_A)),
            )
            leveled = self._level(s)
        lasted = s.end_s - s.start_s + gap
        self.filters = amperes + (self.filters - amperes) * np.exp(-lasted / TAU_s)
        self.end_s = s.end_s
        return leveled

    def _forget(self) -> None:
        """What went before were scans, an offset, noise."""
        self.fresh = True
        self.taught.clear()
        self.kept.clear()
        self.asymmetry.clear()
        self.raw.clear()
        self.best, self.along, self.first_profile, self.last = 0.0, 0.0, None, None
        for pool in self.residuals.values():
            pool.clear()
        self.out.clear()

    def _level(self, s: Stretch) -> Leveled:
        row, start, end, rows, volts = fine(s)
        self.along += np.sign(s.middle_V) * s.sign * s.count
        with np.errstate(over="ignore"):  # next to no current
            ohm = np.clip(volts / s.current_A * (1.0 if self.along >= 0 else -1.0), -MOST_OHM, MOST_OHM)
        features = answers(TAU_s, self.filters, s.current_A, start, end)
        k3 = rows.size // 3
        raw = middle(ohm[k3:])
        if len(self.taught) == 1 and self.first_profile is not None:
            shape = np.interp(np.log(1.0 + 0.5 * (start + end)), *self.first_profile)
        elif self.taught:
            shape = features @ self._fit()
        else:
            shape = np.ones(rows.size)
        flat = np.abs(shape) < 0.08
        shape = np.where(flat, np.where(shape < 0, -0.08, 0.08), shape)
        level = ohm / shape
        place = 3 * np.log2(1 + (row - row[0] + 0.5 * (rows - 1)))
        bins = np.clip(np.floor(place), 0, BINS - 1).astype(np.int64)
        turned = self.last is None or self.last.stretch.sign != s.sign
        unsure = self._unsure(
            rows.size, min(len(self.taught), 1 + self.reversals) if turned else len(self.taught)
        )
        rho = self._rho()
        pool = (
            self.residuals[s.sign]
            if abs(rho) > 0.04 and len(self.residuals[s.sign]) >= 2
            else self.residuals[0]
        )
        if pool:
            center, spread = robust(pool)
            have = np.flatnonzero(np.isfinite(center))
            bend = np.interp(place - 0.5, have, np.clip(center[have], 0.3, 3))
            level = level / (bend / middle(bend[k3:]))  # how V bends; its size is the shape's
            unsure = np.maximum(unsure, np.interp(place - 0.5, have, spread[have]))
        m = middle(level[k3:])
        clear = level[np.abs(shape) > 0.25]
        usual = max(
            abs(m),
            quantile(np.abs(clear), 0.9) if clear.size else 0.0,
            middle(list(self.kept)) if self.kept else 0.0,
            1e-15,
        )
        noise_V = s.noise_V
        if self.noise_V:  # a step within counts as noise of its half-cycle
            usual_V = float(middle([v * max(1.0, abs(s.current_A) / a) for v, a in self.noise_V]))
            noise_V = min(noise_V, 2 * usual_V) if usual_V > 0 else noise_V
        noise = noise_V / abs(s.current_A) / usual / np.maximum(np.abs(shape), 0.2)
        error = np.sqrt(
            noise**2 / np.minimum(rows, 3)
            + (unsure * np.maximum(1, 1 / np.maximum(np.abs(shape), 0.02))) ** 2
        ) + np.where(shape < 0.25, 9.0, 0.0)
        scale = np.exp(-rho * s.sign)
        leveled = Leveled(
            s,
            row,
            0.5 * (start + end) + s.start_s,
            rows,
            (end - start) / rows,
            level * scale,
            error,
            ohm,
            shape,
            number=len(self.out),
        )
        leveled.median_ohm = m * scale
        leveled.dips, leveled.peaks = single_rows(s, volts, usual * abs(s.current_A))
        self._teach(leveled, s, features, ohm, shape, level, m, raw, bins, k3, start, end, turned)
        self.out.append(leveled)
        self.last = leveled
        return leveled

    def _rho(self) -> float:
        """Half the log ratio of the two directions, where the last neighbours agree on its sign: a drift does not."""
        q = np.array(self.asymmetry)[-6:]
        if q.size < 3 or not (np.all(q > 0) or np.all(q < 0)):
            return 0.0
        rho = middle(q)
        return rho if abs(rho) > 0.02 else 0.0

    def _unsure(self, size: int, sound: int) -> Array:
        e = np.exp(-np.arange(size) / (0.1 * size + 1))
        n = sound
        if n == 0:
            return 0.02 + 0 * e
        if n < 3:
            return 0.06 + 0.3 * e
        if n < 4:
            return 0.03 + 0.15 * e
        if n < 6:
            return 0.01 + 0.05 * e
        return 0.003 + 0.01 * e

    @staticmethod
    def _whole(ohm: Array) -> bool:
        """Not one in which V collapses: no shape of a sound cell."""
        if ohm.size < 6:
            return True
        smooth = of_three(ohm)
        top = np.maximum.accumulate(smooth)
        return bool(np.all((smooth > 0.45 * top) | (top <= 0)))

    def _agree(self) -> bool:
        """Four in a row that are odd, but like each other: the cell has changed, and this is its shape now."""
        if len(self.odd) < 4:
            return False
        levels = [m for m, _ in self.odd]
        profiles = [o for _, o in self.odd]
        a, b = profiles[-1], profiles[-3]
        size = min(a.size, b.size)
        alike = (
            min(levels) > 0
            and float(middle(np.abs(a[:size] / np.where(b[:size] == 0, 1, b[:size]) - 1))) < 0.05
        )
        return alike and max(levels) < 1.15 * min(levels)

    def _fit(self) -> Array:
        """Weights of the answers, pulled towards `USUAL` where little is told of them."""
        equations = np.add.reduce([e for _, _, e in self.taught])
        pull = PULL * sum(y.size for _, y, _ in self.taught)
        w: Array = np.linalg.solve(
            equations[:, :-1] + pull * np.identity(USUAL.size), equations[:, -1] + pull * USUAL
        )
        # The pull must not shift the scale, which it would do with each half-cycle.
        return w * scale_of([(A, y) for A, y, _ in self.taught], w, 0.4, 8)

    def _teach(
        self,
        h: Leveled,
        s: Stretch,
        features: Array,
        ohm: Array,
        shape: Array,
        level: Array,
        m: float,
        raw: float,
        bins: Array,
        k3: int,
        start: Array,
        end: Array,
        turned: bool,
    ) -> None:
        n = len(self.taught)
        ref = middle(list(self.kept)) if self.kept else m
        if h.number == 0:
            self.first_profile = (np.log(1.0 + 0.5 * (start + end)), ohm / raw if raw else np.ones(ohm.size))
        if n < 4:
            sound = raw > 0 and ohm.size >= 4 and (not self.raw or raw > 0.45 * max(self.raw))
            if self._whole(ohm):
                self.raw.append(raw)
            if sound and h.number:
                half_way = middle(shape[k3:])
                m = raw / half_way if half_way > 0.3 else raw
        else:
            deviation = (
                np.abs((level / m - 1) * np.minimum(np.abs(shape), 1.0))[(end / end[-1]) >= 0.1]
                if m > 0
                else np.full(1, 9.0)
            )
            sound = (
                m > 0
                and ohm.size >= 4
                and m > th.HARD_REMAINS * 1.1 * max(ref, 0.8 * self.best)
                and quantile(deviation, 0.8) < 0.12
            )
        if sound and n < 4 and not self._whole(ohm):
            sound = False
        if not sound and n >= 4:
            self.odd.append((m, ohm))
            sound = self._agree()
        if sound:
            self.odd.clear()
        h.sound = bool(sound)
        if not sound:
            return
        if (
            self.kept
            and self.last is not None
            and self.last.sound
            and self.last.median_ohm > 0
            and self.last.stretch.sign != s.sign
        ):
            self.asymmetry.append(
                s.sign * np.log(m / (self.last.median_ohm * np.exp(self._rho() * self.last.stretch.sign))) / 2
            )
        self.noise_V.append((s.noise_V, abs(s.current_A)))
        if turned:
            self.reversals += 1
        self.kept.append(m * np.exp(-self._rho() * s.sign))
        if len(self.kept) >= 3:
            self.best = max(self.best, middle(list(self.kept)[-3:]))
        pick = _log_spaced(ohm.size)
        known = (
            ohm if n < 4 else shape * m * np.clip(level / m, 1 - ODD_ROWS, 1 + ODD_ROWS)
        )  # a stray row teaches nothing
        A, y = features[pick], known[pick] / m
        self.taught.append((A, y, normal_equations(A, y)))
        if h.number > 0:
            q = of_bins(ohm / shape / m, bins, BINS)
            self.residuals[0].append(q)
            self.residuals[s.sign].append(q)


@cache
def _log_spaced(size: int) -> Places:
    """About 24 of so many blocks, log-spaced: each decade of time teaches as much."""
    return np.unique(np.round(np.geomspace(1, size, 24)).astype(int)) - 1
