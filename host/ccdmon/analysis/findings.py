"""What the core found in a trace, with names: half-cycles, steps, bursts."""

from collections.abc import Sequence
from dataclasses import dataclass

from ccd_fastcore import BURST_FIELDS, STEP_FIELDS
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
