"""Where the rows of a recording lie in time: the device's sample counter within a segment, the host's clock between.

The host notes at the first row of each segment which sample had just arrived, and every ten seconds, by a round trip
of the device's clock (`sample_clock`), when a sample was taken and how wrong that may be (`clock.ndjson`). Test time
within a segment is that of the device's crystal: a host clock that steps or a host that slept changes nothing. Between
segments (a reset, an unplugged cable, a host that was restarted) only the host knows how long it took. Unix time is the
wall clock that the host had: of each row by the last note at or before it, so that it is the same whenever it is asked
for.
"""

import bisect
import json
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ccdmon.model.trace import FloatArray
from ccdmon.run.rows import Rows

CLOCK_FILE = "clock.ndjson"
CRYSTAL = 1e-4  # relative: how far a crystal's rate may be from its name and from the host's


@dataclass(frozen=True)
class HostTime:
    """Three readings of the host: monotonic (stands still in sleep), since boot (does not), wall clock; seconds."""

    monotonic_s: float
    boot_s: float
    unix_s: float


def host_time() -> HostTime:
    """The host's clocks now."""
    boot = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return HostTime(time.monotonic(), time.clock_gettime(boot), time.time())


@dataclass(frozen=True)
class Anchor:
    """Sample `sample` of segment `segment` was taken `elapsed_s` after the recording began, at `unix_s`.

    `error_s` bounds how wrong that is; None: the sample had just arrived then, taken somewhat earlier.
    """

    segment: int
    sample: int
    elapsed_s: float
    unix_s: float
    error_s: float | None = None

    def moved(self, sample: int, seconds_per_sample: float, unix_offset_s: float) -> "Anchor":
        """What it says of another sample, where Unix time less elapsed time is `unix_offset_s`."""
        away_s = (sample - self.sample) * seconds_per_sample
        error_s = None if self.error_s is None else self.error_s + abs(away_s) * CRYSTAL
        elapsed_s = self.elapsed_s + away_s
        return Anchor(self.segment, sample, elapsed_s, elapsed_s + unix_offset_s, error_s)

    def line(self) -> str:
        """Its line in `clock.ndjson`."""
        return json.dumps(self.__dict__) + "\n"


MOST_SAMPLES = 1 << 62  # what the arrays hold
_NAMES = ("segment", "sample", "elapsed_s", "unix_s")


def read_anchors(path: Path) -> list[Anchor]:
    """The whole lines of `clock.ndjson` that make sense; the last may be torn, the file may be missing."""
    known = (_anchor(line) for line in path.read_bytes().split(b"\n")) if path.is_file() else ()
    return [anchor for anchor in known if anchor is not None]


