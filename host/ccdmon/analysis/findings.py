"""What the core found in a trace, with names: half-cycles, steps, bursts; and an event made of a step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ccd_fastcore import BURST_FIELDS, STEP_FIELDS
from ccdmon.analysis.events import Event
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.thresholds import NOISE_ROWS

SYMMETRIC, FULL_CELL = 0, 2


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
    steps: Sequence[Sequence[float]],
    bursts: Sequence[Sequence[float]],
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


def noisier(step: dict[str, float]) -> float:
    """Noise after the step over noise before it, at least 1: a stray row among those after it is no step."""
    known = step["rows_after"] >= NOISE_ROWS and step["noise_before_V"] > 0
    return max(step["noise_after_V"] / step["noise_before_V"], 1.0) if known else 1.0


def step_event(kind: str, step: dict[str, float], half_cycle: HalfCycle) -> Event:
    """The event of a sudden drop, with the numbers that decided it."""
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


def healed(event: Event, half_cycle: HalfCycle) -> Event:
    """A short that was gone before its half-cycle ended: a soft one."""
    evidence = {**event.evidence, "resistance_recovered_ohm": half_cycle.resistance_end_ohm}
    return replace(event, kind="soft_short", end_s=half_cycle.end_s, recovered=True, evidence=evidence)
