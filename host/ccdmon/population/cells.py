"""Cells of a catalogue as intervals: what each endured and failed at, of which group, by which protocol.

| verdict | its critical current density lies in |
|---|---|
| failed | (endured, failed_at] |
| failed, fake stable | (0, failed_at]: it may have shorted at any level before |
| healthy or suspect | (endured, infinite) |
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccdmon.catalogue.tables import RUNS_FILE, read_runs
from ccdmon.errors import InputError
from ccdmon.population.protocols import Protocol, protocols_of

_READ = (
    "file", "current", "error", "verdict", "configuration", "electrolyte", "cell", "protocol_kind",
    "protocol_half_cycle_s", "protocol_half_cycle_mAh_cm2", "cycles_per_level", "levels_mA_cm2", "endured_mA_cm2",
    "failed_at_mA_cm2", "limited_by", "half_cycle_s", "temperature_degC", "pressure_MPa", "area_cm2", "eis", "software",
)  # fmt: skip
UNKNOWN = "not told"


@dataclass(frozen=True)
class Cell:
    """One cell. `low`, `high`: mA cm-2, high infinite where it did not fail; `group`: its values of `--by`."""

    file: str
    low: float
    high: float
    cause: str | None
    group: tuple[str, ...]
    protocol: Protocol
    electrolyte: str | None
    temperature_degC: float | None

    @property
    def failed(self) -> bool:
        """Whether the failure was seen."""
        return math.isfinite(self.high)


@dataclass(frozen=True)
class Population:
    """All cells that say something, and how many others there are, by the reason."""

    by: tuple[str, ...]
    cells: tuple[Cell, ...]
    left_out: Mapping[str, int]


def read_population(folder: Path, by: Sequence[str]) -> Population:
    """The cells of `folder/runs.parquet`, each as the newest code judged it. Raises `InputError`."""
    rows = [row for row in read_runs(folder, _READ) if row["current"]]
    out: Counter[str] = Counter()
    kept: list[dict[str, Any]] = []
    for row in rows:
        reason = _why_not(row)
        if reason is None:
            kept.append(row)
        else:
            out[reason] += 1
    for name in by:
        if all(_value(row, name) == UNKNOWN for row in kept) and kept:
            raise InputError(
                f"--by {name}: no cell says it; a column of {folder / RUNS_FILE}, or what the sidecars say under 'cell'"
            )
    protocols = protocols_of(kept)
    cells = [_cell(row, protocol, by) for row, protocol in zip(kept, protocols, strict=True)]
    return Population(tuple(by), tuple(cells), dict(sorted(out.items())))


def _why_not(row: Mapping[str, Any]) -> str | None:
    """Why a row says nothing of a critical current density."""
    if row["error"] is not None:
        return "unreadable"
    if row["verdict"] == "not_judged":
        return "not judged"
    if row["area_cm2"] is None:
        return "no electrode area"
    if row["verdict"] == "failed":
        return None if row["failed_at_mA_cm2"] else "failed outside any level"
    return None if row["endured_mA_cm2"] else "ended before its first level did"


def _cell(row: Mapping[str, Any], protocol: Protocol, by: Sequence[str]) -> Cell:
    low, high = _interval(row)
    cause = row["limited_by"] if math.isfinite(high) else None
    group = tuple(_value(row, name) for name in by)
    return Cell(row["file"], low, high, cause, group, protocol, row["electrolyte"], row["temperature_degC"])


def _interval(row: Mapping[str, Any]) -> tuple[float, float]:
    endured = row["endured_mA_cm2"] or 0.0
    if row["verdict"] != "failed":
        return endured, math.inf
    high = row["failed_at_mA_cm2"]
    if row["limited_by"] == "fake_stable":
        return 0.0, high
    if endured >= high:  # a program that went down again: what it had endured below
        endured = max((level for level in row["levels_mA_cm2"] or () if level < 0.999 * high), default=0.0)
    return endured, high


def _value(row: Mapping[str, Any], name: str) -> str:
    """A column of the catalogue, or what the sidecar says of the cell under that name."""
    value = row[name] if name in _READ and name != "cell" else None
    if value is None and row["cell"]:
        metadata = json.loads(row["cell"])
        value = _declared(metadata.get("cell"), name)
        value = _declared(metadata, name) if value is None else value
    if isinstance(value, float):
        return f"{value:.3g}"
    return UNKNOWN if value is None else str(value)


def _declared(table: Any, name: str) -> Any:
    for part in name.split("."):
        table = table.get(part) if isinstance(table, Mapping) else None
    return table if isinstance(table, str | int | float) else None
