"""V that is not what it was in any later half-cycle: a dead cell, and an open-circuit voltage that is lost for good."""

from collections.abc import Sequence
from statistics import median

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.ocv.runs import Run, ocv_event
from ccdmon.analysis.order_statistics import middle, quantile
from ccdmon.analysis.stretches import Stretch


def dead(stretches: Sequence[Stretch], charging: int) -> list[Event]:
    """From some row on V is next to nothing, whatever flows: also while charge goes into the cell."""
    largest_V, begin = 0.0, len(stretches)  # of all stretches from there on
    usual_V = {sign: [abs(s.middle_V) for s in stretches if s.sign == sign] for sign in (1, -1)}
    highest_V = max((quantile(np.array(volts), th.MOST) for volts in usual_V.values() if volts), default=0.0)
    for s in reversed(stretches):
        largest_V = max(largest_V, quantile(np.abs(s.volts), th.WHOLE))
        if largest_V > th.HALF * th.HARD_REMAINS * highest_V:
            break
        begin -= 1
    after = stretches[begin:]
    if (
        begin == 0
        or len(after) < 2
        or not any(s.sign == charging and s.count >= th.LEAST_ROWS for s in after)
    ):
        return []
    for s in stretches[max(begin - 1, 0) : begin + 1]:  # it may have died within the one before
        low = np.abs(s.volts) < th.HALF * th.HARD_REMAINS * highest_V
        if low[-1]:
            k = low.size - int(np.argmin(low[::-1])) if not low.all() else 0
            return [
                ocv_event(
                    "hard_short",
                    s,
                    k,
                    criterion="no voltage is left",
                    voltage_before_V=highest_V,
                    voltage_after_V=largest_V,
                )
            ]
    return []


def shifted(runs: Sequence[Run]) -> list[Event]:
    """The middle between charge and discharge, in which no resistance is, lies lower than it ever did."""
    known: list[float] = []
    for k in range(len(runs) - 1):
        a, b = runs[k], runs[k + 1]
        if min(a.span_V, b.span_V) < th.OCV_SPAN_V or not _whole(b, runs[max(0, k - 3) : k + 1]):
            continue
        centre_V = 0.5 * (a.middle_V + b.middle_V)
        if len(known) >= 2:
            usual_V = median(known[-th.LEAST_ROWS :])
            scatter_V = max(abs(x - usual_V) for x in known[-th.LEAST_ROWS :])
            lost_V = (usual_V - centre_V) * float(np.sign(usual_V))
            if lost_V > max(th.OCV_LOSS_V, 3 * scatter_V):
                s, block = _largest_fall([x for run in (a, b) for x in run.loaded if x.kind == "current"])
                return [
                    ocv_event(
                        "partial_short",
                        s,
                        block,
                        criterion="V of charge and discharge is lower",
                        loss_V=lost_V,
                        scatter_V=scatter_V,
                    )
                ]
        known.append(centre_V)
    return []


def _whole(run: Run, before: Sequence[Run]) -> bool:
    """As much charge as those before it."""
    usual_C = middle([r.charge_C for r in before])
    return th.MOST * usual_C < run.charge_C < usual_C / th.MOST


def _largest_fall(stretches: Sequence[Stretch]) -> tuple[Stretch, int]:
    s = max(stretches, key=lambda x: float(x.blocks.fall_V.max()))
    return s, int(np.argmax(s.blocks.fall_V))
