"""Shunt, gain and what they resolve, by hand; and that the rig file holds them."""

from pathlib import Path

import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.rig.rig_file import read_rig
from ccdmon.rig.settings import settings_of
from ccdmon.rig.sizing import size
from ccdmon_fw import limits


def test_by_hand() -> None:
    sized = size(0.8e-3, 1.0, 5e6)
    assert (sized.current_full_scale_A, sized.pressure_full_scale_Pa) == (1e-3, 1e7)
    assert sized.shunt_ohm == 20.0  # 20 mV at 1 mA
    assert sized.gain == pytest.approx(82.5)  # 1.65 V / 20 mV
    assert sized.smallest_cell_ohm == pytest.approx(20 * 5 / 3)  # 20 of 53.3 ohm are 3/8
    assert sized.current_step_A == pytest.approx(2e-3 / 4096)
    assert sized.voltage_step_V == pytest.approx(2 * 5.27 / 4096)
    assert sized.smallest_short_V == pytest.approx(0.0283, abs=1e-4)


@pytest.mark.parametrize("current_A", [3e-7, 1e-5, 4.4e-4, 9.2e-3, 0.1, 2.0, 9.0])
def test_the_shunt_takes_little_of_the_compliance_and_the_amplifier_fills_the_range(current_A: float) -> None:
    sized = size(current_A)
    drop_V = sized.shunt_ohm * sized.current_full_scale_A
    assert 0.01 <= drop_V <= 0.025 * (1 + 1e-9)
    assert sized.current_full_scale_A >= 1.1 * current_A
    assert drop_V * sized.gain == pytest.approx(1.65)


def test_a_finer_converter_is_limited_by_codes_and_by_what_was_tried() -> None:
    assert size(1e-3, bits=24).voltage_step_V == size(1e-3, bits=16).voltage_step_V
    assert size(1e-3, bits=24).smallest_short_V < 2e-3
    assert size(1e-3, bits=24).smallest_short_V >= 1e-3


def test_what_no_shunt_carries_is_refused() -> None:
    with pytest.raises(InputError, match="100 nA to 10 A"):
        size(50.0)


def test_the_rig_file_holds_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.toml"
    assert main(["init", str(path), "--current", "0.0008", "--pressure", "5e6", "--bits", "24"]) == 0
    rig = read_rig(path)
    assert rig.front_end.current_full_scale_A == 1e-3
    assert rig.front_end.pressure_full_scale_Pa == 1e7
    assert rig.front_end.converter_bits == 24
    told = capsys.readouterr().err
    assert "# shunt 20 ohm" in path.read_text(encoding="utf-8")
    assert "smallest polarisation" in told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--voltage", "3"], "together with --current"),
        (["--current", "1", "--current-full-scale", "0.5"], "less than --current 1"),
        (["--current", "1", "--voltage", "4", "--voltage-full-scale", "3.3"], "less than --voltage 4"),
        (["--current", "50"], "10 A"),
        (["--current", "1e-3", "--voltage", "8"], "shows 5.27 V at most"),
        (["--current", "1e-3", "--voltage", "4", "--voltage-limit", "3"], "beyond the limit of 3 V"),
        (
            ["--current", "1e-3", "--voltage", "3.2", "--voltage-full-scale", "3.3"],
            "beyond the limit of 3.1 V",
        ),
        (["--voltage-limit", "6"], "its rail trips first"),
        (["--voltage-full-scale", "10", "--schematic", "w.svg"], "front end of your own"),
        (["--current", "1e-3", "--wiring", "gamry"], "the instrument's monitor"),
    ],
)
def test_what_does_not_go_together_is_told(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "r.toml"), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_full_scale_that_is_said_counts_and_the_others_are_explained() -> None:
    said = "\n".join(size(2e-3, 1.0).lines())
    assert "full scale 5 mA: the next of 1, 2, 5 above 2 mA and a tenth" in said
    assert "--voltage-full-scale 3.3: a step of 1.61 mV, shorts from 17.7 mV on" in said
    finer = size(2e-3, 1.0, current_full_scale_A=2.5e-3, voltage_full_scale_V=3.3)
    assert (finer.current_full_scale_A, finer.gain) == (2.5e-3, pytest.approx(1.65 / (10 * 2.5e-3)))
    assert finer.smallest_short_V == pytest.approx(0.0177, abs=1e-4), "what was promised"
    said = "\n".join(finer.lines())
    assert (
        "1 M from the cell's +, 1 M from 3.3 V, nothing to ground, a follower to GP26; it drives 1.65 uA"
        in said
    )
    assert "full scale 2.5 mA, as it was said" in said
    assert "--voltage-full-scale" not in "\n".join(size(2e-3, 4.0).lines()), "no finer one for 4 V"


@pytest.mark.parametrize(
    "options",
    [
        ["--current", "1e-6", "--pressure", "1e4"],
        ["--current-full-scale", "1e-6", "--voltage-full-scale", "1.2"],
        ["--current", "2e-3", "--voltage", "1", "--voltage-full-scale", "3.3", "--configuration", "full"],
    ],
)
def test_every_example_of_the_rig_file_is_within_what_its_converters_show(
    options: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "r.toml"
    assert main(["init", str(path), *options]) == 0
    text = path.read_text(encoding="utf-8")
    for key in ("current_A", "pressure_max_Pa", "pressure_min_Pa", "self_test_current_A", "voltage_min_V",
                "pressure_full_scale_Pa"):  # fmt: skip
        text = text.replace(f"# {key} = ", f"{key} = ")
    path.write_text(text, encoding="utf-8")
    rig = read_rig(path)
    scales, wanted = rig.front_end, rig.limits
    assert wanted.voltage_V < scales.voltage_full_scale_V
    assert wanted.current_A is not None and wanted.current_A < scales.current_full_scale_A
    assert wanted.voltage_min_V is not None and wanted.voltage_min_V < wanted.voltage_V
    assert rig.gate.self_test_current_A is not None
    assert rig.gate.self_test_current_A < scales.current_full_scale_A
    assert scales.pressure_full_scale_Pa is not None and wanted.pressure_max_Pa is not None
    assert wanted.pressure_min_Pa is not None
    assert wanted.pressure_min_Pa < wanted.pressure_max_Pa < scales.pressure_full_scale_Pa
    assert 0 < settings_of(rig, 1e-3)[limits.SETTINGS.index("pressure_max_code")] < limits.CODE_MAX


def test_a_number_with_a_unit_is_told_what_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["init", "-", "--current", "5mA"])
    assert "'5mA' is no number; give it without a unit" in capsys.readouterr().err
