"""Probabilities come from counted tables: between their points, by rule, else by kind."""

import pytest

from ccdmon.analysis import probability
from ccdmon.analysis.probability import KINDS, TABLES, key_of, probability_of, strength
from ccdmon.model.kinds import EVENT_KINDS

SLIGHT, PLAIN = {"ratio": 0.88}, {"ratio": 0.5}


@pytest.mark.parametrize("points", [*KINDS.values(), *TABLES.values()])
def test_a_table_rises_with_strength_and_stays_a_probability(points) -> None:
    strengths, shares = points
    assert list(strengths) == sorted(strengths)
    assert list(shares) == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1


def test_every_kind_has_a_table() -> None:
    assert set(KINDS) == set(EVENT_KINDS)


def test_more_evidence_is_never_less_likely() -> None:
    assert strength("partial_short", PLAIN) > strength("partial_short", SLIGHT)
    assert probability_of("partial_short", PLAIN) >= probability_of("partial_short", SLIGHT)


def test_a_counted_rule_wins_over_its_kind(monkeypatch) -> None:
    evidence = {"criterion": "V lost within a row", **PLAIN}
    monkeypatch.setattr(probability, "TABLES", {key_of("partial_short", evidence): ((1.0,), (0.25,))})
    assert probability_of("partial_short", evidence) == 0.25
    assert probability_of("hard_short", evidence) != 0.25
