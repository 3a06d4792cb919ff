"""A half-cycle on the level."""

import numpy as np

from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.stretches import Stretch

NO_ROWS = np.zeros(0)
MOST_BLOCKS = 64  # of a half-cycle
COLUMNS = ("time_s", "interval_s", "level", "error", "ohm")  # of what `ccd_fastcore.Level` tells


def _column(name: str) -> property:
    at = COLUMNS.index(name)
    return property(lambda leveled: leveled.table[at])


class Leveled:
    """A half-cycle on the level: one number a block, in columns that are made when asked for.

    `interval_s`: of its rows, mean of each block; `error`: relative, one standard deviation, of the shape and the
    noise. `first_s`: `time_s` of the first; `peaks`: blocks with a row far above the others; `lower_half_ohm`: of its
    first half and its second, as far as they tell, the lower level, NaN where one tells none.
    """

    __slots__ = (
        "_dips",
        "first_s",
        "lower_half_ohm",
        "median_ohm",
        "number",
        "peaks",
        "sound",
        "stretch",
        "told",
    )

    time_s: Array = _column("time_s")  # type: ignore[assignment]
    interval_s: Array = _column("interval_s")  # type: ignore[assignment]
    level: Array = _column("level")  # type: ignore[assignment]
    error: Array = _column("error")  # type: ignore[assignment]
    ohm: Array = _column("ohm")  # type: ignore[assignment]

    def __init__(
        self, stretch: Stretch, told: bytes, first_s: float, median_ohm: float, lower_half_ohm: float, number: int,
        sound: bool, peaks: int, dips: list[float] | None,
    ) -> None:  # fmt: skip
        self.stretch, self.told, self.first_s, self.number, self.sound = stretch, told, first_s, number, sound
        self.median_ohm, self.lower_half_ohm, self.peaks, self._dips = median_ohm, lower_half_ohm, peaks, dips

    @property
    def table(self) -> Array:
        """All `COLUMNS`."""
        return np.frombuffer(self.told).reshape(len(COLUMNS), -1)

    @property
    def row(self) -> Array:
        """First row of each block."""
        return self.stretch.row

    @property
    def rows(self) -> Array:
        """Number of rows of each block."""
        return self.stretch.blocks.rows

    @property
    def span_ohm(self) -> Array:
        """Between the lowest and the highest row of each block."""
        blocks = self.stretch.blocks
        return (blocks.highest_V - blocks.lowest_V) / abs(self.stretch.current_A)

    @property
    def dips(self) -> Array:
        """First rows of the blocks with a row far below the others."""
        return NO_ROWS if self._dips is None else np.array(self._dips)
