"""What a cell once had: the level it kept, and a fall too slow for any step, however long it takes."""

from collections.abc import Sequence

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.order_statistics import middle


def lowest_kept_ohm(half_cycles: Sequence[HalfCycle]) -> float | None:
    """The lowest resistance kept for three half-cycles, by their ends; None of none that has a voltage."""
    ends = [h.resistance_end_ohm for h in half_cycles if h.end_V > 0]
    return min((middle(ends[max(0, k - 2) : k + 1]) for k in range(len(ends))), default=None)


def slow_loss(half_cycles: Sequence[HalfCycle], remains: float) -> list[Event]:
    """No more than `remains` is left of what the cell kept, and less than it ever kept: a leak carries the current."""
    usable = [h for h in half_cycles if h.rows >= 4]
    ohms = [max(h.resistance_end_ohm, 0.0) for h in usable]
    if len(ohms) < 4:
        return []
    kept = [middle(ohms[k - 1 : k + 2]) for k in range(1, len(ohms) - 1)]
    best = max(range(min(1, len(kept) - 1), len(kept)), key=lambda k: kept[k])
    lowest = min(kept[: best + 1])
    tail = max(ohms[-2:])
    # What never had a resistance lost none.
    if kept[best] <= 0 or tail > remains * kept[best] or tail > th.HALF * lowest:
        return []
    last = max(k for k in range(len(ohms)) if ohms[k] > th.WHOLE * kept[best] or k <= best)
    h = usable[min(last + 1, len(usable) - 1)]
    evidence = {
        "criterion": "against all that it kept",
        "resistance_before_ohm": kept[best],
        "resistance_after_ohm": tail,
        "ratio": tail / kept[best],
    }
    lately = max(ohms[-th.SOFT_WITHIN :]) > remains * kept[best]  # it may come back
    return [
        Event(
            "fake_stable",
            h.start_s,
            h.first_row,
            h.cycle,
            h.current_A,
            open=lately,
            evidence=evidence,
        )
    ]
