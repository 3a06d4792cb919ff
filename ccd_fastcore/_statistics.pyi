from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

def middle(values: npt.NDArray[Any] | Sequence[float]) -> float:
    """The median; NaN of none."""

def quantile(values: npt.NDArray[Any] | Sequence[float], share: float) -> float:
    """As numpy's default: straight lines between neighbours; NaN of none."""
