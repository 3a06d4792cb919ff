"""Where in the rows a firmware tripped, and the event that this is.

A cut-off leaves only the few shorted samples that the confirmation took, sometimes too few for an analysis of the
trace alone. The firmware's own decision is evidence then, and named as such.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.analysis.events import Event
from ccdmon.model.kinds import EDGE_KINDS
from ccdmon.model.trace import Trace
from ccdmon.run.stored_rows import Piece, RunRows
from ccdmon_fw import detector


class TripPlace:
    """Finds the row of the firmware's trip as the rows go by, and the first row of the suspicion that it confirmed."""

    def __init__(self, trip: Mapping[str, Any] | None) -> None:
        self.row: int | None = None  # of the trip; None where its sample did not arrive
        self.event: Event | None = None  # None for a trip that says nothing of the cell
        self._trip = trip if trip is not None and "sample" in trip else None
        self._segment = -1
        # (row, trace of it) where the suspicion that goes on began
        self._pending: tuple[int, Trace] | None = None

    @classmethod
    def of(cls, run: RunRows) -> "TripPlace":
        """The place of a run's trip, after one pass over its rows."""
        place = cls(run.trip)
        for piece in run.pieces():
            place.feed(piece)
        return place

    def feed(self, piece: Piece) -> None:
        """Take the next rows."""
        if self._trip is None:
            return
        named = self._trip.get("segment")
        if named is None and piece.rows.segment != self._segment:
            self.row = self.event = None  # a trip that names no segment is one of the last
        self._segment = piece.rows.segment
        at = int(np.searchsorted(piece.rows.samples, self._trip["sample"]))
        if self.row is None and named in (None, piece.rows.segment) and at < len(piece.rows):
            self._found(piece, at)
        self._follow(piece)

    def _found(self, piece: Piece, at: int) -> None:
        assert self._trip is not None
        self.row = piece.first_row + at
        begin = _begin(piece.rows.codes[:, 3], at)
        row, trace = piece.first_row + begin, piece.trace.rows(begin, begin + 1)
        if begin == 0 and self._pending is not None:
            row, trace = self._pending
        # Other reasons (an exception, a command) are the device's own affair.
        if self._trip.get("rule") in EDGE_KINDS:
            self.event = _tripped_event(str(self._trip["rule"]), row, trace, self.row)

    def _follow(self, piece: Piece) -> None:
        """Remember where a suspicion began that may go on in the next piece."""
        begin = _begin(piece.rows.codes[:, 3], len(piece.rows))
        if begin == len(piece.rows):
            self._pending = None
        elif begin > 0 or self._pending is None:
            self._pending = (piece.first_row + begin, piece.trace.rows(begin, begin + 1))


def _begin(verdicts: npt.NDArray[np.uint16], at: int) -> int:
    """First of the rows right before `at` whose verdict was pending; `at` where the one before was none."""
    settled = np.flatnonzero(~(verdicts[:at] & detector.PENDING).astype(bool))
    return int(settled[-1]) + 1 if settled.size else 0


def device_event(
    rule: str, trace: Trace, verdicts: npt.NDArray[np.uint16], tripped: int, first_row: int = 0
) -> Event:
    """A trip on `rule` at place `tripped` of these rows, of which the first is row `first_row` of the recording."""
    begin = _begin(verdicts, tripped)
    return _tripped_event(rule, first_row + begin, trace.rows(begin, begin + 1), first_row + tripped)


def _tripped_event(rule: str, row: int, trace: Trace, tripped_row: int) -> Event:
    return Event(
        kind=rule,
        start_s=float(trace.test_time_s[0]),
        row=row,
        cycle=None,
        current_A=float(trace.current_A[0]),
        evidence={"criterion": "tripped by the firmware", "tripped_at_row": tripped_row},
    )
