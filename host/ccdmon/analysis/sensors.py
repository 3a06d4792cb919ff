"""Faults of the measurement itself, not of the cell."""

from collections.abc import Sequence

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.findings import FULL_CELL, Findings
from ccdmon.analysis.stretches import Stretch


def find_sensor_faults(found: Findings) -> list[Event]:
    """A voltage that stays the same to the last bit through a reversal of the current, and is not zero: it is stuck.

    A shorted cell reads zero, give or take noise; a full cell may read the same voltage in both directions.
    """
    if found.mode == FULL_CELL:
        return []
    for a, b in zip(found.half_cycles, found.half_cycles[1:], strict=False):
        same = a.voltage_mean_V == b.voltage_mean_V != 0.0 and a.current_A * b.current_A < 0
        stuck = all(h.rows >= th.LEAST_ROWS and h.stuck_rows >= th.WHOLE * (h.rows - 1) for h in (a, b))
        if same and stuck:
            evidence = {"voltage_V": b.voltage_mean_V, "rows_unchanged": a.stuck_rows + b.stuck_rows}
            return [Event("sensor_fault", b.start_s, b.first_row, b.cycle, b.current_A, evidence=evidence)]
    return []


def lead_off(stretches: Sequence[Stretch]) -> list[Event]:
    """V jumps far beyond all that it was, or to the other side, and stands there to the end, though I flows as before.

    Where contact is lost at the compliance I gives way.
    """
    top_V = 0.0
    for at, s in enumerate(stretches):
        far = abs(s.end_V) > top_V / th.HALF and s.kind == "current" and s.count >= 2 * th.LEAST_ROWS
        if (
            far
            and s.is_kept
            and all(_stands_at(x, s.end_V) for x in stretches[at + 1 :] if x.count >= th.LEAST_ROWS)
        ):
            found = _jump(s, top_V)
            if found:
                return found
        if s.sign != 0:
            top_V = max(top_V, abs(s.most_mean_V), abs(s.least_mean_V))
    return []


def _stands_at(s: Stretch, volts: float) -> bool:
    return max(abs(s.most_mean_V - volts), abs(s.least_mean_V - volts)) < th.STANDS * abs(volts)


def _jump(s: Stretch, top_V: float) -> list[Event]:
    """Within one stretch: V of some rows and more as they are in any cell, then, suddenly, as many at one value."""
    V, end_V = s.volts, s.end_V
    off = np.abs(V - end_V) < th.STANDS * abs(end_V)
    stands = int(np.argmin(off[::-1])) if not off.all() else 0
    first = V.size - stands
    if stands < th.LEAST_ROWS or first < th.LIMIT_ROWS + th.SLACK_ROWS:
        return []
    before = V[: first - th.LIMIT_ROWS]  # it takes some rows to drift there
    highest_V = max(top_V, float(np.max(np.abs(before))))
    late = np.abs(before[-th.LIMIT_ROWS :])
    if abs(end_V) < highest_V / th.HALF or late.max() > (1 + 2 * th.FALL) * late.min():  # it ran away before
        return []
    k = next(
        k for k in range(first - th.LIMIT_ROWS, first + 1) if abs(V[k] - before[-1]) > th.FALL * abs(end_V)
    )
    evidence = {
        "criterion": "V stands far beyond all that it was",
        "voltage_V": end_V,
        "highest_V_before": highest_V,
    }
    return [Event("sensor_fault", float(s.time_s[k]), int(s.row[k]), None, s.current_A, evidence=evidence)]
