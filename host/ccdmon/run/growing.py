"""A recording as it grows: rows to physical units, through the streaming analysis, told as `analyze` would tell it.

The recorder feeds it with what it has just written, the live page with what it reads back; both see the same. A report
over thousands of half-cycles is made in a thread of its own: what arrives meanwhile is written down and shown.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ccdmon.analysis.document import Snapshot, StreamingAnalysis
from ccdmon.analysis.events import Event
from ccdmon.errors import describe
from ccdmon.model.front_end import FrontEnd
from ccdmon.model.kinds import EDGE_KINDS
from ccdmon.model.trace import Trace, joined
from ccdmon.run.folder import cell_of, trace_of
from ccdmon.run.rows import Rows
from ccdmon.run.time_axis import RunTime
from ccdmon.run.trip_place import device_event

REPORT_INTERVAL_S = 0.25
REPORT_WAIT_S = 0.05  # so long a report is waited for; a longer one is told of when it is ready
REPORT_SHARE = 0.1  # of the machine's time: a report over thousands of half-cycles comes less often
RECENT_ROWS = 1 << 14  # to find the row of a trip in, whose message overtakes its sample or comes behind it


T = TypeVar("T")


class _Stretch(NamedTuple):
    first_row: int
    rows: Rows
    trace: Trace


class _Making(NamedTuple):
    """A report that is being made: of how much, asked for when, and its newest rows."""

    report: Future[tuple[dict[str, Any], float]]  # and how long it took, s
    came: tuple[int, int]
    asked_s: float
    last: _Stretch | None


@dataclass(frozen=True)
class Sharing:
    """What several runs of one process share: the thread that makes reports, and the machine's time for them.

    `wait_s`: so long a report is waited for; `recent_rows`: see `RECENT_ROWS`.
    """

    thread: ThreadPoolExecutor
    runs: int = 1
    wait_s: float = REPORT_WAIT_S
    recent_rows: int = RECENT_ROWS


class LiveRun:
    """`config` is `run.toml`, `time_axis` the run's. `report` is None before the first rows.

    `events_only`: a report holds `events` and nothing else.
    An analysis that fails does not keep the rows back: `problem` says why there are no newer reports.
    """

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any],
        time_axis: RunTime,
        *,
        events_only: bool = False,
        sharing: Sharing | None = None,
    ) -> None:
        self._folder, self._config, self.time = folder, config, time_axis
        self._front_end = FrontEnd.from_table(config["front_end"])
        self._device_events: list[Event] = []  # the analysis looks at it at each report
        self._analysis = StreamingAnalysis(cell_of(config), device_events=self._device_events)
        self._recent: deque[_Stretch] = deque()
        self._trip: tuple[str, int] | None = None  # (rule, sample) of the first trip, until its row is known
        self._document_of = Snapshot.events if events_only else Snapshot.report
        self._sharing = sharing or Sharing(ThreadPoolExecutor(1))
        self._making: _Making | None = None
        self._due_s = 0.0
        self._came = (0, 0)
        self._rows = 0
        self.problem: str | None = None
        self.report: dict[str, Any] | None = None
        self.reported: _Stretch | None = None  # the newest rows that `report` knows of
        self.asked_s = 0.0  # when it was asked for

    @property
    def rows(self) -> int:
        """Rows taken so far."""
        return self._rows

    @property
    def last(self) -> _Stretch | None:
        """The newest rows."""
        return self._recent[-1] if self._recent else None

    def newest(self) -> dict[str, float | None]:
        """The newest row's values, the temperature as the board measures it; empty before the first."""
        if self.last is None:
            return {}
        trace, tenths = self.last.trace, self.last.rows.temperature_dC
        measured_degC = np.nan if tenths is None else float(self._front_end.temperature_degC(tenths[-1:])[0])
        return {
            "test_time_s": float(trace.test_time_s[-1]),
            "voltage_V": float(trace.voltage_V[-1]),
            "current_A": float(trace.current_A[-1]),
            "pressure_Pa": None if trace.pressure_Pa is None else float(trace.pressure_Pa[-1]),
            "temperature_degC": None if np.isnan(measured_degC) else measured_degC,
        }

    def feed(self, rows: Rows) -> Trace:
        """Take rows; returns them in physical units."""
        trace = trace_of(rows, self.time, self._config, self._folder)
        self._recent.append(_Stretch(self.rows, rows, trace))
        self._rows += len(rows)
        self._analyse(lambda: self._analysis.feed(trace))
        while len(self._recent) > 1 and self.rows - self._recent[1].first_row > self._sharing.recent_rows:
            self._recent.popleft()
        self._analyse(self._place_trip)
        return trace

    def tripped(self, rule: str, sample: int) -> None:
        """The device tripped on `rule` at that sample of the segment that runs; the first of a recording counts."""
        if self._trip is None and not self._device_events and rule in EDGE_KINDS:
            self._trip = (rule, sample)
            self._analyse(self._place_trip)

    def refresh(self, now_s: float | None = None) -> bool:
        """Have `report` made anew where something came and it is time; True when it is new."""
        if self.problem is not None:
            return False
        if self._making is None:
            now_s = time.monotonic() if now_s is None else now_s
            came = (self.rows, len(self._device_events))
            if now_s < self._due_s or came == self._came:
                return False
            snapshot = self._analyse(self._analysis.snapshot)
            if snapshot is None:
                return False
            report = self._sharing.thread.submit(self._made, snapshot)
            self._making = _Making(report, came, now_s, self.last)
            wait([report], self._sharing.wait_s)
        if not self._making.report.done():
            return False
        made, self._came, self.asked_s, self.reported = self._making
        self._making = None
        done = self._analyse(made.result)
        if done is None:
            return False
        self.report, took_s = done
        self._due_s = self.asked_s + max(REPORT_INTERVAL_S, took_s * self._sharing.runs / REPORT_SHARE)
        return True

    def close(self) -> None:
        """End the thread that makes reports."""
        self._sharing.thread.shutdown(wait=False, cancel_futures=True)

    def _analyse(self, step: Callable[[], T]) -> T | None:
        """A step of the analysis, unless one failed before: what it knows is not to be trusted then."""
        if self.problem is not None:
            return None
        try:
            return step()
        except Exception as error:  # noqa: BLE001  rows are recorded and shown whatever the analysis meets
            self.problem = f"the analysis stopped: {describe(error)}"
            return None

    def _made(self, snapshot: Snapshot) -> tuple[dict[str, Any], float]:
        began_s = time.monotonic()
        return self._document_of(snapshot), time.monotonic() - began_s

    def _place_trip(self) -> None:
        if self._trip is None or not self._recent:
            return
        rule, sample = self._trip
        segment = self._recent[-1].rows.segment
        known = [stretch for stretch in self._recent if stretch.rows.segment == segment]
        samples = np.concatenate([stretch.rows.samples for stretch in known])
        row = int(np.searchsorted(samples, sample))
        if row >= len(samples):
            return
        verdicts = np.concatenate([stretch.rows.codes[:, 3] for stretch in known])
        trace = joined([stretch.trace for stretch in known])
        self._device_events.append(device_event(rule, trace, verdicts, row, known[0].first_row))
        self._trip = None
