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


# (table, key, the narrowest that is taken, the widest that is not)
EDGES: list[tuple[str, str, Any, Any]] = [
    ("cell", "electrode_area_cm2", 1e-9, 0.0), ("conditions", "pressure_Pa", 0.0, -1e-9),
    ("conditions", "temperature_degC", -40.0, "cold"), ("cell", "configuration", "full", "whole"),
    ("front_end", "voltage_full_scale_V", 1e-9, 0.0), ("front_end", "current_full_scale_A", 1e-9, 0.0),
    ("front_end", "pressure_full_scale_Pa", 1e-9, 0.0), ("front_end", "converter_bits", 8, 7),
    ("front_end", "converter_bits", 32, 33), ("front_end", "temperature_at", "cell", "oven"),
    ("front_end", "voltage", {"gain": 1e-9}, {"gain": 0.0}),
    ("front_end", "current", {"noise": 0.0}, {"noise": -1e-9}),
    ("front_end", "pressure", {"offset": -5.0}, {"offset": "5"}), ("limits", "voltage_V", 1e-9, 0.0),
    ("limits", "current_A", 1e-9, 0.0), ("limits", "pressure_max_Pa", 1e-9, 0.0),
    ("limits", "pressure_min_Pa", 0.0, -1e-9),
    ("limits", "voltage_rate_V_s", 1e-9, 0.0), ("limits", "current_rate_A_s", 1e-9, 0.0),
    ("limits", "pressure_rate_Pa_s", 1e-9, 0.0), ("limits", "resistance_min_ohm", 1e-9, 0.0),
    ("limits", "settle_s", 1e-9, 0.0), ("limits", "soft_persist_s", 1e-9, 0.0), ("limits", "confirm_samples", 1, 0),
    ("sampling", "period_us", 100, 99), ("sampling", "overrun_limit", 1, 0), ("gate", "self_test_current_A", 1e-9, 0.0),
    ("gate", "self_test_ms", 1, 0), ("gate", "drive", "pump", "pull"), ("gate", "feedback", "opens", "open"),
    ("gate", "external_trip", "none", "loops"), ("telemetry", "samples_per_block", 1, 0),
    ("telemetry", "samples_per_block", 255, 256), ("telemetry", "mode", "events", "all"),
    ("recording", "rotate_MB", 1e-9, 0.0), ("recording", "keep_free_MB", 0.0, -1e-9),
    ("host_trips", "persist_s", 0.0, -1e-9), ("host_trips", "host_timeout_s", 1e-9, 0.0),
    ("host_trips", "soft_short", True, 1), ("notifications", "urls", ["json://x"], [3]),
    ("port", "device", "/dev/x", 3), ("rules", "hard_short", "off", "on"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "key", "taken", "refused"), EDGES)
def test_each_key_ends_where_it_ends(table: str, key: str, taken: Any, refused: Any) -> None:
    def with_(value: Any) -> dict[str, Any]:
        document = rig_with()
        return {**document, table: {**document.get(table, {}), key: value}}

    found = check_rig(with_(taken), "rig.toml").document()[table][key]
    assert found == taken or taken.items() <= found.items()
    with pytest.raises(InputError, match=f"rig.toml: .*{key}"):
        check_rig(with_(refused), "rig.toml")


PROTOCOL = {"kind": "time_control", "levels_mA_cm2": [0.1, 0.2], "half_cycle_s": 10.0}


@pytest.mark.parametrize(
    ("key", "taken", "refused"),
    [
        ("levels_mA_cm2", [1e-9], []), ("levels_mA_cm2", [0.1], [0.0]), ("half_cycle_s", 1e-9, 0.0),
        ("cycles_per_level", 1, 0), ("rest_initial_s", 0.0, -1e-9), ("rest_between_half_cycles_s", 0.0, -1e-9),
        ("rest_between_cycles_s", 0.0, -1e-9), ("row_interval_s", 1e-9, 0.0), ("kind", "endurable_time", "ramp"),
    ],
)  # fmt: skip
def test_each_key_of_the_protocol_ends_where_it_ends(key: str, taken: Any, refused: Any) -> None:
    assert check_rig(rig_with(protocol={**PROTOCOL, key: taken}), "rig.toml").protocol is not None
    with pytest.raises(InputError, match=key):
        check_rig(rig_with(protocol={**PROTOCOL, key: refused}), "rig.toml")


