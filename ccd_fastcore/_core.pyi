from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Column = FloatArray | Iterable[float]
Records = list[Sequence[float]]

def add_known(column: Column, total: float) -> tuple[float, int]:
    """`total` plus the finite values of a column of shape (n,), one after the other, and how many there were."""

class Stream:
    """State of one channel, at most 2 KB (`save`). `mode` indexes `ccd_fastcore.MODES`."""

    def __init__(self, mode: int = 0) -> None: ...
    def feed(
        self, time_s: Column, voltage_V: Column, current_A: Column, pressure_Pa: Column | None = None
    ) -> tuple[Records, Records, Records]:
        """Take rows: float64 arrays of shape (n,), time never decreasing; NaN and infinity mark missing values.

        Returns the records they completed: segments (`SEGMENT_FIELDS`), steps (`STEP_FIELDS`), bursts (`BURST_FIELDS`).
        Raises ValueError for unequal lengths. Any chunking of the rows gives the same records, to the bit.
        """

    def finish(self) -> tuple[Records, Records, Records]:
        """Close what is open: (segments, steps, bursts). The stream takes no more rows."""

    def save(self) -> bytes:
        """The whole state, to `restore` later on the same kind of machine; both twins give the same bytes."""

    def restore(self, state: bytes) -> None:
        """Take over a saved state. Raises ValueError for bytes of another version."""

def feed_many(
    streams: list[Stream], time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray
) -> list[tuple[Records, Records, Records]]:
    """Rows of many channels in one call: float64 arrays of shape (channels, rows), one `Stream` each.

    Returns a list of what `Stream.feed` returns. Raises ValueError for shapes that do not agree.
    """

class Unframer:
    """Cuts a byte stream into frames. Counts what it cannot read in `crc_errors`; never raises on input."""

    crc_errors: int
    def __init__(self) -> None: ...
    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """The frames `data` completes: (type, sequence, body)."""
    def feed_samples(
        self, data: bytes
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16], list[tuple[int, int, bytes, int]]]:
        """As `feed`, with the samples in two arrays: (heads, codes, other frames).

        `heads` is int64 of shape (frames, 7): sequence, first sample, dropped, time in us, run, count, flags; `codes` is
        uint16 of shape (samples, 4): voltage, current, pressure code, verdict. Other frames: (type, sequence, body,
        number of heads before it).
        """

def unpack_samples(body: bytes) -> tuple[int, int, int, int, int, npt.NDArray[np.uint16]]:
    """(first sample, dropped, time in us, run, flags, codes) of a SAMPLES body; codes uint16 of shape (count, 4).

    Raises ValueError for a body shorter or longer than it says.
    """
