"""Order statistics and least squares of a few numbers, both twins, against numpy."""

from math import inf, isnan, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccd_fastcore import _few, _reference_few

NUMBERS = st.lists(st.one_of(st.floats(-1e9, 1e9), st.sampled_from([0.0, nan, inf, -inf])), max_size=700)


@pytest.fixture(params=["compiled", "reference"])
def few(request: pytest.FixtureRequest) -> Any:
    """The functions of one twin."""
    return _few if request.param == "compiled" else _reference_few


@given(values=NUMBERS)
def test_the_median_is_that_of_the_sorted_numbers(values: list[float]) -> None:
    with np.errstate(invalid="ignore"):
        expected = _reference_few.middle(values)
    for given_as in (values, np.array(values)):
        found = _few.middle(given_as)
        assert found == expected or (isnan(found) and isnan(expected))


@given(values=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=700), share=st.floats(0, 1))
def test_quantiles_are_numpys(values: list[float], share: float) -> None:
    expected = np.quantile(values, share)
    for few in (_few, _reference_few):
        assert few.quantile(np.array(values), share) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_of_nothing_there_is_no_median(few: Any) -> None:
    assert isnan(few.middle([])) and isnan(few.quantile(np.zeros(0), 0.5))


def test_counts_and_views_have_a_median_too(few: Any) -> None:
    assert few.middle(np.array([3, 1, 2])) == few.middle((1, 2, 3)) == few.middle(np.arange(6.0)[1:4]) == 2.0


def test_robust_leaves_out_what_no_row_tells(few: Any) -> None:
    pool = [np.array([1.0, nan, 5.0]), np.array([2.0, nan, nan]), np.array([9.0, nan, 6.0])]
    center, spread = few.robust(pool)
    assert center.tolist()[::2] == [2.0, 5.5] and isnan(center[1])
    assert spread.tolist() == pytest.approx([1.4826, 0.0, 0.0])


def test_medians_of_bins(few: Any) -> None:
    found = few.of_bins(np.array([1.0, 5.0, 3.0, 7.0]), np.array([0, 2, 0, 0]), 4)
    assert found.tolist()[::2] == [3.0, 5.0] and np.isnan(found[1::2]).all()


def test_a_filter_answers_with_the_mean_of_its_exponential(few: Any) -> None:
    tau_s, start_s, end_s = np.array([3.0, 50.0]), np.array([0.0, 4.0]), np.array([4.0, 10.0])
    found = few.answers(tau_s, np.array([0.0, -1e-3]), 1e-3, start_s, end_s)
    assert found[:, 0].tolist() == [1.0, 1.0]
    for k in range(2):
        t = np.linspace(start_s[k], end_s[k], 100_001)
        assert found[k, 1] == pytest.approx(np.mean(1 - np.exp(-t / 3)), rel=1e-4)
        assert found[k, 2] == pytest.approx(np.mean(1 - 2 * np.exp(-t / 50)), rel=1e-4)


def test_normal_equations(few: Any) -> None:
    rng = np.random.default_rng(0)
    A, y = rng.uniform(0.5, 1.5, (24, 3)), rng.uniform(0.5, 1.5, 24)
    assert few.normal_equations(A, y) == pytest.approx(np.column_stack([A.T @ A, A.T @ y]))


def test_weights_are_found_and_the_pull_does_not_shift_their_scale(few: Any) -> None:
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(8):
        A = rng.uniform(0.5, 1.5, (24, 10))
        y = A @ np.arange(1.0, 11.0)
        pairs.append((A, y, few.normal_equations(A, y)))
    usual = np.full(10, 0.1)
    assert few.fitted(pairs, usual, 1e-12, 0.4, 8) == pytest.approx(np.arange(1.0, 11.0), rel=1e-6)
    pulled = few.fitted(pairs, usual, 1e3, 0.4, 8)
    assert pulled == pytest.approx(np.full(10, 5.5), rel=0.1)  # all alike, but as large as they were
    assert few.fitted(pairs, usual, 1e6, 1e9, 8) == pytest.approx(usual, rel=0.1)  # too little is clear


def test_twins_find_the_same_weights() -> None:
    rng = np.random.default_rng(1)
    A = rng.uniform(-1, 1, (24, 10)) * np.logspace(0, -6, 10)
    y = rng.uniform(0.5, 1.5, 24)
    pairs, usual = [(A, y, _few.normal_equations(A, y))], np.full(10, 0.1)
    assert _few.fitted(pairs, usual, 2e-4, 0.0, 8) == pytest.approx(
        _reference_few.fitted(pairs, usual, 2e-4, 0.0, 8), rel=1e-9
    )


def test_what_is_too_much_is_refused() -> None:
    many = np.zeros(513)
    with pytest.raises(ValueError, match="at most 512"):
        _few.of_bins(many, np.zeros(513, dtype=np.int64), 1)
    with pytest.raises(ValueError, match="at most 512"):
        _few.robust([many[:1]] * 513)
    with pytest.raises(ValueError, match="at most 512"):
        A, y = np.ones((513, 1)), np.ones(513)
        _few.fitted([(A, y, _few.normal_equations(A, y))], np.ones(1), 1e-3, 0.4, 8)
