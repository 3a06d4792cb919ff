"""Half-cycles in a few blocks each, with what a linear cell's resistance in them rests on: I through RC filters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ccd_fastcore import Filters
from ccdmon.analysis.level.tracker import LEAST_A, MOST_OHM
from ccdmon.analysis.rows_in_blocks import Array, Blocks
from ccdmon.analysis.stretches import Stretch

BLOCKS = 16  # of a half-cycle, at most
Explained = Callable[["Joined"], Array]  # logarithm of what temperature and pressure make of the resistance


@dataclass(frozen=True)
class Joined:
    """Blocks joined to few; times of their first rows, means of V without the lowest and the highest row."""

    time_s: Array
    rows: Array
    volts: Array
    temperature_degC: Array
    pressure_Pa: Array


@dataclass(frozen=True)
class HalfCycleRows:
    """One half-cycle. `middle_s`, since its begin, and `filtered`, I through each filter over I, have a row a block."""

    stretch: Stretch
    blocks: Joined
    middle_s: Array
    lasts_s: float
    filtered: Array

    @property
    def ohm(self) -> Array:
        """V / I of each block."""
        return self.blocks.volts / self.stretch.current_A


def half_cycle_rows(stretches: Sequence[Stretch], most: int) -> list[HalfCycleRows]:
    """The first half-cycles of a test, at most so many; what is short or scans is left out, but flows through."""
    most_C = max((s.charge_C for s in stretches), default=0.0)
    found: list[HalfCycleRows] = []
    filters, end_s = Filters(), stretches[0].start_s if stretches else 0.0
    for s in stretches:
        filters.passed(0.0, max(s.start_s - end_s, 0.0))
        flows = s.kind == "current" and abs(s.current_A) > LEAST_A and s.charge_C > 0.02 * most_C
        if flows and s.count >= 6 and 0 < s.ohm < MOST_OHM:
            if not s.is_kept:
                break
            found.append(_rows(s, filters))
            if len(found) >= most:
                break
        filters.passed(s.current_A if s.sign else 0.0, s.end_s - s.start_s)
        end_s = s.end_s
    return found


def _rows(s: Stretch, filters: Filters) -> HalfCycleRows:
    blocks = _joined(s.blocks)
    start = blocks.time_s - s.start_s
    lasts_s = max(s.end_s - s.start_s, 1e-9)
    end = np.maximum(np.append(start[1:], lasts_s), start + 1e-6 * lasts_s)
    filtered = filters.answers(s.current_A, start, end)
    return HalfCycleRows(s, blocks, 0.5 * (start + end), lasts_s, filtered)


def _joined(blocks: Blocks) -> Joined:
    """At most `BLOCKS`, each of as many neighbours."""
    at = np.arange(0, blocks.row.size, -(-blocks.row.size // BLOCKS))
    rows, sum_V = np.add.reduceat(blocks.rows, at), np.add.reduceat(blocks.sum_V, at)
    ends_V = np.minimum.reduceat(blocks.lowest_V, at) + np.maximum.reduceat(blocks.highest_V, at)
    volts = np.where(rows > 2, (sum_V - ends_V) / np.maximum(rows - 2, 1), sum_V / rows)
    return Joined(blocks.time_s[at], rows, volts, blocks.temperature_degC[at], blocks.pressure_Pa[at])
