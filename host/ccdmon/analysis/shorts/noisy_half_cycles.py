"""Soft shorts too short or too calm for the core's bursts: a half-cycle that is noisier and lower than those before.

The noise of a half-cycle is measured on second differences over all of its rows, so a few swings among hundreds of
rows count. A single step adds its double to their sum and is taken off: a partial short is not noise. Warming lowers
the resistance and leaves the noise, an excitation on the current adds noise and leaves the resistance.
"""

from collections.abc import Sequence
from math import log
from statistics import median

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.findings import FULL_CELL, Findings, noisier
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.shorts.positions import position_shift

LEAST_ROWS = 16
LEAST_BEFORE = 4  # half-cycles: a fresh cell settles, and the noise of one is no scale
SIGMA_PER_D2 = 0.511663  # standard deviation over the mean |second difference|, as in the core


def noisy_half_cycles(found: Findings, before_row: int) -> list[Event]:
    """One event for each such half-cycle that ends before the row `before_row`."""
    if found.mode == FULL_CELL:
        return []
    usable = [h for h in found.half_cycles if h.last_row < before_row and _whole(h)]
    noise_V = [_without_steps(h, found) for h in usable]
    events: list[Event] = []
    for k in range(LEAST_BEFORE, len(usable)):
        window = range(max(0, k - th.NOISY_WINDOW), k)
        if noise_V[k] < th.NOISY_RATIO * found.scale * min(noise_V[window.start : k]):
            continue  # nor is it beyond what is usual, which is never less
        usual_V = _usual(usable, noise_V, k, window)
        like = [usable[n] for n in window if usable[n].current_A * usable[k].current_A > 0]
        if not like or noise_V[k] < th.NOISY_RATIO * found.scale * usual_V:
            continue
        before = min(like, key=lambda h: h.resistance_mean_ohm)
        if _lower(usable[k], before, found):
            later = [n for n in range(k + 1, len(usable)) if noise_V[n] < th.NOISY_RATIO * usual_V]
            quiet = usable[later[0]] if later else None
            if quiet is not None and _stays(usable[later[0] :], usable[k], before):
                continue  # bridged for good, and quiet: that is a partial short
            events.append(_event(usable[k], before, quiet, noise_V[k], usual_V, found))
    return events


def _whole(h: HalfCycle) -> bool:
    """Enough rows, none missing: a hole while V rises is a jump in it, and shifts its mean."""
    return h.rows >= LEAST_ROWS and not h.after_gap and h.rows * h.interval_s > th.NOISY_WHOLE * h.duration_s


def _usual(usable: Sequence[HalfCycle], noise_V: Sequence[float], k: int, window: range) -> float:
    """Noise of the half-cycles before, grown with the level as that of a current source may."""
    level_A = usable[k].level_A
    grown = [
        noise_V[n] * max(level_A / before_A if (before_A := usable[n].level_A) else 1.0, 1.0) for n in window
    ]
    # Where V bends, the noise depends on when the rows fall: the noisier half of the window is the scale.
    scale_V = max(median(grown), sorted(grown)[-2] / th.NOISY_BEND)
    return max(scale_V, th.NOISY_FLOOR * abs(usable[k].end_V))


def _without_steps(h: HalfCycle, found: Findings) -> float:
    steps = [s for s in found.steps if h.first_row <= s["row"] <= h.last_row]
    return max(h.noise_V - SIGMA_PER_D2 * sum(2 * abs(s["step_V"]) for s in steps) / h.rows, 0.0)


def _stays(later: Sequence[HalfCycle], h: HalfCycle, before: HalfCycle) -> bool:
    """Is most of the loss still there in the next half-cycle of its sign?"""
    like = next((x for x in later if x.current_A * h.current_A > 0), None)
    loss_ohm = before.resistance_mean_ohm - h.resistance_mean_ohm
    return like is not None and before.resistance_mean_ohm - like.resistance_mean_ohm > 0.6 * loss_ohm > 0


def _lower(h: HalfCycle, before: HalfCycle, found: Findings) -> bool:
    """Lower than before at like positions, or with drops that are no chance; not one that a hole cut short."""
    cut = max(h.duration_s / before.duration_s, h.charge_C / before.charge_C) < th.NOISY_CUT
    if cut or h.resistance_mean_ohm > th.SOFT_ABOVE * before.resistance_mean_ohm:
        return False
    return min(position_shift(h, before)) < log(1 - th.NOISY_DROP * found.scale) or _sure_drops(h, found)


def _sure_drops(h: HalfCycle, found: Findings) -> bool:
    """Steps down in it that are no chance: they lower V where a growing resistance hides it in the mean."""
    steps = [s for s in found.steps if h.first_row <= s["row"] <= h.last_row]
    return any(-s["step_V"] > th.STEP_ERRORS * found.scale * s["step_error_V"] * noisier(s) for s in steps)


def _event(
    h: HalfCycle, before: HalfCycle, quiet: HalfCycle | None, noise_V: float, usual_V: float, found: Findings
) -> Event:
    row = _first_lower_row(h, before, found.steps)
    start_s = h.start_s + (row - h.first_row) * h.interval_s
    evidence = {
        "criterion": "noise and mean of the half-cycle",
        "resistance_before_ohm": before.resistance_mean_ohm,
        "resistance_mean_ohm": h.resistance_mean_ohm,
        "ratio": h.resistance_mean_ohm / before.resistance_mean_ohm,
        "noise_V": noise_V,
        "noise_before_V": usual_V,
    }
    end_s = None if quiet is None else quiet.start_s
    at = (h.cycle, h.current_A)
    return Event("soft_short", min(start_s, h.end_s), row, *at, end_s, quiet is not None, evidence=evidence)


def _first_lower_row(h: HalfCycle, before: HalfCycle, steps: Sequence[dict[str, float]]) -> int:
    """Its first sudden drop; else the last row of the first position lower than before by half of the loss."""
    share = 1 - 0.5 * (1 - h.resistance_mean_ohm / before.resistance_mean_ohm)
    drops = [int(s["row"]) for s in steps if h.first_row <= s["row"] <= h.last_row]
    if drops:
        return drops[0]
    for position in range(1, 16):
        now_V, then_V = h.profile_V[position], before.profile_V[position]
        if then_V > 0 and now_V / h.level_A < share * then_V / before.level_A:
            return min(h.first_row + (2 ** (position + 1) - 1 if position > 1 else 3), h.last_row)
    return h.first_row
