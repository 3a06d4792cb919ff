"""Smallest and largest values for plots: no spike lost, the same view in any chunks, the same bits from both twins."""

from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccd_fastcore import ENVELOPE_FIELDS, _envelope, _reference_envelope

AT = {name: k for k, name in enumerate(ENVELOPE_FIELDS)}
VALUES = st.one_of(st.floats(-1e3, 1e3), st.sampled_from([nan, inf, -inf, 0.0, -0.0, 1e308, 5e-324]))
STEPS_S = st.one_of(st.sampled_from([0.0, 1.0, 1e9, nan, -5.0]), st.floats(0, 10))


@pytest.fixture(params=["compiled", "reference"])
def envelope_class(request: pytest.FixtureRequest) -> Any:
    """The class `Envelope` of one twin."""
    return _envelope.Envelope if request.param == "compiled" else _reference_envelope.Envelope


def filled(envelope: Any, value: Any, time_s: Any = None) -> Any:
    value = np.asarray(value, dtype=float)
    envelope.feed(np.arange(len(value), dtype=float) if time_s is None else time_s, value)
    return envelope


@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 1000, 1023, 1024, 1025])
@pytest.mark.parametrize("most", [1, 2, 5, 16])
def test_a_view_covers_all_rows_with_true_extremes(envelope_class: Any, rows: int, most: int) -> None:
    y = np.random.default_rng(rows).standard_normal(rows)
    view = filled(envelope_class(8), y).view(most=most)
    assert 1 <= len(view) <= most
    assert (view[0, AT["start_s"]], view[-1, AT["end_s"]]) == (0, rows - 1)
    for start, end, first, low, high, last, low_s, high_s in view.tolist():
        part = y[int(start) : int(end) + 1]
        assert (first, low, high, last) == (part[0], part.min(), part.max(), part[-1])
        assert (y[int(low_s)], y[int(high_s)]) == (low, high)
    assert np.array_equal(view[1:, AT["start_s"]], view[:-1, AT["end_s"]] + 1)


def test_one_odd_row_in_a_million_is_seen(envelope_class: Any) -> None:
    rows = 1_000_000 if envelope_class is _envelope.Envelope else 10_000
    y = np.zeros(rows)
    y[rows // 3] = -4.0
    view = filled(envelope_class(64), y).view(most=50)
    assert view[:, AT["lowest"]].min() == -4.0
    assert view[view[:, AT["lowest"]].argmin(), AT["lowest_s"]] == rows // 3
    assert 25 <= len(view) <= 50


def test_the_newest_rows_are_there_one_by_one(envelope_class: Any) -> None:
    view = filled(envelope_class(256), np.arange(5000.0)).view(start_s=4900)
    assert view[:, AT["first"]].tolist() == list(range(4900, 5000))


def test_an_old_span_is_there_coarsely(envelope_class: Any) -> None:
    view = filled(envelope_class(256), np.arange(5000.0)).view(1000, 2000)
    assert view[0, AT["start_s"]] <= 1000 and view[-1, AT["end_s"]] >= 2000
    assert 1000 / 32 <= len(view) <= 256


def test_nothing_to_see(envelope_class: Any) -> None:
    envelope = envelope_class()
    assert envelope.view().shape == (0, len(ENVELOPE_FIELDS))
    filled(envelope, [nan, inf, -inf])
    assert (len(envelope.view()), envelope.rows) == (0, 0)
    assert len(filled(envelope, [1.0]).view(start_s=5)) == 0


def test_time_that_is_missing_or_backward_is_the_last(envelope_class: Any) -> None:
    view = filled(envelope_class(), [1, 2, 3, 4], np.array([5.0, nan, 3.0, 6.0])).view()
    assert view[:, AT["start_s"]].tolist() == [5, 5, 5, 6]


def test_refusals(envelope_class: Any) -> None:
    with pytest.raises(ValueError, match="same length"):
        envelope_class().feed(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="at least 2 buckets"):
        envelope_class(1)
    with pytest.raises(ValueError, match="at least 1 bucket"):
        envelope_class().view(most=0)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(STEPS_S, VALUES), max_size=150),
    chunk=st.integers(1, 40),
    buckets=st.integers(2, 40),
    most=st.integers(1, 60),
    span=st.tuples(st.floats(-10, 500), st.floats(-10, 500)),
)
def test_twins_and_chunks_give_the_same_bits(
    rows: list[tuple[float, float]], chunk: int, buckets: int, most: int, span: tuple[float, float]
) -> None:
    time_s = np.cumsum([r[0] for r in rows]) if len(rows) % 2 else np.array([r[0] for r in rows])
    value = np.array([r[1] for r in rows])
    whole, pieces = _envelope.Envelope(buckets), _envelope.Envelope(buckets)
    plain = _reference_envelope.Envelope(buckets)
    whole.feed(time_s, value)
    plain.feed(time_s, value)
    for k in range(0, len(value), chunk):
        pieces.feed(time_s[k : k + chunk], value[k : k + chunk])
    for start_s, end_s in ((-inf, inf), span, (span[0], inf)):
        seen = [e.view(start_s, end_s, most).tobytes() for e in (whole, pieces, plain)]
        assert seen[0] == seen[1] == seen[2]
