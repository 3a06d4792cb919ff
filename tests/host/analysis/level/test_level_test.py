"""The level of a test, asked for while it runs."""

import numpy as np
import pytest

from ccdmon.analysis.level.level_test import WARM, LevelTest
from ccdmon.analysis.rows_in_blocks import Array
from tests.host.analysis.level.made_up_stretches import half_cycles


def dropping(k: int, t: Array) -> Array:
    """A fifth of the resistance is lost in the tenth half-cycle."""
    return np.where((k > 9) | ((k == 9) & (t >= 30)), 0.8, 1.0)


def levels(test: LevelTest) -> list[list[float]]:
    return [h.level.tolist() for h in test.leveled]


@pytest.mark.parametrize("after", [1, WARM - 1, WARM, WARM + 1, 11])
def test_asking_changes_nothing(after: int) -> None:
    asked, left = LevelTest(), LevelTest()
    for k, s in enumerate(half_cycles(14, dropping)):
        asked.feed(s)
        left.feed(s)
        if k >= after:
            asked.ended([])
    assert levels(asked.ended([])) == levels(left.ended([]))
    assert asked.ended([]).excursions.all() == left.ended([]).excursions.all()


def test_an_end_with_more_stretches_is_as_if_they_had_been_fed() -> None:
    whole, begun = LevelTest(), LevelTest()
    stretches = half_cycles(12, dropping)
    for s in stretches:
        whole.feed(s)
    for s in stretches[:-2]:
        begun.feed(s)
    ended = begun.ended(stretches[-2:])
    assert levels(ended) == levels(whole.ended([]))
    assert len(begun.leveled) == 10


def test_the_first_half_cycles_are_looked_at_twice() -> None:
    test = LevelTest()
    for s in half_cycles(WARM - 1):
        test.feed(s)
    assert test.leveled == []
    assert np.ptp(test.ended([]).leveled[0].level) < 3.0  # the shape is known before the first row


def test_a_step_down_is_an_excursion_that_stays() -> None:
    test = LevelTest()
    for s in half_cycles(14, dropping):
        test.feed(s)
    (found,) = [e for e in test.ended([]).excursions.all() if e.state == "lasting"]
    assert (found.number, found.row, found.sign) == (9, 30, -1)
    assert found.ratio == pytest.approx(0.8, abs=0.03)
