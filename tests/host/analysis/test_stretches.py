"""What of a stretch is the level's."""

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.model.trace import Cell, Trace

ROWS = 200


def excited(share: float, period_rows: float, fall_at: int | None = None) -> list[tuple[str, int]]:
    """Events of a ramp with a sine on the current, whose resistance falls to 0.7 at a row."""
    half = np.repeat(np.arange(20), ROWS)
    level_A = np.where(half % 2, -1, 1) * 1e-4 * (1 + half // 2)
    sine = np.sin(2 * np.pi * np.arange(half.size) / period_rows)
    ohm = np.where(np.arange(half.size) >= (half.size if fall_at is None else fall_at), 140.0, 200.0)
    since = np.tile(np.arange(ROWS), 20) / ROWS
    noise_V = 2e-5 * np.random.default_rng(1).standard_normal(half.size)
    # The bulk follows the sine, the interface is too slow for it.
    voltage_V = ohm * level_A * (0.9 + 0.6 * share * sine + 0.1 * (1 - np.exp(-since / 0.1))) + noise_V
    trace = Trace(
        np.arange(half.size) * 10.0,
        voltage_V,
        level_A * (1 + share * sine),
        cell=Cell(1.0, electrolyte="LLZO"),
    )
    return [(event["kind"], event["row"]) for event in analyze(trace)["events"]]


@pytest.mark.parametrize("period_rows", [7.3, 31.0, 90.0])
def test_an_excitation_of_a_tenth_on_the_current_is_nothing_of_the_cell(period_rows: float) -> None:
    assert excited(0.1, period_rows) == []


def test_a_partial_short_is_seen_beside_it() -> None:
    ((kind, row),) = excited(0.1, 31.0, fall_at=2500)
    assert kind == "partial_short"
    assert abs(row - 2500) <= 12


@pytest.mark.parametrize(("factor", "kind"), [(0.7, "partial_short"), (0.1, "hard_short")])
def test_a_fall_in_the_only_half_cycle_is_seen_while_the_voltage_climbs(factor: float, kind: str) -> None:
    rows = np.arange(2000)
    ohm = 200 * (1 + rows / 1000) * np.where(rows >= 1300, factor, 1.0)
    voltage_V = 1e-4 * ohm + 1e-6 * np.random.default_rng(1).standard_normal(rows.size)
    trace = Trace(rows * 1.0, voltage_V, np.full(rows.size, 1e-4), cell=Cell(1.0, electrolyte="LLZO"))
    (event,) = analyze(trace)["events"]
    assert (event["kind"], abs(event["row"] - 1300) <= 2) == (kind, True)
