"""The blocks of a half-cycle against a shape: both twins."""

from typing import Any

import numpy as np
import pytest

from ccd_fastcore import RowBlocks, _level, _reference_level


@pytest.fixture(params=["compiled", "reference"])
def level(request: pytest.FixtureRequest) -> Any:
    """The functions of one twin."""
    return _level if request.param == "compiled" else _reference_level


def blocks(volts: np.ndarray) -> np.ndarray:
    """Of one segment of 1 mA, a row a second."""
    rows, n = RowBlocks(), volts.size
    rows.feed(np.arange(float(n)), volts, np.full(n, 1e-3), None, None, [], (0, n - 1))
    numbers = np.frombuffer(rows.look())
    return numbers[5:].reshape(-1, int(numbers[0]))


def test_spans_lie_end_to_end_and_spikes_are_left_out(level: Any) -> None:
    volts = np.ones(250)
    volts[100] = 9.0
    begin_s, end_s, trimmed_V = level.spans(blocks(volts), 0.0, 249.0, 250.0)
    assert (begin_s[1:] == end_s[:-1]).all() and (begin_s[0], end_s[-1]) == (0.0, 250.0)
    assert trimmed_V.tolist() == [1.0] * 63


def test_rows_of_one_time_have_a_span_all_the_same(level: Any) -> None:
    table = blocks(np.ones(4))
    table = np.vstack([table[:1], np.zeros((1, 4)), table[2:]])
    begin_s, end_s, _ = level.spans(table, 0.0, 0.0, 4.0)
    assert (end_s > begin_s).all()


def test_next_to_no_current_has_no_endless_resistance(level: Any) -> None:
    found = level.ohms(np.array([1e300, -1e300, 2.0]), 1e-20, 1e30)
    assert found.tolist() == [1e30, -1e30, pytest.approx(2e20)]


def judged(level: Any, ohm: np.ndarray, shape: np.ndarray, bend: Any = None, **more: float) -> Any:
    n = ohm.size
    numbers = {"unsure": 0.01, "early": 0.05, "noise_ohm": 0.0, "kept_ohm": 0.0, **more}
    return level.on_shape(4.0 * np.arange(n), np.full(n, 4.0), ohm, shape, bend, *numbers.values())


def test_the_level_is_ohm_over_shape_and_its_error_is_larger_where_a_half_cycle_begins(level: Any) -> None:
    shape = 1 - 0.6 * np.exp(-np.arange(60) / 5)
    (values, error, used), bins, median, size = judged(level, 100 * shape, shape)
    assert values == pytest.approx(100.0) and (used == shape).all()
    assert (median, size) == (pytest.approx(100.0), pytest.approx(100.0))
    assert error[-1] == pytest.approx(0.01, rel=0.01) and error[0] > 0.06
    assert bins[0] == 3 and (np.diff(bins) >= 0).all()  # the middle of its rows is 1.5 rows from the step


def test_a_shape_next_to_nothing_tells_nothing(level: Any) -> None:
    shape = np.ones(30)
    shape[3], shape[4] = 0.01, -0.01
    (values, error, used), _, _, _ = judged(level, np.full(30, 50.0), shape)
    assert used[3:5].tolist() == [0.08, -0.08]
    assert (error[3:5] > 9).all() and (error[5:] < 1).all()
    assert values[5:] == pytest.approx(50.0)


def test_noise_counts_with_the_rows_of_a_block(level: Any) -> None:
    _, error, _ = judged(level, np.full(30, 50.0), np.ones(30), noise_ohm=5.0, unsure=0.0, early=0.0)[0]
    assert error == pytest.approx(0.1 / 3**0.5)


def test_what_went_before_is_bent_back(level: Any) -> None:
    center, spread = np.full(41, np.nan), np.zeros(41)
    center[[5, 24]], spread[24] = (0.5, 1.0), 0.2
    ohm = 10 * np.interp(3 * np.log2(1 + 4.0 * np.arange(60) + 1.5) - 0.5, [5, 24], [0.5, 1.0])
    (values, error, _), _, _, _ = judged(level, ohm, np.ones(60), (center, spread))
    assert np.ptp(values) == pytest.approx(0.0, abs=1e-9)
    assert error[-1] > 0.15 > error[20]


def test_more_blocks_than_a_half_cycle_has_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 64"):
        judged(_level, np.ones(65), np.ones(65))


@pytest.mark.parametrize("seed", range(20))
def test_twins_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    volts = np.cumsum(rng.standard_normal(int(rng.integers(1, 3000)))) * 1e-3
    table = blocks(volts)
    n = table.shape[1]
    assert np.array_equal(
        _level.spans(table, -3.0, table[1, -1] + 1, 50.0),
        _reference_level.spans(table, -3.0, table[1, -1] + 1, 50.0),
    )
    means = table[3] / table[2]
    for positive in (True, False):
        found = [twin.stray_rows(table, means, positive, 1e-3, 1.5) for twin in (_level, _reference_level)]
        assert found[0] == found[1]
    center = np.where(rng.random(41) < 0.5, np.nan, rng.uniform(0, 4, 41))
    bend = None if seed % 3 == 0 else (center, rng.uniform(0, 0.3, 41))
    given = (table[0], table[2], means / 1e-3, rng.uniform(-0.2, 1.2, n), bend, 0.01, 0.05, 2e-3, 0.5)
    one, other = _level.on_shape(*given), _reference_level.on_shape(*given)
    assert one[0] == pytest.approx(other[0], rel=1e-12) and (one[1] == other[1]).all()
    assert one[2:] == pytest.approx(other[2:], rel=1e-12)
