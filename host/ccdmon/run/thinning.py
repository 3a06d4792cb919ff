"""The rows of a long trace that its figures need: read twice, never held whole.

While the rows go by the first time, `Extremes` notes where each column has its first, smallest, largest and last value
within some thousand stretches of rows, and where time jumps; `thinned` picks these rows, and whole windows of them, the
second time.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ccd_fastcore import ENVELOPE_FIELDS, Envelope
from ccdmon.model.trace import COLUMN_FIELDS, Cell, FloatArray, Trace

SHOWN = ("voltage_V", "current_A", "pressure_Pa", "temperature_degC")
STRETCHES = 4096  # more than a figure has columns of pixels
WINDOW_ROWS = 20  # on either side of a row that is shown sample by sample
GAPS = 256  # the longest steps in time whose two rows are kept, so that a line can break there
_ROWS = [ENVELOPE_FIELDS.index(name) for name in ("start_s", "lowest_s", "highest_s", "end_s")]


class Extremes:
    """Where the rows are that figures must show."""

    def __init__(self) -> None:
        self.rows = 0
        self._columns = {name: Envelope(STRETCHES) for name in SHOWN}
        self._last_s = np.empty(0)
        self._steps_s = np.empty(0)
        self._steps_to = np.empty(0, np.int64)  # the row behind each

    def feed(self, chunk: Trace) -> None:
        """Take the next rows."""
        self._note_steps(chunk.test_time_s)
        numbers = np.arange(self.rows, self.rows + len(chunk), dtype=np.float64)
        self.rows += len(chunk)
        for name, envelope in self._columns.items():
            column = getattr(chunk, name)
            if column is not None:
                envelope.feed(numbers, column)  # by row, not by time

    def _note_steps(self, time_s: FloatArray) -> None:
        joined_s = np.concatenate([self._last_s, time_s])
        steps_s = np.diff(joined_s)
        least_s = self._steps_s[-1] if len(self._steps_s) == GAPS else -np.inf
        longer = np.flatnonzero(
            steps_s > least_s
        )  # few after the first chunk: sorting all of each takes 15 times as long
        to = self.rows + 1 - len(self._last_s) + longer
        known_s = np.concatenate([self._steps_s, steps_s[longer]])
        longest = np.argsort(-known_s, kind="stable")[:GAPS]
        self._steps_s, self._steps_to = known_s[longest], np.concatenate([self._steps_to, to])[longest]
        self._last_s = joined_s[-1:]

    def chosen(self, windows: Iterable[int] = ()) -> npt.NDArray[np.int64]:
        """Row numbers, ascending; of `windows` also the rows around. Never empty but for no rows."""
        seen = [envelope.view(most=STRETCHES)[:, _ROWS].ravel() for envelope in self._columns.values()]
        around = [np.arange(row - WINDOW_ROWS, row + WINDOW_ROWS + 1) for row in windows]
        steps = [self._steps_to - 1, self._steps_to]
        numbers = np.unique(np.concatenate([*seen, *around, *steps, [0, self.rows - 1]]).astype(np.int64))
        return numbers[(numbers >= 0) & (numbers < self.rows)]


def thinned(chunks: Iterable[Trace], numbers: npt.NDArray[np.int64], cell: Cell) -> Trace:
    """The rows of these numbers, of a trace that comes in chunks; at least one row must be among them."""
    parts: list[Trace] = []
    first = 0
    for chunk in chunks:
        low, high = np.searchsorted(numbers, (first, first + len(chunk)))
        parts.append(_picked(chunk, numbers[low:high] - first))
        first += len(chunk)
    pairs = {name: [getattr(part, name) for part in parts] for name in COLUMN_FIELDS}
    columns: dict[str, Any] = {
        name: None if arrays[0] is None else np.concatenate(arrays) for name, arrays in pairs.items()
    }
    return Trace(**columns, cell=cell, source=chunk.source, row_numbers=numbers, notes=chunk.notes)


def _picked(chunk: Trace, places: npt.NDArray[np.int64]) -> Trace:
    columns: dict[str, Any] = {
        name: None if column is None else column[places]
        for name in COLUMN_FIELDS
        for column in [getattr(chunk, name)]
    }
    return replace(chunk, **columns)
