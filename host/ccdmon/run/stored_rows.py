"""The rows of a run folder, read from its frames piece by piece: memory does not grow with the length of the run.

    run = RunRows(folder)
    for piece in run.pieces():          # about a megabyte of frames each; as often as wanted
        use(piece.trace)
    run.counts                          # what the frames held and what is missing, of that pass

A folder cut off at any byte still opens: a torn last frame is one the CRC refuses. `[time] segments = "joined"` in
`run.toml` puts all segments of a recording on one time axis; without it the last one is the trace (a replay or a demo
arms the rig anew for each).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccdmon.errors import InputError
from ccdmon.formats.bdf.write import write_pieces
from ccdmon.link.decoder import Counts
from ccdmon.model.trace import Cell, Trace
from ccdmon.run.folder import EVENTS_FILE, TRACE_FILE, cell_of, read_config, read_events, trace_of
from ccdmon.run.frame_files import FRAMES_FILE, READ_BYTES, parts, read_parts
from ccdmon.run.rows import RowReader, Rows
from ccdmon.run.sample_clock import ClockAccount, clock_account
from ccdmon.run.time_axis import CLOCK_FILE, MOST_SAMPLES, RunTime, read_anchors


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of one segment; the first is row `first_row` of the run's trace."""

    first_row: int
    rows: Rows
    trace: Trace


@dataclass(frozen=True)
class Segment:
    """One arming of the device in a recording: its rows begin at `first_row`."""

    number: int
    run: int
    first_row: int


class RunRows:
    """A run folder, complete, broken or still growing. Raises `InputError` where nothing can be had from it."""

    def __init__(self, folder: Path, *, read_bytes: int = READ_BYTES) -> None:
        self.folder, self._read_bytes = folder, read_bytes
        self.config: Mapping[str, Any] = read_config(folder)
        if not parts(folder):
            raise InputError(f"{folder / FRAMES_FILE}: missing; this folder holds no recording")
        with _readable(folder):
            self.events = tuple(read_events(folder / EVENTS_FILE))
        self.counts = Counts()  # these three: of the last pass
        self.segments: tuple[Segment, ...] = ()
        self.rows = 0

    @property
    def cell(self) -> Cell:
        """The cell as `run.toml` describes it."""
        return cell_of(self.config)

    @property
    def clock(self) -> ClockAccount | None:
        """How well the host's time of the rows is known; None where the device was never asked for its clock."""
        with _readable(self.folder):
            anchors = read_anchors(self.folder / CLOCK_FILE)
        return clock_account(anchors, float(self.config["time"]["seconds_per_sample"]))

    @property
    def trip(self) -> Mapping[str, Any] | None:
        """The first event that opened the gate, of those whose place can be read."""
        return next(
            (event for event in self.events if event.get("action") == "trip" and _placed(event)), None
        )

    def pieces(self) -> Iterator[Piece]:
        """All rows once, from the beginning. Raises `InputError` in the end where there were none."""
        with _readable(self.folder):
            time = RunTime.of_config(self.config, read_anchors(self.folder / CLOCK_FILE))
        wanted = None if self.config["time"].get("segments") == "joined" else self._last_segment()
        self.segments, self.rows = (), 0
        for rows in self._stretches():
            if wanted is not None and rows.segment != wanted:
                continue
            if not self.segments or self.segments[-1].number != rows.segment:
                self.segments += (Segment(rows.segment, rows.run, self.rows),)
            piece = Piece(self.rows, rows, trace_of(rows, time, self.config, self.folder))
            self.rows += len(rows)
            yield piece
        if not self.rows:
            raise InputError(
                f"{self.folder / FRAMES_FILE}: holds no whole frame with samples; nothing was recorded"
            )

    def _stretches(self) -> Iterator[Rows]:
        reader = RowReader()
        frames = read_parts(self.folder, read_bytes=self._read_bytes)
        while True:
            with _readable(self.folder):
                data = next(frames, None)
            if data is None:
                break
            yield from reader.feed(data).rows
        self.counts = reader.counts

    def _last_segment(self) -> int | None:
        last = None
        for rows in self._stretches():
            last = rows.segment
        return last


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """A file that cannot be read is the user's to mend, in one line."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise InputError(
            f"{where}: cannot be read ({error.strerror or error}); mend that and try again"
        ) from error


def _placed(event: Mapping[str, Any]) -> bool:
    """Whether segment and sample, where they are named, are numbers: the log may have been edited."""
    named = (event[key] for key in ("segment", "sample") if event.get(key) is not None)
    return all(type(number) is int and abs(number) < MOST_SAMPLES for number in named)


def derive_trace(folder: Path) -> Path:
    """Write the trace and its sidecar into the folder; returns the trace's path. Raises `InputError` as `RunRows`."""
    path = folder / TRACE_FILE
    write_pieces((piece.trace for piece in RunRows(folder).pieces()), path)
    return path
