from collections.abc import Iterable
from math import inf

import numpy as np
import numpy.typing as npt

class Envelope:
    """First, smallest, largest and last value of one signal over time, at every resolution, in constant memory.

    `buckets` (rounded up to a power of two) is how many buckets each level keeps, 64 bytes each: the newest `buckets`
    rows one by one, the rows before them in pairs, fours, ..., the whole test always. No spike is lost at any level.
    """

    buckets: int
    rows: int  # taken so far, without those left out

    def __init__(self, buckets: int = 1024) -> None: ...
    def feed(
        self, time_s: npt.NDArray[np.float64] | Iterable[float], value: npt.NDArray[np.float64] | Iterable[float]
    ) -> None:
        """Take rows: float64 arrays of shape (n,), seconds and any unit; a value that is not finite is left out.

        Time that is missing or runs backwards is taken as the last one. Raises ValueError for unequal lengths. Any
        chunking of the rows gives the same views, to the bit.
        """

    def view(self, start_s: float = -inf, end_s: float = inf, most: int = 1024) -> npt.NDArray[np.float64]:
        """The finest at most `most` buckets that cover the span, in order: float64 of shape (n, 8), `ENVELOPE_FIELDS`.

        A bucket that touches the span is in it whole. Each of its four values has its time: the first, lowest,
        highest and last value lie at `start_s`, `lowest_s`, `highest_s`, `end_s`. Raises ValueError for `most` below 1.
        """
