"""What a new version judges otherwise: the rows of two cores for the same files, side by side.

A version is that of the software or the hash of its core, or its beginning. Only what both judged from the same
trace, sidecar, spectra and options is compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccdmon.catalogue.tables import read_runs
from ccdmon.errors import InputError

COMPARED = (
    "error", "verdict", "endured_mA_cm2", "failed_at_mA_cm2", "limited_by", "lower_bound", "protocol_kind",
    "half_cycles", "events", "eis",
)  # fmt: skip
ALIKE = 1e-6  # of a number: less is no other judgement
_READ = ("file", "software", "core", "inputs", "current", *COMPARED)


@dataclass(frozen=True)
class Comparison:
    """`same`: how many are judged alike; `changes`: the others; the last three: how many cannot be compared."""

    core_a: str
    core_b: str
    same: int
    changes: list[dict[str, Any]]
    only_a: int
    only_b: int
    inputs_changed: int


def compare(folder: Path, a: str, b: str) -> Comparison:
    """Version `b` against `a`. Raises `InputError` for a version that the catalogue does not know, or knows twice."""
    rows: dict[str, dict[str, Mapping[str, Any]]] = {}
    known: dict[str, str] = {}
    for row in read_runs(folder, _READ):
        known[row["core"]] = row["software"]
        rows.setdefault(row["core"], {})[row["file"]] = row
    core_a, core_b = (_core_of(folder, version, known) for version in (a, b))
    mine, theirs = rows[core_a], rows[core_b]
    both = [file for file in mine if file in theirs]
    alike = [file for file in both if mine[file]["inputs"] == theirs[file]["inputs"]]
    found = [{"file": file, "changed": _changed(mine[file], theirs[file])} for file in sorted(alike)]
    changes = [entry for entry in found if entry["changed"]]
    return Comparison(
        core_a, core_b, len(alike) - len(changes), changes, len(mine) - len(both), len(theirs) - len(both),
        len(both) - len(alike),
    )  # fmt: skip


def _core_of(folder: Path, version: str, known: Mapping[str, str]) -> str:
    found = [core for core, software in known.items() if version == software or core.startswith(version)]
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"{core} ({software})" for core, software in sorted(known.items())) or "none"
    what = "several cores" if found else "nothing"
    raise InputError(f"{folder}: version {version} is {what} here; name the beginning of one of: {there}")


def _changed(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Column -> [before, after]."""
    return {name: [mine[name], theirs[name]] for name in COMPARED if not _alike(mine[name], theirs[name])}


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= ALIKE * max(abs(one), abs(other))
    return bool(one == other)
