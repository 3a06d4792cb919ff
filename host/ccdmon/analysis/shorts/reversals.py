"""Shorts that happen in a reversal or while V still settles: one half-cycle against the one before of its sign.

For half-cycle k and position b (octaves of rows since its start) d_b = ln R_b(k) - ln R_b(k-2): asymmetry of the
electrodes and the shape of the half-cycle cancel. A short at the start of k lowers all positions at once. Drift
(warming, conditioning) lowers them, too, but it lowered the end of k-1 against k-3 as well, which covers the same span
of time; that is taken off. And drift goes on through the reversal: the jump from the end of k-1 to the start of k stays
what it was two half-cycles ago, while a short changes it.
"""

from collections.abc import Iterator, Sequence
from math import ceil, exp, log
from statistics import median

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.shorts.early_shifts import may_begin_lower
from ccdmon.analysis.shorts.kept_resistance import comes_back
from ccdmon.analysis.shorts.positions import (
    FIRST_OCTAVE,
    log_ratio,
    log_ratio_at,
    position_shift,
    settled_octave,
    settling,
)

LEAST_ROWS = 12
FEWEST_ROWS = 4  # for a hard short, which shows in the first position
LOOK_BACK = 8  # half-cycles, for one without a hole
WINDOW = 32  # half-cycles that tell what is usual


def partial_at_boundary(half_cycles: Sequence[HalfCycle], scale: float = 1.0) -> Event | None:
    """The first partial short that began with a half-cycle; `scale` above 1 asks for more."""
    shifts: list[float] = []
    suspects = may_begin_lower(half_cycles, -th.BOUNDARY_DROP * scale, FIRST_OCTAVE)
    for k in range(1, int(suspects.max(initial=0)) + 1):
        now, before = half_cycles[k], half_cycles[max(k - 2, 0)]
        if now.rows < LEAST_ROWS or now.after_gap or not _usable(before):
            continue
        running = k == len(half_cycles) - 1
        if running and now.rows < 2 << settled_octave(before):
            continue  # the mean of a position not yet complete is not like the other's
        early, late = position_shift(now, before)
        if running and len(shifts) < 3 and early > -th.BOUNDARY_FIRST:
            continue  # what is usual is not known yet: the whole half-cycle will tell
        drift = _drift(half_cycles, k)
        usual = median(abs(s) for s in shifts[-WINDOW:]) if len(shifts) >= 3 else 0.02
        jump = None if early > -th.BOUNDARY_DROP * scale else _jump(half_cycles, k)
        held_back = settling(half_cycles, k) if running and jump is not None else 0.0
        if jump is not None and _is_partial(
            (max(early - drift, jump) - held_back) / scale, early / scale, late, usual, half_cycles, k
        ):
            return _event("partial_short", now, before, early, late, drift=drift, usual=usual)
        if k >= 3:  # the first of each sign follow no reversal of the other
            shifts.append(early - drift)
    return None


def hard_at_boundary(half_cycles: Sequence[HalfCycle], *, full: bool) -> Iterator[Event]:
    """Hard shorts that began with a half-cycle, or while V was still settling in it.

    In a `full` cell |V| is compared, not V / I: most of it is the open-circuit voltage. The half-cycle that runs at
    the end of the rows is judged from its fourth row on, as one of few rows is.
    """
    for k in range(1, len(half_cycles)):
        now, last = half_cycles[k], half_cycles[k - 1]
        before = _like(half_cycles, k)
        if now.rows < FEWEST_ROWS or before is None:
            continue
        first = 1 if now.rows < LEAST_ROWS else FIRST_OCTAVE
        # Behind a hole nobody knows what was done to the cell: only no voltage at all tells of a short.
        if now.after_gap and (full or not _dead(now, before, first)):
            continue
        shifts = _hard_full(now, last, before, first) if full else _hard(half_cycles, k, before, first)
        if shifts is not None:
            yield _event("hard_short", now, last if full else before, *shifts)


def _like(half_cycles: Sequence[HalfCycle], k: int) -> HalfCycle | None:
    """What half-cycle `k` is compared with: the last of its sign that no hole cut short, else the one before it."""
    places = (*range(k - 2, max(k - 2 - LOOK_BACK, -1), -2), k - 1)
    return next((half_cycles[n] for n in places if _compares(half_cycles[n])), None)


def _compares(h: HalfCycle) -> bool:
    return h.rows >= FEWEST_ROWS and h.end_V > 0 and not h.after_gap


