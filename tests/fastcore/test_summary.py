"""What is asked of a segment time and again: both twins give the same bits, and what numpy says of its blocks."""

import math
from typing import Any

import numpy as np
import pytest

from ccd_fastcore import RowBlocks, _blocks, _reference_blocks
from ccdmon.analysis.rows_in_blocks import Blocks

NAMES = _reference_blocks.Summary.__slots__
RECORD = [7.0, 106.0, 100.0, 3.5, 200.0, -1.0, -2e-3, 0.4, 0.0, 0.0, 0.0, 1e-5, *[0.0] * 3, 1.0, *[0.0] * 21]


def told(rows: int, seed: int, *, known: bool) -> bytes:
    """Of a V that wanders, around 0 for even seeds."""
    rng = np.random.default_rng(seed)
    volts = np.cumsum(rng.normal(size=rows)) + (0 if seed % 2 == 0 else 100)
    degC = rng.normal(25, 1, rows) if known else None
    blocks = RowBlocks()
    blocks.feed(np.arange(rows) * 1.0, volts, rng.normal(size=rows), degC, None, [], (0, rows - 1))
    return blocks.look()


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 7, 20, 63, 64, 65, 127, 128, 1000])
@pytest.mark.parametrize("seed", range(4))
def test_both_twins_say_what_numpy_says(rows: int, seed: int) -> None:
    written = told(rows, seed, known=seed > 1)
    compiled, interpreted = _blocks.Summary(RECORD, written), _reference_blocks.Summary(RECORD, written)
    for name in NAMES:
        a, b = getattr(compiled, name), getattr(interpreted, name)
        assert a == b or (math.isnan(a) and math.isnan(b)), name
    blocks = Blocks(written)
    V, A, n = blocks.volts, blocks.amperes, blocks.row.size
    expected: dict[str, Any] = {
        "middle_V": np.median(V), "level_A": np.median(np.abs(A)), "most_V": np.quantile(np.abs(V), 0.98),
        "start_V": np.median(np.abs(V[: max(4, n // 5)])), "late_V": np.median(np.abs(V[-3:])), "end_V": V[-1],
        "least_mean_V": V.min(), "most_mean_V": V.max(), "temperature_degC": blocks.temperature_degC[n // 2],
        "pressure_Pa": math.nan, "first_row": 7, "last_row": 106, "count": 100, "start_s": 3.5, "end_s": 200.0,
        "sign": -1, "current_A": -2e-3, "charge_C": 0.4, "noise_V": 1e-5, "after_gap": True,
    }  # fmt: skip
    of_third = dict.fromkeys(("rise", "begin_A", "settled_A", "begin_V", "settled_V"), math.nan)
    if n >= 6:
        settled_V = np.median(V[-(n // 3) :])
        of_third = {
            "rise": (settled_V - np.median(V[1 : 1 + max(2, n // 6)])) / np.median(V), "begin_A": np.median(A[:2]),
            "settled_A": np.median(A[-(n // 3) :]), "begin_V": np.median(V[:2]), "settled_V": settled_V,
        }  # fmt: skip
    expected |= of_third
    assert set(expected) == set(NAMES)
    for name, value in expected.items():
        assert getattr(compiled, name) == pytest.approx(value, rel=1e-12, nan_ok=True), name


@pytest.mark.parametrize("twin", [_blocks, _reference_blocks])
@pytest.mark.parametrize("cut", [0, 8, 40, 48])
def test_what_nobody_told_is_refused(twin: Any, cut: int) -> None:
    with pytest.raises(ValueError, match="RowBlocks"):
        twin.Summary(RECORD, told(10, 0, known=False)[:cut])
