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
        early, late = _shift(now, before, 0.0 if hard else th.BOUNDARY_SETTLED)
        drift = _drift(half_cycles, k)
        usual = median(abs(s) for s in shifts[-WINDOW:]) if len(shifts) >= 3 else 0.02
        if hard and full:
            # Charge against charge, discharge against discharge: a large polarisation parts the two.
            least_V = min(half_cycles[k - 1].end_V, before.end_V)
            if max(now.profile_V[FIRST_OCTAVE], now.end_V) < th.FULL_CELL_HARD_REMAINS * least_V:
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
        if k >= 3:  # the first of each sign follow no reversal of the other
            shifts.append(early - drift)
    return []


def _usable(h: HalfCycle) -> bool:
    return h.rows >= LEAST_ROWS and h.end_V > 0 and not h.after_gap


def _ratio(now: HalfCycle, before: HalfCycle, octave: int) -> float | None:
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


def _shift(now: HalfCycle, before: HalfCycle, settled: float = th.BOUNDARY_SETTLED) -> tuple[float, float]:
    """Mean log ratio of the first positions and of the last ones, of those where V had reached its share `settled`."""
    amperes, least_V = log_ratio(now.level_A, before.level_A), settled * before.end_V
    if amperes is None:
        return 0.0, 0.0
    pairs = zip(now.profile_V[FIRST_OCTAVE:], before.profile_V[FIRST_OCTAVE:], strict=True)
    found = [_log_ohm(now_V, before_V, amperes) for now_V, before_V in pairs if before_V >= least_V]
    ratios = [r for r in found if r is not None]
    if not ratios:
        return 0.0, 0.0
    half = max(1, len(ratios) // 2)
    return sum(ratios[:half]) / half, sum(ratios[-half:]) / half


def _drift(half_cycles: Sequence[HalfCycle], k: int) -> float:
    """Change of the later positions from k - 3 to k - 1: over the same span of time, before the reversal."""
    return _shift(half_cycles[k - 1], half_cycles[k - 3])[1] if k >= 3 else 0.0


def _jump(half_cycles: Sequence[HalfCycle], k: int) -> float | None:
    """How the log ratio of R across this reversal differs from the last of its direction (the next, at first)."""
    like = k - 2 if k >= 3 else k + 2
    if like >= len(half_cycles) or any(h.after_gap for h in half_cycles[min(k, like) - 1 : max(k, like) + 1]):
        return None
    if half_cycles[k].current_A * half_cycles[like].current_A < 0:
        return None
    around = half_cycles[max(0, k - WINDOW) : k + WINDOW]
    usual_ohm = median(
        _rise_ohm(h) for h in around
    )  # in ohm: what is bridged of the bulk takes no part in it
    least_ohm = usual_ohm - th.DRIFTING * half_cycles[k - 1].resistance_end_ohm
    # The very first half-cycle begins from rest and rises less.
    if min(_rise_ohm(h) for h in half_cycles[max(k - 1, 1) : k + 1]) < least_ohm:
        return None  # the resistance is falling on both sides: no step, or none that can be told
    now, other = _across(half_cycles, k), _across(half_cycles, like)
    return None if now is None or other is None else now - other


def _rise_ohm(h: HalfCycle) -> float:
    return h.resistance_end_ohm - h.resistance_start_ohm


def _across(half_cycles: Sequence[HalfCycle], k: int) -> float | None:
    last, now = half_cycles[k - 1], half_cycles[k]
    return log_ratio(now.resistance_start_ohm, last.resistance_end_ohm)


def _is_hard(early: float, late: float, half_cycles: Sequence[HalfCycle], k: int) -> bool:
    limit = log(th.HARD_REMAINS)
    if not (early < limit and late < limit):
        return False
    # All of it against the end of the half-cycle just before, too: a slow loss is not sudden.
    last, now = half_cycles[k - 1], half_cycles[k]
    return (
        last.end_V > 0
        and max(now.profile_V[FIRST_OCTAVE:]) / now.level_A < th.HARD_REMAINS * last.resistance_end_ohm
    )


def _is_partial(
    shift: float, early: float, late: float, usual: float, half_cycles: Sequence[HalfCycle], k: int
) -> bool:
    limit = -max(th.BOUNDARY_DROP, th.BOUNDARY_SCATTER * usual)
    if not (shift < limit and early < -th.BOUNDARY_DROP and late < th.LASTING * early):
        return False
    if (k == 1 and late > -th.BOUNDARY_FIRST) or not _sudden(half_cycles, k, early):
        return False
    if k + 1 >= len(half_cycles):
        return half_cycles[k].rows >= 2 * LEAST_ROWS
    next_early, next_late = _shift(half_cycles[k + 1], half_cycles[k - 1])
    return next_early < th.LASTING * early and next_late < th.LASTING * late


def _sudden(half_cycles: Sequence[HalfCycle], k: int, early: float) -> bool:
    """Neither did the resistance fall as fast already before k, nor does it go on to fall after k + 1."""
    around = [(k - 1, k - 3), (k + 2, k), (k + 3, k + 1)]
    falls = [
        _shift(half_cycles[a], half_cycles[b])[1]
        for a, b in around
        if b >= 0 and a < len(half_cycles) and min(half_cycles[a].rows, half_cycles[b].rows) >= LEAST_ROWS
    ]
    return all(fall > th.BOUNDARY_DRIFT * early for fall in falls)


def _event(
    kind: str, now: HalfCycle, before: HalfCycle, early: float, late: float, drift: float, usual: float
) -> Event:
    hard = kind == "hard_short"
    evidence = {
        "criterion": "against the half-cycle before of the same sign",
        "resistance_before_ohm": before.resistance_end_ohm if hard else before.resistance_start_ohm,
        "resistance_after_ohm": now.resistance_end_ohm if hard else now.resistance_start_ohm,
        "log_ratio_early": early,
        "log_ratio_late": late,
        "log_drift": drift,
        "log_usual": usual,
    }
    row, start_s = _place(now, before) if hard else (now.first_row, now.start_s)
    return Event(kind, start_s, row, now.cycle, now.current_A, evidence=evidence)


def _place(now: HalfCycle, before: HalfCycle) -> tuple[int, float]:
    """Row and time in s of the first position that is low where the half-cycle before shows what V should be."""
    known = next((b for b in range(1, 16) if (_ratio(now, before, b) or 0.0) < log(th.HARD_REMAINS)), 1)
    rows = min(2**known if known > 1 else 0, now.last_row - now.first_row)
    return now.first_row + rows, now.start_s + rows * now.interval_s
