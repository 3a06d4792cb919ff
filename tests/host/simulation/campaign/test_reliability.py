"""The reliability table on hand-made events, and its command."""

from ccdmon.simulation.campaign.reliability import main, reliability_text, told_of
from ccdmon.simulation.campaign.score import Score, Told


def told(probability: float | None, real: bool, kind: str = "hard_short") -> Told:
    return Told(kind, probability, real, {})


def test_shares_stand_in_the_bin_of_their_probability_the_last_with_its_end() -> None:
    events = [told(1.0, True), told(0.9, True), told(0.95, False), told(0.6, True), told(0.69, False)]
    text = reliability_text({"model": events})
    assert "| 0.9-1 | 95 % | 67 % of 3 |" in text
    assert "| 0.5-0.7 | 60 % | 50 % of 2 |" in text
    assert "| 0.7-0.9 | 80 % | - |" in text
    assert "| hard_short | - | 50 % of 2 | - | 67 % of 3 |" in text


def test_worlds_are_told_apart_and_together() -> None:
    text = reliability_text({"model": [told(0.95, True)], "ladder": [told(0.95, False)]})
    assert "| 0.9-1 | 95 % | 100 % of 1 | 0 % of 1 | 50 % of 2 |" in text


def test_what_nobody_could_tell_and_what_has_no_probability_does_not_count() -> None:
    counted = Score("a", 1, "hard_short", 10, told=[told(0.9, True), told(None, True)])
    excluded = Score("a", 1, "hard_short", 10, excluded="too late", told=[told(0.9, False)])
    assert told_of([counted, excluded]) == [told(0.9, True)]


def test_the_command_prints_the_table_and_wants_recordings_for_the_third_world(capsys) -> None:
    assert main(["--seeds", "1", "--jobs", "1", "--max-rows", "600"]) == 0
    assert "| 0.9-1 | 95 % |" in capsys.readouterr().out
    assert main(["--world", "injected"]) == 2
