"""Host time of the device's stamps: the stated error holds for any delays, over wraps, drift and resets."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ccdmon.link.board_clock import WANDER, WRAP_US, DeviceClock


class Crystal:
    """A device whose clock runs `ppm` fast and read `start_us` at host time 0."""

    def __init__(self, ppm: float, start_us: int, boot_s: float = 0.0) -> None:
        self.rate, self.start_us, self.boot_s = 1 + ppm * 1e-6, start_us, boot_s

    def fields(self, host_s: float) -> dict[str, int]:
        us = int((host_s - self.boot_s) * 1e6 * self.rate) + self.start_us
        return {"time_us": us % WRAP_US, "uptime_ms": us // 1000 % (1 << 32)}


@settings(max_examples=150, deadline=None)
@given(
    ppm=st.floats(-80, 80),
    start_us=st.integers(0, 3 * WRAP_US),
    trips=st.lists(
        st.tuples(st.floats(0.05, 120.0), st.floats(1e-4, 0.05), st.floats(0, 1)), min_size=2, max_size=20
    ),
    ask=st.floats(-0.5, 1.2),
)
@example(ppm=20.0, start_us=0, trips=[(2.0, 0.001953125, 0.0), (0.125, 0.03125, 1.0)], ask=0.0)
def test_the_stated_error_holds_whatever_the_delays(ppm, start_us, trips, ask) -> None:
    crystal, clock, now_s, first_s = Crystal(ppm, start_us), DeviceClock(), 1.7e9, 1.7e9
    crystal.boot_s = now_s
    for pause_s, round_trip_s, part in trips:  # `part` of it passes before the device reads its clock
        now_s += pause_s
        clock.add(now_s, now_s + round_trip_s, crystal.fields(now_s + part * round_trip_s))
        now_s += round_trip_s
    asked_s = max(first_s, now_s - 400, now_s + min(ask * (now_s - first_s), 400.0) - (now_s - first_s) * 0.5)
    said_s, error_s = clock.host_time_s(crystal.fields(asked_s)["time_us"])
    assert abs(said_s - asked_s) <= error_s + 1e-6


def test_many_quick_round_trips_make_the_error_small_and_show_the_drift() -> None:
    crystal, clock, draw = Crystal(35.0, WRAP_US - 5_000_000), DeviceClock(), random.Random(3)
    for second in range(100, 160):
        delay_s = 0.001 + draw.expovariate(1 / 0.002)
        clock.add(second, second + delay_s, crystal.fields(second + draw.random() * delay_s))
    said_s, error_s = clock.host_time_s(crystal.fields(150.0)["time_us"])
    assert abs(said_s - 150.0) <= error_s < 0.002
    assert clock.drift_ppm == pytest.approx(35.0, abs=20.0)


def test_one_round_trip_is_as_wrong_as_itself_whatever_the_rounding() -> None:
    for n in range(300):
        clock, device_s = DeviceClock(), 1000.0 + n / 7
        clock.add(
            5.0,
            5.001 + n * 1e-6,
            {"time_us": int(device_s * 1e6) % WRAP_US, "uptime_ms": int(device_s * 1e3)},
        )
        _, error_s = clock.host_time_s(int((device_s - 0.5) * 1e6) % WRAP_US)
        assert error_s < 1e-3


def test_a_reset_forgets_what_was_before() -> None:
    clock = DeviceClock()
    before, after = Crystal(0, 0), Crystal(0, 0, boot_s=50.0)
    clock.add(40.0, 40.01, before.fields(40.005))
    clock.add(60.0, 60.01, after.fields(60.005))
    said_s, error_s = clock.host_time_s(after.fields(55.0)["time_us"])
    assert clock.resets == 1
    assert abs(said_s - 55.0) <= error_s


def test_without_a_round_trip_nothing_is_claimed() -> None:
    with pytest.raises(ValueError, match="no round trip yet"):
        DeviceClock().host_time_s(5)
    with pytest.raises(ValueError, match="before it was sent"):
        DeviceClock().add(2.0, 1.0, {"time_us": 0, "uptime_ms": 0})


def test_turns_of_the_counter_and_the_age_of_what_is_known() -> None:
    """A day with a round trip every eight minutes: the counter turns every 72."""
    crystal, clock = Crystal(20.0, WRAP_US // 2), DeviceClock()
    for n in range(180):
        now_s = 1000.0 + 480.0 * n
        clock.add(now_s, now_s + 0.01, crystal.fields(now_s + 0.005))
        for away_s in (-500.0, 0.0, 500.0):
            said_s, error_s = clock.host_time_s(crystal.fields(now_s + away_s)["time_us"])
            assert abs(said_s - now_s - away_s) <= error_s < 0.1
    assert clock.drift_ppm == pytest.approx(20.0, abs=0.5)
    assert clock.resets == 0
    errors_s = [
        clock.host_time_s(crystal.fields(now_s + away_s)["time_us"])[1] for away_s in (0.0, 100.0, 500.0)
    ]
    assert errors_s == sorted(errors_s) and errors_s[2] - errors_s[1] > 100 * WANDER
    one = DeviceClock()
    one.add(5.0, 5.01, crystal.fields(5.005))
    one.add(5.0, 5.0, crystal.fields(5.0))  # answered at once: not before it was sent
    alone = DeviceClock()
    alone.add(5.0, 5.01, crystal.fields(5.005))
    assert alone.drift_ppm == pytest.approx(0.0, abs=1e-6)
    assert alone.host_time_s(crystal.fields(6.0)["time_us"])[1] == pytest.approx(0.005 + 1e-4, abs=2e-5)


def test_the_rate_is_taken_for_steady_for_a_minute_at_most() -> None:
    crystal, errors_s = Crystal(0.0, 0), []
    for span_s in (10.0, 60.0, 6000.0):
        clock = DeviceClock()
        for n in range(61):
            clock.add(n * span_s / 60, n * span_s / 60, crystal.fields(n * span_s / 60))
        errors_s.append(clock.host_time_s(crystal.fields(span_s)["time_us"])[1])
    assert errors_s[1] - errors_s[0] == pytest.approx(WANDER * 5.0, rel=0.1)
    assert errors_s[2] == pytest.approx(errors_s[1], rel=0.1)
