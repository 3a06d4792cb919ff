"""The level: V / I of each block over the shape that this cell's own linear response gives it (`shape.py`).

What is left, the level, is the cell's resistance at any time since the step, after reversals, rests and pauses alike;
all else is judged on it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

from ccd_fastcore import ohms, on_shape
from ccdmon.analysis import thresholds as th
from ccdmon.analysis.level.leveled import Leveled, fine, single_rows
from ccdmon.analysis.level.shape import UNSURE, Places, Shape, TAU_s, answers_of, passed
from ccdmon.analysis.order_statistics import middle, of_three, quantile
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.stretches import Stretch

MOST_OHM = 1e30  # no cell has more: behind a current of next to nothing
LEAST_A = 1e-30  # what no ammeter tells from nothing has no resistance behind it
NEW_SCALE = 20.0  # times the charge of all before: those were scans


@dataclass
class Looked:
    """What is known of a half-cycle before it is decided whether it teaches anything: one number a block."""

    features: Array
    ohm: Array
    shape: Array
    level: Array  # not yet corrected for the direction
    bins: Places
    end_s: Array  # since the step
    raw_ohm: float
    level_ohm: float
    turned: bool  # the current had another sign before

    @property
    def settled(self) -> slice:
        """Without the first third."""
        return slice(self.ohm.size // 3, None)


class LevelTracker:
    """Feeds on stretches in their order; keeps what the last eight sound ones taught."""

    def __init__(self) -> None:
        self.filters = np.zeros(TAU_s.size)
        self.shape = Shape()
        self.asymmetry: deque[float] = deque(maxlen=8)
        self.kept: deque[float] = deque(maxlen=5)
        self.best = 0.0
        self.most_raw_ohm: float | None = None  # of the half-cycles before there was a shape
        self.last: Leveled | None = None
        self.end_s: float | None = None
        self.largest_C = self.largest_A = 0.0
        self.count = 0  # half-cycles that have a level
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
        if len(taught.shape.taught) >= 2:
            tracker.shape, tracker.asymmetry = taught.shape, taught.asymmetry
            tracker.noise_V, tracker.reversals = taught.noise_V, taught.reversals
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
            self.largest_C = max(self.largest_C, s.charge_C)
            self.largest_A = max(self.largest_A, abs(s.current_A))
            leveled = self._level(s)
        self.filters = passed(self.filters, amperes, s.end_s - s.start_s + gap)
        self.end_s = s.end_s
        return leveled

    def _forget(self) -> None:
        """What went before were scans, an offset, noise."""
        self.fresh = True
        self.shape.clear()
        self.kept.clear()
        self.asymmetry.clear()
        self.best, self.along, self.most_raw_ohm, self.last = 0.0, 0.0, None, None
        self.count = 0

    def _level(self, s: Stretch) -> Leveled:
        begin_s, end_s, volts = fine(s)
        rows, middle_s = s.blocks.rows, 0.5 * (begin_s + end_s)
        self.along += np.sign(s.middle_V) * s.sign * s.count
        ohm = ohms(volts, s.current_A if self.along >= 0 else -s.current_A, MOST_OHM)
        features = answers_of(self.filters, s.current_A, begin_s, end_s)
        turned = self.last is None or self.last.stretch.sign != s.sign
        rho = self._rho()
        table, bins, level_ohm, size_ohm = on_shape(
            s.row, rows, ohm, self.shape.of(features, middle_s), self.shape.bend(s.sign, rho),
            *self._unsure(turned), self._noise_V(s) / abs(s.current_A), middle(list(self.kept)) if self.kept else 0.0,
        )  # fmt: skip
        level, error, shape = table
        known = Looked(
            features, ohm, shape, level, bins, end_s, middle(ohm[ohm.size // 3 :]), level_ohm, turned
        )
        scale = exp(-rho * s.sign)
        leveled = Leveled(
            s, s.row, middle_s + s.start_s, rows, (end_s - begin_s) / rows, level * scale, error.copy(), ohm,
            number=self.count, median_ohm=level_ohm * scale,
        )  # fmt: skip
        leveled.dips, leveled.peaks = single_rows(s, volts, size_ohm * abs(s.current_A), self._noise_V(s))
        self._learn(leveled, known)
        self.count += 1
        self.last = leveled
        return leveled

    def _rho(self) -> float:
        """Half the log ratio of the two directions, where the last neighbours agree on its sign: a drift does not."""
        q = list(self.asymmetry)[-6:]
        if len(q) < 3 or not (min(q) > 0 or max(q) < 0):
            return 0.0
        rho = middle(q)
        return rho if abs(rho) > 0.02 else 0.0

    def _unsure(self, turned: bool) -> tuple[float, float]:
        """Relative error of the shape, and what comes to it where a half-cycle begins."""
        n = len(self.shape.taught)
        return UNSURE[min(n, 1 + self.reversals if turned else n, len(UNSURE) - 1)]

    def _noise_V(self, s: Stretch) -> float:
        """A step within counts as noise of its half-cycle: no more than twice what is usual at its current."""
        usual_V = middle([v * max(1.0, abs(s.current_A) / a) for v, a in self.noise_V])
        return min(s.noise_V, 2 * usual_V) if usual_V > 0 else s.noise_V

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

    def _learn(self, h: Leveled, known: Looked) -> None:
        """What a sound half-cycle teaches; an odd one nothing, unless the cell has become like that."""
        s = h.stretch
        if h.number == 0:
            self.shape.begin(h.time_s - s.start_s, known.ohm, known.raw_ohm)
        sound, level_ohm = self._is_sound(h, known)
        if not sound and len(self.shape.taught) >= 4:
            self.odd.append((level_ohm, known.ohm))
            sound = self._agree()
        h.sound = sound
        if not sound:
            return
        self.odd.clear()
        last = self.last
        if (
            self.kept
            and last is not None
            and last.sound
            and last.median_ohm > 0
            and last.stretch.sign != s.sign
        ):
            before = log(last.median_ohm) + self._rho() * last.stretch.sign
            self.asymmetry.append(s.sign * (log(level_ohm) - before) / 2)
        self.noise_V.append((s.noise_V, abs(s.current_A)))
        self.reversals += known.turned
        self.kept.append(level_ohm * exp(-self._rho() * s.sign))
        if len(self.kept) >= 3:
            self.best = max(self.best, middle(list(self.kept)[-3:]))
        self.shape.teach(known.features, known.ohm, known.shape, known.level, level_ohm)
        if h.number > 0:
            self.shape.teach_bend(s.sign, known.bins, known.ohm, known.shape, level_ohm)

    def _is_sound(self, h: Leveled, known: Looked) -> tuple[bool, float]:
        """And its level: before four have taught a shape of what was measured, then of what the shape leaves."""
        if len(self.shape.taught) >= 4:
            return self._as_the_shape_says(known), known.level_ohm
        raw_ohm, level_ohm = known.raw_ohm, known.level_ohm
        sound = raw_ohm > 0 and known.ohm.size >= 4
        sound = sound and (self.most_raw_ohm is None or raw_ohm > 0.45 * self.most_raw_ohm)
        whole = self._whole(known.ohm)
        if whole:
            self.most_raw_ohm = max(raw_ohm, raw_ohm if self.most_raw_ohm is None else self.most_raw_ohm)
        if sound and h.number:
            half_way = middle(known.shape[known.settled])
            level_ohm = raw_ohm / half_way if half_way > 0.3 else raw_ohm
        return sound and whole, level_ohm

    def _as_the_shape_says(self, known: Looked) -> bool:
        """Is there a level, of the size it was, and do the blocks agree on it?"""
        m = known.level_ohm
        ref = middle(list(self.kept)) if self.kept else m
        least = th.HARD_REMAINS * 1.1 * max(ref, 0.8 * self.best)
        if not (m > 0 and known.ohm.size >= 4 and m > least):
            return False
        deviation = np.abs((known.level / m - 1) * np.minimum(np.abs(known.shape), 1.0))
        return quantile(deviation[known.end_s >= 0.1 * known.end_s[-1]], 0.8) < 0.12
