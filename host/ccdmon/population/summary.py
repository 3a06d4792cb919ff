"""What a population says: of each group and protocol the curve, the median with its interval, the causes; what differs.

`ccdmon.population/1`, a document of JSON values. A median is given only from `FEWEST_CELLS` cells and `FEWEST_FAILURES`
failures on; groups are compared within a protocol, never over two, and all comparisons of a call are corrected
together.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from ccdmon.errors import InputError
from ccdmon.model.trace import FloatArray
from ccdmon.population.cells import Cell, Population
from ccdmon.population.protocols import Protocol
from ccdmon.population.turnbull import Curve, turnbull
from ccdmon.report.words import count

SCHEMA = "ccdmon.population/1"
FEWEST_CELLS, FEWEST_FAILURES = 10, 3
LEVEL = 0.05  # of a difference that is told as one
EXTRA = 'pip install "ccdmon[population]"'

Key = tuple[Protocol, tuple[str, ...]]


def summary(folder: Path, population: Population) -> dict[str, Any]:
    """The document. Raises `InputError` where there is no cell, or no scipy."""
    if not population.cells:
        told = ", ".join(f"{number} {reason}" for reason, number in population.left_out.items())
        raise InputError(f"{folder}: no cell with a critical current density ({told or 'no rows'})")
    groups: dict[Key, list[Cell]] = {}
    for cell in population.cells:
        groups.setdefault((cell.protocol, cell.group), []).append(cell)
    ordered = sorted(groups, key=lambda key: (_rank(key[0]), key[1]))
    return {
        "schema": SCHEMA,
        "catalogue": str(folder),
        "by": list(population.by),
        "cells": len(population.cells),
        "left_out": dict(population.left_out),
        "groups": [_group(population.by, key, groups[key]) for key in ordered],
        "comparisons": _comparisons(population.by, ordered, groups),
    }


def _rank(protocol: Protocol) -> tuple[Any, ...]:
    return (
        protocol.kind,
        protocol.half_cycle_s or 0.0,
        protocol.half_cycle_mAh_cm2 or 0.0,
        protocol.cycles_per_level,
    )


def _named(by: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    return dict(zip(by, values, strict=True))


def _protocol(protocol: Protocol) -> dict[str, Any]:
    return {
        "kind": protocol.kind,
        "half_cycle_s": protocol.half_cycle_s,
        "half_cycle_mAh_cm2": protocol.half_cycle_mAh_cm2,
        "cycles_per_level": protocol.cycles_per_level,
        "text": protocol.text,
    }


def _group(by: Sequence[str], key: Key, cells: Sequence[Cell]) -> dict[str, Any]:
    protocol, values = key
    low, high = [cell.low for cell in cells], [cell.high for cell in cells]
    by_cause = turnbull(low, high, [cell.cause or "" for cell in cells])
    return {
        "by": _named(by, values),
        "protocol": _protocol(protocol),
        "cells": len(cells),
        "failed": sum(cell.failed for cell in cells),
        "causes": dict(sorted(Counter(cell.cause for cell in cells if cell.cause).items())),
        "electrolytes": sorted({cell.electrolyte for cell in cells if cell.electrolyte}),
        "temperature_degC": _typical([cell.temperature_degC for cell in cells]),
        **_median(cells),
        "endured": _steps(turnbull(low, high)),
        "incidence": _incidence(by_cause) if any(cell.failed for cell in cells) else {},
    }


def _typical(values: Sequence[float | None]) -> float | None:
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 2] if known else None


def why_no_median(cells: Sequence[Cell]) -> str | None:
    """Too few to say."""
    failed = sum(cell.failed for cell in cells)
    if len(cells) < FEWEST_CELLS:
        return f"{count(len(cells), 'cell')}; a median is told from {FEWEST_CELLS} on"
    if failed < FEWEST_FAILURES:
        return f"{failed} failures; a median is told from {FEWEST_FAILURES} on"
    return None


def _median(cells: Sequence[Cell]) -> dict[str, Any]:
    reason = why_no_median(cells)
    if reason is not None:
        return {"median_mA_cm2": None, "interval_mA_cm2": None, "spread": None, "why_not": reason}
    from ccdmon.population.lognormal import Intervals, fit

    found = fit(Intervals([cell.low for cell in cells], [cell.high for cell in cells]))
    return {
        "median_mA_cm2": found.median,
        "interval_mA_cm2": [found.low, found.high],
        "spread": found.spread,
        "why_not": None,
    }


def _steps(curve: Curve) -> list[dict[str, float | None]]:
    """Share that endures: `endured` from `to` on, anything between before and it from `from` on."""
    return [
        {"from_mA_cm2": low, "to_mA_cm2": high if math.isfinite(high) else None, "share": share}
        for low, high, share in _listed(curve, curve.endured)
    ]


def _incidence(curve: Curve) -> dict[str, list[dict[str, float]]]:
    """Share that failed by each cause, at the ends of the levels."""
    return {
        cause: [
            {"to_mA_cm2": high, "share": share}
            for _, high, share in _listed(curve, curve.incidence(cause))
            if math.isfinite(high)
        ]
        for cause in curve.causes
    }


def _listed(curve: Curve, shares: FloatArray) -> list[tuple[float, float, float]]:
    columns = (curve.low.tolist(), curve.high.tolist(), shares.tolist())
    return list(zip(*columns, strict=True))


def _comparisons(
    by: Sequence[str], ordered: Sequence[Key], groups: Mapping[Key, Sequence[Cell]]
) -> list[dict[str, Any]]:
    """Every two groups of one protocol that are large enough, by the likelihood ratio of a common median."""
    pairs = [
        (one, other)
        for one, other in combinations([key for key in ordered if why_no_median(groups[key]) is None], 2)
        if one[0] == other[0]
    ]
    if not pairs:
        return []
    from ccdmon.population.lognormal import Intervals, difference, fit, holm

    sets = {
        key: Intervals([cell.low for cell in groups[key]], [cell.high for cell in groups[key]])
        for pair in pairs
        for key in pair
    }
    medians = {key: fit(cells).median for key, cells in sets.items()}
    each = [difference(sets[one], sets[other]) for one, other in pairs]
    return [
        {
            "a": _named(by, one[1]),
            "b": _named(by, other[1]),
            "protocol": _protocol(one[0]),
            "ratio": medians[one] / medians[other],
            "p": p,
            "p_holm": kept,
            "differ": kept < LEVEL,
        }
        for (one, other), p, kept in zip(pairs, each, holm(each), strict=True)
    ]


def needs_scipy() -> None:
    """Raises `InputError` where the extra is not installed."""
    try:
        import scipy.stats  # noqa: F401
    except ImportError:
        raise InputError(f"ccdmon population needs scipy: {EXTRA}") from None
