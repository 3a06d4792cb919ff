"""What holds for a test of any cell: is it open, is it a cell at all, was there a current to judge it by?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.stretches import Stretch


@dataclass
class Seen:
    """What stretches so far have shown: the highest |V|s, that of the last one with a current, the largest charge."""

    top_V: float = 0.0
    last_V: float = 0.0
    own_V: float = 0.0  # of a cell that stands: at the edges of a current, and before there was one
    most_C: float = 0.0
    loaded: bool = False


def open_circuit(
    stretches: Sequence[Stretch], area_cm2: float | None, *, stands: bool, seen: Seen | None = None
) -> list[Event]:
    """No current, or next to none, and V at the compliance: a wire is off, or all contact.

    A cell that `stands` has a voltage of its own, as bare copper has. `seen`, in earlier stretches, goes on with these.
    """
    seen = seen or Seen()
    if not _both_signs(stretches):  # nobody asked for a current, or V stands by itself
        return []
    seen.most_C = max(seen.most_C, max((s.charge_C for s in stretches if s.kind == "current"), default=0.0))
    least_C = th.OFFSET_CURRENT * seen.most_C
    for s in stretches:
        offset = s.charge_C < least_C and (stands or (s.kind == "current" and s.count < th.LEAST_ROWS))
        if s.sign != 0 and offset:  # in a rest
            if stands:
                seen.own_V = max(seen.own_V, s.most_V)
            continue
        if s.sign != 0:
            if not seen.top_V and _no_cell(s, area_cm2, stands):
                return [_event(s, 0, voltage_V=abs(s.middle_V), current_A=s.current_A)]
            if s.kind == "current":
                seen.top_V, seen.last_V, seen.loaded = max(seen.top_V, s.most_V), s.late_V, True
                if stands and s.is_kept:
                    seen.own_V = max(seen.own_V, abs(s.blocks.first[0]), abs(s.blocks.last[0]))
            continue
        if stands and not seen.loaded:
            seen.own_V = max(seen.own_V, s.most_V)
            continue
        if not s.is_kept:
            continue
        leaps = _leaps(s, seen, least_C, stretches) if stands else None
        found = leaps or _beyond(s, seen, stands=stands, last=s is stretches[-1])
        if found is not None:
            return [found]
    return []


def _leaps(s: Stretch, seen: Seen, least_C: float, stretches: Sequence[Stretch]) -> Event | None:
    """Does V leap beyond all that was, a row each time a step asks for a current, and never a current flow again?"""
    later = (x for x in reversed(stretches) if x.index > s.index)
    if not seen.loaded or any(x.sign != 0 and x.charge_C >= least_C for x in later):
        return None
    highest_V = np.maximum(np.abs(s.blocks.highest_V), np.abs(s.blocks.lowest_V))
    leaps = np.flatnonzero(highest_V > leap_V(max(seen.top_V, seen.own_V)))
    if leaps.size < th.SLACK_ROWS:
        return None
    k = int(leaps[0])
    return _event(s, k, provisional=False, voltage_V=float(highest_V[k]), highest_V_before=seen.top_V)


def _beyond(s: Stretch, seen: Seen, *, stands: bool, last: bool) -> Event | None:
    """Is V of this rest at the compliance?"""
    top_V, last_V = seen.top_V, seen.last_V
    if stands:
        seen.top_V = max(top_V, s.most_V)
    highest_V = max(abs(s.most_mean_V), abs(s.least_mean_V))
    if top_V and highest_V <= min(top_V, th.WHOLE * last_V):  # as in nearly all rests
        return None
    V = np.abs(s.volts)
    least = rail_V(top_V, stands=stands) if top_V or not stands else np.inf
    least = max(least, (1 + th.FALL) * seen.own_V)
    beyond = least < V if top_V else (V > 0.5) & _stands(V)
    # Before any current a symmetric cell has no V. It relaxes in a rest; a wire that is off stands at the rail.
    if not stands and top_V and s.count >= 10:
        beyond |= (th.WHOLE * last_V < V) & _stands(V, th.STANDS) & (last_V > 0.5 * top_V)
    k = int(np.argmax(beyond)) if beyond.any() else -1
    if k >= 0 and s.blocks.rows[k:].sum() >= 3 and beyond[k : k + 5].mean() > 0.5:
        # At the rail it has reached its limit, or there the file ends; a wire may have come off for some rows only.
        reached = bool(beyond[-1]) and (last or s.blocks.rows[k:].sum() >= th.LEAST_ROWS)
        return _event(s, k, provisional=not reached, voltage_V=float(V[k]), highest_V_before=top_V)
    return None


def rail_V(top_V: float, *, stands: bool) -> float:
    """Beyond this a rest is at the compliance, where no |V| under a current was higher than `top_V`."""
    return max(((1 + th.FALL) if stands else th.GROWN) * top_V, top_V + 0.05)


def leap_V(top_V: float) -> float:
    """Beyond this a single row is."""
    return (1 + th.FALL) * top_V + th.OCV_LOSS_V


def _stands(V: Array, within: float = 0.1) -> bool:
    """Are nine of ten as large as their median?"""
    usual = middle(V)
    return float(np.mean(np.abs(V - usual) < within * usual)) > th.WHOLE


def _both_signs(stretches: Sequence[Stretch]) -> bool:
    """Was a current asked for: did one flow, or does V go to both sides?"""
    if any(s.sign for s in stretches):
        return True
    return any(s.most_mean_V > 0.5 for s in stretches) and any(s.least_mean_V < -0.5 for s in stretches)


def _no_cell(s: Stretch, area_cm2: float | None, stands: bool) -> bool:
    return (
        area_cm2 is not None and not stands and abs(s.middle_V) > 0.1 and s.ohm * area_cm2 > th.OPEN_ohm_cm2
    )


def _event(s: Stretch, block: int, *, provisional: bool = True, **evidence: Any) -> Event:
    return opened_at(
        float(s.time_s[block]), int(s.row[block]), s.current_A, evidence, provisional=provisional
    )


def opened_at(
    start_s: float, row: int, current_A: float, evidence: Mapping[str, Any], *, provisional: bool = False
) -> Event:
    """The circuit is open from this row on."""
    told = {"criterion": "open circuit", **evidence}
    return Event("contact_loss", start_s, row, None, current_A, None, False, provisional, told)


def shorted_from_the_start(stretches: Sequence[Stretch], area_cm2: float | None) -> list[Event]:
    """Less than any solid electrolyte has, and V as flat as I: metal from the first row on."""
    most_C = max((s.charge_C for s in stretches), default=0.0)
    loaded = [
        s
        for s in stretches
        if s.kind == "current" and s.count >= 4 and s.charge_C > th.OFFSET_CURRENT * most_C
    ]
    if not loaded:
        return []
    if area_cm2 is None:  # no area makes a cell of 0 ohm
        dead = max(s.ohm for s in loaded) == 0
        return [_metal(loaded, criterion="no resistance at all", resistance_ohm=0.0)] if dead else []
    density = max(abs(s.current_A) for s in loaded) * 1e3 / area_cm2
    if not th.LEAST_mA_cm2 < density < 1e3 * th.LIKELY_mA_cm2:  # nobody's current, in mA or in A
        return []
    first = loaded[0]
    ohms = [s.ohm * area_cm2 for s in loaded]
    least = max(first.start_V / abs(first.current_A) * area_cm2, median(ohms))
    falls = min(ohms) < th.HARD_REMAINS * ohms[0]  # what then falls for good had something to lose
    flat = least < th.SHORTED_ohm_cm2 and not falls and _flat(loaded)
    if not (least < th.SHORTED_ohm_cm2 / 10 or flat):
        return []
    sure = least < th.SHORTED_ohm_cm2 / 10  # else later rows may show that V bends
    criterion = "less than a solid electrolyte has"
    return [_metal(loaded, sure=sure, criterion=criterion, resistance_ohm_cm2=median(ohms))]


def _metal(loaded: Sequence[Stretch], *, sure: bool = True, **evidence: Any) -> Event:
    """Shorted from the first loaded row on; a cell of few half-cycles may still settle."""
    first, early = loaded[0], len(loaded) < 4 or not sure
    return Event(
        "hard_short", first.start_s, first.first_row, None, first.current_A, None, False, early, evidence
    )


def _flat(loaded: Sequence[Stretch]) -> bool:
    """Does V follow I and nothing else, as far as its noise tells?"""
    told = [s for s in loaded if not math.isnan(s.rise)]
    if not told:
        return False
    rises = [s.rise for s in told]
    n = len(rises) ** 0.5
    usual = middle(rises)
    scatter = 6 * middle([abs(rise - usual) for rise in rises]) / n
    noise = median(s.noise_V / max(abs(s.middle_V), 1e-12) / (s.count / 4) ** 0.5 for s in told)
    return bool(abs(median(rises)) < max(0.005, min(scatter, 0.03), 6 * noise / n))


def not_judged(stretches: Sequence[Stretch]) -> str | None:
    """Why no resistance can be judged; None where one can."""
    if any(s.kind == "current" and s.count >= 3 for s in stretches):
        return None
    loaded = [s for s in stretches if s.sign != 0]
    if not loaded:
        return "no current flowed"
    return (
        "the voltage was held, the current followed"
        if any(s.kind == "held" for s in loaded)
        else "no constant current long enough to judge"
    )


def implausible(stretches: Sequence[Stretch], area_cm2: float | None, *, with_ocv: bool) -> list[str]:
    """Words about numbers that no solid electrolyte cell has: a unit or an area is wrong."""
    loaded = [s for s in stretches if s.kind == "current" and s.count >= 3]
    if area_cm2 is None or not loaded:
        return []
    density = max(abs(s.current_A) for s in loaded) * 1e3 / area_cm2
    ohm_cm2 = median(s.ohm for s in loaded) * area_cm2
    notes = []
    if density > th.LIKELY_mA_cm2:
        most = f"none endures more than {th.LIKELY_mA_cm2:g}"
        notes.append(
            f"{density:.3g} mA cm-2 is not likely ({most}): is the current in mA, or the area wrong?"
        )
    most_ohm_cm2 = max(s.ohm for s in loaded) * area_cm2  # a cell that shorts begins with what it has
    if not with_ocv and most_ohm_cm2 < 1.0:
        wrong = "is the current in mA instead of A, the area wrong, or the cell shorted?"
        notes.append(f"{most_ohm_cm2:.2g} ohm cm2 at most is less than a solid electrolyte has: {wrong}")
    if not with_ocv and ohm_cm2 > th.OPEN_ohm_cm2 / 10:
        wrong = "is the voltage in mV, the current in another unit, or the cell open?"
        notes.append(f"{ohm_cm2:.2g} ohm cm2 is more than a solid electrolyte has: {wrong}")
    return notes


def in_mA(stretches: Sequence[Stretch], area_cm2: float | None) -> bool:
    """Are current densities a thousand times too large, and the resistances as much too small?"""
    loaded = [s for s in stretches if s.kind == "current" and s.count >= 3]
    if area_cm2 is None or not loaded:
        return False
    density = max(abs(s.current_A) for s in loaded) * 1e3 / area_cm2
    return density > th.LIKELY_mA_cm2 and median(s.ohm for s in loaded) * area_cm2 * 1e3 > th.SHORTED_ohm_cm2
