"""A catalogue's `runs.parquet` of made-up cells, and ramps drawn from a known distribution."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pa_parquet

from ccdmon.catalogue.columns import runs_schema
from ccdmon.catalogue.parts import table_of

LEVELS = tuple(round(0.2 * k, 1) for k in range(1, 11))  # mA cm-2


def row(number: int, low: float, high: float, **more: Any) -> dict[str, Any]:
    """One run: endured `low`, failed at `high` (infinite: not), by 10 minutes of time control."""
    failed = math.isfinite(high)
    return {
        "file": f"/cells/c{number:04d}.bdf.csv", "current": True, "verdict": "failed" if failed else "healthy",
        "electrolyte": "LLZO", "cell": json.dumps({"cell": {"batch": "A"}}), "protocol_kind": "time_control",
        "protocol_half_cycle_s": 600.0 * (1 + 0.001 * (number % 5)), "cycles_per_level": 1, "levels_mA_cm2": LEVELS,
        "endured_mA_cm2": low or None, "failed_at_mA_cm2": high if failed else None,
        "limited_by": "hard_short" if failed else None, "half_cycle_s": 600.0, "area_cm2": 1.0, "core": "abc",
        "key": str(number), "inputs": str(number), "software": "0.1.0",
    } | more  # fmt: skip


def write_runs(folder: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """As `ccdmon analyze --catalogue` writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    pa_parquet.write_table(table_of(rows, runs_schema()), folder / "runs.parquet")
    return folder


def ramps(
    rng: np.random.Generator, cells: int, *, median: float = 1.0, spread: float = 0.4, fake: float = 0.05,
    levels: Sequence[float] = LEVELS,
) -> tuple[list[float], list[float]]:  # fmt: skip
    """(endured, failed at) of cells with log-normal critical current densities; `fake`: share found fake stable."""
    steps = [0.0, *levels, math.inf]
    low, high = [], []
    for value in median * np.exp(spread * rng.standard_normal(cells)):
        k = next(k for k, level in enumerate(steps[1:]) if value <= level)
        fake_stable = math.isfinite(steps[k + 1]) and rng.random() < fake
        low.append(0.0 if fake_stable else steps[k])
        high.append(steps[k + 1])
    return low, high
