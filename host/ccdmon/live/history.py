"""The whole test at any zoom, in bounded memory: smallest and largest values in memory, single rows from the disk.

Rows go into buckets of equal size, at most `MOST_BUCKETS` of them: when there are more, neighbours are merged and the
size doubles (a week at 2 kHz ends at 0.6 s). A view that needs finer grain reads the frames again, from the place in
the files that each bucket remembers. No spike is ever lost: a bucket keeps its extremes, and which of them came first:
drawn the other way round, each reversal of the current would look like a short that never was.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ccdmon.model.trace import FloatArray

SIGNALS = ("voltage_V", "current_A", "pressure_Pa", "temperature_degC")
MOST_BUCKETS = 1 << 20
FIRST_BUCKET_ROWS = 16
RECENT_ROWS = 1 << 17
COARSE = 4  # a view with fewer buckets than a fourth of its points is worth reading rows again
_GAP = 4.0  # times the usual distance of rows: the line is broken there

Table = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Band = tuple[Table, Table, Flags]  # lowest, highest, falling


@dataclass(frozen=True)
class Stretch:
    """Rows of one segment in time order: `lowest` and `highest` (n, signals), NaN where a signal is not measured.

    `falling` (n, signals): the highest of a row's samples came before its lowest.
    """

    start_s: FloatArray
    lowest: Table
    highest: Table
    falling: Flags
    row_s: float  # usual distance of rows
    segment: int
    place: int  # where in the files a reader must begin to find these rows


@dataclass(frozen=True)
class View:
    """What a plot shows: pairs of lowest and highest in the order they came (a line through them fills the band).

    NaN at gaps.
    """

    time_s: FloatArray
    values: dict[str, FloatArray]
    single_rows: bool  # each point is a row; else a bucket's extremes


# (first place, stop time) -> stretches from there on, to the row that lies behind the stop; all segments among them
ReadAgain = Callable[[int, float], list[Stretch]]


class History:
    """`add` stretches in time order; `view` any part of the test. `read_again` fetches single rows, None: it cannot."""

    def __init__(self, read_again: ReadAgain | None = None, most: int = MOST_BUCKETS) -> None:
        self._most, self._read_again = most, read_again
        self._rows_per_bucket = FIRST_BUCKET_ROWS
        self._size = 0
        self._recent: deque[Stretch] = deque()
        self._recent_rows = 0
        self._start_s, self._end_s = np.empty(1024), np.empty(1024)
        self._lowest = np.empty((1024, len(SIGNALS)), dtype=np.float32)
        self._highest = np.empty((1024, len(SIGNALS)), dtype=np.float32)
        self._falling = np.empty((1024, len(SIGNALS)), dtype=np.bool_)
        self._rows = np.empty(1024, dtype=np.int32)
        self._segment = np.empty(1024, dtype=np.int32)
        self._place = np.empty(1024, dtype=np.int64)

    @property
    def span_s(self) -> tuple[float, float]:
        """Test time of the first and behind the last row; zeros before the first."""
        if not self._size:
            return 0.0, 0.0
        return float(self._start_s[0]), float(self._end_s[self._size - 1])

    @property
    def buckets(self) -> int:
        """How many there are."""
        return self._size

    def add(self, stretch: Stretch) -> None:
        """Take rows; the last bucket is filled up first when they continue it."""
        count = len(stretch.start_s)
        taken = self._continue(stretch) if self._size else 0
        if taken < count:
            self._append(stretch, taken)
        while self._size > self._most:
            self._merge()
        self._remember(stretch)

    def view(self, start_s: float, end_s: float, most: int) -> View:
        """Points between two times and one beyond each, at most about `most` buckets of them."""
        if self._recent and self._recent[0].start_s[0] <= start_s:
            return _reduced(*_stacked(list(self._recent), start_s, end_s), most)
        first = max(0, int(np.searchsorted(self._start_s[: self._size], start_s, "right")) - 1)
        stop = min(self._size, int(np.searchsorted(self._start_s[: self._size], end_s, "right")) + 1)
        coarse = (stop - first) * COARSE < most and int(self._rows[first:stop].sum()) > stop - first
        if coarse and self._read_again is not None:
            fine = self._read_again(int(self._place[first]), end_s)
            if fine:
                begin, end, band = _stacked(fine, start_s, end_s)
                _known_before(band[0], self._lowest[first])
                _known_before(band[1], self._highest[first])
                return _reduced(begin, end, band, most)
        part = slice(first, stop)
        return _reduced(self._start_s[part], self._end_s[part], self._band(part), most)

    def _band(self, part: slice) -> Band:
        return self._lowest[part], self._highest[part], self._falling[part]

    def _put(self, part: slice, band: Band) -> None:
        self._lowest[part], self._highest[part], self._falling[part] = band

    def _remember(self, stretch: Stretch) -> None:
        """The newest rows one by one: a page that follows looks at nothing else."""
        self._recent.append(stretch)
        self._recent_rows += len(stretch.start_s)
        while self._recent_rows - len(self._recent[0].start_s) >= RECENT_ROWS:
            self._recent_rows -= len(self._recent.popleft().start_s)

    def _continue(self, stretch: Stretch) -> int:
        last = self._size - 1
        room = self._rows_per_bucket - int(self._rows[last])
        gap_s = float(stretch.start_s[0]) - float(self._end_s[last])
        if room <= 0 or self._segment[last] != stretch.segment or gap_s > _GAP * stretch.row_s:
            return 0
        taken = min(room, len(stretch.start_s))
        part = slice(last, last + 1)
        rows = (stretch.lowest[:taken], stretch.highest[:taken], stretch.falling[:taken])
        pairs = zip(self._band(part), rows, strict=True)
        self._put(part, _grouped(tuple(np.concatenate(pair) for pair in pairs), np.array([0])))  # type: ignore[arg-type]
        self._end_s[last] = stretch.start_s[taken - 1] + stretch.row_s
        self._rows[last] += taken
        return taken

    def _append(self, stretch: Stretch, start: int) -> None:
        """New buckets for the rows from `start` on."""
        at = np.arange(start, len(stretch.start_s), self._rows_per_bucket)
        ends = np.minimum(at + self._rows_per_bucket, len(stretch.start_s))
        while self._size + len(at) > len(self._start_s):
            self._grow()
        part = slice(self._size, self._size + len(at))
        rows = (stretch.lowest[start:], stretch.highest[start:], stretch.falling[start:])
        self._put(part, _grouped(rows, at - start))
        self._start_s[part], self._end_s[part] = (
            stretch.start_s[at],
            stretch.start_s[ends - 1] + stretch.row_s,
        )
        self._rows[part], self._segment[part], self._place[part] = ends - at, stretch.segment, stretch.place
        self._size += len(at)

    def _grow(self) -> None:
        for name in ("_start_s", "_end_s", "_lowest", "_highest", "_falling", "_rows", "_segment", "_place"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.empty_like(old)]))

    def _merge(self) -> None:
        """Neighbours of one segment become one bucket of twice the rows."""
        size, half = self._size, (self._size + 1) // 2
        first, second = slice(0, size, 2), slice(1, size, 2)
        pairs = size // 2
        self._end_s[:pairs] = self._end_s[second][:pairs]
        merged = _grouped(self._band(slice(0, size)), np.arange(0, size, 2))
        self._put(slice(0, half), merged)
        self._rows[:pairs] = self._rows[first][:pairs] + self._rows[second][:pairs]
        if size % 2:
            self._end_s[pairs], self._rows[pairs] = self._end_s[size - 1], self._rows[size - 1]
        self._start_s[:half] = self._start_s[first].copy()
        self._segment[:half] = self._segment[first].copy()
        self._place[:half] = self._place[first].copy()
        self._size = half
        self._rows_per_bucket *= 2


def _grouped(band: Band, at: npt.NDArray[np.int64]) -> Band:
    """The extremes of groups of rows that begin at `at`, and of each which came first."""
    lowest, highest, falling = band
    low, high = np.fmin.reduceat(lowest, at), np.fmax.reduceat(highest, at)
    group = np.repeat(np.arange(len(at)), np.diff(np.append(at, len(lowest))))
    first_low, first_high = _first(lowest == low[group], at), _first(highest == high[group], at)
    inside = np.take_along_axis(falling, np.minimum(first_low, len(lowest) - 1), axis=0)
    return low, high, np.where(first_low == first_high, inside, first_high < first_low)


def _first(found: Flags, at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The first row of each group in which `found` is true, by column; behind the last row where in none."""
    places = np.where(found, np.arange(len(found))[:, None], len(found))
    first: npt.NDArray[np.int64] = np.minimum.reduceat(places, at)
    return first


