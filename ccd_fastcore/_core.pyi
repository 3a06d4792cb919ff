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
    @property
    def record(self) -> Sequence[float]: ...
    @property
    def level_A(self) -> float: ...
    @property
    def duration_s(self) -> float: ...
    @property
    def resistance_start_ohm(self) -> float: ...
    @property
    def resistance_end_ohm(self) -> float: ...
    @property
    def first_row(self) -> int: ...
    @property
    def last_row(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def current_A(self) -> float: ...
    @property
    def charge_C(self) -> float: ...
    @property
    def voltage_mean_V(self) -> float: ...
    @property
    def start_V(self) -> float: ...
    @property
    def end_V(self) -> float: ...
    @property
    def noise_V(self) -> float: ...
    @property
    def highest_V(self) -> float: ...
    @property
    def rows_highest(self) -> int: ...
    @property
    def current_end_A(self) -> float: ...
    @property
    def interval_s(self) -> float: ...
    @property
    def pressure_start_Pa(self) -> float: ...
    @property
    def pressure_end_Pa(self) -> float: ...
    @property
    def stuck_rows(self) -> int: ...

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

    @property
    def running(self) -> tuple[int, int] | None:
        """First and last row of the segment that is running; None before the first row."""

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
