"""Order statistics and least squares of a few dozen numbers, with numpy: what `_few.pyx` compiles.

Sums may differ from the compiled ones in the last bits, for numpy adds in another order.
"""

from collections.abc import Sequence
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


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


def robust(pool: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Of each column the median, NaN where no row tells, and the scatter, 0 where fewer than three tell."""
    table = np.array(pool)
    center, told = _of_columns(table)
    spread = 1.4826 * _of_columns(np.abs(table - center))[0]
    return center, np.where(told > 2, spread, 0.0)


def _of_columns(table: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Median of each column of shape (rows, columns), NaN left out; and how many numbers it has."""
    ordered = np.sort(table, axis=0)  # NaN last
    told = np.count_nonzero(np.isfinite(table), axis=0)
    column = np.arange(table.shape[1])
    low, high = (
        ordered[np.maximum(told - 1, 0) // 2, column],
        ordered[np.minimum(told // 2, len(table) - 1), column],
    )
    return np.where(told > 0, 0.5 * (low + high), nan), told


def of_bins(values: FloatArray, bins: npt.NDArray[np.int64], count: int) -> FloatArray:
    """The medians of those values that fall in bin 0, 1, ... `count` - 1; NaN of none."""
    return np.array([middle(values[bins == k]) for k in range(count)])


def answers(
    tau_s: FloatArray, filters: FloatArray, amperes: float, start_s: FloatArray, end_s: FloatArray
) -> FloatArray:
    """A current over itself, 1, and behind RC filters: means of blocks, exact for a constant current."""
    width = np.maximum(end_s - start_s, 1e-9)[:, None]
    mean = tau_s * (np.exp(-start_s[:, None] / tau_s) - np.exp(-end_s[:, None] / tau_s)) / width
    x = amperes + (filters - amperes) * mean
    return np.concatenate([np.ones((start_s.size, 1)), x / amperes], axis=1)


def normal_equations(A: FloatArray, y: FloatArray) -> FloatArray:
    """A.T A and, as the last column, A.T y."""
    return np.concatenate([A.T @ A, (A.T @ y)[:, None]], axis=1)


def fitted(
    pairs: Sequence[tuple[FloatArray, FloatArray, FloatArray]],
    usual: FloatArray,
    pull: float,
    clear: float,
    least: int,
) -> FloatArray:
    """The weights w with A w nearest to y over all pairs (A, y, their normal equations), pulled towards `usual`."""
    equations = np.add.reduce([told for _, _, told in pairs])
    y = np.concatenate([b for _, b, _ in pairs])
    pull *= y.size
    w: FloatArray = np.linalg.solve(
        equations[:, :-1] + pull * np.identity(usual.size), equations[:, -1] + pull * usual
    )
    said = np.concatenate([A @ w for A, _, _ in pairs])
    sure = said > clear  # the pull must not shift the scale
    return w * middle(y[sure] / said[sure]) if np.count_nonzero(sure) >= least else w
