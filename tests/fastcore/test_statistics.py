"""Medians and quantiles of a few numbers, both twins, against numpy."""

from math import inf, isnan, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccd_fastcore import _reference_statistics, _statistics
from ccd_fastcore._interpreted import _few

NUMBERS = st.lists(st.one_of(st.floats(-1e9, 1e9), st.sampled_from([0.0, nan, inf, -inf])), max_size=700)


@pytest.fixture(params=["compiled", "reference"])
def few(request: pytest.FixtureRequest) -> Any:
    """The functions of one twin."""
    return _statistics if request.param == "compiled" else _reference_statistics


def same(a: float, b: float) -> bool:
    return a == b or (isnan(a) and isnan(b))


@given(values=NUMBERS)
def test_the_median_is_that_of_the_sorted_numbers(values: list[float]) -> None:
    with np.errstate(invalid="ignore"):
        expected = _reference_statistics.middle(values)
    for given_as in (values, np.array(values)):
        assert same(_statistics.middle(given_as), expected)
    assert same(_few.middle_of(list(values), len(values)), expected)  # the compiled one's source, interpreted


@given(values=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=700), share=st.floats(0, 1))
def test_quantiles_are_numpys(values: list[float], share: float) -> None:
    expected = np.quantile(values, share)
    found = [few.quantile(np.array(values), share) for few in (_statistics, _reference_statistics)]
    found.append(_few.quantile_of(list(values), len(values), share))
    assert found == pytest.approx([expected] * 3, rel=1e-9, abs=1e-9)


def test_a_quantile_of_what_is_unknown_is_unknown(few: Any) -> None:
    values = np.array([nan, 1.0, 2.0, nan])
    assert few.quantile(values, 0.0) == 1.0 and isnan(few.quantile(values, 0.9))


def test_of_nothing_there_is_no_median(few: Any) -> None:
    assert isnan(few.middle([])) and isnan(few.quantile(np.zeros(0), 0.5))


def test_counts_and_views_have_a_median_too(few: Any) -> None:
    assert few.middle(np.array([3, 1, 2])) == few.middle((1, 2, 3)) == few.middle(np.arange(6.0)[1:4]) == 2.0


@given(three=st.tuples(*[st.floats(-1e9, 1e9)] * 3))
def test_the_median_of_three(three: tuple[float, float, float]) -> None:
    assert _few.between(*three) == sorted(three)[1]
