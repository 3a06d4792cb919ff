"""Hard, partial and soft shorts (Lu et al. 2021, 2.2.3), from the core's steps and bursts and between half-cycles.

A step is a sudden drop of V inside a half-cycle. Deep: hard short. Slight, and it lasts, and V is as quiet as before:
partial short. A burst is a stretch where V swings up and down more than it used to while its mean is lower: soft short,
recovered when the swinging ends and the resistance is back. A short that happens in a reversal or while V still
settles shows no step; it shows when the half-cycle is compared, position by position, with the one before of the same
sign (`boundaries`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any

from ccd_fastcore import BURST_FIELDS, STEP_FIELDS
from ccdmon import thresholds as th
from ccdmon.boundaries import boundary_shorts
from ccdmon.contact import first_at_limit, limit_row
from ccdmon.events import Event, at_row, holding
from ccdmon.half_cycles import HalfCycle
from ccdmon.ratios import log_ratio

FULL_CELL = 2


@dataclass(frozen=True)
class Findings:
    """What the core found in a whole trace; `mode` indexes `ccd_fastcore.MODES`."""

    half_cycles: Sequence[HalfCycle]
    steps: Sequence[dict[str, float]]
    bursts: Sequence[dict[str, float]]
    mode: int
    rows: int
    scale: float = 1.0  # of the thresholds that trade detection against false alarms: above 1 is stricter


def findings(
    half_cycles: Sequence[HalfCycle],
    steps: Sequence[tuple[float, ...]],
    bursts: Sequence[tuple[float, ...]],
    mode: int,
    rows: int,
    scale: float = 1.0,
) -> Findings:
    """The core's records with names; the same step is reported twice when the ring still held it."""
    named: dict[int, dict[str, float]] = {}
    for record in steps:
        step = dict(zip(STEP_FIELDS, record, strict=True))
        known = next(
            (named[r] for r in range(int(step["row"]) - 3, int(step["row"]) + 4) if r in named), None
        )
        if known is None or known["rows_after"] < step["rows_after"]:
            if known is not None:
                del named[int(known["row"])]
            named[int(step["row"])] = step
    ordered = [named[row] for row in sorted(named)]
    return Findings(
        half_cycles, ordered, [dict(zip(BURST_FIELDS, b, strict=True)) for b in bursts], mode, rows, scale
    )


def find_shorts(found: Findings) -> list[Event]:
    """All shorts of a trace in the order of their rows; nothing is reported after a hard short that stays."""
    hard = _hard_shorts(found)
    first = min((event.row for event in hard if event.fatal), default=found.rows)
    first = min(first, _limit_row(found))
    found = replace(found, steps=[step for step in found.steps if step["row"] < first])
    soft = [event for event in _soft_shorts(found) if event.row < first - 3]
    partial = [event for event in _partial_shorts(found, soft) if event.row < first - 3]
    events = _without_doubles(sorted([*hard, *soft, *partial], key=lambda event: event.row), found)
    return [event for event in events if event.row <= first or event.kind == "hard_short"]


def _limit_row(found: Findings) -> int:
    """From here on the cycler held the voltage: what V or I do then is no short."""
    h = first_at_limit(found.half_cycles)
    return found.rows if h is None else limit_row(h)


def _without_doubles(events: Sequence[Event], found: Findings) -> list[Event]:
    """One soft short is one event, however many drops it has."""
    kept: list[Event] = []
    for event in events:
        last = kept[-1] if kept else None
        soft = last is not None and event.kind == last.kind == "soft_short"
        if last is not None and soft and (_touch(last, event, found) or event.start_s <= (last.end_s or 0.0)):
            ends = [e.end_s for e in (last, event) if e.end_s is not None]
            recovered = event.recovered
            kept[-1] = replace(last, end_s=max(ends) if recovered and ends else None, recovered=recovered)
        else:
            kept.append(event)
    return kept


# -- hard --------------------------------------------------------------------------------------------------------


def _hard_shorts(found: Findings) -> list[Event]:
    remains = th.FULL_CELL_HARD_REMAINS if found.mode == FULL_CELL else th.HARD_REMAINS
    events: list[Event] = []
    for step in found.steps:
        if step["after_V"] >= remains * step["before_V"] or step["abruptness"] < th.HARD_ABRUPT:
            continue
        half_cycle = holding(found.half_cycles, int(step["row"]))
        if half_cycle is None or not _stays_low(step, half_cycle, found):
            continue
        events.append(_step_event("hard_short", step, half_cycle))
    inside = {h.index for event in events if (h := at_row(found.half_cycles, event.row)) is not None}
    for event in boundary_shorts(found.half_cycles, hard=True, full=found.mode == FULL_CELL):
        h = at_row(found.half_cycles, event.row)
        if h is None or h.index not in inside:
            events.append(event)
    events.sort(key=lambda event: event.row)
    return [_with_recovery(event, found) for event in events[:1]] if events else []


