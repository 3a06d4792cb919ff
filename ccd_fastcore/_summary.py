# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""What is asked of a segment time and again, of its blocks: medians, ends, extremes. At most 64 blocks."""

from __future__ import annotations

import math
from collections.abc import MutableSequence, Sequence

from . import _few as few

SUMMARY_FIELDS: tuple[str, ...] = (
    "middle_V", "level_A", "most_V", "start_V", "late_V", "end_V", "least_mean_V", "most_mean_V", "rise",
    "begin_A", "settled_A", "begin_V", "settled_V", "temperature_degC", "pressure_Pa",
)  # fmt: skip
UNKNOWN = float("nan")
# Places of a block's numbers, see `BLOCK_FIELDS`.
ROWS, SUM_V, SUM_A, TEMPERATURE = 2, 3, 4, 9


def of_blocks(
    told: Sequence[float],
    n: int,
    fields: int,
    volts: MutableSequence[float],
    x: MutableSequence[float],
    out: MutableSequence[float],
) -> None:
    """Numbers of `SUMMARY_FIELDS` of the `n` blocks of a table; `volts` and `x` are room for as many numbers."""
    third = n // 3
    least = told[SUM_V * n] / told[ROWS * n]
    most = least
    for k in range(n):
        volts[k] = told[SUM_V * n + k] / told[ROWS * n + k]
        least = volts[k] if volts[k] < least else least
        most = volts[k] if volts[k] > most else most
        x[k] = math.fabs(told[SUM_A * n + k] / told[ROWS * n + k])
    out[1] = few.middle_of(x, n)
    out[0] = _middle_of(volts, 0, n, x)
    for k in range(n):
        x[k] = math.fabs(volts[k])
    out[2] = few.quantile_of(x, n, 0.98)
    some = n // 5 if n // 5 > 4 else 4
    some = some if some < n else n
    for k in range(some):
        x[k] = math.fabs(volts[k])
    out[3] = few.middle_of(x, some)
    some = 3 if n > 3 else n
    for k in range(some):
        x[k] = math.fabs(volts[n - some + k])
    out[4] = few.middle_of(x, some)
    out[5] = volts[n - 1]
    out[6] = least
    out[7] = most
    for k in range(8, 13):
        out[k] = UNKNOWN
    if n >= 6:
        begin = n // 6 if n // 6 > 2 else 2
        settled = _middle_of(volts, n - third, n, x)
        out[8] = (settled - _middle_of(volts, 1, 1 + begin, x)) / out[0] if out[0] != 0.0 else 0.0
        for k in range(2):
            x[k] = told[SUM_A * n + k] / told[ROWS * n + k]
        out[9] = few.middle_of(x, 2)
        for k in range(third):
            x[k] = told[SUM_A * n + n - third + k] / told[ROWS * n + n - third + k]
        out[10] = few.middle_of(x, third)
        out[11] = 0.5 * (volts[0] + volts[1])
        out[12] = settled
    for k in range(2):  # temperature, pressure
        out[13 + k] = UNKNOWN
        if fields > TEMPERATURE:
            out[13 + k] = told[(TEMPERATURE + k) * n + n // 2]


def _middle_of(volts: Sequence[float], first: int, end: int, x: MutableSequence[float]) -> float:
    return few.middle_of(x, few.copied(volts, first, end, x))
