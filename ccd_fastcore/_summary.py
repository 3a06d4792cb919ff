# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""What is asked of a segment time and again, of its blocks: medians, ends, extremes. At most 64 blocks."""

from __future__ import annotations

import math
from collections.abc import MutableSequence, Sequence

SUMMARY_FIELDS = (
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
    out[1] = middle(x, n)
    out[0] = _middle_of(volts, 0, n, x)
    for k in range(n):
        x[k] = math.fabs(volts[k])
    out[2] = _quantile(x, n, 0.98)
    few = n // 5 if n // 5 > 4 else 4
    few = few if few < n else n
    for k in range(few):
        x[k] = math.fabs(volts[k])
    out[3] = middle(x, few)
    few = 3 if n > 3 else n
    for k in range(few):
        x[k] = math.fabs(volts[n - few + k])
    out[4] = middle(x, few)
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
        out[9] = middle(x, 2)
        for k in range(third):
            x[k] = told[SUM_A * n + n - third + k] / told[ROWS * n + n - third + k]
        out[10] = middle(x, third)
        out[11] = 0.5 * (volts[0] + volts[1])
        out[12] = settled
    for k in range(2):  # temperature, pressure
        out[13 + k] = UNKNOWN
        if fields > TEMPERATURE:
            out[13 + k] = told[(TEMPERATURE + k) * n + n // 2]


def _middle_of(volts: Sequence[float], first: int, end: int, x: MutableSequence[float]) -> float:
    for k in range(end - first):
        x[k] = volts[first + k]
    return middle(x, end - first)


def middle(x: MutableSequence[float], n: int) -> float:
    """The median of n numbers, which are put in order."""
    _put_in_order(x, n)
    half = n // 2
    return x[half] if n & 1 else 0.5 * (x[half - 1] + x[half])


def _quantile(x: MutableSequence[float], n: int, share: float) -> float:
    """As numpy's default; the numbers are put in order."""
    _put_in_order(x, n)
    below = int(share * (n - 1))
    if below >= n - 1:
        return x[n - 1]
    return x[below] + (share * (n - 1) - below) * (x[below + 1] - x[below])


def _put_in_order(x: MutableSequence[float], n: int) -> None:
    """By insertion, in steps of 7 first: there are few, and mostly they are in some order."""
    gap = 7
    while gap >= 1:
        for k in range(gap, n):
            number = x[k]
            at = k
            while at >= gap and x[at - gap] > number:
                x[at] = x[at - gap]
                at -= gap
            x[at] = number
        gap -= 6
