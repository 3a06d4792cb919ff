"""The analysis of a monitored run: the trace's, and what the firmware tripped on.

A cut-off leaves only the few shorted samples that the confirmation took, sometimes too few for an analysis of the
trace alone. The firmware's own decision is evidence then, and named as such.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.analysis import analyze
from ccdmon.events import Event
from ccdmon.run_folder import Run
from ccdmon.trace import Trace
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
    row = run.row_of(trip)
    return None if row is None else device_event(str(trip["rule"]), run.trace, run.verdicts, row)


def device_event(
    rule: str, trace: Trace, verdicts: npt.NDArray[np.uint16], tripped: int, first_row: int = 0
) -> Event:
    """A trip on `rule` at place `tripped` of these rows, of which the first is row `first_row` of the recording."""
    at = tripped
    while at > 0 and verdicts[at - 1] & detector.PENDING:
        at -= 1
    return Event(
        kind=rule,
        start_s=float(trace.test_time_s[at]),
        row=first_row + at,
        cycle=None,
        current_A=float(trace.current_A[at]),
        evidence={"criterion": "tripped by the firmware", "tripped_at_row": first_row + tripped},
    )
