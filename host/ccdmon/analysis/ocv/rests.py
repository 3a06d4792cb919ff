"""What rests and steps of the current tell: V that falls on, a resistance that grows."""

import itertools
from collections.abc import Sequence
from statistics import median

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.ocv.runs import ocv_event, offset_A
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.stretches import Stretch


def sagging(stretches: Sequence[Stretch], charging: int) -> list[Event]:
    """V that goes on falling in a rest: a relaxation slows down, and the rests before did not fall like that.

    Behind a current that lowered V (`charging` is the sign of the other one) a relaxation raises it.
    """
    found: list[tuple[Stretch, float]] = []
    usual: dict[int, list[float]] = {1: [], -1: [], 0: []}
    sign, told = 0, None
    least_A = offset_A(stretches)
    for s in stretches:
        if s.sign != 0:
            sign = s.sign
            continue
        x = np.abs(s.volts[np.abs(s.blocks.amperes) <= least_A])  # not the tail of a held voltage
        if s.kind != "rest" or x.size < max(8, th.HALF * s.volts.size):
            continue
        x, told = x[max(1, x.size // 10) :], s
        h = x.size // 2
        centre = middle(x[h - 1 : h + 2])
        early, late = middle(x[:3]) - centre, centre - middle(x[-3:])
        early *= (x.size - 2 - h) / (h - 1)  # over as long a time
        noise = float(middle(np.abs(np.diff(x, 2)))) if x.size > 4 else 0.0
        before = usual[sign]
        more = late > 2 * max(before, default=0.0) + th.SAG_V / 2 + 6 * noise
        lowered = sign * (1 if s.middle_V >= 0 else -1) == -charging
        slows = late <= th.MOST * early or early <= 0
        known = not (more or not before)
        if early + late > th.SAG_V + 6 * noise and (lowered or not (slows or known)):
            found.append((s, early + late))
        else:
            before.append(max(late, 0.0))
    if not found:
        return []
    s, sag = found[0]
    last = found[-1][0]
    goes_on = last is told and len(found) >= th.SLACK_ROWS
    return [
        ocv_event(
            "soft_short",
            s,
            0,
            recovered=not goes_on,
            end_s=None if goes_on else last.end_s,
            criterion="V falls on in rests",
            sag_V=sag,
            rests=len(found),
        )
    ]


def step_resistance(stretches: Sequence[Stretch]) -> list[Event]:
    """dV/dI where the current steps: its growth takes capacity and power, and is contact or interface.

    Steps of one kind are compared with each other, into a rest, out of it; those of at least two kinds must have grown.
    """
    known: dict[tuple[int, int], list[float]] = {}
    grown: dict[tuple[int, int], list[tuple[float, Stretch]]] = {}
    for a, b in itertools.pairwise(stretches):
        dI = b.blocks.first[1] - a.blocks.last[1]
        if (
            not {a.kind, b.kind} <= {"current", "rest"}
            or b.after_gap
            or abs(dI) < 0.5 * max(abs(a.blocks.last[1]), abs(b.blocks.first[1]))
            or dI == 0
        ):
            continue
        ohm = (b.blocks.first[0] - a.blocks.last[0]) / dI
        before = known.setdefault((a.sign, b.sign), [])
        base = median(before[:3]) if len(before) >= 2 else 0.0
        steady = base > 0 and max(before[:3]) < th.GROWN * min(before[:3])
        before.append(ohm)
        if not steady:
            continue
        key = (a.sign, b.sign)
        grown[key] = [*grown.get(key, []), (ohm / base, b)] if ohm > th.AGED * base else []
        again = [steps for steps in grown.values() if len(steps) >= th.SLACK_ROWS]
        if len(again) >= 2:
            s = min((steps[0][1] for steps in again), key=lambda s: s.first_row)
            growth = max(ratio for steps in again for ratio, _ in steps)
            return [
                ocv_event(
                    "contact_loss", s, 0, provisional=True, criterion="resistance of steps of the current",
                    growth=growth,
                )
            ]  # fmt: skip
    return []
