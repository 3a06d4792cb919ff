"""A half-cycle on the level, and what of its blocks is looked at before there is one."""

from dataclasses import dataclass, field

import numpy as np

from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.stretches import Stretch

SPIKE, SPIKE_NOISE = 0.08, 8.0  # of the polarisation, and of its noise: a row so far from its neighbours


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
    shape: Array
    sound: bool = False
    median_ohm: float = 0.0
    dips: Array = field(
        default_factory=lambda: np.zeros(0)
    )  # first rows of blocks with a row far below the others
    peaks: int = 0  # blocks with one as far above
    number: int = 0


def single_rows(s: Stretch, volts: Array, usual_V: float) -> tuple[Array, int]:
    """Blocks in which a row lies far towards 0 from the others, by their first rows; the number with one far from 0."""
    spans_V = s.blocks.highest_V - s.blocks.lowest_V
    converter_V = float(np.min(spans_V[spans_V > 0], initial=np.inf))  # a step of it, at most
    least_V = max(SPIKE * usual_V, SPIKE_NOISE * s.noise_V, 1.5 * converter_V)
    low_V, high_V = volts - s.blocks.lowest_V, s.blocks.highest_V - volts
    down, up = (low_V, high_V) if s.middle_V >= 0 else (high_V, low_V)
    settled = np.arange(volts.size) > 1
    return s.row[settled & (down > least_V) & (up < down)], int(
        np.count_nonzero(settled & (up > least_V) & (down < up))
    )


def fine(s: Stretch) -> tuple[Array, Array, Array, Array, Array]:
    """Blocks as (row, start, end since the step in s, rows, volts)."""
    dt = (s.end_s - s.start_s) / max(s.count - 1, 1)
    t = s.time_s - s.start_s
    end = np.append(t[1:] - 0.0, s.end_s - s.start_s + dt)
    end = np.maximum(end, t + 1e-6 * max(dt, 1e-9))
    return s.row, t, end, s.blocks.rows, s.blocks.trimmed_V