def _stays_low(step: dict[str, float], half_cycle: HalfCycle, found: Findings) -> bool:
    """The rest of the half-cycle, or the next one when too little was left, is low, too."""
    if half_cycle.last_row - step["row"] >= 6:
        return half_cycle.end_V < 0.6 * step["before_V"]
    later = found.half_cycles[half_cycle.index + 1 : half_cycle.index + 2]
    before_ohm = step["before_V"] / abs(step["current_A"])
    return all(abs(h.end_V) < 0.6 * before_ohm * h.level_A for h in later) and (
        bool(later) or step["rows_after"] >= 2
    )


def _with_recovery(event: Event, found: Findings) -> Event:
    """A short that heals was a soft one."""
    before_ohm = event.evidence["resistance_before_ohm"]
    for h in found.half_cycles:
        if h.first_row > event.row and h.rows >= 8 and h.start_V > 0.7 * before_ohm * h.level_A:
            evidence = {**event.evidence, "resistance_recovered_ohm": h.resistance_start_ohm}
            return replace(event, kind="soft_short", end_s=h.start_s, recovered=True, evidence=evidence)
    return event


def _step_event(kind: str, step: dict[str, float], half_cycle: HalfCycle) -> Event:
    current_A = step["current_A"]
    evidence: dict[str, Any] = {
        "criterion": "step within the half-cycle",
        "resistance_before_ohm": step["before_V"] / abs(current_A),
        "resistance_after_ohm": step["after_V"] / abs(current_A),
        "ratio": step["after_V"] / step["before_V"] if step["before_V"] else None,
        "step_V": step["step_V"],
        "abruptness": step["abruptness"],
        "standard_errors": -step["step_V"] / step["step_error_V"] if step["step_error_V"] > 0 else None,
        "noise_before_V": step["noise_before_V"],
        "noise_after_V": step["noise_after_V"],
        "rows_after": int(step["rows_after"]),
    }
    return Event(kind, step["time_s"], int(step["row"]), half_cycle.cycle, current_A, evidence=evidence)


# -- soft --------------------------------------------------------------------------------------------------------


def _soft_shorts(found: Findings) -> list[Event]:
    events: list[Event] = []
    for burst in found.bursts:
        if not _is_soft(burst, found):
            continue
        half_cycle = at_row(found.half_cycles, int(burst["row"]))
        if half_cycle is None:
            continue
        event = _burst_event(burst, half_cycle, found)
        if events and events[-1].end_s is not None and _touch(events[-1], event, found):
            events[-1] = replace(
                event, start_s=events[-1].start_s, row=events[-1].row, cycle=events[-1].cycle
            )
        else:
            events.append(event)
    return events


def _is_soft(burst: dict[str, float], found: Findings) -> bool:
    before = burst["before_ohm"]
    if before <= 0 or burst["blocks"] < th.SOFT_BLOCKS:
        return False
    amplitude = burst["amplitude"] / before
    stronger = _strength(burst)
    excited = burst["current_ratio"] > 2.0 and burst["current_ratio"] > th.EXCITED * stronger
    long = _active_blocks(burst) >= th.SOFT_ACTIVE and stronger > 1 + (th.SOFT_RATIO - 1) * found.scale
    strong = max(burst["row_ratio"], burst["block_ratio"]) > th.SOFT_STRONG * found.scale
    if excited or amplitude < th.SOFT_AMPLITUDE or not (long or strong):
        return False
    severe = stronger > th.SEVERE_RATIO and amplitude > th.SEVERE_AMPLITUDE
    return severe or _lowered(burst, found)


def _active_blocks(burst: dict[str, float]) -> float:
    """Blocks of 8 rows until the last strong one: calm ones close the burst. The alarm comes two blocks late."""
    return min((burst["end_row"] - burst["row"]) / 8 + 2.0, burst["blocks"])


def _strength(burst: dict[str, float]) -> float:
    """The larger fluctuation ratio, mean of the active blocks."""
    blocks, active = burst["blocks"], _active_blocks(burst)
    return max((burst[name] * blocks - (blocks - active)) / active for name in ("row_ratio", "block_ratio"))


