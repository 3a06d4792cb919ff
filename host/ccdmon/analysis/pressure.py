"""Stack pressure as evidence: moved lithium changes it, a short moves none, so the pressure lets go of the current.

(Review, Adv. Funct. Mater. 2021, 31, 2009925, section 5; operando pressure of LTO|Li6PS5Cl|Li cells.)
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from ccdmon.analysis.events import Event, at_row
from ccdmon.analysis.half_cycles import HalfCycle

NEIGHBOURS = 4  # half-cycles before and after


def with_pressure(event: Event, half_cycles: Sequence[HalfCycle]) -> Event:
    """The event with the pressure's answer to the charge after it over that before it, where there is one."""
    h = at_row(half_cycles, event.row)
    if h is None:
        return event
    before = _response(half_cycles[max(0, h.index - NEIGHBOURS) : h.index])
    after = _response(half_cycles[h.index + 1 : h.index + 1 + NEIGHBOURS])
    if before is None or after is None or before == 0:
        return event
    return replace(event, evidence={**event.evidence, "pressure_response_ratio": after / before})


def _response(half_cycles: Sequence[HalfCycle]) -> float | None:
    """Pressure change per signed charge, Pa/C, median; None without pressure."""
    known = [h for h in half_cycles if h.pressure_start_Pa != 0 and h.charge_C > 0]
    slopes = [
        (h.pressure_end_Pa - h.pressure_start_Pa) / (h.charge_C if h.current_A > 0 else -h.charge_C)
        for h in known
    ]
    return median(slopes) if slopes else None
