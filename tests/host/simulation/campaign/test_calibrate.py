"""Counting what is real: groups that rise, on hand-made events, and the command."""

import pytest

from ccdmon.simulation.campaign.calibrate import LEAST_EVENTS, by_rule, groups, main, tables_of
from ccdmon.simulation.campaign.score import Told


def test_groups_hold_their_share_with_half_of_each_counted_before() -> None:
    weak = [(1.0 + k / 100, k % 2 == 0) for k in range(LEAST_EVENTS)]
    strong = [(3.0 + k / 100, True) for k in range(LEAST_EVENTS)]
    found = groups([*strong, *weak])
    n = LEAST_EVENTS
    assert [count for *_, count in found] == [n, n]
    assert [g[2] for g in found] == [pytest.approx(0.5), pytest.approx((n + 0.5) / (n + 1))]
    assert [(low, high) for low, high, *_ in found] == [
        (1.0, pytest.approx(1 + (n - 1) / 100)),
        (3.0, pytest.approx(3 + (n - 1) / 100)),
    ]


def test_a_share_that_would_fall_with_the_strength_is_pooled() -> None:
    n = LEAST_EVENTS
    found = groups([(1.0 + k / 100, True) for k in range(n)] + [(3.0 + k / 100, False) for k in range(n)])
    assert [g[2] for g in found] == [pytest.approx(0.5)]


def test_events_of_one_strength_stay_together() -> None:
    assert [count for *_, count in groups([(1.0, True)] * 3 * LEAST_EVENTS)] == [3 * LEAST_EVENTS]


def test_a_rule_that_told_too_few_has_no_table() -> None:
    few = [Told("hard_short", None, True, {"criterion": "a"})] * (LEAST_EVENTS - 1)
    enough = [Told("hard_short", None, True, {"criterion": "b"})] * LEAST_EVENTS
    assert list(tables_of([*few, *enough], by_rule)) == ["hard_short: b"]


def test_the_command_prints_tables(capsys) -> None:
    assert main(["--seeds", "1", "--jobs", "1", "--max-rows", "500"]) == 0
    assert capsys.readouterr().out.startswith("KINDS\n")
