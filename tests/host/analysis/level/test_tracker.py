"""The level of a cell whose resistance is known."""

import numpy as np
import pytest

from ccdmon.analysis.level.leveled import Leveled
from ccdmon.analysis.level.tracker import LevelTracker
from ccdmon.analysis.rows_in_blocks import Array
from tests.host.analysis.level.made_up_stretches import CURRENT_A, OHM, half_cycles, stretch


def leveled(tracker: LevelTracker, count: int = 10, **more: object) -> list[Leveled]:
    found = [tracker.feed(s) for s in half_cycles(count, **more)]  # type: ignore[arg-type]
    return [h for h in found if h is not None]


def test_a_sound_cell_has_one_level_from_the_first_row_of_a_half_cycle_to_the_last() -> None:
    found = leveled(LevelTracker())
    assert all(h.sound for h in found)
    for h in found[5:]:
        assert h.level == pytest.approx(OHM, rel=0.02)
        assert h.median_ohm == pytest.approx(OHM, rel=0.01)


def test_the_error_shrinks_with_what_is_known() -> None:
    errors = [float(np.median(h.error)) for h in leveled(LevelTracker())]
    assert errors[-1] < 0.02 < 0.06 < errors[1]


def test_a_partial_short_is_a_level_lower_by_as_much() -> None:
    def share(k: int, t: Array) -> Array:
        return np.where((k == 8) & (t >= 60), 0.8, 1.0)

    found = leveled(LevelTracker(), share=share)[8]
    late = found.time_s - found.stretch.start_s >= 62
    assert found.level[late] == pytest.approx(0.8 * OHM, rel=0.03)
    assert found.level[~late][2:-1] == pytest.approx(OHM, rel=0.03)


def test_a_dead_half_cycle_teaches_nothing() -> None:
    tracker = LevelTracker()
    found = leveled(tracker, 9, share=lambda k, t: np.full(t.size, 0.01 if k >= 6 else 1.0))
    assert [h.sound for h in found[5:]] == [True] + [False] * 3
    assert tracker.level.taught == 6
    assert found[-1].level == pytest.approx(0.01 * OHM, rel=0.05)


def test_rests_and_next_to_no_current_have_no_level() -> None:
    tracker = LevelTracker()
    rest = stretch(leveled(tracker, 2)[-1].stretch, 0.0, np.zeros(50))
    assert tracker.feed(rest) is None
    assert tracker.feed(stretch(rest, 1e-31, np.full(50, 0.1))) is None


def test_after_a_current_that_moves_twenty_times_the_charge_all_before_are_scans() -> None:
    tracker = LevelTracker()
    last = half_cycles(3)[-1]
    for s in half_cycles(3):
        tracker.feed(s)
    large = stretch(last, 100 * CURRENT_A, np.full(120, 100 * CURRENT_A * OHM))
    found = tracker.feed(large)
    assert tracker.fresh and found is not None and found.number == 0


def test_a_warm_tracker_knows_the_shape_of_the_first_half_cycle() -> None:
    first = half_cycles(6)
    cold, warm = LevelTracker().feed(first[0]), LevelTracker.warm(first).feed(first[0])
    assert cold is not None and warm is not None
    assert np.ptp(cold.level) > 0.25 * OHM
    assert np.ptp(warm.level) < 0.02 * OHM


def test_a_current_that_no_ammeter_tells_from_nothing_has_no_level() -> None:
    tracker = LevelTracker()
    assert tracker.feed(stretch(None, 1e-320, np.full(60, 0.1))) is None
    assert tracker.feed(stretch(None, CURRENT_A, np.full(60, 0.1))) is not None
