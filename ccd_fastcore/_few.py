# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""Order statistics of a few dozen numbers: numpy takes a microsecond or two for each of its calls.

Numbers at `x` are put in another order. NaN comes last, as numpy sorts.
"""

from __future__ import annotations

import math
from collections.abc import MutableSequence, Sequence

Numbers = MutableSequence[float]
NAN = float("nan")
HANDFUL = 8  # fewer are sorted at once


def nth(x: Numbers, n: int, k: int) -> float:
    """The k-th smallest; none before it is larger then, none behind it smaller. No NaN.

    Numbers are exchanged whether they need it or not: a branch that nobody can foretell costs more.
    """
    low = 0
    high = n
    if n <= HANDFUL:
        _sort(x, n)
        return x[k]
    while high - low > 1:
        part = (high - low) // 7  # places that no slope, peak or trough puts at an end, nor many a period
        pivot = between(x[low + part], x[low + 3 * part], x[low + 5 * part])
        less = low  # what is less than the pivot lies before
        for i in range(low, high):
            number = x[i]
            x[i] = x[less]
            x[less] = number
            less += 1 if number < pivot else 0
        if k < less:
            high = less
            continue
        low = less  # what is the pivot lies before
        for i in range(less, high):
            number = x[i]
            x[i] = x[low]
            x[low] = number
            low += 1 if number <= pivot else 0
        if k < low:
            break
    return x[k]


def _sort(x: Numbers, n: int) -> None:
    for k in range(1, n):
        number = x[k]
        at = k
        while at > 0 and x[at - 1] > number:
            x[at] = x[at - 1]
            at -= 1
        x[at] = number


def known(x: Numbers, n: int) -> int:
    """NaN is put last; how many numbers are before it."""
    count = 0
    for k in range(n):
        if not math.isnan(x[k]):
            swapped = x[count]
            x[count] = x[k]
            x[k] = swapped
            count += 1
    return count


def middle_of(x: Numbers, n: int) -> float:
    """The median; NaN of none, and where NaN is in the middle."""
    count = known(x, n)
    if n == 0 or n // 2 >= count:
        return NAN
    low = nth(x, count, (n - 1) // 2)
    high = low if n % 2 == 1 else least_of(x, n // 2, count)
    return 0.5 * (low + high)


def quantile_of(x: Numbers, n: int, share: float) -> float:
    """As numpy's default: straight lines between neighbours; NaN of none."""
    at = share * (n - 1)
    below = 0
    while below + 1 < n and below + 1 <= at:
        below += 1
    count = known(x, n)
    if below >= count:
        return NAN
    low = nth(x, count, below)
    if below + 1 == n:
        return low
    if below + 1 >= count:
        return NAN
    return low + (at - below) * (least_of(x, below + 1, count) - low)


def least_of(x: Numbers, first: int, end: int) -> float:
    """Of those from `first` to before `end`."""
    least = x[first]
    for k in range(first + 1, end):
        least = x[k] if x[k] < least else least
    return least


def between(a: float, b: float, c: float) -> float:
    """The median of three."""
    low = a if a < b else b
    high = b if a < b else a
    high = high if high < c else c
    return low if low > high else high


def copied(x: Sequence[float], first: int, end: int, out: Numbers) -> int:
    """Numbers `first` to before `end` to the beginning of `out`; how many."""
    for k in range(first, end):
        out[k - first] = x[k]
    return end - first
