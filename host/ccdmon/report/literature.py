"""Where does this cell stand: its critical current density beside published ones and the standards.

Data: tables 1 and 2 of the review (Adv. Funct. Mater. 2021, 31, 2009925), shipped as `data/standards.csv` and
`data/literature_ccd.csv`; the reference numbers in them are that review's. A critical current density belongs
to a whole test (review, section 3.7), so only cells of one kind and about one temperature are compared.
"""

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ccdmon.model.electrolytes import kind_of_electrolyte

# "> 3 mA cm-2 and > 3 mAh cm-2 are essential" (review, section 5).
TARGET_MA_CM2 = 3.0
TARGET_MAH_CM2 = 3.0


@dataclass(frozen=True)
class Published:
    """One row of table 2; numbers are None where the review has none, limits like `>2` lose their sign."""

    group: str
    system: str
    ccd_mA_cm2: float
    capacity_mAh_cm2: float | None
    time_per_cycle: str
    temperature_degC: float | None
    reference: str


@dataclass(frozen=True)
class Standard:
    """One row of table 1: what a test standard for vehicle cells asks for."""

    country: str
    standard: str
    condition: str
    current_density_mA_cm2: float


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("ccdmon") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _number(cell: str) -> float | None:
    cell = cell.strip().lstrip("<>")
    return float(cell) if cell else None


@cache
def published() -> tuple[Published, ...]:
    """Table 2 of the review."""
    return tuple(
        Published(
            row["group"],
            row["system"],
            _number(row["ccd_mA_cm2"]) or math.nan,
            _number(row["areal_capacity_mAh_cm2"]),
            row["time_per_cycle"],
            _number(row["temperature_degC"]),
            row["reference_in_review"],
        )
        for row in _rows("literature_ccd.csv")
    )


@cache
def standards() -> tuple[Standard, ...]:
    """Table 1 of the review."""
    return tuple(
        Standard(row["country"], row["standard"], row["condition"], float(row["current_density_mA_cm2"]))
        for row in _rows("standards.csv")
    )


def compare(
    ccd_mA_cm2: float,
    electrolyte: str | None = None,
    temperature_degC: float | None = None,
    capacity_mAh_cm2: float | None = None,
) -> dict[str, Any]:
    """Rank of a critical current density, plain numbers for a report.

    Compared with published cells of the same group within 15 K (at any temperature if none is given, with
    any group if it is unknown). `better_than` is the share of them it exceeds, None if there are none.
    """
    group = kind_of_electrolyte(electrolyte)
    peers = peers_of(group, temperature_degC)
    values = sorted(p.ccd_mA_cm2 for p in peers)
    met = [s for s in standards() if ccd_mA_cm2 >= s.current_density_mA_cm2]
    return {
        "ccd_mA_cm2": ccd_mA_cm2,
        "group": group,
        "peers": len(values),
        "better_than": sum(v < ccd_mA_cm2 for v in values) / len(values) if values else None,
        "median_mA_cm2": values[len(values) // 2] if values else None,
        "best_mA_cm2": values[-1] if values else None,
        "target_mA_cm2": TARGET_MA_CM2,
        "reaches_target": ccd_mA_cm2 > TARGET_MA_CM2 and (capacity_mAh_cm2 or 0.0) > TARGET_MAH_CM2,
        "standards_met": len(met),
        "standards": len(standards()),
        "most_demanding_met": max(met, key=lambda s: s.current_density_mA_cm2).standard if met else None,
        "source": "Adv. Funct. Mater. 2021, 31, 2009925, tables 1 and 2",
    }


def peers_of(group: str | None, temperature_degC: float | None) -> list[Published]:
    """Published cells of one group within 15 K; see `compare`."""
    return [cell for cell in published() if _is_peer(cell, group, temperature_degC)]


def _is_peer(cell: Published, group: str | None, temperature_degC: float | None) -> bool:
    marks = {
        "oxide": ("oxide with interfacial treatment", "modified electrolyte"),
        "sulfide": ("sulfide",),
        "polymer": ("polymer and liquid therapy",),
        "sodium": ("sodium",),
    }
    if group is not None and cell.group not in marks[group]:
        return False
    if temperature_degC is None or cell.temperature_degC is None:
        return temperature_degC is None
    return abs(cell.temperature_degC - temperature_degC) <= 15.0


def sentence(comparison: dict[str, Any]) -> str:
    """One line for a person."""
    kind = f"{comparison['group']} " if comparison["group"] else ""
    if comparison["better_than"] is None:
        return "No published cell of that kind near that temperature to compare with."
    return (
        f"{comparison['ccd_mA_cm2']:.3g} mA cm⁻² is above {100 * comparison['better_than']:.0f} % of "
        f"{comparison['peers']} published {kind}cells (median {comparison['median_mA_cm2']:g}, best "
        f"{comparison['best_mA_cm2']:g}); {comparison['standards_met']} of {comparison['standards']} "
        f"conditions of vehicle standards met; target > {comparison['target_mA_cm2']:g} mA cm⁻²."
    )
