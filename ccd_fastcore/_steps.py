# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""Steps of V: suspected from means of four rows, located in the ring of the last 64 and fitted with a common slope."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ccd_fastcore._interpreted import State

STEP_FIELDS = (
    "row", "time_s", "before_V", "after_V", "step_V", "step_error_V", "noise_before_V", "noise_after_V", "abruptness",
    "rows_before", "rows_after", "current_A", "position", "sign",
)  # fmt: skip
STEP = 2  # flag of the record
RING = 64
KEEP_DROP = 0.04
KEEP_ERRORS = 4.0
SETTLE_ROWS = 2
SIGMA_D2 = 0.511663  # standard deviation over the mean |second difference|: sqrt(pi / 2) / sqrt(6)


def confirm(s: State) -> int:
    """Locate the largest drop in the ring and fit it."""
    s.pending = 0
    low = s.valid - RING
    if low < SETTLE_ROWS:
        low = SETTLE_ROWS
    if s.valid - low < 6:
        return 0
    best = 0.0
    at = -1
    for c in range(low + 3, s.valid - 2):
        w1 = c - low if c - low < 8 else 8
        w2 = s.valid - c if s.valid - c < 8 else 8
        weight = 1.0 * w1 * w2 / (w1 + w2)  # 1.0: an integer by an integer is an integer when compiled
        drop = _mean_of(s, c - w1, w1) - _mean_of(s, c, w2)
        if drop > 0.0 and drop * drop * weight > best:
            best = drop * drop * weight
            at = c
    if at < 0:
        return 0
    # Only two rows may follow the step: the search above asks for three, and takes a good one for the third.
    if at == s.valid - 3:
        after = _mean_of(s, at + 1, 2)
        if s.ring_y[at & 63] - after > 0.5 * (_mean_of(s, at - 1, 1) - after):
            at += 1
    return _fit(s, low, at)


def _fit(s: State, low: int, at: int) -> int:
    """A step at `at` with one slope on both sides (least squares); a record when it is large and sure."""
    # The row of the step itself may be a mean across it.
    first = at + 1 if s.valid - at > 4 else at
    nb = at - low if at - low < 28 else 28
    na = s.valid - first if s.valid - first < 28 else 28
    mean_b = _mean_of(s, at - nb, nb)
    mean_a = _mean_of(s, first, na)
    xb = at - nb + 0.5 * (nb - 1)
    xa = first + 0.5 * (na - 1)
    sxy = 0.0
    for k in range(at - nb, at):
        sxy += (k - xb) * (s.ring_y[k & 63] - mean_b)
    for k in range(first, first + na):
        sxy += (k - xa) * (s.ring_y[k & 63] - mean_a)
    sxx = (nb * (nb * nb - 1.0) + na * (na * na - 1.0)) / 12.0
    slope = sxy / sxx
    step = mean_a - mean_b - slope * (xa - xb)
    noise_b = _noise_of(s, at - nb, nb)
    noise_a = _noise_of(s, first, na)
    noise = noise_b if noise_b > 0.5 * s.sigma else 0.5 * s.sigma
    error = noise * math.sqrt(1.0 / nb + 1.0 / na + (xa - xb) * (xa - xb) / sxx)
    wb = nb if nb < 8 else 8
    wa = na if na < 8 else 8
    before = _mean_of(s, at - wb, wb)
    after = _mean_of(s, first, wa)
    if before - after < KEEP_DROP * before or (before - after < 0.5 * before and -step < KEEP_ERRORS * error):
        return 0
    if before == after:  # zeros
        return 0
    # The share of the drop between the two rows on either side of it.
    abruptness = (_mean_of(s, at - 2, 2) - _mean_of(s, first, 2)) / (before - after)
    k = at & 63
    s.step[0] = s.first_row + s.ring_r[k]
    s.step[1] = s.ring_t[k]
    s.step[2] = before
    s.step[3] = after
    s.step[4] = step
    s.step[5] = error
    s.step[6] = noise_b
    s.step[7] = noise_a
    s.step[8] = abruptness
    s.step[9] = nb
    s.step[10] = na
    s.step[11] = s.mean * s.sign
    s.step[12] = at
    s.step[13] = s.sign
    return STEP


def tail_drops(s: State) -> bool:
    """Did the last rows fall, too late for the blocks?"""
    if s.valid < SETTLE_ROWS + 6:
        return False
    last = _mean_of(s, s.valid - 3, 3)
    count = s.valid - 3 - SETTLE_ROWS
    if count > 12:
        count = 12
    before = _mean_of(s, s.valid - 3 - count, count)
    return before - last > 0.3 * before


def _mean_of(s: State, first: int, count: int) -> float:
    """Mean of ring places first .. first+count-1, counted since the segment began."""
    total = 0.0
    for k in range(first, first + count):
        total += s.ring_y[k & 63]
    return total / count


def _noise_of(s: State, first: int, count: int) -> float:
    """Standard deviation of the noise in a stretch of the ring, from second differences."""
    if count < 3:
        return s.sigma
    total = 0.0
    for k in range(first + 2, first + count):
        d2 = s.ring_y[k & 63] - 2.0 * s.ring_y[(k - 1) & 63] + s.ring_y[(k - 2) & 63]
        total += math.fabs(d2)
    return total / (count - 2) * SIGMA_D2
