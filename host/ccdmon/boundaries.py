"""Shorts that happen in a reversal or while V still settles: one half-cycle against the one before of its sign.

For half-cycle k and position b (octaves of rows since its start) d_b = ln R_b(k) - ln R_b(k-2): asymmetry of the
electrodes and the shape of the half-cycle cancel. A short at the start of k lowers all positions at once. Drift
(warming, conditioning) lowers them, too, but it lowered the end of k-1 against k-3 as well, which covers the same span
of time; that is taken off. And drift goes on through the reversal: the jump from the end of k-1 to the start of k stays
what it was two half-cycles ago, while a short changes it.
"""

from collections.abc import Sequence
from math import log
from statistics import median

from ccdmon import thresholds as th
from ccdmon.events import Event
from ccdmon.half_cycles import HalfCycle
from ccdmon.ratios import log_ratio

FIRST_OCTAVE = 2  # rows 4-7: the first rows may be means across the reversal
LEAST_ROWS = 12
WINDOW = 32  # half-cycles that tell what is usual


def boundary_shorts(
    half_cycles: Sequence[HalfCycle], *, hard: bool, full: bool = False, scale: float = 1.0
) -> list[Event]:
    """Hard shorts (`hard`) or partial ones that began with a half-cycle. Only the first is reported.

    In a `full` cell |V| is compared, not V / I: most of it is the open-circuit voltage.
    """
    shifts: list[float] = []
    for k in range(1, len(half_cycles)):
        now = half_cycles[k]
        before = half_cycles[k - 2] if k >= 2 else half_cycles[k - 1]
        if now.rows < LEAST_ROWS or now.after_gap or not _usable(before):
            continue
        early, late = _shift(now, before)
        drift = _drift(half_cycles, k)
        usual = median(abs(s) for s in shifts[-WINDOW:]) if len(shifts) >= 3 else 0.02
        if hard and full:
            first_V = now.profile_V[FIRST_OCTAVE]
            if max(first_V, now.end_V) < th.FULL_CELL_HARD_REMAINS * half_cycles[k - 1].end_V:
                return [_event("hard_short", now, half_cycles[k - 1], early, late, drift, usual)]
            continue
        if hard and _is_hard(early, late, half_cycles, k):
            return [_event("hard_short", now, before, early, late, drift, usual)]
        jump = None if hard or early > -th.BOUNDARY_DROP * scale else _jump(half_cycles, k)
        if (
            not hard
            and jump is not None
            and _is_partial(max(early - drift, jump) / scale, early / scale, late, usual, half_cycles, k)
        ):
            return [_event("partial_short", now, before, early, late, drift, usual)]
        shifts.append(early - drift)
    return []


def _usable(h: HalfCycle) -> bool:
    return h.rows >= LEAST_ROWS and h.start_V > 0 and not h.after_gap


def _ratio(a: HalfCycle, b: HalfCycle, octave: int) -> float | None:
    va, vb = a.profile_V[octave], b.profile_V[octave]
    volts, amperes = log_ratio(max(va, 1e-3 * vb), vb), log_ratio(a.level_A, b.level_A)
    return None if va == 0 or volts is None or amperes is None else volts - amperes


def _shift(now: HalfCycle, before: HalfCycle) -> tuple[float, float]:
    """Mean log ratio of the first positions and of the last ones."""
    ratios = [r for b in range(FIRST_OCTAVE, 16) if (r := _ratio(now, before, b)) is not None]
    if not ratios:
        return 0.0, 0.0
    half = max(1, len(ratios) // 2)
    return sum(ratios[:half]) / half, sum(ratios[-half:]) / half


def _drift(half_cycles: Sequence[HalfCycle], k: int) -> float:
    """Change of the resistance at the end of the half-cycle before, over the same span of time."""
    if k < 3:
        return 0.0
    return log_ratio(half_cycles[k - 1].resistance_end_ohm, half_cycles[k - 3].resistance_end_ohm) or 0.0


def _jump(half_cycles: Sequence[HalfCycle], k: int) -> float | None:
    """How the log ratio of R across this reversal differs from the last of its direction (the next, at first)."""
    like = k - 2 if k >= 3 else k + 2
    if like >= len(half_cycles) or any(h.after_gap for h in half_cycles[min(k, like) - 1 : max(k, like) + 1]):
        return None
    if half_cycles[k].current_A * half_cycles[like].current_A < 0:
        return None
    usual_rise = median(h.rise for h in half_cycles[max(0, k - WINDOW) : max(k, 1)])
    if min(half_cycles[k - 1].rise, half_cycles[k].rise) < usual_rise - th.DRIFTING:
        return None  # the resistance is falling on both sides: no step, or none that can be told
    now, other = _across(half_cycles, k), _across(half_cycles, like)
    return None if now is None or other is None else now - other


def _across(half_cycles: Sequence[HalfCycle], k: int) -> float | None:
    last, now = half_cycles[k - 1], half_cycles[k]
    return log_ratio(now.resistance_start_ohm, last.resistance_end_ohm)


def _is_hard(early: float, late: float, half_cycles: Sequence[HalfCycle], k: int) -> bool:
    limit = log(th.HARD_REMAINS)
    if not (early < limit and late < limit):
        return False
    # Against the end of the half-cycle just before, too: a slow loss is not sudden.
    last = half_cycles[k - 1]
    return (
        last.end_V > 0
        and half_cycles[k].end_V / half_cycles[k].level_A < th.HARD_REMAINS * last.resistance_end_ohm
    )


def _is_partial(
    shift: float, early: float, late: float, usual: float, half_cycles: Sequence[HalfCycle], k: int
) -> bool:
    limit = -max(th.BOUNDARY_DROP, th.BOUNDARY_SCATTER * usual)
    if not (shift < limit and early < -th.BOUNDARY_DROP and late < th.LASTING * early):
        return False
    if k + 1 >= len(half_cycles):
        return half_cycles[k].rows >= 2 * LEAST_ROWS
    next_early, next_late = _shift(half_cycles[k + 1], half_cycles[k - 1])
    return next_early < th.LASTING * early and next_late < th.LASTING * late


def _event(
    kind: str, now: HalfCycle, before: HalfCycle, early: float, late: float, drift: float, usual: float
) -> Event:
    evidence = {
        "criterion": "against the half-cycle before of the same sign",
        "resistance_before_ohm": before.resistance_start_ohm,
        "resistance_after_ohm": now.resistance_start_ohm,
        "log_ratio_early": early,
        "log_ratio_late": late,
        "log_drift": drift,
        "log_usual": usual,
    }
    return Event(kind, now.start_s, now.first_row, now.cycle, now.current_A, evidence=evidence)
