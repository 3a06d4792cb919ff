"""A rig file's limits as the board's integers: each key reaches its setting, and calibration only tightens."""

from typing import Any

import pytest

from ccdmon.rig.rig_file import check_rig
from ccdmon.rig.settings import physical_limits, settings_of
from ccdmon_fw import limits

FRONT_END: dict[str, Any] = {
    "voltage_full_scale_V": 6.0, "current_full_scale_A": 0.01, "pressure_full_scale_Pa": 1e7,
}  # fmt: skip
PERIOD_S = 250e-6


def settings(**tables: Any) -> dict[str, int]:
    rig = check_rig({"front_end": FRONT_END, **tables}, "rig.toml")
    return dict(zip(limits.SETTINGS, settings_of(rig, PERIOD_S), strict=True))


@pytest.mark.parametrize(
    ("key", "value", "changed"),
    [
        ("voltage_V", 3.0, {"voltage_max_code", "voltage_min_code"}), ("voltage_min_V", 1.0, {"voltage_min_code"}),
        ("current_A", 0.005, {"current_max_code", "current_min_code"}),
        ("pressure_max_Pa", 5e6, {"pressure_max_code"}),
        ("pressure_min_Pa", 1e6, {"pressure_min_code"}),
        ("confirm_samples", 5, {"confirm_samples", "limit_confirm_samples"}),
    ],
)  # fmt: skip
def test_each_limit_reaches_its_setting_and_no_other(key: str, value: float, changed: set[str]) -> None:
    plain, limited = settings(), settings(limits={key: value})
    found = {
        name
        for name in limits.SETTINGS
        if plain[name] != limited[name] and name.endswith(("_code", "samples"))
    }
    assert changed <= found
    assert {name.split("_")[0] for name in found} <= {name.split("_")[0] for name in changed}


def test_pressure_limits_are_shares_of_its_own_range() -> None:
    found = settings(limits={"pressure_max_Pa": 5e6, "pressure_min_Pa": 2.5e6})
    assert found["pressure_max_code"] == pytest.approx(32768, abs=16)
    assert found["pressure_min_code"] == pytest.approx(16384, abs=16)


@pytest.mark.parametrize(
    ("gain", "offset", "nominal"), [(1.0, 0.0, 4.0), (2.0, 0.0, 2.0), (1.0, 0.5, 3.5), (1.0, -0.5, 3.5)]
)
def test_of_an_offset_a_limit_of_either_sign_takes_the_tighter_side(
    gain: float, offset: float, nominal: float
) -> None:
    front_end = {**FRONT_END, "voltage": {"gain": gain, "offset": offset}}
    rig = check_rig({"front_end": front_end, "limits": {"voltage_V": 4.0}}, "rig.toml")
    assert physical_limits(rig)["voltage_limit_V"] == pytest.approx(nominal)


def test_a_lower_limit_keeps_the_sign_of_the_offset() -> None:
    front_end = {**FRONT_END, "pressure": {"gain": 2.0, "offset": 1e6}}
    rig = check_rig({"front_end": front_end, "limits": {"pressure_min_Pa": 3e6}}, "rig.toml")
    assert physical_limits(rig)["pressure_min_Pa"] == pytest.approx(1e6)


