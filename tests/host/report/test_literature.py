"""Tables of the review, shipped as data."""

from ccdmon.report.literature import compare, published, sentence, standards


def test_tables_are_whole() -> None:
    assert len(published()) == 66 and len(standards()) == 20
    assert max(p.ccd_mA_cm2 for p in published()) == 20.0
    assert next(p for p in published() if p.system == "Li-LiF-Li3PS4").ccd_mA_cm2 == 2.0
    assert min(s.current_density_mA_cm2 for s in standards()) == 1.34


def test_compared_with_its_own_kind_at_its_own_temperature() -> None:
    warm, cool = compare(1.0, "LLZO", 130.0), compare(1.0, "LLZO", 25.0)
    assert warm["peers"] == 1 and warm["better_than"] == 0.0
    assert cool["peers"] > 20 and 0.4 < cool["better_than"] < 0.7


def test_target_needs_current_and_capacity() -> None:
    assert not compare(4.0, "LLZO", 25.0)["reaches_target"]
    assert compare(4.0, "LLZO", 25.0, capacity_mAh_cm2=4.0)["reaches_target"]
    assert compare(4.0)["standards_met"] == 13


def test_sentence_for_a_person() -> None:
    assert "mA cm⁻² is above" in sentence(compare(0.5, "Li6PS5Cl", 25.0))
    assert "No published cell" in sentence(compare(0.5, "Na3Zr2Si2PO12", 400.0))
