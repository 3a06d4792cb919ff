"""The rig file: what is refused and how, what the commented file says, and what becomes of its limits."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.model.front_end import FrontEnd
from ccdmon.rig.rig_file import check_rig, read_rig
from ccdmon.rig.settings import settings_of
from ccdmon_fw import limits

FRONT_END = {"voltage_full_scale_V": 5.0, "current_full_scale_A": 0.01}


def rig_with(**tables: Any) -> dict[str, Any]:
    return {"front_end": FRONT_END, **tables}


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({}, "rig.toml: front_end: missing"),
        (rig_with(frontend={}), "frontend: unknown key; did you mean 'front_end'?"),
        (rig_with(limits={"voltage_v": 3}), "[limits] voltage_v: unknown key; did you mean 'voltage_V'?"),
        (rig_with(limits={"colour": 3}), "[limits] colour: unknown key; known: voltage_V,"),
        (rig_with(limits={"voltage_V": -3}), "[limits] voltage_V: input should be greater than 0 (found -3)"),
        (rig_with(limits={"voltage_V": float("nan")}), "[limits] voltage_V:"),
        (
            rig_with(rules={"hardshort": "trip"}),
            "[rules] hardshort: unknown rule; did you mean 'hard_short'?",
        ),
        (rig_with(rules={"hard_short": "tripp"}), "(found 'tripp')"),
        (rig_with(limits={"pressure_min_Pa": 3, "pressure_max_Pa": 2}), "pressure_min_Pa must lie below"),
        (
            rig_with(protocol={"kind": "time_control", "levels_mA_cm2": [0.1], "half_cycle": 3}),
            "[protocol] half_cycle: unknown key; did you mean 'half_cycle_s'?",
        ),
        (rig_with(protocol={"kind": "time_control", "levels_mA_cm2": [0.1]}), "needs the time"),
        ({"front_end": 3}, "front_end: input should be"),
        ({"front_end": {**FRONT_END, "voltage": {"gian": 1}}}, "[front_end.voltage] gian"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_nearest_key(document: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as refused:
        check_rig(document, "rig.toml")
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_or_not_toml_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ccdmon init"):
        read_rig(tmp_path / "rig.toml")
    (tmp_path / "rig.toml").write_text("[cell\n")
    with pytest.raises(InputError, match="not a readable TOML"):
        read_rig(tmp_path / "rig.toml")


def test_init_writes_what_was_said_and_every_comment_is_a_key_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    assert main(["init", str(path), "--area-cm2", "0.785", "--electrolyte", 'LL"ZO', "--name", "bay 3"]) == 0
    rig = read_rig(path)
    assert (rig.name, rig.cell.electrode_area_cm2, rig.cell.electrolyte) == ("bay 3", 0.785, 'LL"ZO')
    uncommented = "\n".join(
        line.removeprefix("# ") if " = " in line or line.startswith("# [") else line
        for line in path.read_text().splitlines()
    )
    full = check_rig(tomllib.loads(uncommented), "all comments removed")
    assert full.protocol is not None
    assert full.document() != rig.document()


def test_init_does_not_overwrite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rig.toml"
    assert main(["init", str(path)]) == 0
    assert main(["init", str(path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["init", str(path), "--force", "--voltage-limit", "3"]) == 0
    assert read_rig(path).limits.voltage_V == 3


def test_a_run_folder_keeps_the_rig_and_the_rig_the_cell() -> None:
    rig = check_rig(rig_with(cell={"electrode_area_cm2": 2.0, "electrodes": "Li"}), "rig.toml")
    assert check_rig(rig.document(), "again") == rig
    assert rig.cell_declared().metadata["cell"]["electrodes"] == "Li"
    assert rig.front_end_scales() == FrontEnd(5.0, 0.01)


def firmware_settings(document: dict[str, Any]) -> dict[str, int]:
    rig = check_rig(document, "rig.toml")
    return dict(zip(limits.SETTINGS, settings_of(rig, 0.001), strict=False))


def test_the_firmware_gets_limits_in_its_codes_calibration_taken_out() -> None:
    plain = firmware_settings(rig_with(limits={"voltage_V": 2.5, "current_A": 0.005, "settle_s": 2.0}))
    assert plain["voltage_max_code"] == limits.CODE_ZERO * 3 // 2
    assert plain["current_min_code"] == limits.CODE_ZERO // 2
    assert plain["settle_samples"] == 2000
    voltage = {"gain": 1.25, "offset": 0.1}
    calibrated = firmware_settings(
        {"front_end": {**FRONT_END, "voltage": voltage}, "limits": {"voltage_V": 2.6}}
    )
    assert calibrated["voltage_max_code"] == int(limits.CODE_ZERO * (1 + 2.0 / 5.0))


def test_the_firmware_gets_the_actions() -> None:
    names = [name for name in limits.SETTINGS if name.startswith("action")]
    before, after = (
        firmware_settings(rig_with()),
        firmware_settings(rig_with(rules={"soft_persists": "trip"})),
    )
    assert names and before != after
    with pytest.raises(InputError, match="did you mean 'soft_persists'"):
        check_rig(rig_with(rules={"soft_persist": "trip"}), "rig.toml")


def test_the_firmware_gets_sampling_gate_and_host() -> None:
    tables = {
        "sampling": {"period_us": 500, "overrun_limit": 3},
        "gate": {"drive": "pump", "feedback": "opens", "self_test_current_A": 1e-4, "self_test_ms": 50},
        "host_trips": {"soft_short": True, "host_timeout_s": 2.5},
        "limits": {"settle_s": 2.0},
    }
    edge = firmware_settings(rig_with(**tables))
    assert [edge[name] for name in limits.EDGE_SETTINGS] == [500, 2500, 1, 1, 2, 163, 50, 3, 1]
    assert edge["settle_samples"] == 4000  # of its own period
    assert limits.check_settings(list(edge.values())) == -1
    plain = firmware_settings(rig_with())
    assert (plain["sample_period_us"], plain["host_timeout_ms"], plain["host_reasons"]) == (1000, 0, 0)