def _anchor(line: bytes) -> Anchor | None:
    """None for a line that is torn, edited into nonsense or of something else."""
    try:
        known = json.loads(line)
        segment, sample, elapsed_s, unix_s = (known[name] for name in _NAMES)
        error_s = known.get("error_s")
        numbers = [float(value) for value in (elapsed_s, unix_s, error_s or 0.0)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None
    counts = (segment, sample)
    if not all(type(count) is int and abs(count) < MOST_SAMPLES for count in counts):
        return None
    if not all(math.isfinite(number) for number in numbers):
        return None
    return Anchor(segment, sample, numbers[0], numbers[1], None if error_s is None else numbers[2])


@dataclass
class Segment:
    """Where a segment lies in the test."""

    first_sample: int
    start_s: float  # test time of its first sample


class RunTime:
    """Test time and Unix time of rows. Segments are placed as they first appear; `joined` False: each starts at 0.

    Anchors may be added while the recording grows, before the rows behind them are asked for.
    """

    def __init__(
        self, seconds_per_sample: float, anchors: Iterable[Anchor] = (), joined: bool = True
    ) -> None:
        self.seconds_per_sample = seconds_per_sample
        self._joined = joined
        self._anchors: dict[int, list[Anchor]] = {}  # of each segment, by sample
        self._segments: dict[int, Segment] = {}
        self.end_s = 0.0  # test time after the last row placed
        for anchor in anchors:
            self.add(anchor)

    @classmethod
    def of_config(cls, config: Mapping[str, Any], anchors: Iterable[Anchor] = ()) -> "RunTime":
        """As `[time]` of `run.toml` says: `seconds_per_sample`, and `segments = "joined"` where they are one run."""
        table = config["time"]
        return cls(float(table["seconds_per_sample"]), anchors, table.get("segments") == "joined")

    def add(self, anchor: Anchor) -> None:
        """Take note of an anchor; the first of a segment places it."""
        known = self._anchors.setdefault(anchor.segment, [])
        if not known or known[-1].sample < anchor.sample:
            known.append(anchor)

    def knows(self, segment: int) -> bool:
        """Whether the segment has an anchor."""
        return segment in self._anchors

    def newest(self, segment: int) -> Anchor | None:
        """The last anchor of a segment."""
        return self._anchors.get(segment, [None])[-1]

    def test_time_s(self, rows: Rows) -> FloatArray:
        """Middle of each row, s."""
        self.place(rows)
        return self.middle_s(rows)

    def middle_s(self, rows: Rows) -> FloatArray:
        """As `test_time_s`, for rows of a segment placed before."""
        segment = self._segments[rows.segment]
        middle = 0.5 * (rows.samples_per_row - 1)
        counted = (rows.samples - segment.first_sample).astype(np.float64) + middle
        time_s: FloatArray = segment.start_s + counted * self.seconds_per_sample
        return time_s

    def place(self, rows: Rows) -> None:
        """Put the rows' segment, where it is new, behind all that came before; the rows are the newest."""
        segment = self._segment(rows.segment, int(rows.samples[0]))
        end = int(rows.samples[-1]) + rows.samples_per_row - segment.first_sample
        self.end_s = segment.start_s + end * self.seconds_per_sample

    def unix_time_s(self, rows: Rows) -> FloatArray | None:
        """The same as Unix time; None where the host noted none at all, NaN where not in this segment."""
        anchors = self._anchors.get(rows.segment)
        if not anchors:
            return np.full(len(rows), np.nan) if self._anchors else None
        low, high = (
            max(bisect.bisect_right(anchors, int(rows.samples[n]), key=_sample_of) - 1, 0) for n in (0, -1)
        )
        samples = np.array([anchor.sample for anchor in anchors[low : high + 1]], dtype=np.int64)
        at = np.maximum(np.searchsorted(samples, rows.samples, "right") - 1, 0)
        unix_s = np.array([anchor.unix_s for anchor in anchors[low : high + 1]])
        middle = 0.5 * (rows.samples_per_row - 1)
        after = (rows.samples - samples[at]).astype(np.float64) + middle
        time_s: FloatArray = unix_s[at] + after * self.seconds_per_sample
        return time_s

    def at(self, segment: int, sample: int) -> float | None:
        """Test time of one sample of a known segment."""
        known = self._segments.get(segment)
        return (
            None if known is None else known.start_s + (sample - known.first_sample) * self.seconds_per_sample
        )

    def _segment(self, number: int, first_sample: int) -> Segment:
        if number not in self._segments:
            first = first_sample if self._joined else 0
            start_s = self._start_s(number, first) if self._joined else 0.0
            self._segments[number] = Segment(first, start_s)
        return self._segments[number]

    def _start_s(self, number: int, first_sample: int) -> float:
        """After the segment before, and later by what the host's clock says since that one's last anchor."""
        before = max((known for known in self._segments if known in self._anchors), default=None)
        if before is None or number not in self._anchors:
            return self.end_s
        left, came = self._anchors[before][-1], self._anchors[number][0]
        left_s = self.at(before, left.sample)
        assert left_s is not None
        since_s = came.elapsed_s - (came.sample - first_sample) * self.seconds_per_sample - left.elapsed_s
        return max(self.end_s, left_s + since_s)


def _sample_of(anchor: Anchor) -> int:
    return anchor.sample
