"""An electrolyte's name and what it means."""

import pytest

from ccdmon.model.electrolytes import kind_of_electrolyte


@pytest.mark.parametrize(
    "kind, names",
    [
        (
            "oxide",
            "LLZO, Al2O3-coated LLZO, LLZO coated with Al2O3, ALD Al2O3 LLZO, Li7La3Zr2O12, Li₇La₃Zr₂O₁₂, LLZTO, LATP, "
            "Li1.3Al0.3Ti1.7(PO4)3, LiPON, Li-Na-LLZO, Li0.34La0.56TiO3, Ta-doped LLZO, NASICON, NASICON-type LAGP",
        ),
        (
            "sulfide",
            "Li6PS5Cl, Li3PS4, Li7P3S11, LPSCl, LGPS, Li10GeP2S12, Li10SnP2S12, 75Li2S-25P2S5, argyrodite, "
            "Li6PS5-xOxBr, Li9.54Si1.74P1.44S11.7Cl0.3, Al2O3 coated Li6PS5Cl",
        ),
        ("polymer", "PEO-LiTFSI, PEO20-LiTFSI, LLZO-PEO, Polymer in ceramic, PVDF-HFP, PAN"),
        (
            "sodium",
            "Na3Zr2Si2PO12, Na-NASICON, Na3PS4, NZSP, Na-beta''-Al2O3, β''-alumina, Na2.88Sb0.88W0.12S4",
        ),
        (None, "unknown, x, expanded, Li3YCl6"),
    ],
)
def test_kinds(kind: str | None, names: str) -> None:
    assert {name: kind_of_electrolyte(name) for name in names.split(", ")} == dict.fromkeys(
        names.split(", "), kind
    )


def test_no_name_tells_nothing() -> None:
    assert kind_of_electrolyte(None) is None and kind_of_electrolyte("") is None
