"""What a report says, as plain text: shared by the terminal and the HTML page, so that both say the same."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ccdmon.model.trace import Cell
from ccdmon.run.sample_clock import ClockAccount

Document = Mapping[str, Any]

PROTOCOL_TEXT = {
    "time_control": "time control (time per half-cycle fixed, current density rises)",
    "capacity_control": "capacity control (areal capacity per half-cycle fixed, current density rises)",
    "endurable_time": "endurable time control (several cycles at each current density)",
    "long_cycling": "long cycling (one current density)",
    "unknown": "unknown (no regular ramp or cycling recognised)",
}
EIS_TEXT = {
    "unvalidated": "unvalidated: {why}, so a fake-stable cell is not excluded",
    "consistent": "consistent: impedance before and after speaks against a short",
    "shorted": "shorted: the impedance fell as it does only in a short",
}
# How a key of the evidence ends, longest first, and what is written behind its number.
UNITS = {
    "ohm_cm2": "Ω cm²", "mAh_cm2": "mAh cm⁻²", "mA_cm2": "mA cm⁻²", "degC": "°C", "MPa": "MPa", "ohm": "Ω",
    "mAh": "mAh", "mA": "mA", "mV": "mV", "Hz": "Hz", "Pa": "Pa", "V": "V", "A": "A", "s": "s",
}  # fmt: skip
PREFIXED = ("V", "A")
REASONS = {"ccd_25degC": "CCD at 25 °C", "dc_over_impedance": "U/I over impedance", "c_rate": "C-rate"}
# Units as documents have them, longest first, and as people read them.
TYPESET = {"cm2 s-1": "cm² s⁻¹", "ohm cm2": "Ω cm²", "cm-2": "cm⁻²", "degC": "°C", "ohm": "Ω", "um": "µm"}
_UNIT = re.compile(rf"(?<= )(?:{'|'.join(TYPESET)})\b")
NO_PAIR = "no impedance pair was given"
NO_AREA = (
    "The electrode area is not known (no sidecar, no --area-cm2): results are in A and ohm, and every "
    "area-specific number is left out."
)
AS_SET = "as set, not measured"
OF_THE_BOARD = "of the board, not of the cell"
DASH = "–"


def number(value: float | None, unit: str = "", digits: int = 4) -> str:
    """A value with its unit to `digits` significant digits, a dash where there is none."""
    if value is None:
        return DASH
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-3 <= abs(value) < 1e6:
        text = f"{value:.0f}"
    return f"{text} {unit}".strip()


def count(value: int | None, noun: str = "") -> str:
    """A whole number, with its noun in the right number: `1 sample`, `1,129 samples`."""
    if value is None:
        return DASH
    return f"{value:,} {noun}{'' if value == 1 else 's'}" if noun else f"{value:,}"


def duration(seconds: float | None) -> str:
    """A time a person reads at a glance: `42.5 s`, `10 min`, `1.5 h`."""
    if seconds is None:
        return DASH
    if abs(seconds) < 120:
        return number(seconds, "s")
    if abs(seconds) < 7200:
        return number(seconds / 60, "min", 3)
    return number(seconds / 3600, "h", 3) if seconds < 48 * 3600 else number(seconds / 86400, "d", 3)


def name(kind: str | None) -> str:
    """A kind of event or protocol as words."""
    return DASH if kind is None else kind.replace("_", " ")


def current(document: Document, which: str) -> str:
    """`endured`, `failed_at`, ... as a current density, or as a current where the area is not known."""
    ccd = document["ccd"]
    if ccd["area_cm2"] is not None:
        return number(ccd.get(f"{which}_mA_cm2"), "mA cm⁻²", digits=3)
    value_A = ccd.get(f"{which}_A")
    return number(None if value_A is None else value_A * 1e3, "mA", digits=3)


def ccd_sentence(document: Document) -> str:
    """The result in one sentence, with the caveat that belongs to it; a second where soft shorts healed."""
    return _ccd_sentence(document) + _healed(document)


def _healed(document: Document) -> str:
    to, stay = current(document, "soft_shorts_reversible_to"), current(document, "shorts_stay_from")
    if to == DASH:
        return ""
    return f" Soft shorts healed up to {to}" + ("." if stay == DASH else f", and one stayed at {stay}.")


def _ccd_sentence(document: Document) -> str:
    if document["verdict"] == "not_judged":
        return f"Not judged: {document['reason']}."
    endured, failed = current(document, "endured"), current(document, "failed_at")
    if endured == failed == DASH:
        return "No critical current density: no current step was endured or failed in this trace."
    if failed == DASH:
        return f"Endured {endured} without failure: a lower bound of the critical current density."
    by = name(document["ccd"]["limited_by"])
    if endured == DASH:
        return f"Failed at {failed} by {by}, the first current of the test: none was endured."
    known = "mA_cm2" if document["ccd"]["area_cm2"] is not None else "A"
    later = document["ccd"][f"failed_at_{known}"] < document["ccd"][f"endured_{known}"]
    when = "failed later, at the smaller current of" if later else "failed at"
    return f"Critical current density {endured} (the largest endured); {when} {failed} by {by}."


def provenance(document: Document) -> str:
    """The file, its hash and the day, behind the number of samples; "" for a document that does not tell."""
    source = document.get("source") or {}
    said = [source.get("file"), f"SHA-256 {source['sha256'][:16]}" if source.get("sha256") else None]
    made = (source.get("made") or "")[:10]
    return "".join(f" · {part}" for part in (*said, f"written {made}" if made else None) if part)


def conditions(
    document: Document, cell: Cell, remarks: Mapping[str, str] = MappingProxyType({})
) -> list[tuple[str, str]]:
    """What a critical current density means nothing without (Lu et al. 2021, sections 3.7 and 5).

    `remarks`: what to know of `temperature_degC`, `pressure_Pa` and `eis` (`Context.remarks`).
    """
    ccd, protocol = document["ccd"], document["protocol"]
    return [
        ("Protocol", PROTOCOL_TEXT.get(protocol["kind"], name(protocol["kind"]))),
        ("Current levels", levels(protocol)),
        ("Cycles per level", number(protocol["cycles_per_level"])),
        ("Time per half-cycle", duration(ccd["half_cycle_s"])),
        ("Areal capacity per half-cycle", number(ccd["capacity_per_half_cycle_mAh_cm2"], "mAh cm⁻²")),
        ("Cumulative areal capacity", number(ccd["cumulative_capacity_mAh_cm2"], "mAh cm⁻²")),
        ("Temperature", ambient(ccd["temperature_degC"], "°C", remarks.get("temperature_degC"))),
        ("Stack pressure", ambient(ccd["pressure_MPa"], "MPa", remarks.get("pressure_Pa"))),
        ("Electrode area", number(ccd["area_cm2"], "cm²")),
        ("Impedance check", eis_text(document, remarks)),
        ("Cell", ", ".join(filter(None, [cell.configuration, cell.electrolyte]))),
    ]


def eis_text(document: Document, remarks: Mapping[str, str] = MappingProxyType({})) -> str:
    """What the impedance says of the cell, or why it says nothing."""
    verdict: str = document["ccd"]["eis"]
    return EIS_TEXT.get(verdict, verdict).format(why=remarks.get("eis", NO_PAIR))


def ambient(value: float | None, unit: str, remark: str | None) -> str:
    """A condition of the test, and what to know of it."""
    if value is None:
        return "not measured"
    return number(value, unit) + (f" ({remark})" if remark else "")


def levels(protocol: Document) -> str:
    """The current levels of a test, shortened to first, second … last when there are many."""
    values, unit = protocol["levels_mA_cm2"], "mA cm⁻²"
    if any(value is None for value in values):
        values, unit = [1e3 * value_A for value_A in protocol.get("levels_A", [])], "mA"
    if not values:
        return DASH
    if len(values) <= 6:
        return ", ".join(map(number, values)) + f" {unit}"
    return f"{number(values[0])}, {number(values[1])} … {number(values[-1])} {unit} ({len(values)} levels)"


def segments(number: int | None) -> str:
    """How often a recording began anew."""
    known = count(number, "segment")
    between = "between them the board was armed anew, reset or unplugged"
    return known if number is None or number < 2 else f"{known}; {between}"


def clock_line(clock: ClockAccount | None) -> str:
    """How well the Unix time of the samples is known, and how far the device's crystal drifted."""
    if clock is None:
        return DASH
    if not clock.trusted:
        return f"not known: the device's clock is off by {number(clock.drift_ppm, 'ppm', 3)}, as an emulated one's"
    error = f"within {number(clock.error_s * 1e3, 'ms', 2)}"
    error += f", not known in {count(clock.unknown, 'stretch')}" if clock.unknown == 1 else ""
    error += f", not known in {clock.unknown} stretches" if clock.unknown > 1 else ""
    usual = f"usually {number(clock.usual_error_s * 1e3, 'ms', 2)}"
    readings = count(clock.readings, "reading") + " of the device's clock"
    if clock.drift_ppm is None or clock.drift_error_ppm is None:
        return f"{error} ({usual}; {readings})"
    drift = (
        f"crystal {clock.drift_ppm:+.3g} ± {number(clock.drift_error_ppm, 'ppm', 2)} against the host's clock"
    )
    return f"{error} ({usual}; {readings}; {drift})"


