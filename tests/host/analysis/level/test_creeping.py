"""Seen on its way a fall is a leak that forms; a step leaves a block of two levels at most, and noise no order."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.analysis.level.creeping import creeps
from ccdmon.simulation.simulate import simulate

KEPT, LEFT = 100.0, 1.0


def _line(level: list[float], numbers: list[int] | None = None) -> Any:
    numbers = numbers or [2] * len(level)
    return SimpleNamespace(level=np.array(level), number=np.array(numbers, dtype=float))


@pytest.mark.parametrize(
    ("level", "creeping"),
    [
        ([100, 99, 101, 1, 1, 1], False),
        ([100, 99, 55, 1, 1, 1], False),  # a block of both
        ([100, 96, 78, 54, 37, 25, 16, 11, 5, 2], True),
        ([100, 72, 88, 30, 41, 15, 1, 1], False),  # noise
        ([100, 80, 60, 40, 1, 1], False),  # three are no way yet
    ],
)
def test_a_way_is_more_than_a_step_leaves(level: list[float], creeping: bool) -> None:
    e: Any = SimpleNamespace(kept=KEPT, level=LEFT)
    first_low = next(k for k, value in enumerate(level) if value < 50)
    assert creeps(_line(level), first_low, e) is creeping


def test_what_half_cycles_lose_one_after_another_is_not_seen_within_one() -> None:
    e: Any = SimpleNamespace(kept=KEPT, level=LEFT)
    assert not creeps(_line([100, 80, 70, 60, 50, 40, 30], [0, 1, 2, 3, 4, 5, 6]), 4, e)


@pytest.mark.parametrize("seed", [47044, 47109, 51001])
def test_a_leak_that_forms_in_the_first_half_cycles_is_no_hard_short(seed: int) -> None:
    """To 1/30 and 1/140 within thirty rows, and to a fifth behind a reversal over which the level was not known."""
    made = simulate("fake_stable", seed, max_rows=3000)
    assert [event["kind"] for event in analyze(made.trace)["events"]] == ["fake_stable"]
