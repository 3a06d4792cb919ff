"""The wiring as it is built: stages that exist, errors within the tolerances, the same for the same number."""

import numpy as np
import pytest

from ccdmon.model.front_end import FrontEnd
from ccdmon.model.trace import Trace
from ccdmon_hil.play.as_wired import DIVIDER_V, as_wired


def _trace(largest_V: float) -> Trace:
    time_s = np.arange(4.0)
    return Trace(time_s, np.array([0.0, largest_V, -largest_V, 0.0]), np.full(4, 1.5e-4))


@pytest.mark.parametrize(
    ("largest_V", "limit_V", "stage_V"),
    [
        (0.02, 5.0, DIVIDER_V / 100),
        (0.06, 5.0, DIVIDER_V / 10),
        (3.0, 5.0, DIVIDER_V),
        (3.0, 0.4, DIVIDER_V / 10),
    ],
)
def test_the_full_scale_is_that_of_a_stage_that_holds_the_cell(
    largest_V: float, limit_V: float, stage_V: float
) -> None:
    front_end, _, _ = as_wired(_trace(largest_V), 1, voltage_limit_V=limit_V)
    assert (front_end.voltage_full_scale_V, front_end.current_full_scale_A) == (stage_V, pytest.approx(3e-4))


def test_errors_are_those_of_resistors_of_one_percent_and_calibration_knows_the_voltages_zero() -> None:
    drawn = [as_wired(_trace(3.0), seed) for seed in range(50)]
    for front_end, errors, settings in drawn:
        assert abs(errors.voltage_zero_V) <= 0.01 * front_end.voltage_full_scale_V
        assert abs(errors.current_zero_A) <= 0.01 * front_end.current_full_scale_A
        assert abs(settings["voltage_zero_V"] - errors.voltage_zero_V) <= 0.5001e-3
        assert max(abs(errors.voltage_gain - 1), abs(errors.current_gain - 1)) <= 0.01
    assert len({errors for _, errors, _ in drawn}) == 50
    assert as_wired(_trace(3.0), 7) == drawn[7]


def test_full_scales_that_are_given_stay() -> None:
    given = FrontEnd(1.0, 1e-3)
    assert as_wired(_trace(3.0), 1, given)[0] is given
