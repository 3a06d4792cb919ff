"""Median and spread of log-normal critical current densities of which only intervals are known, by maximum likelihood.

The likelihood of a cell that endured `low` and failed at `high` is F(high) - F(low) (censored: high is infinite). The
median's interval is that of the profile likelihood; its threshold is the one that is exact for a normal sample seen
uncensored, n log(1 + t^2/(n - 1)) with n the failures, which for many goes to the usual chi^2 (with which twenty cells
cover 93 %). Groups are compared the same way, by the likelihood ratio of a common median, each with its own spread.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import log_ndtr
from scipy.stats import t as student

from ccdmon.model.trace import FloatArray

CONFIDENCE = 0.95
# Spread of the natural logarithm: below, all cells are alike within any ramp's step; above, none is like another.
LEAST_SPREAD, MOST_SPREAD = 0.01, 4.0
_FARTHEST = 8.0  # the median's bounds are looked for within e^8 of it
_MOST_STEPS = 60
_LOG_ROOT_TWO_PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Fit:
    """`median` and its bounds in the unit of the intervals, an open bound None; `spread` is sigma of the logarithm."""

    median: float
    low: float | None
    high: float | None
    spread: float
    log_likelihood: float


@dataclass(frozen=True)
class Profile:
    """The likelihood with some median, at the spread that makes it largest; `slope` by the logarithm of the median."""

    log_likelihood: float
    slope: float
    sharpness: float  # 1 over the spread


class Intervals:
    """Log bounds of the cells of one group, equal ones counted.

    The logarithm of the likelihood is concave in 1/spread and mu/spread: it has one maximum, and with a given median mu
    one over the spread, which Newton's method finds.
    """

    def __init__(self, low: Sequence[float] | FloatArray, high: Sequence[float] | FloatArray) -> None:
        """`low` may be 0, `high` infinite; low < high; shape (cells,)."""
        pairs, self._counts = np.unique(np.column_stack([low, high]), axis=0, return_counts=True)
        has_low, has_high = pairs[:, 0] > 0, np.isfinite(pairs[:, 1])
        # An open bound stands where no spread reaches it.
        self._low = np.where(has_low, np.log(np.where(has_low, pairs[:, 0], 1.0)), -1e3)
        self._high = np.where(has_high, np.log(np.where(has_high, pairs[:, 1], 1.0)), 1e3)
        self.failures = int(self._counts[has_high].sum())
        known = np.concatenate([self._low[has_low], self._high[has_high]])
        self.begin, self.end = float(known.min()), float(known.max())
        self._sharpness = 3.0 / max(self.end - self.begin, 0.1)  # where the next search begins

    def profile(self, mu: float) -> Profile:
        """With a median e^mu."""
        least, most = 1 / MOST_SPREAD, 1 / LEAST_SPREAD
        at = min(max(self._sharpness, least), most)
        for _ in range(_MOST_STEPS):
            first, second = self._terms(mu, at)[2:]
            if first > 0:
                least = at
            else:
                most = at
            following = at - first / second if second < 0 else -1.0
            if not least < following < most:
                following = math.sqrt(least * most)
            if abs(following - at) < 1e-9 * at:
                break
            at = following
        self._sharpness = at
        value, slope, *_ = self._terms(mu, at)
        return Profile(value, slope, at)

    def _terms(self, mu: float, sharpness: float) -> tuple[float, float, float, float]:
        """Log likelihood, its slope by mu, first and second derivative by the sharpness."""
        low, high = self._low - mu, self._high - mu
        below, above = sharpness * low, sharpness * high
        # Above the median the complements are subtracted: the difference itself would be lost.
        flip = below > 0
        log_large = log_ndtr(np.where(flip, -below, above))
        log_small = log_ndtr(np.where(flip, -above, below))
        log_share = log_large + np.log1p(-np.exp(np.minimum(log_small - log_large, -1e-12)))
        density_low = np.exp(-0.5 * below * below - _LOG_ROOT_TWO_PI - log_share)
        density_high = np.exp(-0.5 * above * above - _LOG_ROOT_TWO_PI - log_share)
        first = density_high * high - density_low * low
        second = below * density_low * low * low - above * density_high * high * high - first * first
        slope = sharpness * (density_low - density_high)
        counts = self._counts
        return (
            float(counts @ log_share), float(counts @ slope), float(counts @ first), float(counts @ second),
        )  # fmt: skip

    def best(self) -> tuple[float, Profile]:
        """(mu, profile) of the largest likelihood. With one maximum, the slope changes its sign there alone."""
        low, high = self.begin - _FARTHEST, self.end + _FARTHEST
        mu = float(brentq(lambda at: self.profile(at).slope, low, high, xtol=1e-9))
        return mu, self.profile(mu)


def fit(cells: Intervals) -> Fit:
    """Median, its interval, spread."""
    mu, best = cells.best()
    spread = 1 / best.sharpness
    least = best.log_likelihood - threshold(cells.failures) / 2
    low, high = (_bound(cells, mu, sign, spread, least) for sign in (-1, 1))
    return Fit(
        math.exp(mu),
        None if low is None else math.exp(low),
        None if high is None else math.exp(high),
        spread,
        best.log_likelihood,
    )


def threshold(failures: int, confidence: float = CONFIDENCE) -> float:
    """Twice the log likelihood that the bounds lie below the best."""
    quantile = float(student.ppf(0.5 + confidence / 2, failures - 1))
    return failures * math.log1p(quantile**2 / (failures - 1))


def _bound(cells: Intervals, mu: float, sign: int, spread: float, least: float) -> float | None:
    """Where the profile falls below; None where it never does."""
    step = max(spread, 0.05) / 2
    inside = mu
    while abs(inside - mu) < _FARTHEST:
        outside = inside + sign * step
        if cells.profile(outside).log_likelihood < least:
            found = brentq(lambda at: cells.profile(at).log_likelihood - least, inside, outside, xtol=1e-6)
            return float(found)
        inside, step = outside, step * 1.5
    return None


def difference(a: Intervals, b: Intervals) -> float:
    """p of a common median, two-sided."""
    (mu_a, best_a), (mu_b, best_b) = a.best(), b.best()
    low, high = sorted((mu_a, mu_b))
    if high - low < 1e-9:
        return 1.0
    common = minimize_scalar(
        lambda mu: -a.profile(mu).log_likelihood - b.profile(mu).log_likelihood,
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-6},
    )
    failures = a.failures + b.failures
    ratio = max(0.0, 2 * (best_a.log_likelihood + best_b.log_likelihood + float(common.fun)))
    freedom = failures - 2
    return float(2 * student.sf(math.sqrt(freedom * math.expm1(ratio / failures)), freedom))


def holm(probabilities: Sequence[float]) -> list[float]:
    """p values of so many comparisons, each kept from being one of many (Holm 1979)."""
    order = sorted(range(len(probabilities)), key=lambda k: probabilities[k])
    kept, largest = [0.0] * len(order), 0.0
    for place, k in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - place) * probabilities[k]))
        kept[k] = largest
    return kept
