# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""The level that a cell kept: a running median of what was within its error. One source, as `_level.py`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from . import _few as few

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccd_fastcore._reference_levels import KeptState, Seen

MOST_BLOCKS = 64
BEFORE_THE_THIRD = 8  # blocks that tell the level while there is hardly a half-cycle


def look(s: KeptState, h: Seen, error: Sequence[float]) -> None:
    """How far from the kept level a block may be: `beyond`."""
    s.blocks = h.n if s.blocks == 0.0 else s.blocks + (1.0 - s.most) * (h.n - s.blocks)
    least = s.least
    if s.misfits_n >= 3:
        x = s.grown * few.middle_of(
            h.few, few.copied(s.misfits, 0, s.misfits_n if s.misfits_n < 6 else 6, h.few)
        )
        x = x if x < s.grown - 1.0 else s.grown - 1.0
        least = x if x > least else least
    for k in range(h.n):
        x = s.sure * error[k]
        h.beyond[k] = least if x < least else x


def within(s: KeptState, h: Seen, level: Sequence[float]) -> int:
    """Is all of a half-cycle at the kept level, as far as is known? Then it is kept, else (0) nothing happens."""
    if not (s.level > 0.0 and s.kept_n >= s.least_rows):
        return 0
    h.good_n = 0
    for k in range(h.n):
        known = h.beyond[k] <= s.sudden
        if known and not math.fabs(level[k] / s.level - 1.0) < h.beyond[k]:
            return 0
        if known:
            h.good[h.good_n] = level[k]
            h.good_n += 1
    for k in range(h.good_n):
        append(s, h.good[k])
    return 1


def append(s: KeptState, level: float) -> None:
    s.kept[s.kept_n % MOST_BLOCKS] = level
    s.kept_n += 1


def median(s: KeptState, h: Seen) -> float:
    """The kept level."""
    most = MOST_BLOCKS if s.half_cycles > 1 else BEFORE_THE_THIRD
    n = s.kept_n if s.kept_n < most else most
    for k in range(n):
        h.few[k] = s.kept[(s.kept_n - 1 - k) % MOST_BLOCKS]
    return few.middle_of(h.few, n)


def close(s: KeptState, h: Seen, level: Sequence[float], error: Sequence[float]) -> None:
    """A half-cycle has ended; `good` are those of its levels that are kept."""
    if h.good_n >= 3:
        n = s.kept_n if s.kept_n < MOST_BLOCKS else MOST_BLOCKS
        s.level = few.middle_of(h.few, few.copied(s.kept, 0, n, h.few))
        s.medians[s.medians_n % 3] = few.middle_of(h.good, h.good_n)
        s.medians_n += 1
        if h.number >= 2 and s.medians_n >= 2:
            n = s.medians_n if s.medians_n < 3 else 3
            x = few.middle_of(h.few, few.copied(s.medians, 0, n, h.few))
            s.lowest = s.lowest if x >= s.lowest else x
    if h.sound == 1 and h.median_ohm > 0.0 and h.n >= 6:
        _misfit(s, h, level, error)
    s.half_cycles += 1


def _misfit(s: KeptState, h: Seen, level: Sequence[float], error: Sequence[float]) -> None:
    """The largest deviation from the median within a sound half-cycle, of three blocks in a row."""
    n = 0
    for k in range(h.n):
        if error[k] < s.fall:
            h.few[n] = level[k] / h.median_ohm - 1.0
            n += 1
    if n < 4:
        return
    largest = 0.0
    for k in range(1, n - 1):
        x = math.fabs(few.between(h.few[k - 1], h.few[k], h.few[k + 1]))
        largest = largest if x <= largest else x
    s.misfits[s.misfits_n % 6] = largest
    s.misfits_n += 1
