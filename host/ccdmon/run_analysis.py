"""The analysis of a monitored run: the trace's, and what the firmware tripped on.

A cut-off leaves only the few shorted samples that the confirmation took, sometimes too few for an analysis of the
trace alone. The firmware's own decision is evidence then, and named as such.
"""

from pathlib import Path
from typing import Any

from ccdmon.analysis import analyze
from ccdmon.events import Event
from ccdmon.run_folder import Run
from ccdmon_fw import detector

# Reasons that say something of the cell; the others (an exception, a command) are the device's own affair.
CELL_REASONS = ("hard_short", "partial_short", "soft_short", "contact_loss", "limit", "sensor_fault")


def analyze_run(
    run: Run, *, area_cm2: float | None = None, eis_before: Path | None = None, eis_after: Path | None = None
) -> dict[str, Any]:
    """`ccdmon.report/1` of a run folder; options as in `ccdmon.analysis.analyze`."""
    trip = trip_event(run)
    return analyze(
        run.trace,
        area_cm2=area_cm2,
        eis_before=eis_before,
        eis_after=eis_after,
        device_events=[] if trip is None else [trip],
    )


def trip_event(run: Run) -> Event | None:
    """The firmware's trip as an event at the first sample of the suspicion it confirmed; None where it was not."""
    trip = run.trip
    if trip is None or trip.get("rule") not in CELL_REASONS or "sample" not in trip:
        return None
    tripped = run.row_of(trip)
    if tripped is None:
        return None
    row = tripped
    while row > 0 and run.verdicts[row - 1] & detector.PENDING:
        row -= 1
    return Event(
        kind=str(trip["rule"]),
        start_s=float(run.trace.test_time_s[row]),
        row=row,
        cycle=None,
        current_A=float(run.trace.current_A[row]),
        evidence={"criterion": "tripped by the firmware", "tripped_at_row": tripped},
    )
