"""What a report says beyond the trace: impedance pair, comparison with published cells, methods, configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ccdmon.analysis.impedance.comparison import Comparison, compare
from ccdmon.model.trace import Cell, Trace
from ccdmon.report import literature, words
from ccdmon.run.folder import measures_cell_temperature
from ccdmon.version import __version__

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Context:
    """What belongs to the test but is not in its trace: impedance before and after, `run.toml` of a monitored run."""

    impedance: Comparison = field(default_factory=lambda: compare(None, None))
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def remarks(self) -> dict[str, str]:
        """What to know of temperature and pressure: set and not measured, or measured elsewhere than at the cell.

        Of the impedance, `eis`: why spectra that were given tell nothing.
        """
        front_end = self.config.get("front_end", {})
        measured = front_end.get("pressure_full_scale_Pa") is not None
        known = {"pressure_Pa": measured, "temperature_degC": measures_cell_temperature(self.config)}
        remarks = {
            name: words.AS_SET for name in self.config.get("conditions", {}) if not known.get(name, True)
        }
        if known["temperature_degC"] and front_end.get("temperature_at") != "cell":
            remarks["temperature_degC"] = words.OF_THE_BOARD
        if self.impedance.verdict == "unvalidated" and self.impedance.spectra != (None, None):
            remarks["eis"] = self.impedance.reason
        return remarks

    @property
    def firmware(self) -> str | None:
        """Version and hash of the firmware that watched, None for a trace nobody watched."""
        version = self.config.get("firmware", {}).get("version")
        digest = self.config.get("versions", {}).get("firmware_hash")
        return " ".join(filter(None, [version, f"({digest})" if digest else None])) or None


def impedance(context: Context, area_cm2: float | None) -> list[tuple[str, str]]:
    """Resistances of both spectra and what their change means, as (what, value)."""
    found = context.impedance
    rows = [("Verdict", f"{found.verdict}: {found.reason}")]
    unit, factor = ("Ω cm²", area_cm2) if area_cm2 else ("Ω", 1.0)
    for when, r in (("before", found.before), ("after", found.after)):
        if r is None:
            continue
        for what, value, error in (
            ("Bulk", r.bulk_ohm, r.bulk_error_ohm),
            ("Interface", r.interface_ohm, r.interface_error_ohm),
            ("Total", r.total_ohm, r.total_error_ohm),
        ):
            shown = f"{words.number(value * factor, digits=3)} ± {words.number(error * factor, digits=2)}"
            rows.append((f"{what} resistance {when}", f"{shown} {unit}"))
        rows.append((f"Kramers-Kronig residual {when}", words.number(r.kramers_kronig_rms, digits=2)))
    return rows


def comparison_of(document: Document, cell: Cell) -> dict[str, Any] | None:
    """Rank among published cells; None where nothing was endured or the area is not known."""
    ccd = document["ccd"]
    if ccd["endured_mA_cm2"] is None:
        return None
    return literature.compare(
        ccd["endured_mA_cm2"],
        cell.electrolyte,
        ccd["temperature_degC"],
        ccd["capacity_per_half_cycle_mAh_cm2"],
    )


def methods(document: Document, trace: Trace, context: Context) -> str:
    """The paragraph for a paper: everything a critical current density means nothing without, and what is missing."""
    parts = [
        _cell_sentence(document, trace.cell),
        _protocol_sentence(document, context.remarks),
        _recording_sentence(trace, context),
    ]
    parts += [
        _result_sentence(document),
        _impedance_sentence(document, context.remarks),
        _missing_sentence(document),
    ]
    return " ".join(filter(None, parts))


def _cell_sentence(document: Document, cell: Cell) -> str:
    electrodes = cell.metadata.get("cell", {}).get("electrodes")
    stack = f"{electrodes} | {cell.electrolyte} | {electrodes} " if electrodes and cell.electrolyte else ""
    electrolyte = f" with {cell.electrolyte} as electrolyte" if cell.electrolyte and not stack else ""
    area = words.number(document["ccd"]["area_cm2"], "cm²")
    known = f" (electrode area {area})" if document["ccd"]["area_cm2"] is not None else ""
    article = "An" if not stack and cell.configuration[:1] in "aeiou" else "A"
    return f"{article} {stack}{cell.configuration} cell{electrolyte}{known}"


def _protocol_sentence(document: Document, remarks: Mapping[str, str]) -> str:
    protocol, ccd = document["protocol"], document["ccd"]
    kind = words.name(protocol["kind"])
    size = {
        "capacity_control": words.number(ccd["capacity_per_half_cycle_mAh_cm2"], "mAh cm⁻²")
        + " per half-cycle",
    }.get(protocol["kind"], words.duration(ccd["half_cycle_s"]) + " per half-cycle")
    cycles = protocol["cycles_per_level"]
    each = f"{cycles} cycle{'s' if cycles != 1 else ''} at each"
    how = (
        f"under {kind} ({size})" if protocol["kind"] != "unknown" else f"without a regular protocol ({size})"
    )
    warm = words.ambient(ccd["temperature_degC"], "°C", remarks.get("temperature_degC"))
    pressed = words.ambient(ccd["pressure_MPa"], "MPa", remarks.get("pressure_Pa"))
    where = [f"at {warm}"] * (ccd["temperature_degC"] is not None)
    where += [f"under a stack pressure of {pressed}"] * (ccd["pressure_MPa"] is not None)
    so = f"{', ' if where else ''}{' and '.join(where)}."
    if not document["half_cycles"]:
        return f"was recorded while no constant current flowed long enough to be judged{so}"
    return f"was cycled galvanostatically {how} at {words.levels(protocol)}, {each}{so}"


def _recording_sentence(trace: Trace, context: Context) -> str:
    import numpy as np

    steps = np.diff(trace.test_time_s) / np.diff(trace.numbers)
    typical = f" every {words.number(float(np.median(steps)), 's', 3)}" if steps.size else ""
    watched = f", and watched by firmware {context.firmware}" if context.firmware else ""
    return (
        f"Voltage and current were recorded{typical} ({trace.source_rows:,} samples){watched}, and analysed with "
        f"ccdmon {__version__}."
    )


def _result_sentence(document: Document) -> str:
    ccd = document["ccd"]
    passed = words.number(ccd["cumulative_capacity_mAh_cm2"], "mAh cm⁻²", 3)
    told = words.ccd_sentence(document).rstrip(".")
    charge = f"; cumulative areal capacity {passed}" if ccd["cumulative_capacity_mAh_cm2"] is not None else ""
    return (
        f"{told}{charge}. The critical current density is the largest current density endured without a failure "
        "(Lu et al., Adv. Funct. Mater. 2021, 31, 2009925)."
    )


def _impedance_sentence(document: Document, remarks: Mapping[str, str]) -> str:
    return f"Impedance before and after the test: {words.eis_text(document, remarks)}."


def _missing_sentence(document: Document) -> str:
    ccd = document["ccd"]
    wanted = {
        "area_cm2": "electrode area",
        "temperature_degC": "temperature",
        "pressure_MPa": "stack pressure",
    }
    missing = [name for key, name in wanted.items() if ccd[key] is None]
    return f"Not recorded: {', '.join(missing)}." if missing else ""


def declared_protocol(context: Context) -> list[tuple[str, str]]:
    """The test as the rig file describes it, beside what the rows show."""
    described = context.config.get("protocol")
    if not isinstance(described, Mapping):
        return []
    size = words.duration(described.get("half_cycle_s"))
    if described.get("half_cycle_mAh_cm2") is not None:
        size = words.number(described["half_cycle_mAh_cm2"], "mAh cm⁻²")
    levels = words.levels({"levels_mA_cm2": described["levels_mA_cm2"]})
    return [("Protocol as described", f"{words.name(described['kind'])}, {size} per half-cycle, {levels}")]


def configuration(context: Context) -> list[tuple[str, str]]:
    """`run.toml` as (table and key, value), one line each."""
    return list(_flat(context.config, ""))


def _flat(table: Mapping[str, Any], path: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in table.items():
        name = f"{path}.{key}" if path else key
        rows += _flat(value, name) if isinstance(value, Mapping) else [(name, words.plain(value))]
    return rows
