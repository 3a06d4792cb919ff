"""What the core found in a trace, with names: half-cycles, steps."""

from collections.abc import Sequence
from dataclasses import dataclass

from ccd_fastcore import STEP_FIELDS
from ccdmon.analysis.half_cycles import HalfCycle

SYMMETRIC, FULL_CELL = 0, 2


@dataclass(frozen=True)
class Findings:
    """What the core found in a whole trace; `mode` indexes `ccd_fastcore.MODES`."""

    half_cycles: Sequence[HalfCycle]
    steps: Sequence[dict[str, float]]
    mode: int
    rows: int


def findings(
    half_cycles: Sequence[HalfCycle],
    steps: Sequence[Sequence[float]],
    mode: int,
    rows: int,
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
    return Findings(half_cycles, ordered, mode, rows)
