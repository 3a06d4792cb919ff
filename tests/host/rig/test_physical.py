"""What a rule compared, in physical units: by reason, by rule, by the setting that a limit quotes."""

import pytest

from ccdmon.model.front_end import FrontEnd
from ccdmon.rig.physical import compared, physical_limits
from ccdmon_fw import limits

SCALES = FrontEnd(8.0, 0.016, 4e6)
SETTINGS = {"voltage_max_code": 53248, "current_min_code": 16384, "pressure_max_code": 32768}
IDENTITY = {"settings": SETTINGS}
# A trip names its reason alone: each of these is a reason of one rule that trips here.
TRIP = ("hard_short", "divergence", "stuck", "limit_voltage", "limit_current")
ALONE = {f"action_{rule}": 3 * (rule in TRIP) for rule in limits.RULES}


@pytest.mark.parametrize(
    ("name", "value", "limit", "expected"),
    [
        ("hard_short", 1024, 4096, (0.5, 2.0, "V")),
        ("limit", 57344, 53248, (6.0, 5.0, "V")),
        ("limit", 8192, 16384, (-0.012, -0.008, "A")),
        ("limit_pressure", 40960, 32768, (2.5e6, 2e6, "Pa")),
        ("rate_voltage", 4096, 2048, (1.0, 0.5, "V")),
        ("soft_persists", 301, 300, (301, 300, "blocks")),
        ("divergence", 2048, 1024, (1.0, 0.5, "V")),
        ("contact_loss", 2048, 1024, (1.0, 0.5, "V")),
        ("sensor_fault", 0, 1024, (0.0, 0.5, "V")),
        ("stuck", 0, 1024, (0.0, 0.5, "V")),
    ],
)
def test_physical(name: str, value: int, limit: int, expected: tuple[float, float, str]) -> None:
    identity = {"settings": SETTINGS | ALONE}
    found = compared(name if name in limits.RULES else None, name, value, limit, identity, SCALES)
    assert found is not None
    assert (found.value, found.limit, found.unit) == pytest.approx(expected)


@pytest.mark.parametrize("reason", ["command", "overrun", "sensor_fault"])
def test_no_unit(reason: str) -> None:
    assert compared(None, reason, 1, 2, IDENTITY, SCALES) is None


def test_a_trip_means_what_the_rules_of_its_reason_compare_that_trip() -> None:
    both = IDENTITY | {"settings": {"action_soft_short": 3, "action_soft_persists": 3}}
    assert compared(None, "soft_short", 300, 300, both, SCALES) is None
    one = IDENTITY | {
        "settings": {"action_soft_short": 2, "action_soft_persists": 3, "action_soft_collapse": 2}
    }
    found = compared(None, "soft_short", 301, 300, one, SCALES)
    assert found is not None
    assert (found.value, found.limit, found.unit) == (301, 300, "blocks")


def test_the_device_itself_says_what_its_rules_compare() -> None:
    other = {"rules": ["smell"], "compared": ["voltage_code"], "rule_reasons": [0]}
    found = compared("smell", "none", 32768 + 4096, 32768, other, SCALES)
    assert found is not None
    assert (found.value, found.limit, found.unit) == pytest.approx((1.0, 0.0, "V"))


def test_every_rule_of_the_firmware_has_a_unit_or_is_known_to_have_none() -> None:
    without = {rule for rule in limits.RULES if compared(rule, "none", 1, 1, IDENTITY, SCALES) is None}
    assert without == {"rail"}  # whichever channel it was


def test_a_limit_that_quotes_no_setting_has_none() -> None:
    assert compared(None, "limit", 1, 2, IDENTITY, SCALES) is None


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


def test_each_channel_has_its_scale_and_zero() -> None:
    for rule, value, expected in (
        ("rate_current", 4096, (0.002, "A")), ("rate_pressure", 16384, (1e6, "Pa")), ("rate_voltage", 8192, (2.0, "V")),
    ):  # fmt: skip
        found = compared(rule, rule, value, 0, IDENTITY, SCALES)
        assert found is not None and (found.value, found.unit) == (pytest.approx(expected[0]), expected[1])
    without = FrontEnd(8.0, 0.016, None)
    assert compared("rate_pressure", "none", 1, 2, IDENTITY, without) is None
    assert compared("nothing", "none", 1, 2, IDENTITY, SCALES) is None


def test_a_limit_that_several_settings_quote_has_no_unit() -> None:
    every = {
        "settings": {
            f"{name}_{end}_code": 100 for name in ("voltage", "current", "pressure") for end in ("min", "max")
        }
    }
    assert compared(None, "limit", 200, 100, every, SCALES) is None
    last = {"settings": {**every["settings"], "voltage_min_code": 1, "voltage_max_code": 1, "current_min_code": 1,
                         "current_max_code": 1, "pressure_min_code": 1}}  # fmt: skip
    found = compared(None, "limit", 200, 100, last, SCALES)
    assert found is not None and (found.unit, found.value) == ("Pa", pytest.approx(200 / 65536 * 4e6))


def test_limits_at_the_rails_are_none() -> None:
    front_end, full = FrontEnd(6.0, 0.01, 1e7), int(limits.CODE_MAX)
    open_ = {"voltage_min_code": 0, "voltage_max_code": full, "current_min_code": 0, "current_max_code": full,
             "pressure_min_code": 0, "pressure_max_code": full, "settle_samples": 40, "confirm_samples": 3}  # fmt: skip
    assert physical_limits(open_, front_end, 0.25) == {"settle_s": 10.0, "confirm_samples": 3}
    narrow = open_ | {"voltage_min_code": 1, "voltage_max_code": full - 1, "pressure_max_code": full - 1,
                      "pressure_min_code": 1, "current_max_code": full - 1, "current_min_code": 1}  # fmt: skip
    found = physical_limits(narrow, front_end, 0.25)
    assert set(found) == {
        "settle_s",
        "confirm_samples",
        "voltage_V",
        "current_A",
        "pressure_max_Pa",
        "pressure_min_Pa",
    }
    lifted = open_ | {"voltage_min_code": 32768 + 8192, "voltage_max_code": 32768 + 16384}
    found = physical_limits(lifted, front_end, 0.25)
    assert (found["voltage_min_V"], found["voltage_V"]) == (1.5, 3.0)
    assert "pressure_max_Pa" not in physical_limits(narrow, FrontEnd(6.0, 0.01, None), 0.25)


def test_numbers_are_compared_as_numbers_and_lists_may_differ_in_length() -> None:
    full, front_end = int(str(int(limits.CODE_MAX))), FrontEnd(6.0, 0.01, 4e6)
    rails = {
        f"{name}_{end}_code": full if end == "max" else 0
        for name in ("voltage", "current", "pressure")
        for end in ("min", "max")
    }
    found = physical_limits({**rails, "settle_samples": 4, "confirm_samples": 2}, front_end, 0.25)
    assert set(found) == {"settle_s", "confirm_samples"}
    half = {
        **rails,
        "pressure_max_code": 32768,
        "pressure_min_code": 16384,
        "settle_samples": 4,
        "confirm_samples": 2,
    }
    found = physical_limits(half, front_end, 0.25)
    assert (found["pressure_max_Pa"], found["pressure_min_Pa"]) == (2e6, 1e6)
    odd = {
        "rules": ["a", "b", "c"],
        "compared": ["voltage_code"],
        "rule_reasons": [1],
        "reasons": ["none", "x"],
    }
    compared_ = compared(None, "x", 32768 + 4096, 32768, odd, SCALES)
    assert compared_ is not None and compared_.value == 1.0
