"""A board's clock, `time.ticks_us`: it wraps at 2**30, and an emulator's does not keep pace with this machine's."""

import time
from collections.abc import Callable

TEST_S = 0.4
TOLERANCE = 0.02
WRAP_MASK = 0x3FFFFFFF


def keeps_pace(now_us: Callable[[], int]) -> bool:
    """Whether a board's clock goes as this machine's, within 2 %; takes 0.4 s."""
    begin_us, begin_s = now_us(), time.monotonic()
    time.sleep(TEST_S)
    end_us, end_s = now_us(), time.monotonic()
    pace = ((end_us - begin_us) & WRAP_MASK) * 1e-6 / (end_s - begin_s)
    return abs(pace - 1.0) < TOLERANCE


def before_us(at_us: float, earlier_us: float) -> float:
    """An instant before `at_us`, counted as that one even where the clock wrapped between the two."""
    return at_us - ((int(at_us) - int(earlier_us)) & WRAP_MASK)
