"""The wiring's figure names what the firmware's README names, with the rig's values as text; and the parts."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ccdmon.cli import main
from ccdmon.cli.board.init import WIRINGS as OFFERED
from ccdmon.errors import InputError
from ccdmon.rig.schematic import WIRINGS, draw

pytest.importorskip("schemdraw", reason="the optional extra ccdmon[schematic] is not installed")
SVG = "{http://www.w3.org/2000/svg}"
SAID = {
    "relay": (
        "GP22",
        "GP26",
        "GP27",
        "GP28",
        "GP14",
        "1.6 M",
        "2.7 M",
        "220 pF",
        "50 ohm",
        "x33",
        "coil",
        "100 nF",
        "reference pin",
    ),
    "biologic": ("GP22", "GP26", "GP27", "OPEN In", "680", "E monitor", "I monitor"),
    "gamry": ("GP22", "GP26", "GP27", "Digital In 0", "680", "9.1 k"),
}


def _texts(path: Path) -> list[str]:
    root = ElementTree.parse(path).getroot()
    return ["".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")]


def test_what_is_offered_is_drawn() -> None:
    assert tuple(WIRINGS) == OFFERED


@pytest.mark.parametrize("wiring", WIRINGS)
def test_the_figure_says_its_pins_and_values_as_text(wiring: str, tmp_path: Path) -> None:
    parts = draw(wiring, tmp_path / "w.svg", "50 ohm", "x33")
    texts = _texts(tmp_path / "w.svg")
    for said in SAID[wiring]:
        assert said in texts
    bought = " ".join(part.what for part in parts)
    for value in {text for text in texts if re.fullmatch(r"[\d.]+ (k|M|nF|pF)", text)}:
        assert value in bought, "every resistor and capacitor in the figure is in the list"


def test_init_draws_with_the_sized_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rig, figure = tmp_path / "r.toml", tmp_path / "w.svg"
    assert main(["init", str(rig), "--current", "0.0008", "--schematic", str(figure)]) == 0
    assert "1 x shunt 20 ohm" in capsys.readouterr().err
    assert "20 ohm" in _texts(figure)
    assert main(["init", str(tmp_path / "s.toml"), "--schematic", str(figure)]) == 2
    assert "--force" in capsys.readouterr().err
    assert not (tmp_path / "s.toml").exists()


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.svg"):
        draw("relay", tmp_path / "w.png")


def test_the_finer_divider_is_drawn_and_bought(tmp_path: Path) -> None:
    parts = draw("relay", tmp_path / "w.svg", voltage_full_scale_V=3.3)
    texts = _texts(tmp_path / "w.svg")
    assert "2.7 M" not in texts and "1.6 M" not in texts and "Cell's voltage, +-3.3 V" in texts
    divider = [part for part in parts if part.where == "voltage divider" and part.what.startswith("resistor")]
    assert [(part.pieces, part.what) for part in divider] == [(2, "resistor 1 M, 0.1 %")]


def test_where_the_middle_of_the_supply_comes_from_is_in_the_list(tmp_path: Path) -> None:
    bought = [part.what for part in draw("relay", tmp_path / "w.svg") if "1.65 V" in part.where]
    assert "resistor 10 k, 0.1 %" in bought and "capacitor 100 nF" in bought
    assert any(what.startswith("dual op amp") for what in bought)
