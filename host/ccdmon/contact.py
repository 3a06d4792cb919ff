"""Contact loss, and the limit: polarisation that grows within half-cycles and from cycle to cycle.

Voids take the interface, R_int goes with 1 / area (Lu et al. 2021, 2.2.3): growth within a half-cycle that gets
steeper, and is larger than in the first half-cycles. A polarisation above Ohm's law can also precede a short, so the
event is provisional until the cell recovers or reaches its voltage limit. Salt depletion in a polymer runs away, too,
but starts anew after each reversal and is no loss of contact.
"""

from collections.abc import Sequence
from statistics import median

from ccdmon import thresholds as th
from ccdmon.events import Event
from ccdmon.half_cycles import HalfCycle

LEAST_ROWS = 8
POLYMERS = ("peo", "pvdf", "pan", "polymer", "pmma", "pcl", "litfsi")


def find_contact_loss(
    half_cycles: Sequence[HalfCycle], electrolyte: str | None, before_row: int
) -> list[Event]:
    """At most one contact loss or limit event before the row `before_row`."""
    lived = [h for h in half_cycles if h.first_row < before_row and h.rows >= LEAST_ROWS and h.end_V > 0]
    limit = next((h for h in lived if _at_limit(h)), None)
    polymer = any(name in (electrolyte or "").lower() for name in POLYMERS)
    start = None if polymer else _begin(lived)
    if start is None:
        return [_limit_event(limit)] if limit is not None else []
    after = [h for h in lived if h.index > start.index]
    reached = limit is not None and limit.index >= start.index
    base = _base_ohm(lived, start)
    recovered = not reached and bool(after) and all(h.resistance_end_ohm < 1.1 * base for h in after[-2:])
    highest = max(h.resistance_end_ohm for h in [start, *after])
    evidence = {
        "criterion": "growth within half-cycles and between them",
        "resistance_before_ohm": base,
        "resistance_highest_ohm": highest,
        "growth": highest / base,
        "growth_within": start.end_V / start.start_V if start.start_V > 0 else None,
        "limit_V": limit.highest_V if limit is not None else None,
    }
    end_s = after[-1].start_s if recovered else None
    return [
        Event("contact_loss", start.start_s, start.first_row, start.cycle, start.current_A, end_s, recovered,
              not (reached or recovered), evidence)
    ]  # fmt: skip


def _base_ohm(lived: Sequence[HalfCycle], start: HalfCycle) -> float:
    earlier = [h.resistance_start_ohm for h in lived if h.index < start.index and h.start_V > 0]
    return median(earlier[-6:]) if earlier else start.resistance_start_ohm


def _begin(lived: Sequence[HalfCycle]) -> HalfCycle | None:
    """The first half-cycle that grew by a third, steeper than the first ones and above its own past."""
    for n, h in enumerate(lived):
        if h.start_V <= 0 or h.after_gap:
            continue
        within = h.end_V / h.start_V
        usual = [x.end_V / x.start_V for x in lived[max(0, n - 6) : n] if x.start_V > 0]
        base = median(usual) if usual else 1.0
        past = _base_ohm(lived, h)
        grown = h.resistance_end_ohm > th.CONTACT_GROWTH * past
        steeper = within > th.CONTACT_CURVE * base and _accelerates(h)
        if n >= 2 and grown and steeper:
            return h
    return None


def _accelerates(h: HalfCycle) -> bool:
    """The last octave of rows added more than the one before it did: no relaxation does that."""
    known = [v for v in h.profile_V if v > 0]
    if len(known) < 4:
        return True
    return known[-1] - known[-2] > 0.9 * (known[-2] - known[-3])


def _at_limit(h: HalfCycle) -> bool:
    gave_way = h.current_end_A < th.LIMIT_CURRENT * h.level_A
    return h.rows_highest >= th.LIMIT_ROWS and gave_way and h.highest_V > 0 and h.end_V > 0.95 * h.highest_V


def _limit_event(h: HalfCycle) -> Event:
    evidence = {"highest_V": h.highest_V, "rows_at_limit": h.rows_highest, "current_end_A": h.current_end_A}
    return Event("limit", h.start_s, h.first_row, h.cycle, h.current_A, evidence=evidence)
