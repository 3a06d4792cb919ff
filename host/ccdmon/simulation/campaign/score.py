"""What one analysed simulation says about the analysis: found, how late, false alarms, CCD, protocol."""

from dataclasses import dataclass, field
from typing import Any

ROOM_degC, NEAR_K = 25.0, 8.0
# Before this share of the level's own distance a reported current density counts as that level.
_LEVEL_TOLERANCE = 0.03


@dataclass
class Score:
    """One trace, read once."""

    scenario: str
    seed: int
    expected: str | None  # kind of the event a reader should report, None in a healthy cell
    healthy_rows: int
    way: str = ""  # of a fake stable cell: which spectra the reader had
    excluded: str | None = None  # why nobody could tell the event from what was given
    found: bool = False
    reported_row: int | None = None  # onset as reported, of the right kind
    delay_rows: int | None = None  # until it was confirmed, after the fault showed and the cell had settled
    recovery_right: bool | None = None
    # Kinds reported in healthy rows, and after the fault beside the right one.
    false_kinds: list[str] = field(default_factory=list)
    other_kinds: list[str] = field(default_factory=list)
    ccd_right: bool | None = None  # None: not judged
    protocol_right: bool | None = None
    error: str | None = None


def score(truth: dict[str, Any], report: dict[str, Any], way: str = "") -> Score:
    """Compare a report document with the truth of its trace; `way` names the spectra the reader had."""
    expected = truth["events"][0]["kind"] if truth["events"] else None
    suspect_row = truth["first_suspect_row"] if expected else None
    if expected == "limit":
        suspect_row = 0  # polarisation grows long before it reaches the limit: contact loss is a fair reading
    healthy_rows = truth["rows"] if suspect_row is None else suspect_row
    excluded = truth.get("undecidable") or _undecidable_way(truth, way)
    result = Score(truth["scenario"], truth["seed"], expected, healthy_rows, way, excluded)
    for event in report["events"]:
        _sort(event, result, truth, suspect_row)
    result.ccd_right = _ccd_right(truth, report)
    result.protocol_right = _protocol_right(truth, report)
    return result


def _sort(event: dict[str, Any], result: Score, truth: dict[str, Any], suspect_row: int | None) -> None:
    row = event["row"]
    precursor_row = truth.get("precursor_row")
    if event["kind"] == "contact_loss" and precursor_row is not None and row >= precursor_row:
        result.other_kinds.append(event["kind"])
        return
    early = (
        suspect_row is not None and row < suspect_row - _grace_rows(truth) and event["kind"] != "fake_stable"
    )
    no_short = result.expected == "limit" and event["kind"] not in ("limit", "contact_loss")
    if suspect_row is None or early or no_short:
        if event["kind"] not in ("limit", "sensor_fault"):
            result.false_kinds.append(event["kind"])
    elif event["kind"] == result.expected:
        if not result.found:
            result.found = True
            result.reported_row = row
            result.recovery_right = event["recovered"] == truth["events"][0]["recovered"]
    else:
        result.other_kinds.append(event["kind"])


def _undecidable_way(truth: dict[str, Any], way: str) -> str | None:
    """Without both spectra a fake stable cell shows only under the review's conditions (section 2.3.2)."""
    if way == "impedance before":
        off_K = abs(truth["parameters"]["cell"]["reference_degC"] - ROOM_degC)
        return "U/I is compared with the impedance at room temperature only" if off_K > NEAR_K else None
    if way == "no impedance":
        return (
            None if truth["half_cycles_before"] >= 2 else "shorted before two half-cycles had shown its shape"
        )
    return None


def _grace_rows(truth: dict[str, Any]) -> int:
    """How much too early a row may be: two, as rows may average over the onset; back to the step if the fault
    came while that settled."""
    into: int = truth["events"][0]["rows_into_half_cycle"]
    return max(2, into) if into <= truth["settling_rows"] + 3 else 2


def settled_row(truth: dict[str, Any]) -> int:
    """First row at which the fault can be told from a step settling."""
    event = truth["events"][0]
    return int(event["row"] + max(0, truth["settling_rows"] - event["rows_into_half_cycle"]))


def _same(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= _LEVEL_TOLERANCE * abs(b)


def _ccd_right(truth: dict[str, Any], report: dict[str, Any]) -> bool | None:
    """Judged for ramps that end in a hard short, in nothing, or in a warning only."""
    if truth["scenario"] in ("fake_stable", "contact_loss", "limiting_current", "soft_short"):
        return None
    if truth["protocol"]["kind"] == "long_cycling":
        return None
    told, true = report["ccd"], truth["ccd"]
    names = ("endured_mA_cm2", "failed_at_mA_cm2")
    return all(_same(told[name], true[name]) for name in names) and told["lower_bound"] == true["lower_bound"]


def _protocol_right(truth: dict[str, Any], report: dict[str, Any]) -> bool | None:
    """Not judged where fewer cycles, or fewer levels with a whole half-cycle, were seen than tell the protocol."""
    kind = truth["protocol"]["kind"]
    if truth["cycles_seen"] < 2 or (kind != "long_cycling" and truth["levels_passed"] < 2):
        return None
    return bool(report["protocol"]["kind"] == kind)
