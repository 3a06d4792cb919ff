"""Two half-cycles compared position by position: at octaves of rows since their start, where V had settled."""

from collections.abc import Sequence
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


def log_ratio_at(now: HalfCycle, before: HalfCycle, octave: int) -> float | None:
    """ln of V / I in one position over that of the other half-cycle; None where there is none."""
    amperes = log_ratio(now.level_A, before.level_A)
    if amperes is None:
        return None
    return _log_ohm(now.profile_V[octave], before.profile_V[octave], amperes)


def _log_ohm(now_V: float, before_V: float, amperes: float) -> float | None:
    """Log ratio of two resistances, from their voltages and the log ratio of their currents."""
    if now_V == 0 or now_V < -th.HARD_REMAINS * before_V:
        return None
    volts = log_ratio(max(now_V, 1e-3 * before_V), before_V)
    return None if volts is None else volts - amperes


def settled_octave(before: HalfCycle) -> int:
    """The first position at which V had settled, of those that are compared."""
    least_V = th.BOUNDARY_SETTLED * before.end_V
    profile_V = before.profile_V
    return next((b for b in range(FIRST_OCTAVE, len(profile_V)) if profile_V[b] >= least_V), FIRST_OCTAVE)


def settling(half_cycles: Sequence[HalfCycle], k: int) -> float:
    """Log ratio (<= 0) that a sound cell shows where V still settles: after a larger reversal, a row later.

    By superposition, what is missing of V goes with 1 + |I before the reversal| / |I after it|. Asks for a position
    in which V of the half-cycle before had settled.
    """
    now, before = half_cycles[k], half_cycles[max(k - 2, 0)]
    octave = settled_octave(before)
    there_V, later_V = before.profile_V[octave], before.profile_V[min(octave + 1, 15)]
    missing = max(1 - there_V / before.end_V, 0.0)
    row = max(later_V - there_V, 0.0) / (1.5 * (1 << octave) * there_V)
    larger = 1.0
    if k >= 3:
        usual = 1 + half_cycles[k - 3].level_A / before.level_A
        larger = (1 + half_cycles[k - 1].level_A / now.level_A) / usual
    left = (1 - missing * max(larger, 1.0)) / (1 - missing)
    return log(max(left, 0.1)) - row