def event_line(event: Document) -> str:
    """When and at which current an event was, and whether it passed."""
    parts = [f"at {number(event['start_s'], 's', 6)} (data row {event['row']})"]
    if event["current_density_mA_cm2"] is not None:
        parts.append(number(event["current_density_mA_cm2"], "mA cm⁻²"))
    if event["cycle"] is not None:
        parts.append(f"cycle {event['cycle']}")
    if event["recovered"]:
        parts.append("recovered")
    if event["provisional"]:
        parts.append("provisional")
    if event.get("probability") is not None:  # a document of the first schema has none
        parts.append(f"probability {event['probability']:.2f}")
    return ", ".join(parts)


def evidence(event: Document) -> list[tuple[str, str]]:
    """The numbers that decided an event, as (name, value)."""
    return [_measured(key, value) for key, value in event["evidence"].items()]


def _measured(key: str, value: Any) -> tuple[str, str]:
    """(name, value with its unit) of a number whose key ends in its unit: `step_V`, `resistance_before_ohm`."""
    ending = next((e for e in UNITS if key.endswith(f"_{e}")), None)
    if ending is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return key.replace("_", " "), plain(value)
    factor, prefix = _prefix(abs(value)) if ending in PREFIXED else (1.0, "")
    return key.removesuffix(f"_{ending}").replace("_", " "), number(value * factor, prefix + UNITS[ending])


