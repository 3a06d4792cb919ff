"""Stretches of a made-up cell, for tests of the level: a resistance with one relaxation, no noise unless asked for."""

from collections.abc import Callable

import numpy as np

from ccd_fastcore import SEGMENT_FIELDS, RowBlocks
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.stretches import Stretch

ROWS, INTERVAL_s, CURRENT_A, OHM = 120, 1.0, 1e-3, 100.0


def stretch(last: Stretch | None, current_A: float, volts: Array) -> Stretch:
    """One that follows `last` without a gap, a row of `volts` every second."""
    n = volts.size
    first = 0 if last is None else last.last_row + 1
    start_s = 0.0 if last is None else last.end_s + INTERVAL_s
    rows = RowBlocks()
    rows.feed(start_s + INTERVAL_s * np.arange(n), volts, np.full(n, current_A), None, None, [], (0, n - 1))
    record = dict.fromkeys(SEGMENT_FIELDS, 0.0)
    record.update(
        first_row=first, last_row=first + n - 1, start_s=start_s, end_s=start_s + INTERVAL_s * (n - 1),
        sign=np.sign(current_A), current_A=current_A, charge_C=abs(current_A) * n * INTERVAL_s, noise_V=1e-6,
    )  # fmt: skip
    return Stretch(list(record.values()), rows.look(), last)


def half_cycles(
    count: int, share: Callable[[int, Array], Array] = lambda k, t: np.ones(t.size)
) -> list[Stretch]:
    """Of alternating sign; `share(k, t)` of the resistance is there in half-cycle k at t seconds in it."""
    found: list[Stretch] = []
    t = INTERVAL_s * np.arange(ROWS)
    for k in range(count):
        current_A = CURRENT_A if k % 2 == 0 else -CURRENT_A
        volts = current_A * OHM * (1 - (0.6 if k else 0.3) * np.exp(-t / 10))  # a reversal is twice a step
        volts *= share(k, t)
        found.append(stretch(found[-1] if found else None, current_A, volts))
    return found