@pytest.mark.parametrize(
    ("tables", "name", "value"),
    [
        ({"gate": {"drive": "pump"}}, "gate_drive", 1), ({"gate": {"feedback": "opens"}}, "gate_feedback", 2),
        ({"sampling": {"period_us": 500}}, "sample_period_us", 500),
        ({"sampling": {"overrun_limit": 7}}, "overrun_limit", 7),
        ({"host_trips": {"fake_stable": True}}, "host_reasons", 1), ({"host_trips": {}}, "host_reasons", 0),
        ({"host_trips": {"host_timeout_s": 2.5}}, "host_timeout_ms", 2500),
        ({"gate": {"self_test_current_A": 0.005}}, "self_test_current_units", limits.UNITS_FULL_SCALE // 2),
        ({"gate": {"self_test_ms": 40}}, "self_test_ms", 40),
    ],
)  # fmt: skip
def test_what_is_not_the_detectors_reaches_the_board(tables: dict[str, Any], name: str, value: int) -> None:
    assert settings(**tables)[name] == value


CALIBRATED: dict[str, Any] = {
    **FRONT_END, "voltage": {"gain": 2.0, "offset": 0.5}, "current": {"gain": 0.5, "offset": -0.001},
    "pressure": {"gain": 4.0, "offset": 1e5}, "converter_bits": 16,
}  # fmt: skip
LIMITS: dict[str, Any] = {
    "voltage_V": 4.5, "voltage_min_V": 1.5, "current_A": 0.006, "pressure_max_Pa": 8.1e6, "pressure_min_Pa": 1e5,
    "voltage_rate_V_s": 3.0, "current_rate_A_s": 0.01, "pressure_rate_Pa_s": 8e5, "resistance_min_ohm": 7.0,
    "settle_s": 2.0, "soft_persist_s": 30.0, "confirm_samples": 4,
}  # fmt: skip


def test_every_limit_is_taken_back_through_its_own_calibration() -> None:
    tables = {"front_end": CALIBRATED, "limits": LIMITS, "cell": {"electrode_area_cm2": 0.785}}
    rig = check_rig({**tables, "rules": {"hard_short": "warn"}}, "rig.toml")
    assert physical_limits(rig) == {
        "voltage_limit_V": pytest.approx(2.0), "voltage_min_V": pytest.approx(0.5),
        "current_limit_A": pytest.approx(0.010), "pressure_limit_Pa": pytest.approx(2e6),
        "pressure_min_Pa": pytest.approx(0.0), "voltage_rate_limit_V_s": pytest.approx(1.5),
        "current_rate_limit_A_s": pytest.approx(0.02), "pressure_rate_limit_Pa_s": pytest.approx(2e5),
        "resistance_min_ohm": 7.0, "area_cm2": 0.785, "converter_bits": 16, "voltage_zero_V": pytest.approx(-0.25),
        "settle_s": 2.0, "soft_persist_s": 30.0, "confirm_samples": 4, "actions": {"hard_short": "warn"},
    }  # fmt: skip
    plain = physical_limits(check_rig({"front_end": FRONT_END}, "rig.toml"))
    assert plain == {
        "voltage_limit_V": 5.0,
        "converter_bits": 12,
        "voltage_zero_V": 0.0,
        "confirm_samples": 2,
    }


@pytest.mark.parametrize(
    ("tables", "name", "value"),
    [
        ({}, "sample_period_us", 250), ({}, "gate_drive", 0), ({}, "gate_feedback", 0), ({}, "external_trip", 1),
        ({"gate": {"external_trip": "none"}}, "external_trip", 0),
        ({"gate": {"feedback": "closes"}}, "gate_feedback", 1),
        ({"host_trips": {"soft_short": True}}, "host_reasons", 1),
        ({"host_trips": {"contact_loss": True}}, "host_reasons", 1),
        ({"host_trips": {"host_timeout_s": 0.0016}}, "host_timeout_ms", 2),
        ({"gate": {"self_test_current_A": 1e-9}}, "self_test_current_units", 1),
        ({"front_end": {**FRONT_END, "current": {"gain": 0.5}}, "gate": {"self_test_current_A": 0.0025}},
         "self_test_current_units", limits.UNITS_FULL_SCALE // 2),
    ],
)  # fmt: skip
def test_what_is_not_said_and_what_is_smallest(tables: dict[str, Any], name: str, value: int) -> None:
    assert settings(**tables)[name] == value


def test_the_period_of_the_rig_file_counts_for_times_too() -> None:
    slow = settings(sampling={"period_us": 1000}, limits={"settle_s": 2.0})
    fast = settings(limits={"settle_s": 2.0})
    assert fast["settle_samples"] == pytest.approx(4 * slow["settle_samples"], abs=4)


def test_a_period_is_told_to_the_microsecond() -> None:
    rig = check_rig({"front_end": FRONT_END}, "rig.toml")
    known = dict(zip(limits.SETTINGS, settings_of(rig, 0.999999), strict=True))
    assert known["sample_period_us"] == 999999