@pytest.mark.parametrize(
    ("from_Hz", "to_Hz", "fine"),
    [
        (1e7, 9999999.5, True), (1e-4, 1e-5, True), (1.0, 2.0, False), (1.5, 1.5 + 0.0, False), (1.00001e7, 1.0, False),
        (1.0, 0.99e-5, False),
    ],
)  # fmt: skip
def test_spectra_go_down_and_their_ends_are_bounded(from_Hz: float, to_Hz: float, fine: bool) -> None:
    protocol = {**PROTOCOL, "impedance_from_Hz": from_Hz, "impedance_to_Hz": float(str(to_Hz))}
    if fine:
        check_rig(rig_with(protocol=protocol), "rig.toml")
        return
    with pytest.raises(InputError, match="impedance_"):
        check_rig(rig_with(protocol=protocol), "rig.toml")


def test_what_is_not_said_is_what_the_documents_say() -> None:
    assert check_rig(rig_with(protocol=PROTOCOL), "rig.toml").document() == {
        "schema": "ccdmon.rig/1", "name": "rig", "cell": {"configuration": "symmetric"}, "conditions": {},
        "port": {"device": "auto"}, "rules": {}, "sampling": {},
        "front_end": {
            **FRONT_END, "converter_bits": 12, "temperature_at": "board",
            **{name: {"gain": 1.0, "offset": 0.0} for name in ("voltage", "current", "pressure", "temperature")},
        },
        "limits": {"voltage_V": 5.0, "confirm_samples": 2},
        "gate": {"drive": "level", "feedback": "none", "external_trip": "loop"},
        "telemetry": {"mode": "every_sample", "samples_per_block": 32},
        "recording": {"rotate_MB": 1000.0, "keep_free_MB": 500.0},
        "host_trips": {"soft_short": False, "fake_stable": False, "contact_loss": False, "persist_s": 60.0},
        "notifications": {"urls": []},
        "protocol": {
            **PROTOCOL, "cycles_per_level": 1, "rest_initial_s": 0.0, "rest_between_half_cycles_s": 0.0,
            "rest_between_cycles_s": 0.0, "row_interval_s": 1.0,
            "impedance": "none", "impedance_amplitude_V": 0.01, "impedance_from_Hz": 1e6, "impedance_to_Hz": 0.1,
            "impedance_points_per_decade": 10, "impedance_rest_s": 60.0,
        },
    }  # fmt: skip


def test_pressures_that_are_one_are_no_range_and_several_faults_are_counted() -> None:
    with pytest.raises(InputError, match="must lie below"):
        check_rig(rig_with(limits={"pressure_min_Pa": 2.0, "pressure_max_Pa": 2.0}), "rig.toml")
    check_rig(rig_with(limits={"pressure_min_Pa": 1.9, "pressure_max_Pa": 2.0}), "rig.toml")
    with pytest.raises(InputError, match=r"\(and 1 more\)$"):
        check_rig(rig_with(limits={"voltage_V": -1, "current_A": -1}), "rig.toml")
    with pytest.raises(InputError, match=r"voltage_V[^\n]*[^)]$|found -1\)$"):
        check_rig(rig_with(limits={"voltage_V": -1}), "rig.toml")
    with pytest.raises(InputError, match="control characters; mend it"):
        check_rig(rig_with(name="\x07"), "rig.toml")


def test_a_rig_file_that_never_ends_or_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "large.toml").write_bytes(b"#" * (1 << 20) + b"\n")
    for path, why in (
        (Path("/dev/zero"), "larger than 1048576 bytes"), (tmp_path / "large.toml", "larger than 1048576 bytes"),
        (tmp_path, "is a folder; name a rig file"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=why) as caught:
            read_rig(path)
        assert str(caught.value).count("\n") == 0
