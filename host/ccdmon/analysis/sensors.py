"""Faults of the measurement itself, not of the cell."""

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.findings import FULL_CELL, Findings


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
