"""What the report says, as text."""

import pytest

from ccdmon.report import words


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("resistance_before_ohm", 76.43, ("resistance before", "76.43 Ω")),
        ("resistance_ohm_cm2", 3.0, ("resistance", "3 Ω cm²")),
        ("noise_before_V", 3.796e-05, ("noise before", "37.96 µV")),
        ("step_V", -0.0324, ("step", "-32.4 mV")),
        ("lasted_s", 12, ("lasted", "12 s")),
        ("ratio", 0.5, ("ratio", "0.5")),
        ("was_s", True, ("was s", "yes")),
        ("limit_V", None, ("limit V", words.DASH)),
    ],
)
def test_evidence_has_its_unit_behind_the_number(key, value, said) -> None:
    assert words.evidence({"evidence": {key: value}}) == [said]
