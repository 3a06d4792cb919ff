"""Fake stable: the cell looks healthy, but a weak electronic leak carries the current (Lu et al. 2021, 2.3.2).

Three ways to tell, in this order: impedance before against after; U/I against the impedance; the shape: the
resistance fell gradually to a fraction and the half-cycles became flat, which warming does not do.
"""

from collections.abc import Sequence
from statistics import median
from typing import Any

from ccdmon import thresholds as th
from ccdmon.eis import Comparison
from ccdmon.events import Event
from ccdmon.half_cycles import HalfCycle

LEAST_ROWS = 12


def find_fake_stable(half_cycles: Sequence[HalfCycle], eis: Comparison, mode: int) -> list[Event]:
    """At most one event."""
    usable = [h for h in half_cycles if h.rows >= LEAST_ROWS and h.end_V > 0]
    if not usable:
        return []
    start = _fall(usable)
    if eis.verdict == "shorted":
        h = start or usable[0]
        return [_event(h, {"criterion": "impedance", **eis.evidence()})]
    if eis.verdict == "consistent" or mode == 2:
        return []
    if start is None:
        return []
    return [_event(start, {"criterion": "shape", **_shape(usable, start)})]


def _fall(usable: Sequence[HalfCycle]) -> HalfCycle | None:
    """The half-cycle in which the resistance fell gradually to less than half, stayed there, and became flat."""
    for n in range(2, len(usable) - 1):
        before, h, later = usable[max(0, n - 4) : n], usable[n], usable[n + 1 : n + 5]
        past = median(x.resistance_end_ohm for x in before)
        if h.resistance_end_ohm > th.FAKE_FALL * past:
            continue
        steady = max(x.resistance_end_ohm for x in later) < (1 + th.FAKE_STEADY) * min(
            x.resistance_end_ohm for x in later
        )
        sudden = before[-1].resistance_end_ohm > (1 - th.FAKE_STEADY) * past or len(before) < 3
        rise_before, rise_after = median(x.rise for x in before[:-1]), median(abs(x.rise) for x in later)
        flatter = rise_before > 0 and rise_after < th.FAKE_FLATTER * rise_before
        return h if steady and sudden and flatter else None
    return None


def _shape(usable: Sequence[HalfCycle], start: HalfCycle) -> dict[str, Any]:
    before = [h for h in usable if h.index < start.index][-4:]
    after = [h for h in usable if h.index > start.index][:4] or [start]
    return {
        "resistance_before_ohm": median(h.resistance_end_ohm for h in before),
        "resistance_after_ohm": median(h.resistance_end_ohm for h in after),
        "rise_before": median(h.rise for h in before),
        "rise_after": median(h.rise for h in after),
    }


def _event(h: HalfCycle, evidence: dict[str, Any]) -> Event:
    return Event("fake_stable", h.start_s, h.first_row, h.cycle, h.current_A, evidence=evidence)
