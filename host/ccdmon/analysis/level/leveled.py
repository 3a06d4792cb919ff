"""A half-cycle on the level, and what of its blocks is looked at before there is one."""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ccd_fastcore import spans, stray_rows
from ccdmon.analysis import thresholds as th
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.stretches import Stretch

CONVERTER_STEPS = (
    1.5  # and more than this many of the smallest span of a block: a step of the converter, at most
)
NO_ROWS = np.zeros(0)
MOST_BLOCKS = 64  # of a half-cycle


@dataclass
class Leveled:
    """A half-cycle on the level: one number a block."""

    stretch: Stretch
    row: Array
    time_s: Array
    rows: Array
    interval_s: Array  # of its rows, mean of each block
    level: Array
    error: Array  # relative, one standard deviation, of the shape and the noise
    ohm: Array
    sound: bool = False
    median_ohm: float = 0.0
    dips: Array = field(
        default_factory=lambda: NO_ROWS
    )  # first rows of blocks with a row far below the others
    peaks: int = 0  # blocks with one as far above
    number: int = 0

    @cached_property
    def lower_half_ohm(self) -> float:
        """Of its first half and its second, as far as they tell, the lower level; NaN where one tells none."""
        level = self.level[self.error < th.UNKNOWN]
        half = level.size // 2
        return min(middle(level[:half]), middle(level[half:])) if half >= 2 else math.nan

    @property
    def span_ohm(self) -> Array:
        """Between the lowest and the highest row of each block."""
        blocks = self.stretch.blocks
        return (blocks.highest_V - blocks.lowest_V) / abs(self.stretch.current_A)


def single_rows(s: Stretch, volts: Array, usual_V: float, noise_V: float) -> tuple[Array, int]:
    """Blocks in which a row lies far towards 0 from the others, by their first rows; the number with one far from 0."""
    least_V = max(th.FALL * usual_V, th.SPIKE_NOISE * noise_V)
    dips, peaks = stray_rows(s.blocks.table, volts, s.middle_V >= 0, least_V, CONVERTER_STEPS)
    return (np.array(dips) if dips else NO_ROWS), peaks


def fine(s: Stretch) -> Array:
    """Of each block start and end since the step in s, and the mean V without stray rows; of shape (3, blocks)."""
    return spans(s.blocks.table, s.start_s, s.end_s, s.count)