def _stacked(stretches: list[Stretch], start_s: float, end_s: float) -> tuple[FloatArray, FloatArray, Band]:
    """The rows between two times and one beyond each."""
    begin = np.concatenate([s.start_s for s in stretches])
    end = np.concatenate([s.start_s + s.row_s for s in stretches])
    first = max(0, int(np.searchsorted(begin, start_s, "left")) - 1)
    stop = int(np.searchsorted(begin, end_s, "right")) + 1
    lowest = np.concatenate([s.lowest for s in stretches])[first:stop]
    highest = np.concatenate([s.highest for s in stretches])[first:stop]
    falling = np.concatenate([s.falling for s in stretches])[first:stop]
    return begin[first:stop], end[first:stop], (lowest, highest, falling)


def _known_before(table: Table, bucket: Table) -> None:
    """Put a bucket's temperature into the first rows: its status lies before the place they were read from."""
    column = SIGNALS.index("temperature_degC")
    unknown = np.logical_and.accumulate(np.isnan(table[:, column]))
    table[unknown, column] = bucket[column]


def _reduced(begin: FloatArray, end: FloatArray, band: Band, most: int) -> View:
    """At most `most` groups; a NaN between two that a gap parts."""
    count = len(begin)
    per_group = -(-count // most) if count else 1
    if per_group > 1:
        at = np.arange(0, count, per_group)
        end = end[np.minimum(at + per_group, count) - 1]
        begin = begin[at]
        band = _grouped(band, at)
    single = bool(per_group == 1 and count and np.array_equal(band[0], band[1], equal_nan=True))
    return _with_gaps(begin, end, band, single)


def _with_gaps(begin: FloatArray, end: FloatArray, band: Band, single: bool) -> View:
    usual_s = float(np.median(end - begin)) if len(begin) else 0.0
    gaps = np.flatnonzero(begin[1:] - end[:-1] > max(_GAP * usual_s, 1e-9)) + 1
    points = 1 if single else 2
    time_s = np.insert(np.repeat(begin, points), gaps * points, end[gaps - 1])
    lowest, highest, falling = band
    one, other = np.where(falling, highest, lowest), np.where(falling, lowest, highest)
    values = {}
    for column, name in enumerate(SIGNALS):
        pairs = np.column_stack([one[:, column], other[:, column]][:points]).ravel().astype(np.float64)
        values[name] = np.insert(pairs, gaps * points, np.nan)
    return View(time_s, values, single)