def _prefix(size: float) -> tuple[float, str]:
    """The factor and the prefix with which a number has one to three digits before its point."""
    return next(
        ((f, p) for least, f, p in ((1.0, 1.0, ""), (1e-3, 1e3, "m"), (0.0, 1e6, "µ")) if size >= least)
    )


def reasons(document: Document) -> list[tuple[str, str]]:
    """What limited the test and how it compares: (what, a line that ends in the section of the review it rests on)."""
    return list(_findings(document.get("why") or {}))  # a document of before has none


def _findings(group: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in group.items():
        for item in value if isinstance(value, list) else [value]:
            if item is not None and "text" in item:
                yield (
                    REASONS.get(key, name(key).capitalize()),
                    f"{_typeset(item['text'])} ({item['section']})",
                )
            elif item is not None:
                yield from _findings(item)


def _typeset(text: str) -> str:
    return _UNIT.sub(lambda unit: TYPESET[unit[0]], text)


def half_cycle_columns(document: Document) -> list[tuple[str, str, float]]:
    """(heading, key, factor) of the half-cycle table: area-specific where the area is known."""
    specific = document["ccd"]["area_cm2"] is not None
    return [
        ("#", "index", 1.0),
        ("cycle", "cycle", 1.0),
        ("start / s", "start_s", 1.0),
        ("end / s", "end_s", 1.0),
        ("j / mA cm⁻²", "current_density_mA_cm2", 1.0) if specific else ("I / mA", "current_A", 1e3),
        ("Q / mAh cm⁻²", "capacity_mAh_cm2", 1.0) if specific else ("Q / mAh", "capacity_mAh", 1.0),
        ("mean V / mV", "voltage_mean_V", 1e3),
        ("R settled / Ω cm²", "resistance_start_ohm_cm2", 1.0)
        if specific
        else ("R settled / Ω", "resistance_start_ohm", 1.0),
        ("R end / Ω cm²", "resistance_end_ohm_cm2", 1.0)
        if specific
        else ("R end / Ω", "resistance_end_ohm", 1.0),
        ("noise / mV", "noise_V", 1e3),
    ]


def half_cycle_rows(document: Document, columns: Sequence[tuple[str, str, float]]) -> list[list[str]]:
    """The half-cycle table's cells."""
    return [
        [_cell(cycle.get(key), factor) for _, key, factor in columns] for cycle in document["half_cycles"]
    ]


def _cell(value: Any, factor: float) -> str:
    if isinstance(value, int):
        return str(value)
    return number(None if value is None else value * factor)


def plain(value: Any) -> str:
    """Any value as text: yes and no, numbers to four digits, a dash for nothing."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: DASH}[value]
    return number(value) if isinstance(value, float) else str(value)
