"""The front end: ranges, codes, and back."""

import numpy as np
import pytest

from ccdmon.model.front_end import CODE_ZERO, FrontEnd, range_step
from ccdmon.model.trace import Trace


def _trace(voltage_V: list[float], current_A: list[float], pressure_Pa: list[float] | None = None) -> Trace:
    return Trace(
        np.arange(len(voltage_V), dtype=float),
        np.array(voltage_V, dtype=float),
        np.array(current_A, dtype=float),
        None if pressure_Pa is None else np.array(pressure_Pa, dtype=float),
    )


@pytest.mark.parametrize(
    ("largest", "step"),
    [
        (0.0037, 0.005),
        (0.59, 1.0),
        (2.25, 5.0),
        (0.9, 1.0),
        (0.95, 2.0),
        (0.0, 1e-6),
        (1.8, 2.0),
        (-4.5, 5.0),
    ],
)
def test_the_range_is_the_next_step_of_1_2_5_with_headroom(largest: float, step: float) -> None:
    assert range_step(np.array([0.0, largest, np.nan])) == pytest.approx(step)


def test_zero_and_both_rails() -> None:
    codes = FrontEnd(1.0, 1.0).codes(_trace([0.0, 2.0, -2.0], [0.0, 0.5, -0.5]))
    assert codes[:, 0].tolist() == [32768, 4095 << 4, 0]
    assert codes[:, 1].tolist() == [32768, 49152, 16384]
    assert codes[:, 2].tolist() == [CODE_ZERO] * 3


def test_halves_round_to_even() -> None:
    codes = FrontEnd(2048.0, 1.0).codes(_trace([0.5, 1.5, 2.5], [0.0] * 3))
    assert (codes[:, 0] >> 4).tolist() == [2048, 2050, 2050]


def test_an_empty_field_repeats_the_last_value() -> None:
    codes = FrontEnd(1.0, 1.0).codes(_trace([np.nan, 0.5, np.nan, np.nan], [0.0] * 4))
    assert codes[:, 0].tolist() == [CODE_ZERO, 49152, 49152, 49152]


def test_the_voltage_range_keeps_the_limit_inside() -> None:
    front_end = FrontEnd.for_trace(_trace([40.0], [1.0]))
    assert front_end.voltage_full_scale_V == pytest.approx(20.0)


def test_a_given_range_wins() -> None:
    front_end = FrontEnd.for_trace(_trace([0.1], [0.1]), voltage_full_scale_V=3.3, current_full_scale_A=2.0)
    assert (front_end.voltage_full_scale_V, front_end.current_full_scale_A) == (3.3, 2.0)


def test_pressure_is_unipolar_and_optional() -> None:
    trace = _trace([0.1, 0.1], [0.1, 0.1], [0.0, 1e6])
    front_end = FrontEnd.for_trace(trace)
    assert front_end.pressure_full_scale_Pa == 2e6
    assert front_end.codes(trace)[:, 2].tolist() == [0, 32768]
    assert front_end.pressure_Pa(32768) == pytest.approx(1e6)
    assert FrontEnd.for_trace(_trace([0.1], [0.1])).pressure_full_scale_Pa is None


def test_decoding_inverts_within_half_a_step() -> None:
    rng = np.random.default_rng(1)
    trace = _trace(list(rng.uniform(-0.9, 0.9, 500)), list(rng.uniform(-9e-5, 9e-5, 500)))
    front_end = FrontEnd.for_trace(trace)
    codes = front_end.codes(trace)
    step = 1 / 2048
    assert np.max(np.abs(front_end.voltage_V(codes[:, 0]) - trace.voltage_V)) <= step / 2 * 1.0001
    assert np.max(np.abs(front_end.current_A(codes[:, 1]) - trace.current_A)) <= 1e-4 * step / 2 * 1.0001


def test_one_sample_codes_as_a_trace_does() -> None:
    front_end = FrontEnd(1.0, 1e-3)
    codes = front_end.codes(_trace([0.123], [-4.5e-4]))[0]
    assert front_end.code_of(0.123, -4.5e-4) == tuple(codes.tolist())


def test_a_calibrated_channel_gives_true_values_both_ways() -> None:
    front_end = FrontEnd.from_table(
        {
            "voltage_full_scale_V": 5.0,
            "current_full_scale_A": 0.01,
            "pressure_full_scale_Pa": 1e7,
            "voltage": {"gain": 1.02, "offset": -0.01, "noise": 1e-3},
            "pressure": {"offset": 1e5},
        }
    )
    trace = _trace([1.5, -2.0], [0.005, -0.005], [2e6, 4e6])
    codes = front_end.codes(trace)
    step_V = 1.02 * 5.0 / 2048
    np.testing.assert_allclose(front_end.voltage_V(codes[:, 0]), trace.voltage_V, atol=step_V)
    np.testing.assert_allclose(front_end.pressure_Pa(codes[:, 2]), trace.pressure_Pa, atol=1e7 / 4096)
    np.testing.assert_allclose(front_end.current_A(codes[:, 1]), trace.current_A, atol=0.01 / 2048)
    assert codes[0, 0] != FrontEnd(5.0, 0.01).codes(trace)[0, 0]
