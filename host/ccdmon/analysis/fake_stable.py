"""Fake stable: the cell looks healthy, but a weak electronic leak carries the current (Lu et al. 2021, 2.3.2).

Two ways to tell by the impedance: before against after, and U/I against it. Without any the level tells (`level`):
it slid to a fraction of what the cell kept, further than warming takes it, and stays there.
"""

import math
from collections.abc import Sequence
from typing import Any

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.arrhenius import ROOM_degC, inverse_eV
from ccdmon.analysis.events import Event
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.impedance.comparison import Comparison
from ccdmon.analysis.order_statistics import middle

FULL_CELL = 2
NEAR_K = 8.0
SUDDEN = 0.85  # of what half-cycles had
EXPLAINED = 0.8  # of what is gone from the spectrum: both have their errors, and U/I its heat


def find_fake_stable(
    half_cycles: Sequence[HalfCycle], eis: Comparison, mode: int, temperature_degC: float | None = None
) -> list[Event]:
    """At most one event."""
    usable = [h for h in half_cycles if h.rows >= th.LEAST_ROWS and h.end_V > 0]
    if not usable:
        return []
    if eis.verdict == "shorted":
        return [_event(usable[0], {"criterion": "impedance", **eis.evidence()})]
    if mode == FULL_CELL:
        return []
    below = _below_impedance(usable, eis, temperature_degC)
    return [] if below is None else [below]


def _below_impedance(
    usable: Sequence[HalfCycle], eis: Comparison, temperature_degC: float | None
) -> Event | None:
    """U/I far below the impedance before the test, further than the temperature takes it."""
    if eis.before is None or not eis.before.trustworthy:
        return None
    impedance_ohm = eis.before.bulk_ohm + eis.before.interface_ohm
    least_ohm = impedance_ohm * th.HALF * _warmth(temperature_degC)
    first = next((k for k, h in enumerate(usable) if h.resistance_end_ohm < least_ohm), None)
    if first is None or any(h.resistance_end_ohm >= least_ohm for h in usable[first + 1 :]):
        return None
    if temperature_degC is None and _slid(usable[: first + 1]):
        return None
    low = usable[first]
    evidence = {"criterion": "U/I against impedance", "resistance_ohm": low.resistance_end_ohm}
    return _event(low, evidence | {"impedance_ohm": impedance_ohm})


def _warmth(temperature_degC: float | None) -> float:
    """What is left of a resistance at room temperature, where spectra are taken, at the most that warming takes."""
    if temperature_degC is None or temperature_degC < ROOM_degC + NEAR_K:
        return 1.0
    return math.exp(-th.ACTIVATION_eV * inverse_eV(temperature_degC))


def _slid(until: Sequence[HalfCycle]) -> bool:
    """Whether the half-cycle before the last was below what is usual: where no temperature is known, warming does it.

    A leak of the kind forms within a half-cycle, or was there from the start.
    """
    before = [h.resistance_end_ohm for h in until[:-1]]
    return bool(before) and before[-1] < SUDDEN * middle(before)


def _event(h: HalfCycle, evidence: dict[str, Any]) -> Event:
    return Event("fake_stable", h.start_s, h.first_row, h.cycle, h.current_A, evidence=evidence)


def told_already(events: Sequence[Event], eis: Comparison) -> bool:
    """Whether a shorted spectrum shows what the trace has told already: a leak that came with an event and stayed.

    What ends the ramp explains any. A partial short explains the ohms that it took, in U/I, and a spectrum that was not
    scanned to the end of the slowest arc has lost no more of them.
    """
    lasting = [e for e in events if not e.recovered]
    if any(e.fatal for e in lasting if e.kind in ("hard_short", "soft_short")):
        return True
    taken_ohm = sum(_taken_ohm(e) for e in lasting if e.kind == "partial_short")
    if eis.before is None or eis.after is None:
        return False
    return eis.before.total_ohm - eis.after.total_ohm < taken_ohm / EXPLAINED


def _taken_ohm(partial: Event) -> float:
    before, after = (partial.evidence.get(f"resistance_{when}_ohm", 0.0) for when in ("before", "after"))
    return float(before - after)
