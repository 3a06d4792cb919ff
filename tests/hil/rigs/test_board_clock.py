"""A board's clock counts as real where it keeps pace, and wraps without an instant being lost."""

import time

import pytest

from ccdmon_hil.rigs.board_clock import WRAP_MASK, before_us, keeps_pace


@pytest.mark.parametrize(("speed", "kept"), [(1.0, True), (0.05, False), (1.1, False)])
def test_a_clock_keeps_pace_with_this_machine_or_does_not(speed: float, kept: bool) -> None:
    begun_s = time.monotonic()

    def now_us() -> int:
        elapsed_us = int((time.monotonic() - begun_s) * 1e6 * speed)
        return (WRAP_MASK - 100_000 + elapsed_us) & WRAP_MASK  # wraps in the middle of the test

    assert keeps_pace(now_us) is kept


def test_an_instant_before_a_wrap_is_before_it() -> None:
    assert before_us(40.0, WRAP_MASK - 59) == -60.0
    assert before_us(1000.0, 400.0) == 400.0
