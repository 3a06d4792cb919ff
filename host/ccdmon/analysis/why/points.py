"""The points that temperature and pressure are read from: a resistance each, with its time and what moved then.

A half-cycle is one, where there are enough of them: its relaxations follow the temperature in their own way, and would
be taken for the whole. A polymer's polarisation is mostly its salt's, which follows no Arrhenius' law: its points are
the jumps of V at reversals.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ccd_fastcore import FILTERS
from ccdmon.analysis.level.line import Places
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.why.half_cycle_rows import HalfCycleRows

POINTS, FEW = 240, 24  # of a test, at most; below it half-cycles are parted
REST = 0.1  # of a half-cycle: a reversal without a rest
EARLY = 0.1  # of a half-cycle


def log_pressure(pressure_Pa: Array) -> Array:
    """Logarithm of the pressure over 1 MPa; NaN where there is none."""
    return np.asarray(np.log(np.where(pressure_Pa > 0, pressure_Pa, np.nan) / 1e6))


@dataclass(frozen=True)
class Points:
    """A number each: parts of half-cycles; `filtered` has a column for each filter."""

    time_s: Array
    ln_ohm: Array
    filtered: Array
    degC: Array
    log_P: Array
    noise: Array  # of ln_ohm, standard deviation
    direction: Array  # the current's sign
    relative_A: Array  # the current's size over the least


Point = tuple[float, float, Array, float, float, float, float, float]  # the columns of `Points`


def points(
    test: Sequence[HalfCycleRows], of: Callable[[Sequence[HalfCycleRows]], Iterator[Point]]
) -> Points | None:
    """Of at most so many half-cycles, evenly spread."""
    found = list(of(test))
    if not found:
        return None
    points = Points(*map(np.array, zip(*found, strict=True)))
    return replace(points, relative_A=points.relative_A / points.relative_A.min())


def parts_of_half_cycles(test: Sequence[HalfCycleRows]) -> Iterator[Point]:
    """Parts of the half-cycles, or the whole, their first tenth left out."""
    parts = max(1, min(4, FEW // max(len(test), 1)))
    for h in (test[k] for k in _spread(len(test))):
        late = np.flatnonzero(h.middle_s > EARLY * h.lasts_s)
        for places in np.array_split(late, parts):
            if places.size and (ohm := float(np.mean(h.ohm[places]))) > 0:
                yield _point(h, places, ohm, np.mean(h.filtered[places], axis=0))


def jumps(test: Sequence[HalfCycleRows]) -> Iterator[Point]:
    """Of V over those of I at reversals: blocks beside it, brought to the moment itself."""
    for k in _spread(len(test) - 1):
        h, then = test[k], test[k + 1]
        rests_s = then.stretch.start_s - h.stretch.end_s
        if (
            h.stretch.sign == then.stretch.sign
            or rests_s > REST * h.lasts_s
            or min(h.ohm.size, then.ohm.size) < 2
        ):
            continue
        last, first = h.blocks.volts[-2:], then.blocks.volts[:2]
        jump_V = first[0] - 0.5 * (first[1] - first[0]) - (last[1] + 0.5 * (last[1] - last[0]))
        ohm = float(jump_V) / (then.stretch.current_A - h.stretch.current_A)
        if ohm > 0:
            yield _point(then, np.arange(1), ohm, np.zeros(FILTERS))


def _spread(count: int) -> list[int]:
    """Numbers of at most so many of them."""
    return [
        int(k) for k in np.unique(np.linspace(0, max(count - 1, 0), min(max(count, 0), POINTS)).astype(int))
    ]


def _point(h: HalfCycleRows, places: Places, ohm: float, filtered: Array) -> Point:
    means = (h.middle_s + h.stretch.start_s, h.blocks.temperature_degC, log_pressure(h.blocks.pressure_Pa))
    time_s, degC, log_P = (float(np.mean(x[places])) for x in means)
    size_A = abs(h.stretch.current_A)
    noise = h.stretch.noise_V / size_A / ohm / math.sqrt(h.blocks.rows[places].sum())
    return time_s, math.log(ohm), filtered, degC, log_P, noise, float(h.stretch.sign), size_A
