# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""The level: V / I of each block over the shape that this cell's own linear response gives it (`_shape.py`).

What is left, the level, is the cell's resistance at any time since the step, after reversals, rests and pauses alike;
all else is judged on it. Written once, in plain Python, with the types in `_level.pxd` and the state in
`_level_state.pxd`: interpreted it is the reference, compiled the core, as `_stream.py`. A stretch of constant current
goes so:

    feed              is it one that has a level? after it the filters move on
      _spans          of the rows in blocks start, end and mean V without stray rows; then V / I
      shape.expect, shape.bend      what the shape says of each block
      _against_shape  level, relative error, median and size of the level
      _stray_rows     blocks with a single row far from the others
      learning.learn  what a sound half-cycle teaches
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from . import _few as few
from . import _filters as filters
from . import _learning as learning
from . import _shape as shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccd_fastcore._reference_levels import Half, LevelState

NEW_SCALE = 20.0  # times the charge of all before: those were scans
OF_LARGEST = 0.02  # of the largest charge: less is a scan
FLAT = 0.08  # of the shape: what is nearer to nothing is taken for this much
CONVERTER_STEPS = (
    1.5  # and more than this many of the smallest span of a block: a step of the converter, at most
)
BEYOND = 0.01  # of what larger currents than a shape was taught at leave behind
# Relative errors of a shape that so many half-cycles taught: for good, and more where a half-cycle begins.
UNSURE = [0.02, 0.06, 0.06, 0.03, 0.01, 0.01, 0.003]
EARLY = [0.0, 0.3, 0.3, 0.15, 0.05, 0.05, 0.01]


def feed(s: LevelState, h: Half, blocks: Sequence[float]) -> int:
    """Take the next stretch, of which `h` says what is known; 1 where it has a level.

    `blocks` are its rows', one field (`BLOCK_FIELDS`) after the other.
    """
    gap_s = h.start_s - s.end_s if s.ended == 1 and h.after_gap == 0 else 0.0
    leveled = 0
    if h.after_gap == 1:
        s.hole_s = h.start_s
        s.holed = 1
    # What flowed before is known for less time than this lasts: its answer hides in a hole.
    h.after_hole = 1 if s.holed == 1 and h.start_s - s.hole_s < h.end_s - h.start_s else 0
    amperes = math.fabs(h.current_A)
    if h.flows == 1 and amperes > s.least_A and h.count >= 3 and h.charge_C > OF_LARGEST * s.largest_C:
        if h.charge_C > NEW_SCALE * s.largest_C and amperes > 1.5 * s.largest_A:
            _forget(s)
        s.largest_C = h.charge_C if h.charge_C > s.largest_C else s.largest_C
        s.largest_A = amperes if amperes > s.largest_A else s.largest_A
        _look(s, h, blocks)
        leveled = 1
    lasted_s = h.end_s - h.start_s + (gap_s if gap_s > 0.0 else 0.0)
    filters.passed(s.filters, h.current_A if h.sign != 0 else 0.0, lasted_s)
    s.end_s = h.end_s
    s.ended = 1
    return leveled


def start(s: LevelState) -> None:
    """A test begins; what is known of a shape is kept."""
    for j in range(filters.FILTERS):
        s.filters[j] = 0.0
    s.ended = 0
    s.holed = 0
    s.odd_n = 0
    s.fresh = 0
    _begin(s)


def _forget(s: LevelState) -> None:
    """What went before were scans, an offset, noise."""
    shape.clear(s)
    s.asymmetry_n = 0
    s.fresh = 1
    _begin(s)


def _begin(s: LevelState) -> None:
    """No half-cycle has gone before."""
    s.number = 0
    s.kept_n = 0
    s.along = 0.0
    s.best = 0.0
    s.most_raw_ohm = few.NAN
    s.last_known = 0


