"""A trip in words: which limit of the rig file, with what was measured and what was allowed."""

import pytest

from ccdmon.model.front_end import FrontEnd, Linear
from ccdmon.rig.rig_file import Rig
from ccdmon.rig.settings import settings_of
from ccdmon.rig.trip_words import trip_words
from ccdmon_fw import limits
from ccdmon_fw.detector import VALUE, Detector

INTERVAL_S = 0.01
RIG = {
    "name": "bay-3",
    "cell": {"configuration": "full"},
    "front_end": {
        "voltage_full_scale_V": 5.27, "current_full_scale_A": 0.01, "pressure_full_scale_Pa": 1e7,
        "pressure": {"gain": 1.03, "offset": 2e4},
    },
    "limits": {"voltage_V": 4.5, "voltage_min_V": 2.5, "current_A": 0.004, "pressure_min_Pa": 2e6,
               "pressure_max_Pa": 8e6, "voltage_rate_V_s": 0.02},
}  # fmt: skip


def _tripped(voltage_V: float, current_A: float, pressure_Pa: float, drift_V_s: float = 0.0) -> str:
    """What the firmware's own detector says of a cell that stands there, in words."""
    rig = Rig.model_validate(RIG)
    scales, settings = rig.front_end_scales(), settings_of(rig, INTERVAL_S)
    detector = Detector(settings)
    pressure = round(float(scales.pressure.nominal(pressure_Pa)) / 1e7 * 65536)
    for sample in range(5000):
        volts, amperes, _ = scales.code_of(voltage_V + drift_V_s * sample * INTERVAL_S, current_A)
        if detector.step(volts, amperes, pressure) & 0x1800 == 0x1800:
            break
    value, limit = detector.memory[VALUE], detector.memory[VALUE + 1]
    identity = {"settings": dict(zip(limits.SETTINGS, settings, strict=True))}
    return trip_words("limit", {"value": value, "limit": limit}, identity, scales)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ((3.5, 0.001, 1.21e6), "limit: pressure 1.21 MPa below 2 MPa (pressure_min_Pa)"),
        ((3.5, 0.001, 9e6), "limit: pressure 9 MPa above 8 MPa (pressure_max_Pa)"),
        ((4.9, 0.001, 5e6), "limit: voltage 4.9 V above 4.5 V (voltage_V)"),
        ((2.0, 0.001, 5e6), "limit: voltage 2 V below 2.5 V (voltage_min_V)"),
        ((3.5, 0.006, 5e6), "limit: current 6 mA above 4 mA (current_A)"),
        ((3.5, -0.006, 5e6), "limit: current -6 mA below -4 mA (current_A)"),
        ((2.6, 0.001, 5e6, 0.04), "limit: voltage changes by 40 mV/s, more than 20 mV/s (voltage_rate_V_s)"),
    ],
)
def test_the_detectors_own_trip_names_the_limit_of_the_rig_file(cell: tuple[float, ...], words: str) -> None:
    assert _tripped(*cell) == words


SCALES = FrontEnd(5.27, 0.01, 1e7, voltage=Linear(1.01, 0.0))


def test_without_scales_it_is_a_share_of_them() -> None:
    identity = {"settings": {"voltage_max_code": 60000}}
    words = trip_words("limit", {"value": 62000, "limit": 60000}, identity, None)
    assert words == "limit: voltage 89.2% of full scale above 83.1% of full scale (voltage_V)"


def test_two_settings_of_one_value_are_both_named() -> None:
    identity = {"settings": {"voltage_max_code": 60000, "current_max_code": 60000}}
    words = trip_words("limit", {"value": 62000, "limit": 60000}, identity, SCALES)
    assert words == "limit: voltage or current beyond its limit"
    identity["settings"]["action_limit_current"] = limits.ACTION_WARN
    assert trip_words("limit", {"value": 62000, "limit": 60000}, identity, SCALES).startswith(
        "limit: voltage 4"
    )


def test_settings_that_are_no_more_in_force_are_not_guessed() -> None:
    assert trip_words("limit", {"value": 62000, "limit": 60000}, {"settings": {}}, SCALES) == "limit"
    assert trip_words("limit", {"value": 62000, "limit": 60000}, {}, None) == "limit"


def test_other_reasons_say_what_they_compared_where_that_has_a_unit() -> None:
    fields = {"value": 37, "limit": 407}
    assert trip_words("hard_short", fields, {}, SCALES) == "hard short: 11.9 mV, limit 131 mV"
    assert trip_words("hard_short", {"value": 1, "limit": 407}, {}, SCALES).startswith("hard short: 322 µV")
    assert trip_words("hard_short", fields, {}, None) == "hard short"
    assert trip_words("external", fields, {}, SCALES) == "external"
    assert trip_words("sensor_fault", fields, {}, SCALES) == "sensor fault"
