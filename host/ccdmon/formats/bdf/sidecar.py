"""The metadata sidecar of a BDF trace: `NAME.bdf.metadata.json` beside `NAME.bdf.csv`."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ccdmon.errors import InputError
from ccdmon.model.kinds import CONFIGURATIONS, SYMMETRIC
from ccdmon.model.trace import Cell

# All that a public reader of BDF allows at the top of a sidecar (batterydf, 2026); what is ours lies under `extras`.
PUBLIC_KEYS = (
    "battinfo_test",
    "battinfo_cell",
    "battinfo_channel",
    "battinfo_equipment",
    "battinfo_test_protocol",
    "bdf",
    "raw",
)


def sidecar_path(trace_path: Path) -> Path:
    """Where the sidecar of a trace lies: the name up to its data ending, then `.metadata.json`."""
    name = trace_path.name
    for ending in (".csv.gz", ".csv", ".parquet"):
        name = name.removesuffix(ending)
    return trace_path.with_name(f"{name}.metadata.json")


def read_cell(trace_path: Path | None) -> Cell:
    """The cell a trace's sidecar declares; an empty `Cell` where there is no sidecar. `cell` stands at the top or
    in `extras`.

    Raises `InputError` for a sidecar that is not JSON or declares an impossible area or configuration.
    """
    if trace_path is None or not sidecar_path(trace_path).exists():
        return Cell()
    path = sidecar_path(trace_path)
    try:
        metadata = json.loads(path.read_text())
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not a readable JSON file ({error}); mend or remove it") from error
    if not isinstance(metadata, dict) or not isinstance(metadata.get("cell", {}), dict):
        raise InputError(f"{path}: expected an object with a 'cell' object; see the README")
    extras = metadata.get("extras", {})
    if not isinstance(extras, dict) or not isinstance(extras.get("cell", {}), dict):
        raise InputError(f"{path}: expected an object under 'extras', with a 'cell' object; see the README")
    ours = {key: value for key, value in metadata.items() if key != "extras"}
    return _cell({**ours, **extras}, path)


def _cell(metadata: dict[str, Any], path: Path) -> Cell:
    cell = metadata.get("cell", {})
    area = cell.get("electrode_area_cm2")
    if area is not None and (isinstance(area, bool) or not isinstance(area, int | float) or not area > 0):
        raise InputError(f"{path}: cell.electrode_area_cm2 is {area!r}; it must be a number above 0, in cm2")
    configuration = cell.get("configuration", SYMMETRIC)
    if configuration not in CONFIGURATIONS:
        raise InputError(
            f"{path}: cell.configuration is {configuration!r}; use one of {', '.join(CONFIGURATIONS)}"
        )
    stated = [_stated(metadata, name, path) for name in ("temperature_degC", "pressure_Pa")]
    return Cell(
        None if area is None else float(area), configuration, cell.get("electrolyte"), metadata, *stated
    )


def _stated(metadata: dict[str, Any], name: str, path: Path) -> float | None:
    """A condition that was set, from `conditions`; Raises `InputError` for one that is no number."""
    conditions = metadata.get("conditions", {})
    value = conditions.get(name) if isinstance(conditions, dict) else conditions
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{path}: conditions.{name} is {value!r}; it must be a number")
    return float(value)


def write_cell(cell: Cell, trace_path: Path, notes: Sequence[str] = ()) -> None:
    """Write the sidecar of a trace: what was read before, with the cell's own fields on top. Raises `InputError`."""
    declared = {
        "electrode_area_cm2": cell.electrode_area_cm2,
        "configuration": cell.configuration,
        "electrolyte": cell.electrolyte,
    }
    known = {key: value for key, value in declared.items() if value is not None}
    told = {**cell.metadata, "cell": {**cell.metadata.get("cell", {}), **known}}
    stated = {"temperature_degC": cell.stated_temperature_degC, "pressure_Pa": cell.stated_pressure_Pa}
    if set_to := {key: value for key, value in stated.items() if value is not None}:
        told["conditions"] = {**cell.metadata.get("conditions", {}), **set_to}
    if notes and "import" in told:
        told["import"] = {**told["import"], "notes": list(notes)}
    elif notes:
        told["notes"] = list(notes)
    public = {key: value for key, value in told.items() if key in PUBLIC_KEYS}
    metadata = {**public, "extras": {key: value for key, value in told.items() if key not in PUBLIC_KEYS}}
    path = sidecar_path(trace_path)
    unfinished = path.with_name(
        path.name + ".unfinished"
    )  # half a sidecar would keep the trace from being read
    try:
        unfinished.write_text(json.dumps(metadata, indent=1) + "\n")
        unfinished.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot write: {error.strerror or error}; choose another folder") from error