def _hard_full(now: HalfCycle, last: HalfCycle, before: HalfCycle, first: int) -> tuple[float, float] | None:
    """As `_hard`, by |V| alone."""
    # Charge against charge, discharge against discharge: a large polarisation parts the two.
    least_V = min(last.end_V, before.end_V)
    low = max(now.profile_V[first], now.end_V) < th.FULL_CELL_HARD_REMAINS * least_V
    return position_shift(now, before, 0.0, first) if low else None


def _hard(
    half_cycles: Sequence[HalfCycle], k: int, before: HalfCycle, first: int
) -> tuple[float, float] | None:
    """Log ratios of R of half-cycle `k` to R before it, early and late in it, where they tell of a hard short."""
    now, last = half_cycles[k], half_cycles[k - 1]
    # All of it against the end of the half-cycle just before: a slow loss is not sudden.
    highest_ohm = max(now.profile_V[first:]) / now.level_A
    if not (last.end_V > 0 and highest_ohm < th.HARD_REMAINS * last.resistance_end_ohm):
        return None
    early, late = position_shift(now, before, 0.0, first)
    # The very first half-cycle follows no reversal: the next of its sign is like the one in between.
    ratios = (early, late, *(position_shift(now, last, 0.0, first) if k == 2 else ()))
    lower = max(ratios) < log(th.HARD_REMAINS) or _dead(now, before, first)
    # A V that still runs against the current is no short: the salt of a polymer pushes it there.
    against = _deeper(now, before) or now.end_V < -max(
        3 * now.noise_V, 3 * last.noise_V, th.OFFSET * last.end_V
    )
    if not lower or against or comes_back(now.resistance_end_ohm, half_cycles[:k], now.current_A):
        return None
    return (early, late) if k < len(half_cycles) - 1 or _tells(now, before, k) else None


def _dead(now: HalfCycle, before: HalfCycle, first: int = FIRST_OCTAVE) -> bool:
    """No voltage to speak of at any position from `first` on: no ratio can be formed of it."""
    largest_V = max(abs(v) for v in (now.end_V, *now.profile_V[first:]))
    return largest_V / now.level_A < th.HARD_DEAD * before.resistance_end_ohm


def _tells(now: HalfCycle, before: HalfCycle, k: int) -> bool:
    """Of a half-cycle that runs: would V of a sound cell be there by now? A salt gradient holds it back for long."""
    if now.rows >= th.COMPLETE * before.rows:
        return True
    if k == 1:  # what diffusion added to V works against it after the reversal
        return 2 * before.profile_V[1] - before.end_V >= th.HARD_REMAINS * before.end_V
    return before.profile_V[max(now.rows.bit_length() - 2, 1)] >= th.HARD_REMAINS * before.end_V


def _deeper(now: HalfCycle, before: HalfCycle) -> bool:
    """V began further against the current than in the half-cycle before: what a limit left behind, and no short."""
    usual_ohm = min(0.0, *before.profile_V) / before.level_A
    least_ohm = (1 + th.BOUNDARY_DRIFT) * usual_ohm - th.HARD_DEAD * before.resistance_end_ohm
    return min(now.profile_V) / now.level_A < least_ohm


def _usable(h: HalfCycle) -> bool:
    return h.rows >= LEAST_ROWS and h.end_V > 0 and not h.after_gap


def _drift(half_cycles: Sequence[HalfCycle], k: int) -> float:
    """Change of the later positions from k - 3 to k - 1: over the same span of time, before the reversal."""
    return position_shift(half_cycles[k - 1], half_cycles[k - 3])[1] if k >= 3 else 0.0


def _jump(half_cycles: Sequence[HalfCycle], k: int) -> float | None:
    """How the log ratio of R across this reversal differs from the last of its direction (the next, at first)."""
    like = k - 2 if k >= 3 else k + 2
    if like >= len(half_cycles) or any(h.after_gap for h in half_cycles[min(k, like) - 1 : max(k, like) + 1]):
        return None
    if half_cycles[k].current_A * half_cycles[like].current_A < 0:
        return None
    if _falls(half_cycles, k):
        return None  # the resistance is falling on both sides: no step, or none that can be told
    alike = (
        half_cycles[k - 1].duration_s / half_cycles[like - 1].duration_s
        if half_cycles[like - 1].duration_s
        else 0
    )
    whole = abs(alike - 1) < th.CONSTANT  # else the ends do not compare: the shorter half-cycle rises less
    # Of a half-cycle that runs `start_V` lies earlier than that of a whole one.
    octave = settled_octave(half_cycles[like]) if k == len(half_cycles) - 1 else None
    now, other = _across(half_cycles, k, whole, octave), _across(half_cycles, like, whole, octave)
    return None if now is None or other is None else now - other


