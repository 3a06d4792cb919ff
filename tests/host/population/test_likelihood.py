"""Median, interval and difference against other implementations, and their promises on drawn populations."""

import math

import numpy as np
import pytest
from scipy.stats import CensoredData, lognorm

from ccdmon.population.lognormal import Intervals, difference, fit, holm
from ccdmon.population.turnbull import turnbull
from tests.host.population.made import ramps


@pytest.mark.parametrize("seed", range(4))
def test_median_and_spread_are_those_of_lifelines_and_scipy(seed: int) -> None:
    lifelines = pytest.importorskip("lifelines")
    low, high = ramps(np.random.default_rng(seed), 40, median=1.2, spread=0.5)
    found = fit(Intervals(low, high))
    other = lifelines.LogNormalFitter().fit_interval_censoring(low, high)
    assert found.median == pytest.approx(math.exp(other.mu_), rel=1e-3)
    assert found.spread == pytest.approx(other.sigma_, rel=1e-3)
    assert found.log_likelihood == pytest.approx(other.log_likelihood_, abs=1e-4)
    pairs = np.array([pair for pair in zip(low, high, strict=True) if math.isfinite(pair[1])])
    right = [a for a, b in zip(low, high, strict=True) if not math.isfinite(b)]
    shape, _, scale = lognorm.fit(CensoredData(interval=pairs, right=right), floc=0)
    assert (found.spread, found.median) == pytest.approx((shape, scale), rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_is_that_of_lifelines(seed: int) -> None:
    lifelines = pytest.importorskip("lifelines")
    low, high = ramps(np.random.default_rng(seed), 60)
    curve = turnbull(low, high)
    shift = 1e-6  # it takes closed intervals, ours are open below
    other = lifelines.KaplanMeierFitter().fit_interval_censoring([a + shift for a in low], high, tol=1e-10)
    theirs = other.survival_function_["NPMLE_estimate_lower"]
    for end, share in zip(curve.high, curve.endured, strict=True):
        assert share == pytest.approx(theirs.loc[end], abs=1e-4), end


def test_a_curve_by_hand() -> None:
    curve = turnbull([0, 1, 1, 2], [1, 2, math.inf, math.inf], ["a", "b", "", ""])
    assert curve.high.tolist() == [1, 2, math.inf]
    assert curve.endured.tolist() == pytest.approx([0.75, 0.375, 0.0], abs=1e-6)
    assert curve.incidence("a").tolist()[0] == pytest.approx(0.25, abs=1e-6)
    assert curve.incidence("b").tolist()[1] == pytest.approx(0.375, abs=1e-6)


def test_causes_add_up_to_the_curve() -> None:
    rng = np.random.default_rng(5)
    low, high = ramps(rng, 50, fake=0.0)
    causes = [str(rng.choice(["hard_short", "contact_loss"])) for _ in low]
    by_cause, alone = turnbull(low, high, causes), turnbull(low, high)
    total = by_cause.incidence("hard_short") + by_cause.incidence("contact_loss")
    finite = np.isfinite(alone.high)
    assert total[finite] == pytest.approx(1 - alone.endured[finite], abs=1e-6)


def test_an_interval_covers_and_equal_groups_are_equal() -> None:
    """A small version; the whole: `python -m tests.bench.population`."""
    rng = np.random.default_rng(11)
    covered, told, medians = 0, 0, []
    for _ in range(60):
        one, other = (Intervals(*ramps(rng, 20)) for _ in range(2))
        found = fit(one)
        medians.append(found.median)
        covered += (found.low or 0) <= 1.0 <= (found.high or math.inf)
        told += difference(one, other) < 0.05
    assert covered >= 53 and told <= 8  # of 60: 57 and 3 are promised
    assert np.median(medians) == pytest.approx(1.0, abs=0.08)


def test_groups_that_differ_are_told() -> None:
    rng = np.random.default_rng(3)
    one, other = Intervals(*ramps(rng, 30, median=0.8)), Intervals(*ramps(rng, 30, median=1.4))
    assert difference(one, other) < 0.001


def test_few_failures_leave_the_upper_bound_open() -> None:
    found = fit(Intervals([2.0] * 12 + [0.4, 0.8, 1.2], [math.inf] * 12 + [0.6, 1.0, 1.4]))
    assert found.low is not None and found.median > 2.0
    assert found.high is None or found.high > 5.0


def test_all_cells_in_one_step() -> None:
    found = fit(Intervals([1.0] * 12, [1.2] * 12))
    assert 1.0 <= found.median <= 1.2
    assert found.low is not None and found.high is not None and 0.9 < found.low < found.high < 1.3


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
