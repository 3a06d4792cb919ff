"""Medians and quantiles of a few dozen numbers: numpy's cost twenty times as much for so few."""

from collections.abc import Sequence
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.analysis.rows_in_blocks import Array


def middle(values: npt.NDArray[Any] | Sequence[float]) -> float:
    """The median; NaN of none."""
    ordered = np.sort(values)
    n = ordered.size
    return float(0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])) if n else nan


def quantile(values: Array, share: float) -> float:
    """As numpy's default: straight lines between neighbours; NaN of none."""
    ordered = np.sort(values)
    if not ordered.size:
        return nan
    at = share * (ordered.size - 1)
    below = int(at)
    above = min(below + 1, ordered.size - 1)
    return float(ordered[below] + (at - below) * (ordered[above] - ordered[below]))


def of_three(values: Array) -> Array:
    """The median of each three neighbours, two fewer than `values`."""
    a, b, c = values[:-2], values[1:-1], values[2:]
    between: Array = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    return between


def of_columns(table: Array) -> tuple[Array, Array]:
    """Median of each column of shape (rows, columns), NaN left out; and how many numbers it has."""
    ordered = np.sort(table, axis=0)  # NaN last
    told = np.count_nonzero(np.isfinite(table), axis=0)
    column = np.arange(table.shape[1])
    low, high = (
        ordered[np.maximum(told - 1, 0) // 2, column],
        ordered[np.minimum(told // 2, len(table) - 1), column],
    )
    return np.where(told > 0, 0.5 * (low + high), nan), told
