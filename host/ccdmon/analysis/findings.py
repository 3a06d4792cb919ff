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
    """The core's records with names."""
    return Findings(half_cycles, named(steps), mode, rows)


def named(steps: Sequence[Sequence[float]]) -> list[dict[str, float]]:
    """Steps in the order of their rows; the same one is reported twice when the ring still held it."""
    found: dict[int, dict[str, float]] = {}
    for record in steps:
        step = dict(zip(STEP_FIELDS, record, strict=True))
        near = range(int(step["row"]) - 3, int(step["row"]) + 4)
        known = next((found[row] for row in near if row in found), None)
        if known is None or known["rows_after"] < step["rows_after"]:
            if known is not None:
                del found[int(known["row"])]
            found[int(step["row"])] = step
    return [found[row] for row in sorted(found)]
