"""Turnbull's curve: the share of cells that endure a current density, from intervals; no shape is assumed.

Turnbull 1976 (J. R. Stat. Soc. B 38, 290); with causes, the maximum-likelihood cumulative incidence of competing
risks seen in intervals (Hudgens 2001, Biometrics 57, 74). Probability lies only on innermost intervals: from a low to
the next high with no other bound between. Both are found by self-consistency: a cell's one unit is shared among the
intervals it may have failed in as the estimate so far shares them, and the shares are the next estimate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ccdmon.model.trace import FloatArray

MOST_ROUNDS = 20_000
_STILL = 1e-10  # no share of probability moves by more


@dataclass(frozen=True)
class Curve:
    """`mass[cause, k]` lies somewhere in (low[k], high[k]]; an infinite high: endured all that was tried."""

    low: FloatArray
    high: FloatArray
    mass: FloatArray
    causes: tuple[str, ...]

    @property
    def endured(self) -> FloatArray:
        """Share of cells that endure `high[k]`."""
        left: FloatArray = np.maximum(0.0, 1.0 - np.cumsum(self.mass.sum(axis=0)))
        return left

    def incidence(self, cause: str) -> FloatArray:
        """Share of cells that failed by that cause up to `high[k]`."""
        total: FloatArray = np.cumsum(self.mass[self.causes.index(cause)])
        return total


def turnbull(low: Sequence[float], high: Sequence[float], causes: Sequence[str] | None = None) -> Curve:
    """The curve of cells (low, high]; `causes`: why each failed, that of a cell which did not is not looked at."""
    of = ["any"] * len(low) if causes is None else list(causes)
    named = sorted({cause for cause, end in zip(of, high, strict=True) if np.isfinite(end)}) or ["any"]
    begin, end = _innermost(low, high)
    cells = sorted({*zip(low, high, of, strict=True)})
    numbers = dict.fromkeys(cells, 0)
    for cell in zip(low, high, of, strict=True):
        numbers[cell] += 1
    may = np.zeros((len(cells), len(named), len(begin)))
    for row, (cell_low, cell_high, cause) in enumerate(cells):
        inside = (begin >= cell_low) & (end <= cell_high)
        if np.isfinite(cell_high):
            may[row, named.index(cause), inside] = 1.0
        else:
            may[row, :, inside] = 1.0
    weights = np.array([numbers[cell] for cell in cells], dtype=float)
    return Curve(begin, end, _self_consistent(may, weights), tuple(named))


def _innermost(low: Sequence[float], high: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    """From each low to the next high, where no other low lies between; at equal values a high comes first."""
    bounds = sorted({(value, 0) for value in high} | {(value, 1) for value in low})
    pairs = [
        (value, following)
        for (value, kind), (following, other) in pairwise(bounds)
        if kind == 1 and other == 0
    ]
    return np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])


def _self_consistent(may: FloatArray, weights: FloatArray) -> FloatArray:
    """Shares of shape (causes, intervals) that sum to one."""
    mass: FloatArray = np.full(may.shape[1:], 1.0 / may[0].size)
    for _ in range(MOST_ROUNDS):
        shared = may * mass
        shared *= (weights / shared.sum(axis=(1, 2)))[:, None, None]
        after: FloatArray = shared.sum(axis=0) / weights.sum()
        if np.abs(after - mass).max() < _STILL:
            return after
        mass = after
    return mass