def _lowered(burst: dict[str, float], found: Findings) -> bool:
    """Drops while it lasts, or a lower mean than the half-cycles of the same sign before it."""
    if any(burst["row"] - 24 <= step["row"] <= burst["end_row"] for step in found.steps):
        return True
    first = at_row(found.half_cycles, int(burst["row"]))
    last = at_row(found.half_cycles, int(burst["end_row"]))
    if first is None or last is None:
        return False
    for h in found.half_cycles[first.index : last.index + 1]:
        earlier = found.half_cycles[max(0, first.index - 4) : first.index]
        usual = [x.resistance_mean_ohm for x in earlier if x.current_A * h.current_A > 0]
        if usual and h.resistance_mean_ohm < (1 - th.SOFT_DROP) * min(usual):
            return True
    return False


def _burst_event(burst: dict[str, float], half_cycle: HalfCycle, found: Findings) -> Event:
    calm_rows = found.rows - burst["end_row"]
    recovered = calm_rows > 32 and not burst["open"]
    steps = [s for s in found.steps if -64 <= s["row"] - burst["row"] <= 24]
    row, start_s = int(burst["row"]), burst["time_s"]
    if steps:
        row, start_s = int(steps[0]["row"]), steps[0]["time_s"]
    evidence = {
        "criterion": "fluctuation",
        "resistance_before_ohm": burst["before_ohm"],
        "resistance_mean_ohm": burst["mean_ohm"],
        "resistance_lowest_ohm": burst["lowest_ohm"],
        "ratio": burst["mean_ohm"] / burst["before_ohm"],
        "row_fluctuation_ratio": burst["row_ratio"],
        "block_fluctuation_ratio": burst["block_ratio"],
        "current_fluctuation_ratio": burst["current_ratio"],
        "blocks_of_8_rows": int(burst["blocks"]),
    }
    end_s = burst["end_time_s"] if recovered else None
    at = (half_cycle.cycle, half_cycle.current_A)
    return Event("soft_short", start_s, row, *at, end_s, recovered, evidence=evidence)


def _touch(a: Event, b: Event, found: Findings) -> bool:
    first, second = at_row(found.half_cycles, a.row), at_row(found.half_cycles, b.row)
    return first is not None and second is not None and second.index - first.index <= 3


# -- partial -----------------------------------------------------------------------------------------------------


def _partial_shorts(found: Findings, soft: Sequence[Event]) -> list[Event]:
    if found.mode == FULL_CELL:
        return []
    events: list[Event] = []
    for step in found.steps:
        half_cycle = holding(found.half_cycles, int(step["row"]))
        if half_cycle is not None and _is_partial(step, found.scale) and _lasts(step, half_cycle, found):
            events.append(_or_soft(_step_event("partial_short", step, half_cycle), half_cycle, found))
    known = [event.row for event in events]
    for event in boundary_shorts(found.half_cycles, hard=False, scale=found.scale):
        h = at_row(found.half_cycles, event.row)
        if h and not any(_near(h, row, found) for row in [*known, *(s.row for s in soft)]):
            events.append(event)
    return [event for event in events if not any(_within(event, s) for s in soft)]


def _is_partial(step: dict[str, float], scale: float) -> bool:
    before = step["before_V"]
    drop = before - step["after_V"]
    if drop <= 0:
        return False
    least = th.PARTIAL_DROP * scale * before
    sure = -step["step_V"] > th.STEP_ERRORS * scale * step["step_error_V"]
    doubt = 2 * max(step["noise_before_V"], step["noise_after_V"]) / drop
    abrupt = th.PARTIAL_ABRUPT - doubt < step["abruptness"] < th.OVERSHOOT + doubt
    return (
        abrupt
        and step["after_V"] > th.DEEPEST_PARTIAL * before > 0
        and drop > least
        and -step["step_V"] > least
        and sure
    )


def _lasts(step: dict[str, float], half_cycle: HalfCycle, found: Findings) -> bool:
    """Half of the step is still there in the next half-cycle against the one before; drift before it is taken off."""
    k = half_cycle.index
    if k == 0 and step["position"] < th.FIRST_ROWS:
        return False
    if _repeats(step, k, found):
        return False
    h = found.half_cycles
    if k + 1 >= len(h) or k < 1 or min(h[k + 1].rows, h[k - 1].rows) < 16:
        return True
    change = _log_ratio(h[k + 1], h[k - 1])
    drift = _log_ratio(h[k - 1], h[k - 3]) if k >= 3 else 0.0
    fall = log_ratio(step["after_V"], step["before_V"]) or -1.0
    return change - min(drift, 0.0) < th.LASTING * fall


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


def _within(event: Event, soft: Event) -> bool:
    # The alarm of a fluctuation comes some blocks after its first drop.
    return soft.row - 64 <= event.row and (soft.end_s is None or event.start_s <= soft.end_s)
