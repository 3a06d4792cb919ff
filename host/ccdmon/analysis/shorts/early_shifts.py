"""Where a half-cycle may have begun lower than the one before of its sign: thousands at once, to look closer there.

A test of a month has thousands of half-cycles, of which nearly all are like the others. The comparison of
`positions`, exact and slow, is asked only for those that this one, in vectors, cannot rule out.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.half_cycles import HalfCycle

AT_ONCE = 2048  # half-cycles in one vector: memory does not grow with the test
ROUNDING = 1e-9  # of a log ratio: a vector's logarithm may differ from a single one's in the last bit


def may_begin_lower(half_cycles: Sequence[HalfCycle], log_ratio: float, first: int) -> npt.NDArray[np.int64]:
    """Places of the half-cycles whose first positions, from octave `first` on, may lie lower by `log_ratio` (< 0)."""
    found = [np.empty(0, dtype=np.int64)]
    for start in range(1, len(half_cycles), AT_ONCE):
        begin = max(start - 2, 0)
        found.append(begin + _places(half_cycles[begin : start + AT_ONCE], start - begin, log_ratio, first))
    return np.concatenate(found)


def _places(
    half_cycles: Sequence[HalfCycle], start: int, log_ratio: float, first: int
) -> npt.NDArray[np.int64]:
    """Of those from place `start` on; their partners come before it."""
    profile_V = np.array([h.profile_V for h in half_cycles])
    end_V = np.array([h.end_V for h in half_cycles])
    log_A = np.log(np.array([h.level_A for h in half_cycles]))
    now = np.arange(start, len(half_cycles))
    before = np.maximum(now - 2, 0)
    now_V, before_V = profile_V[now, first:], profile_V[before, first:]
    compared = ~(before_V < th.BOUNDARY_SETTLED * end_V[before, None]) & (now_V != 0)
    usual = (now_V >= 1e-3 * before_V) & (before_V > 0)
    with np.errstate(all="ignore"):
        ratio = np.log(now_V) - np.log(before_V) - (log_A[now] - log_A[before])[:, None]
    counted = np.cumsum(compared, axis=1)
    early = compared & (counted <= np.maximum(counted[:, -1:] // 2, 1))
    ruled_out = (~compared | (usual & np.isfinite(ratio))).all(axis=1)
    mean = np.where(early & usual, ratio, 0.0).sum(axis=1) / np.maximum(early.sum(axis=1), 1)
    places: npt.NDArray[np.int64] = now[~(ruled_out & (mean > log_ratio + ROUNDING))]
    return places
