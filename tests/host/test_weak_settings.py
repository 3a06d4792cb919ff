"""What makes a cell less watched than it seems is said, each by its own line; the defaults are quiet."""

import pytest

from ccdmon.rig.weak_settings import weak_settings
from ccdmon_fw import limits

DEFAULTS = dict(zip(limits.SETTINGS, limits.default_settings(), strict=True))
LOOP = {"external_trip": True}
WEAK = [
    ({"action_hard_short": limits.ACTION_WARN}, "no short opens the gate"),
    ({"action_hard_short": limits.ACTION_OFF}, "hard_short is set to off"),
    ({"action_blind": limits.ACTION_INFORM}, "converter that froze"),
    ({"settle_samples": 60_000}, "first 15 s"),
    ({"confirm_samples": 32, "sample_period_us": 1_000_000, "settle_samples": 2}, "32.0 s"),
    ({"collapse_64ths": 1}, "1/64"),
    ({"current_on_units": limits.UNITS_FULL_SCALE}, "below 100% of full scale"),
    ({"voltage_drop_min_units": limits.UNITS_FULL_SCALE}, "100%"),
    ({"external_trip": 0}, "GP14"),
]


def test_the_defaults_and_a_board_that_says_nothing_are_quiet() -> None:
    assert weak_settings(DEFAULTS, LOOP) == weak_settings({}, {}) == []
    assert weak_settings({"external_trip": 0}, {}) == [], "a board without that input"


@pytest.mark.parametrize(("changed", "said"), WEAK)
def test_each_weakness_has_its_line(changed: dict[str, int], said: str) -> None:
    (line,) = weak_settings(DEFAULTS | changed, LOOP)
    assert said in line
