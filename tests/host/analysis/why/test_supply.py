"""Where the supply of lithium ends is read from the levels that follow, too."""

import numpy as np
import pytest

from ccdmon.analysis.why.supply import Grown, first_starved

LEVELS = 8


def grown(growth: np.ndarray, error: float = 0.0015) -> Grown:
    """A cycle at each of some levels of 2, 3, 4, ... mA; the half-cycles last 600 s."""
    level = np.repeat(np.arange(LEVELS), 2)
    noise = np.random.default_rng(3).normal(0.0, error, level.size)
    return Grown(
        level, 2e-3 + 1e-3 * level, np.full(level.size, 600.0), growth + noise, np.full(level.size, error)
    )


@pytest.mark.parametrize("first", [1, 2, 4])
@pytest.mark.parametrize("yields", [0.01, 0.03])
def test_the_first_level_is_told_where_it_is_fainter_than_its_error(first: int, yields: float) -> None:
    """Voids of both interfaces that crowd the current and heal by nothing: dm/dt = A (j (1 + m) - J0), by steps."""
    supply, growth, missing = 2.0 + first - 0.5, [], [0.0, 0.0]
    for half in range(2 * LEVELS):
        begin, density = missing[half % 2], 2.0 + half // 2
        for _ in range(1000):
            missing[half % 2] += yields * max(density * (1 + missing[half % 2]) - supply, 0.0) / 1000
        growth.append(missing[half % 2] - begin)
    found, gain = first_starved(grown(0.3 * np.array(growth)), 1e-3)
    assert abs(int(np.argmax(found)) - first) <= 1 and gain > 14
    assert found[max(first - 1, 0) : first + 2].sum() > 0.8 and found.sum() == pytest.approx(1.0)


def test_nothing_grows() -> None:
    found, gain = first_starved(grown(np.zeros(2 * LEVELS)), 1e-3)
    assert gain < 5 and found.max() < 0.5