def _falls(half_cycles: Sequence[HalfCycle], k: int) -> bool:
    """Does the resistance fall before the reversal or after it? In ohm: what is bridged takes no part in a rise."""
    usual_ohm = median(_rise_ohm(h) for h in half_cycles[max(0, k - WINDOW) : k + WINDOW])
    least_ohm = usual_ohm - th.DRIFTING * half_cycles[k - 1].resistance_end_ohm
    # The very first half-cycle begins from rest and rises less.
    if k > 1 and _rise_ohm(half_cycles[k - 1]) < least_ohm:
        return True
    if k < len(half_cycles) - 1:
        return _rise_ohm(half_cycles[k]) < least_ohm
    # It runs, and has not risen yet by as much as whole ones: position by position it does not fall any further.
    early, late = position_shift(half_cycles[k], half_cycles[max(k - 2, 0)])
    return late - early < th.BOUNDARY_DRIFT * min(early, 0.0)


def _rise_ohm(h: HalfCycle) -> float:
    return h.resistance_end_ohm - h.resistance_start_ohm


def _across(half_cycles: Sequence[HalfCycle], k: int, from_end: bool, octave: int | None) -> float | None:
    """Log ratio of R after a reversal (at a position of the profile, or the start) to R before it."""
    last, now = half_cycles[k - 1], half_cycles[k]
    after_ohm = now.resistance_start_ohm if octave is None else now.profile_V[octave] / now.level_A
    return log_ratio(after_ohm, last.resistance_end_ohm if from_end else last.resistance_start_ohm)


def _is_partial(
    shift: float, early: float, late: float, usual: float, half_cycles: Sequence[HalfCycle], k: int
) -> bool:
    limit = -max(th.BOUNDARY_DROP, th.BOUNDARY_SCATTER * usual)
    if not (shift < limit and early < -th.BOUNDARY_DROP and late < th.LASTING * early):
        return False
    diffusive = half_cycles[0].rise > th.BOUNDARY_RISING
    if k == 1 and (late > -th.BOUNDARY_FIRST or diffusive):
        return False
    if not _sudden(half_cycles, k, early):
        return False
    if k + 1 >= len(half_cycles):
        return True
    next_early, next_late = position_shift(half_cycles[k + 1], half_cycles[k - 1])
    return next_early < th.LASTING * early and next_late < th.LASTING * late


def _sudden(half_cycles: Sequence[HalfCycle], k: int, early: float) -> bool:
    """Neither did the resistance fall as fast already before k, nor does it go on to fall after k + 1."""
    around = [(k - 1, k - 3), (k + 2, k), (k + 3, k + 1)]
    falls = [
        position_shift(half_cycles[a], half_cycles[b])[1]
        for a, b in around
        if b >= 0 and a < len(half_cycles) and min(half_cycles[a].rows, half_cycles[b].rows) >= LEAST_ROWS
    ]
    return all(fall > th.BOUNDARY_DRIFT * early for fall in falls)


def _event(kind: str, now: HalfCycle, before: HalfCycle, early: float, late: float, **more: float) -> Event:
    hard = kind == "hard_short"
    evidence = {
        "criterion": "against the half-cycle before of the same sign",
        "resistance_before_ohm": before.resistance_end_ohm if hard else before.resistance_start_ohm,
        "resistance_after_ohm": now.resistance_end_ohm if hard else now.resistance_start_ohm,
        "log_ratio_early": early,
        "log_ratio_late": late,
        **{f"log_{name}": value for name, value in more.items()},
    }
    row, start_s = _place(now, before, late)
    return Event(kind, start_s, row, now.cycle, now.current_A, evidence=evidence)


def _place(now: HalfCycle, before: HalfCycle, late: float) -> tuple[int, float]:
    """Row and time in s at which V fell to what `late`, a log ratio, says is left of it.

    In the first position that is lowered by more than half of the loss; how much it is, tells where in it.
    """
    left, rows = exp(late), 0
    lowered = (b for b in range(1, 16) if (log_ratio_at(now, before, b) or 0.0) < log(0.5 * (1 + left)))
    known = 1 if _dead(now, before) else next(lowered, 1)
    if known > 1:
        share = max(exp(log_ratio_at(now, before, known) or 0.0) - left, 0.0) / (1 - left)
        # Where V crosses zero by itself its mean tells nothing of when it fell.
        share = share if now.profile_V[known - 1] > 0 else 0.5
        rows = min(2**known + ceil(share * 2**known), now.last_row - now.first_row)
    return now.first_row + rows, now.start_s + rows * now.interval_s
