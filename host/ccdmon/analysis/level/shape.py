"""How V of this cell goes at a constant current: its linear response, and the bend that is left.

V answers I at once and through relaxations. I through some RC filters on a logarithmic grid of times, the same for
every test, spans what any of them can do; weights by least squares on the sound half-cycles before (the last eight), a
residual profile over the log of the time since the step for what is not linear.
"""

from collections import deque
from functools import cache

import numpy as np
import numpy.typing as npt

from ccd_fastcore import answers, fitted, normal_equations, of_bins, robust
from ccdmon.analysis.rows_in_blocks import Array

Places = npt.NDArray[np.int64]
TAU_s = 10.0 ** np.arange(-0.5, 6.1, 0.75)  # nine, 0.3 s to 3e5 s
USUAL = np.r_[0.6, np.full(TAU_s.size, 0.4 / TAU_s.size)]  # weights: mostly at once, the rest over all times
PULL = 2e-4  # towards them, of what a block tells
BINS = 41
ODD_ROWS = 0.3  # of the level: rows further away are no part of a shape
# Relative errors of a shape that so many half-cycles taught: for good, and more where a half-cycle begins.
UNSURE = ((0.02, 0.0), *[(0.06, 0.3)] * 2, (0.03, 0.15), *[(0.01, 0.05)] * 2, (0.003, 0.01))


class Shape:
    """What the last eight sound half-cycles taught."""

    def __init__(self) -> None:
        self.taught: deque[tuple[Array, Array, Array]] = deque(maxlen=8)  # A, y and their normal equations
        self.residuals: dict[int, deque[Array]] = {s: deque(maxlen=6) for s in (0, 1, -1)}
        self.first_profile: tuple[Array, Array] | None = None

    def of(self, features: Array, middle_s: Array) -> Array:
        """V / I over the level in each block: `features` are the answers of the filters, seconds since the step."""
        if len(self.taught) == 1 and self.first_profile is not None:
            return np.interp(np.log(1.0 + middle_s), *self.first_profile)
        return (
            features @ fitted(list(self.taught), USUAL, PULL, 0.4, 8)
            if self.taught
            else np.ones(middle_s.size)
        )

    def bend(self, sign: int, apart: float) -> tuple[Array, Array] | None:
        """Median and scatter of what the shape left, for each bin; of one direction where they are this far apart."""
        own = self.residuals[sign]
        pool = own if abs(apart) > 0.04 and len(own) >= 2 else self.residuals[0]
        return robust(pool) if pool else None

    def begin(self, middle_s: Array, ohm: Array, level_ohm: float) -> None:
        """The first half-cycle is all that is known of the second."""
        self.first_profile = (np.log(1.0 + middle_s), ohm / level_ohm if level_ohm else np.ones(ohm.size))

    def teach(self, features: Array, ohm: Array, shape: Array, level: Array, level_ohm: float) -> None:
        """A sound half-cycle; of one whose shape was known a stray row teaches nothing."""
        pick = _log_spaced(ohm.size)
        y = ohm[pick] / level_ohm
        if len(self.taught) >= 4:
            y = shape[pick] * np.minimum(np.maximum(level[pick] / level_ohm, 1 - ODD_ROWS), 1 + ODD_ROWS)
        A = features[pick]
        self.taught.append((A, y, normal_equations(A, y)))

    def teach_bend(self, sign: int, bins: Places, ohm: Array, shape: Array, level_ohm: float) -> None:
        """What a sound half-cycle, not the first, has beyond its shape."""
        left = of_bins(ohm / shape / level_ohm, bins, BINS)
        self.residuals[0].append(left)
        self.residuals[sign].append(left)

    def clear(self) -> None:
        """Nothing is known any more."""
        self.taught.clear()
        self.first_profile = None
        for pool in self.residuals.values():
            pool.clear()


def answers_of(filters: Array, amperes: float, begin_s: Array, end_s: Array) -> Array:
    """I and I through the filters, over I, means over each block: exact for a constant current."""
    return answers(TAU_s, filters, amperes, begin_s, end_s)


def passed(filters: Array, amperes: float, lasted_s: float) -> Array:
    """The filters' currents after `amperes` flowed for so long."""
    return np.asarray(amperes + (filters - amperes) * np.exp(-lasted_s / TAU_s))


@cache
def _log_spaced(size: int) -> Places:
    """About 24 of so many blocks, log-spaced: each decade of time teaches as much."""
    return np.unique(np.round(np.geomspace(1, size, 24)).astype(int)) - 1
