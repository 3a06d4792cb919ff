"""What a rule compared, in physical units: by reason, by rule, by the setting that a limit quotes."""

import pytest

from ccdmon.front_end import FrontEnd
from ccdmon.rule_units import compared

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
