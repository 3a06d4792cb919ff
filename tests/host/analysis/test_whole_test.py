"""Tests whose cell was dead from the first row on."""

import warnings

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.model.trace import Cell, Trace


def trace(ohm: float, rows: int = 2000, area_cm2: float | None = None) -> Trace:
    """Half-cycles of 100 rows at 1 mA."""
    time_s = np.arange(rows) * 1.0
    current_A = np.where(time_s % 200 < 100, 1e-3, -1e-3)
    return Trace(time_s, ohm * current_A, current_A, cell=Cell(area_cm2, "symmetric"))


@pytest.mark.parametrize("area_cm2", [None, 0.785])
def test_no_voltage_at_all_is_a_short_whatever_the_area(area_cm2: float | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = analyze(trace(0.0, area_cm2=area_cm2), area_cm2=area_cm2)
    assert document["verdict"] == "failed"
    assert [(event["kind"], event["row"]) for event in document["events"]] == [("hard_short", 0)]


def test_without_an_area_a_small_resistance_may_be_a_large_cells() -> None:
    assert analyze(trace(0.05))["verdict"] == "healthy"


@pytest.mark.parametrize("from_row", [0, 700])
def test_a_small_resistance_is_doubted_where_the_cell_never_had_more(from_row: int) -> None:
    rows = trace(300.0, area_cm2=0.785)
    voltage_V = np.where(np.arange(len(rows)) < from_row, rows.voltage_V, 0.5 / 300 * rows.voltage_V)
    shorted = Trace(rows.test_time_s, voltage_V, rows.current_A, cell=rows.cell)
    doubted = any("less than a solid electrolyte has" in note for note in analyze(shorted)["notes"])
    assert doubted == (from_row == 0)


@pytest.mark.parametrize(("left", "row"), [(0.05, 1200), (1.0, 0)])
def test_what_falls_later_was_no_metal_however_little_it_had(left: float, row: int) -> None:
    rows = trace(3.0, area_cm2=0.785)
    share = np.where(np.arange(len(rows)) < 1200, 1.0, left)
    voltage_V = rows.voltage_V * share + 1e-6 * np.random.default_rng(3).standard_normal(len(rows))
    fallen = Trace(rows.test_time_s, voltage_V, rows.current_A, cell=rows.cell)
    (event,) = analyze(fallen)["events"]
    assert event["kind"] == "hard_short" and abs(event["row"] - row) <= 1
