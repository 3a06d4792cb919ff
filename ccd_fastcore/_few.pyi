from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

def middle(values: npt.NDArray[Any] | Sequence[float]) -> float:
    """The median; NaN of none."""

def quantile(values: npt.NDArray[Any] | Sequence[float], share: float) -> float:
    """As numpy's default: straight lines between neighbours; NaN of none."""

def robust(pool: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Of each column the median, NaN where no row tells, and the scatter (1.4826 MAD), 0 where fewer than three tell.

    `pool` are at most 512 rows of one length, NaN where a row tells nothing.
    """

def of_bins(values: FloatArray, bins: npt.NDArray[np.int64], count: int) -> FloatArray:
    """The medians of those of at most 512 values that fall in bin 0, 1, ... `count` - 1; NaN of none."""

def answers(
    tau_s: FloatArray, filters: FloatArray, amperes: float, start_s: FloatArray, end_s: FloatArray
) -> FloatArray:
    """A current of `amperes` over itself, 1, and behind RC filters: means of blocks, of shape (blocks, filters + 1).

    `filters` are the filters' currents in A as the current began, blocks go from `start_s` to `end_s` after that.
    """

def normal_equations(A: FloatArray, y: FloatArray) -> FloatArray:
    """A.T A and, as the last column, A.T y, for A of shape (n, m): of shape (m, m + 1)."""

def fitted(
    pairs: Sequence[tuple[FloatArray, FloatArray, FloatArray]],
    usual: FloatArray,
    pull: float,
    clear: float,
    least: int,
) -> FloatArray:
    """The weights w with A w nearest to y over all pairs (A, y, their normal equations), pulled towards `usual`.

    `pull` is the weight of that, of each number in y. The pull must not shift the scale: w is multiplied by the median
    of y / (A w) where A w is more than `clear`, at most 512 times; not where it is in fewer than `least`.
    """
