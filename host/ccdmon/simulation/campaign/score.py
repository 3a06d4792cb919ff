"""What one analysed simulation says about the analysis: found, how late, false alarms, CCD, protocol."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ccdmon.model.kinds import SYMMETRIC

ROOM_degC, NEAR_K = 25.0, 8.0
# Before this share of the level's own distance a reported current density counts as that level.
_LEVEL_TOLERANCE = 0.03


class Told(NamedTuple):
    """One event of a report: its kind, the probability told with it, whether it is real, and what decided it."""

    kind: str
    probability: float | None
    real: bool
    evidence: dict[str, Any]


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
    ccd_near: bool | None = None  # within one level
    told: list[Told] = field(default_factory=list)
    configuration: str = SYMMETRIC
    protocol_right: bool | None = None
    eis: str | None = None  # what the report says of the spectra
    error: str | None = None


def score(truth: dict[str, Any], report: dict[str, Any], way: str = "") -> Score:
    """Compare a report document with the truth of its trace; `way` names the spectra the reader had.

    A truth may name kinds that are as good a reading (`accept`) and kinds that are never false (`tolerated`).
    """
    expected = truth["events"][0]["kind"] if truth["events"] else None
    suspect_row = truth["first_suspect_row"] if expected else None
    if expected == "limit":
        suspect_row = 0  # polarisation grows long before it reaches the limit: contact loss is a fair reading
    healthy_rows = truth["rows"] if suspect_row is None else suspect_row
    excluded = truth.get("undecidable") or _undecidable_way(truth, way)
    result = Score(truth["scenario"], truth["seed"], expected, healthy_rows, way, excluded)
    result.configuration = truth.get("configuration") or truth.get("parameters", {}).get(
        "configuration", SYMMETRIC
    )
    for event in report["events"]:
        sort = _sort(event, result, truth, suspect_row)
        real = sort in ("right", "tolerated")
        result.told.append(Told(event["kind"], event.get("probability"), real, event["evidence"]))
    result.eis = report["ccd"].get("eis")
    result.ccd_right = _ccd_right(truth, report)
    result.ccd_near = _ccd_near(truth, report)
    result.protocol_right = _protocol_right(truth, report)
    return result


def _sort(event: dict[str, Any], result: Score, truth: dict[str, Any], suspect_row: int | None) -> str:
    """Right, other, false or tolerated; counted in the result."""
    kind = event["kind"]
    precursor_row = truth.get("precursor_row")
    if kind == "contact_loss" and precursor_row is not None and event["row"] >= precursor_row:
        result.other_kinds.append(kind)
        return "tolerated"
    tolerated = kind in truth.get("tolerated", ("limit", "sensor_fault"))
    if suspect_row is None or _too_early(event, result, truth, suspect_row):
        if not tolerated:
            result.false_kinds.append(kind)
        return "tolerated" if tolerated else "false"
    if kind == result.expected or kind in truth.get("accept", ()):
        if not result.found:
            result.found = True
            result.reported_row = event["row"]
            result.recovery_right = event["recovered"] == truth["events"][0]["recovered"]
        return "right"
    result.other_kinds.append(kind)
    return "tolerated" if tolerated else "other"


def _too_early(event: dict[str, Any], result: Score, truth: dict[str, Any], suspect_row: int) -> bool:
    """Before anything had begun; and no cell at its limiting current is shorted."""
    kind = event["kind"]
    whole_test = kind == "fake_stable" and "fake_stable" in (
        result.expected,
        *truth.get("accept", ("fake_stable",)),
    )
    early = event["row"] < suspect_row - _grace_rows(truth) and not whole_test
    no_short = result.expected == "limit" and kind not in ("limit", "contact_loss")
    return early or no_short


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
    came while that settled. A truth may say so itself, where a reader looks at blocks of rows."""
    if "grace_rows" in truth:
        return int(truth["grace_rows"])
    into: int = truth["events"][0]["rows_into_half_cycle"]
    return max(2, into) if into <= truth["settling_rows"] + 3 else 2


def settled_row(truth: dict[str, Any]) -> int:
    """First row at which the fault can be told from a step settling."""
    event = truth["events"][0]
    settles = event.get("settles_rows", 0)
    return int(event["row"] + settles + max(0, truth["settling_rows"] - event["rows_into_half_cycle"]))


def _same(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= _LEVEL_TOLERANCE * abs(b)


def _ccd_judged(truth: dict[str, Any]) -> bool:
    """Ramps that end in a hard short, in nothing, or in a warning only; where it began is not told of the others."""
    if truth["scenario"] in ("fake_stable", "contact_loss", "limiting_current", "soft_short"):
        return False
    return truth["protocol"]["kind"] != "long_cycling" and truth["ccd"] is not None


def _ccd_right(truth: dict[str, Any], report: dict[str, Any]) -> bool | None:
    if not _ccd_judged(truth) or not truth.get("ccd_exact", True):
        return None
    told, true = report["ccd"], truth["ccd"]
    names = ("endured_mA_cm2", "failed_at_mA_cm2")
    return all(_same(told[name], true[name]) for name in names) and told["lower_bound"] == true["lower_bound"]


def _ccd_near(truth: dict[str, Any], report: dict[str, Any]) -> bool | None:
    """The endured level is the true one or its neighbour; below the first counts as a level."""
    levels = truth["protocol"].get("levels_mA_cm2")
    if not _ccd_judged(truth) or not levels:
        return None
    places = [
        _place(value, levels) for value in (report["ccd"]["endured_mA_cm2"], truth["ccd"]["endured_mA_cm2"])
    ]
    return None not in places and abs(places[0] - places[1]) <= 1  # type: ignore[operator]  # no None among them


def _place(value: float | None, levels: list[float]) -> int | None:
    """Index of the level, -1 for none endured, None for a value that is no level."""
    if value is None:
        return -1
    return next((n for n, level in enumerate(levels) if _same(value, level)), None)


def _protocol_right(truth: dict[str, Any], report: dict[str, Any]) -> bool | None:
    """Not judged where fewer cycles, or fewer levels with a whole half-cycle, were seen than tell the protocol."""
    kind = truth["protocol"]["kind"]
    if truth["cycles_seen"] < 2 or (kind != "long_cycling" and truth["levels_passed"] < 2):
        return None
    return bool(report["protocol"]["kind"] == kind)
