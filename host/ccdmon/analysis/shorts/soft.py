"""Soft shorts: filaments form and dissolve, V swings while its mean is lower (Lu et al. 2021, 2.2.3)."""

from collections.abc import Sequence
from dataclasses import replace

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event, at_row
from ccdmon.analysis.findings import FULL_CELL, Findings
from ccdmon.analysis.half_cycles import HalfCycle

CALM_ROWS = 32  # after it: fewer, and it may go on
LEAST_ROWS = 16  # of a half-cycle that tells of noise


def soft_shorts(found: Findings) -> list[Event]:
    """All that the core's bursts tell, near ones joined."""
    events: list[Event] = []
    for burst in found.bursts:
        if not _is_soft(burst, found):
            continue
        half_cycle = at_row(found.half_cycles, int(burst["row"]))
        if half_cycle is None:
            continue
        event = _burst_event(burst, half_cycle, found)
        if events and events[-1].end_s is not None and touch(events[-1], event, found):
            events[-1] = replace(
                event, start_s=events[-1].start_s, row=events[-1].row, cycle=events[-1].cycle
            )
        else:
            events.append(event)
    return events


def _is_soft(burst: dict[str, float], found: Findings) -> bool:
    before = burst["before_ohm"]
    if before <= 0 or burst["blocks"] < th.SOFT_BLOCKS or burst["mean_ohm"] > th.SOFT_ABOVE * before:
        return False
    amplitude = burst["amplitude"] / before
    stronger = _strength(burst)
    excited = burst["current_ratio"] > 2.0 and burst["current_ratio"] > th.EXCITED * stronger
    least = th.SOFT_RATIO_AFTER_DROP if _begins_with_drop(burst, found) else th.SOFT_RATIO
    long = _active_blocks(burst) >= th.SOFT_ACTIVE and stronger > 1 + (least - 1) * found.scale
    # A stray row is a large swing in the blocks around it, and no more.
    lasts = _active_blocks(burst) >= th.SOFT_BLOCKS or burst["open"]
    strong = lasts and max(burst["row_ratio"], burst["block_ratio"]) > th.SOFT_STRONG * found.scale
    if excited or amplitude < th.SOFT_AMPLITUDE or not (long or strong):
        return False
    severe = stronger > th.SEVERE_RATIO and amplitude > th.SEVERE_AMPLITUDE
    if found.mode == FULL_CELL:  # its V follows the charge, too
        return severe or _lowered(burst, found)
    if burst["lowest_ohm"] >= before:
        return False  # V only went up
    return (severe and burst["mean_ohm"] < before) or _lowered(burst, found)


def _begins_with_drop(burst: dict[str, float], found: Findings) -> bool:
    """A sure step down within the blocks that the alarm comes late by, larger than any the test showed before."""
    steps = [s for s in found.steps if -24 <= s["row"] - burst["row"] <= 24]
    earlier = [
        -s["step_V"] / s["before_V"]
        for s in found.steps
        if s["row"] < burst["row"] - 64 and s["before_V"] > 0
    ]
    least = max([th.PARTIAL_DROP, *(th.LARGER * drop for drop in earlier)])
    return any(
        -s["step_V"] > max(least * s["before_V"], th.STEP_ERRORS * found.scale * s["step_error_V"])
        for s in steps
    )


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
    recovered = (calm_rows > CALM_ROWS and not burst["open"]) or _calm_since(burst, found)
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


def _calm_since(burst: dict[str, float], found: Findings) -> bool:
    """Are the last half-cycles of the test as quiet as those before the burst, and V back?

    Short ones hardly close it, and chance may reopen it.
    """
    before = [h for h in found.half_cycles if h.last_row < burst["row"]][-th.NOISY_WINDOW :]
    calm_rows = 0
    for h in reversed(found.half_cycles):
        if not before or h.first_row <= burst["row"] or (h.rows >= LEAST_ROWS and not _as_before(h, before)):
            break
        calm_rows += h.rows
    return calm_rows > CALM_ROWS


def _as_before(h: HalfCycle, before: Sequence[HalfCycle]) -> bool:
    usual_V = max(x.noise_V * max(h.level_A / x.level_A, 1.0) for x in before)
    quiet = h.noise_V < th.NOISY_RATIO * max(th.NOISY_FLOOR * abs(h.end_V), usual_V)
    like = [x.resistance_mean_ohm for x in before if x.current_A * h.current_A > 0]
    return quiet and (not like or h.resistance_mean_ohm > th.SOFT_LEAKS * min(like))


def touch(a: Event, b: Event, found: Findings) -> bool:
    """Three half-cycles apart at most: one soft short that comes and goes."""
    first, second = at_row(found.half_cycles, a.row), at_row(found.half_cycles, b.row)
    return first is not None and second is not None and second.index - first.index <= 3
