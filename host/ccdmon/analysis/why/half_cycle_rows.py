"""Half-cycles in a few blocks each, with what a linear cell's resistance in them rests on: I through RC filters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ccd_fastcore import Filters
from ccdmon.analysis.level.tracker import LEAST_A, MOST_OHM
from ccdmon.analysis.rows_in_blocks import Array, Blocks, side_by_side
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
    chosen = _chosen(stretches, most)
    blocks = _joined([s.blocks for s in chosen])
    times = _since_begin(chosen, blocks)
    found: list[HalfCycleRows] = []
    filters, end_s = Filters(), stretches[0].start_s if stretches else 0.0
    for s in stretches:
        if len(found) == len(chosen):
            break
        filters.passed(0.0, max(s.start_s - end_s, 0.0))
        if s is chosen[len(found)]:
            start, end, middle_s = times[len(found)]
            filtered = filters.answers(s.current_A, start, end)
            found.append(HalfCycleRows(s, blocks[len(found)], middle_s, _lasts_s(s), filtered))
        filters.passed(s.current_A if s.sign else 0.0, s.end_s - s.start_s)
        end_s = s.end_s
    return found


def _chosen(stretches: Sequence[Stretch], most: int) -> list[Stretch]:
    """The first that are half-cycles, up to one that was let go."""
    least_C = 0.02 * max((s.charge_C for s in stretches), default=0.0)
    found: list[Stretch] = []
    for s in stretches:
        flows = s.kind == "current" and abs(s.current_A) > LEAST_A and s.charge_C > least_C
        if flows and s.count >= 6 and 0 < s.ohm < MOST_OHM:
            if len(found) >= most or not s.is_kept:
                break
            found.append(s)
    return found


def _lasts_s(s: Stretch) -> float:
    return max(s.end_s - s.start_s, 1e-9)


def _since_begin(chosen: Sequence[Stretch], blocks: Sequence[Joined]) -> list[tuple[Array, Array, Array]]:
    """Begins, ends and middles of the blocks since their half-cycle's begin; of all at once, as `_joined`."""
    if not chosen:
        return []
    sizes = [b.time_s.size for b in blocks]
    bounds = np.cumsum([0, *sizes])
    lasts_s = np.array([_lasts_s(s) for s in chosen])
    start = np.concatenate([b.time_s for b in blocks]) - np.repeat([s.start_s for s in chosen], sizes)
    end = np.append(start[1:], 0.0)
    end[bounds[1:] - 1] = lasts_s
    end = np.maximum(end, start + 1e-6 * np.repeat(lasts_s, sizes))
    middle_s = 0.5 * (start + end)
    return [(start[a:b], end[a:b], middle_s[a:b]) for a, b in pairwise(bounds.tolist())]


def _joined(each: Sequence[Blocks]) -> list[Joined]:
    """At most `BLOCKS` of each, of as many neighbours; of all of them at once, for it is numpy's calls that cost."""
    if not each:
        return []
    sizes = [blocks.row.size for blocks in each]
    ends = np.cumsum(sizes)
    at = np.concatenate(
        [np.arange(end - n, end, -(-n // BLOCKS)) for n, end in zip(sizes, ends.tolist(), strict=True)]
    )
    every = side_by_side(each)
    rows, sum_V = np.add.reduceat(every.rows, at), np.add.reduceat(every.sum_V, at)
    ends_V = np.minimum.reduceat(every.lowest_V, at) + np.maximum.reduceat(every.highest_V, at)
    volts = np.where(rows > 2, (sum_V - ends_V) / np.maximum(rows - 2, 1), sum_V / rows)
    columns = every.time_s[at], rows, volts, every.temperature_degC[at], every.pressure_Pa[at]
    bounds = np.searchsorted(at, [0, *ends]).tolist()
    return [Joined(*(c[a:b] for c in columns)) for a, b in pairwise(bounds)]
