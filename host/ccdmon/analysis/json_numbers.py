"""Numbers as JSON has them."""

import math
from typing import Any


def finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: null says that a number is not there."""
    if isinstance(value, dict):
        return {
            key: item if type(item) is float and math.isfinite(item) else finite(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
