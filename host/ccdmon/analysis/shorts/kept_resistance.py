"""What a cell's own resistance had been: the level it kept, which a growth that is undone comes back to.

A voltage that falls to a fraction of what it was a moment ago may only come back from a growth: contact regained, a
voltmeter back from its rail. A short leaves less than the cell ever had.
"""

from collections.abc import Sequence
from statistics import median

from ccdmon.analysis.half_cycles import HalfCycle


def lowest_kept_ohm(half_cycles: Sequence[HalfCycle]) -> float | None:
    """The lowest resistance kept for three half-cycles, by their ends; None of none that has a voltage."""
    ends = [h.resistance_end_ohm for h in half_cycles if h.end_V > 0]
    return min((median(ends[max(0, k - 2) : k + 1]) for k in range(len(ends))), default=None)
