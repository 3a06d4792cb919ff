# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False, annotation_typing=False
"""I through RC filters on a logarithmic grid of times, the same for every test: they span what a relaxation can do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FILTERS = 9
TAU_s = [
    0.31622776601683794, 1.7782794100389228, 10.0, 56.23413251903491, 316.2277660168379,
    1778.2794100389228, 1e4, 56234.13251903491, 316227.7660168379,
]  # fmt: skip


def passed(filters: list[float], amperes: float, lasted_s: float) -> None:
    """The filters' currents after `amperes` flowed for so long."""
    for j in range(FILTERS):
        filters[j] = amperes + (filters[j] - amperes) * _decayed(lasted_s, TAU_s[j])


def _decayed(time_s: float, tau_s: float) -> float:
    """What is left after so long; far down the library takes its time to find nothing."""
    x = time_s / tau_s
    return 0.0 if x > 750.0 else math.exp(-x)


def beside(filters: Sequence[float], amperes: float, out: list[float]) -> None:
    """How far each filter's current is from `amperes`, over it."""
    for j in range(FILTERS):
        out[j] = (filters[j] - amperes) / amperes


def answers(
    away: Sequence[float], begin_s: float, stop_s: float, goes_on: bool, left: list[float], out: list[float]
) -> None:
    """A current through filters that were `away` from it as it began, over it: mean of a block, exact while it stands.

    The block begins and stops so long after that. `left`: of each filter's state as the current began, at `stop_s`; it
    is known where a block `goes_on` at the last one's end.
    """
    width_s = stop_s - begin_s
    per_s = 1.0 / (width_s if width_s > 1e-9 else 1e-9)
    for j in range(FILTERS):
        early = left[j] if goes_on else _decayed(begin_s, TAU_s[j])
        left[j] = _decayed(stop_s, TAU_s[j])
        out[j] = 1.0 + away[j] * (TAU_s[j] * (early - left[j]) * per_s)


def reach(answers: Sequence[float]) -> float:
    """The largest current that still acts, over the one that flows; 1 at least."""
    largest = 1.0
    for j in range(FILTERS):
        x = math.fabs(answers[j])
        largest = x if x > largest else largest
    return largest
