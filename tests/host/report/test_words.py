"""What the report says, as text."""

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.model.trace import Cell, Trace
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


def test_soft_shorts_that_healed_are_told_with_the_level_where_one_stayed() -> None:
    levels = np.repeat(np.arange(1, 11), 2)  # 0.1 to 1 mA cm-2
    half = np.repeat(np.arange(20), 300)
    current_A = 1e-4 * levels[half] * np.where(half % 2, -1, 1)
    into = np.tile(np.arange(300), 20)
    ohm = np.where((half == 8) & (into > 100) & (into < 150) | (half > 14), 2.0, 100.0)
    ohm = ohm * (1 - 0.1 * np.exp(-into / 30))
    document = analyze(Trace(np.arange(6000.0), ohm * current_A, current_A, cell=Cell(1.0)))
    ccd = document["ccd"]
    assert ccd["soft_shorts_reversible_to_mA_cm2"] == pytest.approx(0.5)
    assert ccd["shorts_stay_from_mA_cm2"] == pytest.approx(0.8)
    assert "Soft shorts healed up to 0.5 mA cm⁻², and one stayed at 0.8 mA cm⁻²." in words.ccd_sentence(
        document
    )


def test_reasons_have_their_units_as_people_write_them() -> None:
    why = {
        "normalised": {"ccd_25degC": {"text": "1 mA cm-2 at 60 degC, 40 ohm cm2", "section": "3.5"}},
        "lithium": {"text": "moves 0.1 um, 2e-8 cm2 s-1, 5 ohm of albumin", "section": "3.3"},
    }
    assert words.reasons({"why": why}) == [
        ("CCD at 25 °C", "1 mA cm⁻² at 60 °C, 40 Ω cm² (3.5)"),
        ("Lithium", "moves 0.1 µm, 2e-8 cm² s⁻¹, 5 Ω of albumin (3.3)"),
    ]