def _look(s: LevelState, h: Half, blocks: Sequence[float]) -> None:
    _spans(h, blocks)
    if h.middle_V != 0.0:
        s.along += h.count if (h.middle_V > 0.0) == (h.sign > 0) else -h.count
    _ohms(h, h.current_A if s.along >= 0.0 else -h.current_A, s.most_ohm)
    h.turned = 0 if s.last_known == 1 and s.last_sign == h.sign else 1
    h.rho = learning.rho_of(s, h)
    shape.expect(s, h)
    shape.bend(s, h)
    _against_shape(h, blocks)
    _errors(s, h, blocks)
    h.raw_ohm = few.middle_of(h.few, few.copied(h.ohm, h.n // 3, h.n, h.few))
    h.scale = math.exp(-h.rho * h.sign)
    _stray_rows(s, h, blocks)
    learning.learn(s, h)
    s.number += 1
    s.last_known = 1
    s.last_sign = h.sign
    s.last_sound = h.sound
    s.last_median_ohm = h.level_ohm * h.scale


def _spans(h: Half, blocks: Sequence[float]) -> None:
    """Of each block start and end since the step in s, and the mean V without the lowest and the highest row."""
    n = h.n
    interval_s = (h.end_s - h.start_s) / (h.count - 1.0 if h.count > 2 else 1.0)
    least_s = 1e-6 * (interval_s if interval_s > 1e-9 else 1e-9)
    for k in range(n):
        h.begin_s[k] = blocks[n + k] - h.start_s
        rows = blocks[2 * n + k]
        h.volts[k] = blocks[3 * n + k] / rows
        if rows > 2.0:
            h.volts[k] = (blocks[3 * n + k] - blocks[5 * n + k] - blocks[6 * n + k]) / (rows - 2.0)
    for k in range(n):
        stop_s = h.begin_s[k + 1] if k + 1 < n else h.end_s - h.start_s + interval_s
        least = h.begin_s[k] + least_s
        h.stop_s[k] = stop_s if stop_s > least else least


def _ohms(h: Half, amperes: float, most_ohm: float) -> None:
    """V / I, no more than `most_ohm` either way: behind a current of next to nothing."""
    for k in range(h.n):
        x = h.volts[k] / amperes
        h.ohm[k] = most_ohm if x > most_ohm else -most_ohm if x < -most_ohm else x


def _against_shape(h: Half, blocks: Sequence[float]) -> None:
    """The level of each block, and how V bends beside its shape, each over its median."""
    n = h.n
    third = n // 3
    for k in range(n):
        x = h.shape[k]
        h.shape[k] = x if math.fabs(x) >= FLAT else -FLAT if x < 0.0 else FLAT
        h.level[k] = h.ohm[k] / h.shape[k]
        # Three bins to an octave of rows since the step.
        x = 3.0 * math.log2(1.0 + (blocks[k] - blocks[0] + 0.5 * (blocks[2 * n + k] - 1.0)))
        h.bins[k] = math.floor(x) if x < shape.BINS else shape.BINS - 1
        h.error[k] = 0.0
        if h.known > 0:
            h.bent[k] = shape.interpolated(x - 0.5, h.at, h.usual, h.known)
            h.error[k] = shape.interpolated(x - 0.5, h.at, h.scatter, h.known)
            if h.bins[k] + 1.0 < h.at[0]:  # sooner after the step than anything was learned of
                h.error[k] = EARLY[1]
    if h.known > 0:
        straight = few.middle_of(h.few, few.copied(h.bent, third, n, h.few))
        for k in range(n):
            h.level[k] /= h.bent[k] / straight  # how V bends; its size is the shape's
    h.level_ohm = few.middle_of(h.few, few.copied(h.level, third, n, h.few))


def _errors(s: LevelState, h: Half, blocks: Sequence[float]) -> None:
    """Relative, one standard deviation, of the shape and the noise."""
    h.size_ohm = learning.size_of(s, h)
    known = s.taught_n if s.taught_n < 6 else 6
    if h.turned == 1 and s.reversals + 1 < known:
        known = s.reversals + 1
    if h.after_hole == 1 and known > 1:
        known = 1
    h.usual_noise_V = learning.noise_of(s, h)
    step_V = _converter_step_V(h, blocks)
    noise = math.sqrt(h.usual_noise_V * h.usual_noise_V + step_V * step_V / 12.0)
    noise /= math.fabs(h.current_A) * h.size_ohm
    for k in range(h.n):
        error = UNSURE[known] + EARLY[known] * math.exp(-k / (0.1 * h.n + 1.0))
        error = h.error[k] if h.error[k] > error else error
        error += BEYOND * (filters.reach(h.answers[k]) - 1.0)
        flat = math.fabs(h.shape[k])
        of_noise = noise / (flat if flat > 0.2 else 0.2)
        x = 1.0 / (flat if flat > 0.02 else 0.02)
        error *= x if x > 1.0 else 1.0
        rows = blocks[2 * h.n + k]
        error = math.sqrt(of_noise * of_noise / (rows if rows < 3.0 else 3.0) + error * error)
        h.error[k] = error + 9.0 if h.shape[k] < learning.CLEAR else error


def _converter_step_V(h: Half, blocks: Sequence[float]) -> float:
    """Of a converter so coarse that V stands in a quarter of all blocks as it stood in the last one; else 0."""
    stands = 0
    step_V = few.NAN
    for k in range(1, h.n):
        x = math.fabs(h.volts[k] - h.volts[k - 1])
        y = blocks[6 * h.n + k] - blocks[5 * h.n + k]
        stands += 1 if x == 0.0 and y == 0.0 else 0
        x = y if y > 0.0 else x
        if x > 0.0 and not x >= step_V:
            step_V = x
    return step_V if 4 * stands >= h.n and not math.isnan(step_V) else 0.0


def _stray_rows(s: LevelState, h: Half, blocks: Sequence[float]) -> None:
    """Blocks in which a row lies far towards 0 from the others, and the number with one far from 0."""
    n = h.n
    least_V = s.fall * (h.size_ohm * math.fabs(h.current_A))
    if s.spike_noise * h.usual_noise_V > least_V:
        least_V = s.spike_noise * h.usual_noise_V
    finest_V = few.NAN
    for k in range(n):
        span_V = blocks[6 * n + k] - blocks[5 * n + k]
        if span_V > 0.0 and not span_V >= finest_V:
            finest_V = span_V
    if CONVERTER_STEPS * finest_V > least_V:
        least_V = CONVERTER_STEPS * finest_V
    h.dips_n = 0
    h.peaks = 0
    for k in range(2, n):
        low_V = h.volts[k] - blocks[5 * n + k]
        high_V = blocks[6 * n + k] - h.volts[k]
        down_V = low_V if h.middle_V >= 0.0 else high_V
        up_V = high_V if h.middle_V >= 0.0 else low_V
        if down_V > least_V and up_V < down_V:
            h.dips[h.dips_n] = blocks[k]
            h.dips_n += 1
        elif up_V > least_V and down_V < up_V:
            h.peaks += 1


def write(h: Half, blocks: Sequence[float], out: list[float]) -> None:
    """What is kept of the half-cycle: of each block middle in s, row interval in s, level, its error, V / I."""
    n = h.n
    for k in range(n):
        out[k] = 0.5 * (h.begin_s[k] + h.stop_s[k]) + h.start_s
        out[n + k] = (h.stop_s[k] - h.begin_s[k]) / blocks[2 * n + k]
        out[2 * n + k] = h.level[k] * h.scale
        out[3 * n + k] = h.error[k]
        out[4 * n + k] = h.ohm[k]
