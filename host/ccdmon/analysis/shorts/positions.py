"""Two half-cycles compared position by position: at octaves of rows since their start, where V had settled."""

from math import isfinite, log

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.half_cycles import HalfCycle

FIRST_OCTAVE = 2  # rows 4-7: the first rows may be means across the reversal


def log_ratio(a: float, b: float) -> float | None:
    """ln(a / b); None unless both are above zero and the ratio is a finite number above zero."""
    if not (a > 0 and b > 0 and isfinite(a) and isfinite(b)):
        return None
    return log(a) - log(b)


def position_shift(
    now: HalfCycle, before: HalfCycle, settled: float = th.BOUNDARY_SETTLED, first: int = FIRST_OCTAVE
) -> tuple[float, float]:
    """Mean log ratio of the first positions and of the last ones, of those where V had reached its share `settled`."""
    amperes, least_V = log_ratio(now.level_A, before.level_A), settled * before.end_V
    if amperes is None:
        return 0.0, 0.0
    ratios: list[float] = []
    for now_V, before_V in zip(now.profile_V[first:], before.profile_V[first:], strict=True):
        if before_V < least_V:
            continue
        if now_V >= 1e-3 * before_V > 0:  # the usual case
            if isfinite(now_V) and isfinite(before_V):
                ratios.append(log(now_V) - log(before_V) - amperes)
        elif (found := _log_ohm(now_V, before_V, amperes)) is not None:
            ratios.append(found)
    if not ratios:
        return 0.0, 0.0
    half = max(1, len(ratios) // 2)
    return sum(ratios[:half]) / half, sum(ratios[-half:]) / half


def _log_ohm(now_V: float, before_V: float, amperes: float) -> float | None:
    """Log ratio of two resistances, from their voltages and the log ratio of their currents."""
    if now_V == 0 or now_V < -th.HARD_REMAINS * before_V:
        return None
    volts = log_ratio(max(now_V, 1e-3 * before_V), before_V)
    return None if volts is None else volts - amperes
