"""Counting what is real: groups that rise, on hand-made events, and the command."""

import pytest

from ccdmon.simulation.campaign.calibrate import LEAST_EVENTS, by_rule, groups, main, tables_of
from ccdmon.simulation.campaign.score import Told


def test_groups_hold_their_share_with_one_of_each_counted_before() -> None:
    weak, strong = (
        [(1.0 + k / 100, k % 2 == 0) for k in range(12)],
        [(3.0 + k / 100, True) for k in range(12)],
    )
    found = groups([*strong, *weak])
    assert [count for _, _, count in found] == [12, 12]
    assert [share for _, share, _ in found] == [pytest.approx(7 / 14), pytest.approx(13 / 14)]
    assert found[0][0] < 2 < found[1][0]


def test_a_share_that_would_fall_with_the_strength_is_pooled() -> None:
    found = groups([(1.0 + k / 100, True) for k in range(12)] + [(3.0 + k / 100, False) for k in range(12)])
    assert [share for _, share, _ in found] == [pytest.approx(13 / 26)]


def test_events_of_one_strength_stay_together() -> None:
    assert [count for _, _, count in groups([(1.0, True)] * 40)] == [40]


def test_a_rule_that_told_too_few_has_no_table() -> None:
    few = [Told("hard_short", None, True, {"criterion": "a"})] * (LEAST_EVENTS - 1)
    enough = [Told("hard_short", None, True, {"criterion": "b"})] * LEAST_EVENTS
    assert list(tables_of([*few, *enough], by_rule)) == ["hard_short: b"]


def test_the_command_prints_tables(capsys) -> None:
    assert main(["--seeds", "1", "--jobs", "1", "--max-rows", "500"]) == 0
    assert capsys.readouterr().out.startswith("KINDS\n")
