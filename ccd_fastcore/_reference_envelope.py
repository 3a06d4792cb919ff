"""Smallest and largest values for plots, in plain Python: what `_envelope.pyx` compiles, statement for statement.

A pyramid of buckets. Level 0 holds single rows, level k the extremes of 2**k rows; each level is a ring of the newest
`buckets` of them. Two neighbours are merged into the level above when the second is complete: two merges a row in the
mean. After n rows there are log2(n) levels (a year at 2 kHz: 36), so memory does not grow with the rows. The newest
rows are there one by one, the whole test as a few hundred buckets, and no spike is ever lost: a bucket keeps its
extremes and when they were. Nothing depends on how the rows were cut into chunks.
"""

from collections.abc import Iterable
from math import inf, isfinite

import numpy as np
import numpy.typing as npt

ENVELOPE_FIELDS = (
    "start_s", "end_s", "first", "lowest", "highest", "last", "lowest_s", "highest_s",
)  # fmt: skip
Bucket = tuple[float, float, float, float, float, float, float, float]


class Envelope:
    """First, smallest, largest and last value of one signal over time, at every resolution, in constant memory."""

    def __init__(self, buckets: int = 1024) -> None:
        if buckets < 2:
            raise ValueError(f"an envelope needs at least 2 buckets, not {buckets}")
        self.buckets = 1 << (buckets - 1).bit_length()
        self.rows = 0
        self._levels: list[list[Bucket]] = []
        self._time_last = -inf

    def feed(self, time_s: Iterable[float], value: Iterable[float]) -> None:
        """Take rows; a value that is not finite is left out."""
        t, y = ([float(x) for x in column] for column in (time_s, value))
        if len(t) != len(y):
            raise ValueError("all columns must have the same length")
        for k in range(len(t)):
            self._row(t[k], y[k])

    def view(self, start_s: float = -inf, end_s: float = inf, most: int = 1024) -> npt.NDArray[np.float64]:
        """The finest at most `most` buckets that cover the span, `ENVELOPE_FIELDS` each."""
        if most < 1:
            raise ValueError(f"a view needs at least 1 bucket, not {most}")
        level = 0
        while not self._fits(level, start_s, end_s, most):
            level += 1
        found = [self._at(level, k) for k in range(*self._span(level, start_s, end_s))]
        return np.array(found, dtype=np.float64).reshape(-1, len(ENVELOPE_FIELDS))

    # -- from here on the compiled twin says the same --------------------------------------------------------

    def _row(self, t: float, y: float) -> None:
        if not isfinite(t) or t < self._time_last:
            t = self._time_last
        if not (isfinite(y) and isfinite(t)):
            return
        self._time_last = t
        self._put(0, self.rows, (t, t, y, y, y, y, t, t))
        self.rows += 1
        level = 0
        count = self.rows
        while count & 1 == 0:
            merged = _merged(self._at(level, count - 2), self._at(level, count - 1))
            level += 1
            count >>= 1
            self._put(level, count - 1, merged)

    def _put(self, level: int, k: int, bucket: Bucket) -> None:
        if level == len(self._levels):
            self._levels.append([])
        ring = self._levels[level]
        if k < self.buckets:
            ring.append(bucket)
        else:
            ring[k & (self.buckets - 1)] = bucket

    def _at(self, level: int, k: int) -> Bucket:
        """Bucket k of a level; the one after the last whole one is what the rows since then make."""
        if k < self.rows >> level:
            return self._levels[level][k & (self.buckets - 1)]
        below = level - 1
        while self.rows >> below & 1 == 0:
            below -= 1
        last = self._at(below, (self.rows >> below) - 1)
        rest = self.rows & ((1 << below) - 1)
        return last if rest == 0 else _merged(last, self._at(below, self.rows >> below))

    def _span(self, level: int, start_s: float, end_s: float) -> tuple[int, int]:
        """The buckets [first, stop) of a level that touch the span."""
        whole = self.rows >> level
        oldest = whole - self.buckets if whole > self.buckets else 0
        count = whole + (1 if self.rows & ((1 << level) - 1) else 0)
        low, high = oldest, count
        while low < high:
            middle = (low + high) >> 1
            if self._at(level, middle)[1] < start_s:
                low = middle + 1
            else:
                high = middle
        first, high = low, count
        while low < high:
            middle = (low + high) >> 1
            if self._at(level, middle)[0] <= end_s:
                low = middle + 1
            else:
                high = middle
        return first, low

    def _fits(self, level: int, start_s: float, end_s: float, most: int) -> bool:
        whole = self.rows >> level
        if whole > self.buckets and self._at(level, whole - self.buckets)[0] > start_s:
            return False  # the ring of this level has forgotten the start
        first, stop = self._span(level, start_s, end_s)
        return stop - first <= most


def _merged(a: Bucket, b: Bucket) -> Bucket:
    low = b if b[3] < a[3] else a
    high = b if b[4] > a[4] else a
    return a[0], b[1], a[2], low[3], high[4], b[5], low[6], high[7]
