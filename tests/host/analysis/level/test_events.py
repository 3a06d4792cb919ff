"""What a level that changed is told as, and what temperature and pressure may explain of it."""

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.model.trace import Cell, FloatArray, Trace

HALF, ROWS = 24, 120


def told(share: FloatArray, **columns: FloatArray) -> list[tuple[str, bool]]:
    """Kinds and whether they recovered, of a cell of 300 ohm times `share` at 0.1 mA."""
    into = np.tile(np.arange(ROWS), HALF)
    current_A = 1e-4 * np.where(np.repeat(np.arange(HALF), ROWS) % 2, -1, 1)
    volts = 300 * (1 - 0.15 * np.exp(-into / 8)) * share * current_A
    volts = volts + 3e-5 * np.random.default_rng(7).standard_normal(volts.size)
    trace = Trace(
        np.arange(volts.size) * 5.0, volts, current_A, cell=Cell(1.0, electrolyte="LLZO"), **columns
    )
    return [(e["kind"], e["recovered"]) for e in analyze(trace)["events"]]


ROW = np.arange(HALF * ROWS)


@pytest.mark.parametrize("row", [1500, 12 * ROWS, 12 * ROWS + 3])
def test_what_falls_at_once_and_stays_is_a_partial_or_a_hard_short(row: int) -> None:
    assert told(np.where(row <= ROW, 0.8, 1.0)) == [("partial_short", False)]
    assert told(np.where(row <= ROW, 0.02, 1.0)) == [("hard_short", False)]


def test_what_slides_to_a_fraction_is_fake_stable_and_what_slides_a_little_is_nothing() -> None:
    slid = np.clip((ROW - 1000) / 1200, 0, 1)
    assert [kind for kind, _ in told(np.exp(slid * np.log(0.02)))] == ["fake_stable"]
    assert told(1 - 0.15 * slid) == []


def test_a_step_that_temperature_or_pressure_explain_is_no_short() -> None:
    for row in (200, 1500):
        explained(row <= ROW)


def explained(later: FloatArray) -> None:
    share = np.where(later, 0.8, 1.0)
    assert told(share, temperature_degC=np.where(later, 45.0, 25.0)) == []
    assert told(share, pressure_Pa=np.where(later, 3e6, 1e6)) == []
    assert told(share, temperature_degC=np.where(later, 15.0, 25.0)) == [("partial_short", False)]


@pytest.mark.parametrize("seed", [0, 3])
def test_a_cell_that_fluctuates_and_then_dies_at_once_is_no_fake_stable_one(seed: int) -> None:
    onset, rows = 12 * ROWS + 20, 90
    leak = np.zeros(HALF * ROWS)
    fluctuation = np.abs(np.random.default_rng(seed).standard_normal(rows))
    leak[onset : onset + rows] = fluctuation * np.linspace(0.2, 1.5, rows)
    share = np.where(onset + rows <= ROW, 0.02, 1 / (1 + leak))
    assert told(share) == [("soft_short", False), ("hard_short", False)]
