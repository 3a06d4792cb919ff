"""Hard shorts: V falls at once to a fraction, and stays (Lu et al. 2021, 2.2.3)."""

from collections.abc import Sequence
from dataclasses import replace

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event, at_row, holding
from ccdmon.analysis.findings import FULL_CELL, Findings, healed, step_event
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.shorts.kept_resistance import comes_back
from ccdmon.analysis.shorts.reversals import hard_at_boundary


def hard_shorts(found: Findings) -> list[Event]:
    """At most one that stays; before it, soft shorts where the cell came back from them."""
    remains = th.FULL_CELL_HARD_REMAINS if found.mode == FULL_CELL else th.HARD_REMAINS
    events: list[Event] = []
    for step in found.steps:
        if step["after_V"] >= remains * step["before_V"] or step["abruptness"] < th.HARD_ABRUPT:
            continue
        if -step["step_V"] < th.STEP_ERRORS * found.scale * step["step_error_V"]:
            continue
        half_cycle = holding(found.half_cycles, int(step["row"]))
        if half_cycle is None or _was_low(step, half_cycle, found) or _comes_back(step, half_cycle, found):
            continue
        event = step_event("hard_short", step, half_cycle)
        events.append(event if _stays_low(step, half_cycle, found) else healed(event, half_cycle))
    inside = {h.index for event in events if (h := at_row(found.half_cycles, event.row)) is not None}
    for event in hard_at_boundary(found.half_cycles, full=found.mode == FULL_CELL):
        h = at_row(found.half_cycles, event.row)
        events += [event] if h is None or h.index not in inside else []
    return _to_the_last(sorted(events, key=lambda event: event.row), found)


def _to_the_last(events: Sequence[Event], found: Findings) -> list[Event]:
    """Those that healed, until one that did not: what is left after it tells nothing."""
    told: list[Event] = []
    for event in events:
        told.append(_with_recovery(event, found) if event.kind == "hard_short" else event)
        if told[-1].kind == "hard_short":
            break
    return told


def _was_low(step: dict[str, float], half_cycle: HalfCycle, found: Findings) -> bool:
    """V was next to nothing already, where it should not be: what is left after a short is noise, and it steps."""
    k = half_cycle.index
    if k == 0:
        return False
    # Of a full cell most of V is the open-circuit voltage, whatever the current.
    if found.mode == FULL_CELL:
        return step["before_V"] < th.HARD_REMAINS * found.half_cycles[k - 1].end_V
    octave = min(max(int(step["position"]).bit_length() - 1, 1), 15)
    like = found.half_cycles[max(k - 2, 0)]
    usual_V = like.profile_V[octave] or like.end_V
    return step["before_V"] / abs(step["current_A"]) < th.HARD_REMAINS * usual_V / like.level_A


def _comes_back(step: dict[str, float], half_cycle: HalfCycle, found: Findings) -> bool:
    """What is left is what the cell had before: V was up for a while. Of a full cell V tells no resistance."""
    if found.mode == FULL_CELL:
        return False
    before = found.half_cycles[: half_cycle.index]
    return comes_back(step["after_V"] / abs(step["current_A"]), before, step["current_A"])


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
        highest_ohm = max(h.resistance_start_ohm, h.resistance_end_ohm, h.resistance_mean_ohm)
        if h.first_row > event.row and h.rows >= 8 and highest_ohm > th.HARD_RETURNS * before_ohm:
            evidence = {**event.evidence, "resistance_recovered_ohm": h.resistance_start_ohm}
            return replace(event, kind="soft_short", end_s=h.start_s, recovered=True, evidence=evidence)
    return event
