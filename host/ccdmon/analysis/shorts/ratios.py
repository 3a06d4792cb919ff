"""Ratios of numbers that may be anything."""

from math import isfinite, log


def log_ratio(a: float, b: float) -> float | None:
    """ln(a / b); None unless both are above zero and the ratio is a finite number above zero."""
    if not (a > 0 and b > 0 and isfinite(a) and isfinite(b)):
        return None
    return log(a) - log(b)
