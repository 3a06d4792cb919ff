"""What a rule compared, in physical units: by reason, by rule, by the setting that a limit quotes."""

import pytest

from ccdmon.model.front_end import FrontEnd
from ccdmon.rig.physical import compared, physical_limits
from ccdmon_fw import limits

SCALES = FrontEnd(8.0, 0.016, 4e6)
SETTINGS = {"voltage_max_code": 53248, "current_min_code": 16384, "pressure_max_code": 32768}


@pytest.mark.parametrize(
    ("rule", "value", "limit", "expected"),
    [
        ("hard_short", 1024, 4096, (0.5, 2.0, "V")),
        ("limit", 57344, 53248, (6.0, 5.0, "V")),
        ("limit", 8192, 16384, (-0.012, -0.008, "A")),
        ("limit_pressure", 40960, 32768, (2.5e6, 2e6, "Pa")),
        ("rate_voltage", 4096, 2048, (1.0, 0.5, "V")),
    ],
)
def test_physical(rule: str, value: int, limit: int, expected: tuple[float, float, str]) -> None:
    found = compared(rule, value, limit, SETTINGS, SCALES)
    assert found is not None
    assert (found.value, found.limit, found.unit) == pytest.approx(expected)


@pytest.mark.parametrize("rule", ["command", "overrun", "soft_persists", "sensor_fault"])
def test_no_unit(rule: str) -> None:
    assert compared(rule, 1, 2, SETTINGS, SCALES) is None


def test_a_limit_that_quotes_no_setting_has_none() -> None:
    assert compared("limit", 1, 2, SETTINGS, SCALES) is None


def test_settings_come_back_as_the_limits_they_were_made_of() -> None:
    front_end = FrontEnd(6.0, 0.01, 1e7)
    settings = limits.detector_settings(
        6.0, 0.01, 0.5, voltage_limit_V=4.0, voltage_min_V=-0.5, current_limit_A=0.002, pressure_full_scale_Pa=1e7,
        pressure_limit_Pa=8e6, pressure_min_Pa=1e6, settle_s=30.0, confirm_samples=3,
    )  # fmt: skip
    found = physical_limits(dict(zip(limits.SETTINGS, settings, strict=True)), front_end, 0.5)
    wanted = {"voltage_V": 4.0, "voltage_min_V": -0.5, "current_A": 0.002, "pressure_max_Pa": 8e6,
              "pressure_min_Pa": 1e6, "settle_s": 30.0, "confirm_samples": 3}  # fmt: skip
    assert found == pytest.approx(wanted, rel=2e-3)
    none = physical_limits(dict(zip(limits.SETTINGS, limits.default_settings(), strict=True)), front_end, 0.5)
    assert "current_A" not in none
    assert "pressure_max_Pa" not in none
