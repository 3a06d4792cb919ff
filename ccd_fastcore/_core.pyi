from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Column = FloatArray | Iterable[float]
Records = list[Sequence[float]]

def add_known(column: Column, total: float) -> tuple[float, int]:
    """`total` plus the finite values of a column of shape (n,), one after the other, and how many there were."""

class Named:
    """A segment's record with its numbers by their names, and what makes a half-cycle of it.

    `duration_s` is charge over current, nearer to the program than the times of the rows at either end;
    `resistance_start_ohm` is that after settling, `resistance_end_ohm` of the last rows, NaN without a current.
    `after_gap` and `before_gap`: rows are missing in it or before it, right after it. `index` and `cycle` are 0 until
    somebody numbers it.
    """

    index: int
    cycle: int
    after_gap: bool
    before_gap: bool

    def __init__(self, record: Sequence[float], *, after_gap: bool = False, before_gap: bool = False) -> None: ...
    record: Sequence[float]
    level_A: float
    duration_s: float
    resistance_start_ohm: float
    resistance_end_ohm: float
    first_row: int
    last_row: int
    rows: int
    start_s: float
    end_s: float
    current_A: float
    charge_C: float
    voltage_mean_V: float
    start_V: float
    end_V: float
    noise_V: float
    highest_V: float
    rows_highest: int
    current_end_A: float
    interval_s: float
    pressure_start_Pa: float
    pressure_end_Pa: float
    stuck_rows: int

class Stream:
    """State of one channel, at most 2 KB (`save`). `mode` indexes `ccd_fastcore.MODES`."""

    def __init__(self, mode: int = 0) -> None: ...
    def feed(
        self, time_s: Column, voltage_V: Column, current_A: Column, pressure_Pa: Column | None = None
    ) -> tuple[Records, Records]:
        """Take rows: float64 arrays of shape (n,), time never decreasing; NaN and infinity mark missing values.

        Returns the records they completed: segments (`SEGMENT_FIELDS`), steps (`STEP_FIELDS`).
        Raises ValueError for unequal lengths. Any chunking of the rows gives the same records, to the bit.
        """

    def finish(self) -> tuple[Records, Records]:
        """Close what is open: (segments, steps). The stream takes no more rows."""

    @property
    def running(self) -> tuple[int, int] | None:
        """First and last row of the segment that is running; None before the first row."""

    def save(self) -> bytes:
        """The whole state, to `restore` later on the same kind of machine; both twins give the same bytes."""

    def restore(self, state: bytes) -> None:
        """Take over a saved state. Raises ValueError for bytes of another version."""

def feed_many(
    streams: list[Stream], time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray
) -> list[tuple[Records, Records]]:
    """Rows of many channels in one call: float64 arrays of shape (channels, rows), one `Stream` each.

    Returns a list of what `Stream.feed` returns. Raises ValueError for shapes that do not agree.
    """
