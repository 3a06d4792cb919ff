"""Where the rows of a recording lie in time: the device's sample counter within a segment, the host's clock between.

The host notes at the first row of each segment, and every ten seconds, which sample had just arrived at what time
(`clock.ndjson`). Within a segment the device's crystal rules: a host clock that steps or a host that slept changes
nothing. Between segments (a reset, an unplugged cable, a host that was restarted) only the host knows how long it took.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ccdmon.rows import Rows
from ccdmon.trace import FloatArray

CLOCK_FILE = "clock.ndjson"


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
    """Sample `sample` of segment `segment` had just arrived `elapsed_s` after the recording began, at `unix_s`."""

    segment: int
    sample: int
    elapsed_s: float
    unix_s: float

    def line(self) -> str:
        """Its line in `clock.ndjson`."""
        return json.dumps(self.__dict__) + "\n"


def read_anchors(path: Path) -> list[Anchor]:
    """The whole lines of `clock.ndjson`; the last may be torn, the file may be missing."""
    anchors = []
    for line in path.read_bytes().split(b"\n") if path.is_file() else []:
        try:
            known = json.loads(line)
            anchors.append(Anchor(*(known[name] for name in ("segment", "sample", "elapsed_s", "unix_s"))))
        except (ValueError, KeyError, TypeError):
            continue
    return anchors


@dataclass
class Segment:
    """Where a segment lies in the test."""

    first_sample: int
    start_s: float  # test time of its first sample
    anchor: Anchor | None


class RunTime:
    """Test time and Unix time of rows. Segments are placed as they first appear; `joined` False: each starts at 0.

    Anchors may be added while the recording grows, before the rows of their segment are asked for.
    """

    def __init__(
        self, seconds_per_sample: float, anchors: Iterable[Anchor] = (), joined: bool = True
    ) -> None:
        self.seconds_per_sample = seconds_per_sample
        self._joined = joined
        self._anchors: dict[int, Anchor] = {}  # the first of each segment
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
        """Take note of an anchor; the first of a segment counts."""
        self._anchors.setdefault(anchor.segment, anchor)

    def knows(self, segment: int) -> bool:
        """Whether the segment has an anchor."""
        return segment in self._anchors

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
        anchor = self._segment(rows.segment, int(rows.samples[0])).anchor
        if anchor is None:
            return np.full(len(rows), np.nan) if self._anchors else None
        after = (rows.samples - anchor.sample).astype(np.float64)
        unix_s: FloatArray = anchor.unix_s + after * self.seconds_per_sample
        return unix_s

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
            self._segments[number] = Segment(first, start_s, self._anchors.get(number))
        return self._segments[number]

    def _start_s(self, number: int, first_sample: int) -> float:
        """After the segment before, and later by what the host's clock says."""
        anchor, begin = self._anchors.get(number), self._segments.get(min(self._segments, default=0))
        if anchor is None or begin is None or begin.anchor is None:
            return self.end_s
        origin_s = (
            begin.anchor.elapsed_s - (begin.anchor.sample - begin.first_sample) * self.seconds_per_sample
        )
        arrived_s = anchor.elapsed_s - (anchor.sample - first_sample) * self.seconds_per_sample
        return max(self.end_s, arrived_s - origin_s)
