"""Partial shorts: V steps down a little and stays, as quiet as before (Lu et al. 2021, 2.2.3)."""

from collections.abc import Sequence
from dataclasses import replace
from math import log

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event, at_row, holding
from ccdmon.analysis.findings import FULL_CELL, Findings, healed, noisier, step_event
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.shorts.kept_resistance import lowest_kept_ohm
from ccdmon.analysis.shorts.positions import log_ratio
from ccdmon.analysis.shorts.reversals import partial_at_boundary


def partial_shorts(found: Findings, soft: Sequence[Event], before_row: int) -> list[Event]:
    """Those before the row `before_row`, where the test ended, that `soft` does not explain."""
    if found.mode == FULL_CELL:
        return []
    events: list[Event] = []
    # A half-cycle that ends in a hard short, and those after it, say nothing of a partial one.
    sound = [h for h in found.half_cycles if h.last_row < before_row]
    for step in found.steps:
        half_cycle = holding(found.half_cycles, int(step["row"]))
        if half_cycle is None or not _is_partial(step, found.scale):
            continue
        event = step_event("partial_short", step, half_cycle)
        if _lasts(step, half_cycle, found, sound):
            events.append(_or_soft(event, half_cycle, found))
        elif _dips(step, half_cycle, found):
            events.append(healed(event, half_cycle))
    known = [*(event.row for event in events), *(event.row for event in soft)]
    at_boundary = partial_at_boundary(sound, found.scale)
    if at_boundary is not None:
        h = at_row(found.half_cycles, at_boundary.row)
        if h is not None and not any(_near(h, row, found) for row in known):
            events.append(at_boundary)
    return [event for event in events if not any(within(event, s) for s in soft)]


def _is_partial(step: dict[str, float], scale: float) -> bool:
    before = step["before_V"]
    drop = before - step["after_V"]
    if drop <= 0:
        return False
    least = th.PARTIAL_DROP * scale * before
    sure = -step["step_V"] > th.STEP_ERRORS * scale * step["step_error_V"]
    doubt = 2 * max(step["noise_before_V"], step["noise_after_V"]) / drop
    # While V still rises after a current step, the rows just before a drop stand above their mean.
    overshoot = th.OVERSHOOT * (1 + th.SETTLING_ROWS / max(step["position"], 1.0))
    abrupt = th.PARTIAL_ABRUPT - doubt < step["abruptness"] < overshoot + doubt
    return (
        abrupt
        and step["after_V"] > th.DEEPEST_PARTIAL * before > 0
        and drop > least
        and -step["step_V"] > least
        and sure
    )


def _sure_beside_noise(step: dict[str, float], scale: float) -> bool:
    """Beyond the noise after it as well: with nothing to compare with, a stray row may look like a step."""
    return -step["step_V"] > th.STEP_ERRORS * scale * step["step_error_V"] * noisier(step)


def _lasts(step: dict[str, float], half_cycle: HalfCycle, found: Findings, h: Sequence[HalfCycle]) -> bool:
    """Half of the step is still there in the next half-cycle against the one before; drift before it is taken off."""
    k = half_cycle.index
    if k == 0 and (step["position"] < th.FIRST_ROWS or not _sure_beside_noise(step, found.scale)):
        return False
    if _repeats(step, k, found):
        return False
    fall = log_ratio(step["after_V"], step["before_V"]) or -1.0
    # Early in a half-cycle V settles: its end, too, must be lower than that of the one before of its sign.
    early = step["position"] < 0.25 * half_cycle.rows and half_cycle.last_row - step["row"] >= 16
    if early and 2 <= k < len(h) and h[k - 2].rows >= 16:
        drift = _log_ratio(h[k - 1], h[k - 3]) if k >= 3 else 0.0
        if _log_ratio(half_cycle, h[k - 2]) - min(drift, 0.0) > th.LASTING * fall:
            return False
    if k + 1 >= len(h) or k < 1 or min(h[k + 1].rows, h[k - 1].rows) < 16:
        return True
    change = _log_ratio(h[k + 1], h[k - 1])
    drift = _log_ratio(h[k - 1], h[k - 3]) if k >= 3 else 0.0
    return change - min(drift, 0.0) < th.LASTING * fall


def _dips(step: dict[str, float], half_cycle: HalfCycle, found: Findings) -> bool:
    """V fell below all that the cell had, beyond doubt, and was back at the end of the half-cycle."""
    drop_V = step["before_V"] - step["after_V"]
    sure = min(drop_V, -step["step_V"]) > th.DIP * found.scale * step["before_V"]
    back = half_cycle.end_V > step["before_V"] - th.BACK * drop_V
    if not (sure and back and step["position"] >= th.FIRST_ROWS and step["rows_after"] >= th.NOISE_ROWS):
        return False
    kept_ohm = lowest_kept_ohm([h for h in found.half_cycles[: half_cycle.index] if _like(h, half_cycle)])
    lower = kept_ohm is not None and step["after_V"] < (1 - th.PARTIAL_DROP) * kept_ohm * abs(
        step["current_A"]
    )
    return lower and _sure_beside_noise(step, found.scale) and not _repeats(step, half_cycle.index, found)


def _like(a: HalfCycle, b: HalfCycle) -> bool:
    return a.current_A * b.current_A > 0 and a.rows >= 16


def _or_soft(event: Event, half_cycle: HalfCycle, found: Findings) -> Event:
    """A drop that is gone a few half-cycles later was a soft short: metal that bridges the bulk stays."""
    k, h = half_cycle.index, found.half_cycles
    if k < 1:
        return event
    before = h[k - 2] if k >= 2 else h[k - 1]
    for later in h[k + 1 : k + 1 + th.SOFT_WITHIN]:
        like = later.current_A * before.current_A > 0
        if like and later.rows >= 16 and _log_ratio(later, before) > th.BACK * log(event.evidence["ratio"]):
            evidence = {**event.evidence, "resistance_recovered_ohm": later.resistance_end_ohm}
            return replace(event, kind="soft_short", end_s=later.start_s, recovered=True, evidence=evidence)
    return event


def _log_ratio(a: HalfCycle, b: HalfCycle) -> float:
    return log_ratio(a.resistance_end_ohm, b.resistance_end_ohm) or 0.0


def _repeats(step: dict[str, float], k: int, found: Findings) -> bool:
    """The same drop at the same place in another half-cycle of this sign belongs to the shape of the curve."""
    for other in found.steps:
        h = holding(found.half_cycles, int(other["row"]))
        near = abs(other["position"] - step["position"]) <= max(4.0, 0.15 * step["position"])
        if h is not None and abs(h.index - k) == 2 and near and other["step_V"] < 0.4 * step["step_V"]:
            return True
    return False


def _near(h: HalfCycle, row: int, found: Findings) -> bool:
    other = at_row(found.half_cycles, row)
    return other is not None and abs(other.index - h.index) <= 2


def within(event: Event, soft: Event) -> bool:
    """Does a soft short explain it?"""
    # The alarm of a fluctuation comes some blocks after its first drop.
    return soft.row - 64 <= event.row and (soft.end_s is None or event.start_s <= soft.end_s)
