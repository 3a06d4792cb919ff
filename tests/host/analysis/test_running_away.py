"""V that runs away and then stands is a limit; what climbs evenly, falls meanwhile or settles is none."""

from collections.abc import Callable

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.model.trace import Cell, FloatArray, Trace

ROWS = 120


def last_of(volts: Callable[[FloatArray], FloatArray]) -> list[str]:
    """Kinds of events of a test whose half-cycles are flat but for the last, which is `volts` by its share."""
    share = np.arange(ROWS) / ROWS
    half_cycles = [np.full(ROWS, 0.1) * (-1) ** k for k in range(9)]
    volts_V = np.concatenate([*half_cycles, -volts(share)])
    volts_V = volts_V + 1e-4 * np.random.default_rng(1).standard_normal(volts_V.size)
    current_A = np.repeat([1e-4 * (-1) ** k for k in range(10)], ROWS)
    trace = Trace(
        np.arange(volts_V.size) * 10.0, volts_V, current_A, cell=Cell(1.0, electrolyte="PEO-LiTFSI")
    )
    return [event["kind"] for event in analyze(trace)["events"]]


@pytest.mark.parametrize("limit_V", [0.3, 0.5])
def test_v_that_runs_away_and_stands_is_a_limit(limit_V: float) -> None:
    assert last_of(lambda share: np.minimum(0.1 + 0.005 / np.maximum(0.9 - share, 1e-3), limit_V)) == [
        "limit"
    ]


def test_v_that_climbs_evenly_or_settles_is_none() -> None:
    assert "limit" not in last_of(lambda share: 0.1 + 0.1 * share)
    assert "limit" not in last_of(lambda share: 0.3 - 0.2 * np.exp(-8 * share))


def test_v_that_is_back_from_a_dip_is_none() -> None:
    assert "limit" not in last_of(lambda share: np.where((share > 0.3) & (share < 0.8), 0.03, 0.1))
