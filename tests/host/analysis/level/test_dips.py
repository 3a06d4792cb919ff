"""Single rows towards 0."""

from ccdmon.analysis.level.dips import micro_shorts


def test_of_a_test_without_a_levelled_half_cycle_nothing_is_told() -> None:
    assert micro_shorts([]) == []
