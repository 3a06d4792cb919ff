"""Contact loss, and the limit: polarisation that grows within half-cycles and from cycle to cycle.

Voids take the interface, R_int goes with 1 / area (Lu et al. 2021, 2.2.3): growth within a half-cycle that gets
steeper, and is larger than in the first half-cycles. A polarisation above Ohm's law can also precede a short, so the
event is provisional until the cell recovers or reaches its voltage limit. Salt depletion in a polymer runs away, too,
but starts anew after each reversal and is no loss of contact.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.memory import lowest_kept_ohm
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.voltage_limit import Limit, limits
from ccdmon.model.electrolytes import POLYMER, kind_of_electrolyte


def is_polymer(electrolyte: str | None) -> bool:
    """By its name: salt depletion makes V rise within half-cycles."""
    return kind_of_electrolyte(electrolyte) == POLYMER


def find_contact_loss(
    half_cycles: Sequence[HalfCycle],
    electrolyte: str | None,
    before_row: int,
    *,
    steady: bool = True,
) -> list[Event]:
    """At most one contact loss, or a limit reached without one, before the row `before_row`.

    Not `steady`: half-cycles may end in a rise that is the program's, as stripping to a cut-off in a half cell does.
    """
    lived = [h for h in half_cycles if h.last_row < before_row and _stands_out(h)]
    limit = next(limits(lived), None)
    # Salt that runs out makes V of a polymer rise, too; its level tells whether reversals undo that.
    start = None if is_polymer(electrolyte) else _begin(lived, bool(electrolyte) and steady)
    if start is None:
        return [_limit_event(limit)] if limit is not None else []
    after = [h for h in lived if h.index > start.index]
    held = limit is not None and limit.half_cycle.index >= start.index - 1
    reached = limit if held else None
    base = _base_ohm(lived, start)
    recovered = (
        reached is None and len(after) >= 2 and all(h.resistance_end_ohm < 1.15 * base for h in after[-2:])
    )
    highest = max(h.resistance_end_ohm for h in [start, *after])
    evidence = {
        "criterion": "growth within half-cycles and from one to the next",
        "resistance_before_ohm": base,
        "resistance_highest_ohm": highest,
        "growth": highest / base,
        "growth_within": start.end_V / start.start_V if start.start_V > 0 else None,
        "limit_V": reached.half_cycle.highest_V if reached is not None else None,
    }
    event = Event("contact_loss", start.start_s, start.first_row, start.cycle, start.current_A, None, recovered,
                  reached is None and not recovered, evidence, reached.row if reached else None)  # fmt: skip
    return [replace(event, end_s=after[-2].start_s) if recovered else event]


def _stands_out(h: HalfCycle) -> bool:
    """Is V of its last eight rows something, and not the noise that it is measured with?"""
    return h.rows >= th.LEAST_ROWS and h.end_V > th.SURE * h.noise_V / sqrt(8)


def without_recovery(shorts: Sequence[Event], contact: Sequence[Event]) -> list[Event]:
    """V falls when contact is regained, too: no partial short where no less than the cell's own resistance is left."""
    lost = next((event for event in contact if event.recovered), None)
    if lost is None:
        return list(shorts)
    own_ohm = lost.evidence["resistance_before_ohm"]
    return [
        event
        for event in shorts
        if event.kind != "partial_short"
        or event.row < lost.row
        or event.evidence["resistance_after_ohm"] < th.MOST * own_ohm
    ]


def _earlier(lived: Sequence[HalfCycle], h: HalfCycle) -> list[HalfCycle]:
    return [x for x in lived if x.index < h.index and x.current_A * h.current_A > 0 and x.start_V > 0]


def _base_ohm(lived: Sequence[HalfCycle], h: HalfCycle) -> float:
    """The lowest level the resistance kept for three half-cycles of this sign."""
    kept_ohm = lowest_kept_ohm(_earlier(lived, h))
    return h.resistance_start_ohm if kept_ohm is None else kept_ohm


def _begin(lived: Sequence[HalfCycle], inorganic: bool) -> HalfCycle | None:
    """The first half-cycle that ends a third above the past, in a growth that reversals do not undo."""
    pasts = {True: _Past(), False: _Past()}
    for n, h in enumerate(lived):
        if h.start_V <= 0:
            continue
        past = pasts[h.current_A > 0]
        growing = h.resistance_end_ohm > (1 + th.LEAST) * past.last[-1] if past.last else False
        least = th.GROWN if growing else th.AGED
        if h.resistance_end_ohm >= least * past.base_ohm and h.end_V > h.start_V:
            stays = lived[n + 1 : n + 3]
            # The last half-cycle has none to tell whether the reversal undoes it.
            if (inorganic and not stays) or all(
                x.resistance_start_ohm > (1 + th.FALL) * past.start_ohm for x in stays or [h]
            ):
                return h
        past.add(h)
    return None


@dataclass
class _Past:
    """What the half-cycles of one sign have been: lowest median of three ends in a row, lowest start, in ohm."""

    base_ohm: float = inf
    start_ohm: float = inf
    last: tuple[float, ...] = ()

    def add(self, h: HalfCycle) -> None:
        self.last = (*self.last[-2:], h.resistance_end_ohm)
        self.base_ohm = min(self.base_ohm, middle(list(self.last)))
        self.start_ohm = min(self.start_ohm, h.resistance_start_ohm)


def _limit_event(limit: Limit) -> Event:
    h, row = limit
    share = (row - h.first_row) / max(h.last_row - h.first_row, 1)
    evidence = {"highest_V": h.highest_V, "rows_at_limit": h.rows_highest, "current_end_A": h.current_end_A}
    start_s = h.start_s + share * (h.end_s - h.start_s)
    return Event("limit", start_s, row, h.cycle, h.current_A, evidence=evidence)
