from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Records = list[tuple[float, ...]]

class Stream:
    """State of one channel, a few hundred bytes. `mode` indexes `ccd_fastcore.MODES`."""

    def __init__(self, mode: int = 0) -> None: ...
    def feed(
        self,
        time_s: FloatArray | Iterable[float],
        voltage_V: FloatArray | Iterable[float],
        current_A: FloatArray | Iterable[float],
    ) -> tuple[Records, Records]:
        """Take rows, three float64 arrays of shape (n,), time never decreasing; NaN and infinity mark missing values.

        Returns the records they closed: half-cycles (fields `HALF_CYCLE_FIELDS`) and events (`EVENT_FIELDS`).
        Raises ValueError for unequal lengths. Any chunking of the rows gives the same records, to the bit.
        """

    def finish(self) -> tuple[Records, Records]:
        """Close the last half-cycle; the stream takes no more rows."""
