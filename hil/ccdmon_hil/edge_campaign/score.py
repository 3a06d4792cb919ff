"""What the edge detector's verdicts on one labelled simulated trace are worth."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.model.kinds import CELL_FAULTS, EDGE_KINDS
from ccdmon.simulation.campaign.score import settled_row
from ccdmon_fw import limits
from ccdmon_fw.detector import ACTION_MASK, REASON_MASK, TRIPS

# Reason that a scenario's fault should be told by, warned or tripped; a fake stable cell has none at the edge.
OWN_REASONS: dict[str, str] = {
    **{kind: kind for kind in CELL_FAULTS if kind in EDGE_KINDS},
    "limiting_current": "contact_loss",
}
# Reasons of a collapse that is cut off: abrupt, out of fluctuations, or over some blocks.
COLLAPSES = ("hard_short", "soft_short", "fake_stable")
GRACE_ROWS = 2  # rows may average over the onset


@dataclass
class EdgeScore:
    """One trace up to its first trip. Rows count data rows."""

    scenario: str
    seed: int
    rows: int
    healthy_rows: int  # before anything was wrong
    trip: str | None = None  # reason
    trip_row: int | None = None
    false_trip: bool = False
    delay_rows: int | None = (
        None  # of a right trip, after the fault has come and the step before it has settled
    )
    told: set[str] = field(default_factory=set)  # reasons after the fault
    false_warnings: dict[str, int] = field(default_factory=dict)


def score(truth: dict[str, Any], verdicts: npt.NDArray[np.uint16]) -> EdgeScore:
    """Compare the verdict word of every row, shape (rows,), with the truth of the trace."""
    rows = len(verdicts)
    suspect_row = _first_suspect_row(truth)
    healthy_rows = rows if suspect_row is None else suspect_row
    result = EdgeScore(truth["scenario"], truth["seed"], rows, healthy_rows)
    for row in np.flatnonzero(verdicts & REASON_MASK).tolist():
        word = int(verdicts[row])
        reason = limits.REASONS[word & REASON_MASK]
        early = row < healthy_rows - GRACE_ROWS
        if not early:
            result.told.add(reason)
        if word & ACTION_MASK == TRIPS:
            _trip(result, truth, row, reason, early)
            break
        if early:
            result.false_warnings[reason] = result.false_warnings.get(reason, 0) + 1
    return result


def _first_suspect_row(truth: dict[str, Any]) -> int | None:
    if not truth["events"]:
        return None
    if truth["events"][0]["kind"] == "limit":
        return 0  # polarisation grows long before it reaches the limit
    rows = [truth["first_suspect_row"], truth["precursor_row"], truth["events"][0]["row"]]
    return min(int(row) for row in rows if row is not None)


def _trip(result: EdgeScore, truth: dict[str, Any], row: int, reason: str, early: bool) -> None:
    result.trip, result.trip_row = reason, row
    # A limit is what it is: the codes were beyond it.
    result.false_trip = reason != "limit" and (early or reason not in COLLAPSES)
    if reason in COLLAPSES and truth["events"] and truth["events"][0]["kind"] == "hard_short":
        result.false_trip = row < truth["events"][0]["row"]
        result.delay_rows = max(0, row - settled_row(truth))
