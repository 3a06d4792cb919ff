"""Medians and quantiles with numpy: what `_statistics.pyx` compiles."""

from collections.abc import Sequence
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt


def middle(values: npt.NDArray[Any] | Sequence[float]) -> float:
    """The median; NaN of none."""
    ordered = np.sort(values)
    n = ordered.size
    return float(0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])) if n else nan


def quantile(values: npt.NDArray[Any] | Sequence[float], share: float) -> float:
    """As numpy's default: straight lines between neighbours; NaN of none."""
    ordered = np.sort(values)
    if not ordered.size:
        return nan
    at = share * (ordered.size - 1)
    below = int(at)
    above = min(below + 1, ordered.size - 1)
    return float(ordered[below] + (at - below) * (ordered[above] - ordered[below]))
