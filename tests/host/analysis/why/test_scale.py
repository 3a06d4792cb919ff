"""Thickness, rates, capacity and nucleation of tests whose numbers are known by hand."""

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.model.trace import Cell, Trace
from ccdmon.simulation.ladder.generate import generate


def square_wave(area_cm2: float | None = 0.5, electrodes: str = "Li") -> Trace:
    """Six half-cycles of an hour at 1 mA cm-2 and 100 ohm cm2."""
    current_A = 0.5e-3 * np.where(np.arange(720) // 120 % 2 == 0, 1.0, -1.0)
    sidecar = {"cell": {"electrodes": electrodes}}
    return Trace(30.0 * np.arange(720), 200.0 * current_A, current_A, cell=Cell(area_cm2, metadata=sidecar))


def test_a_milliampere_hour_is_4_9_micrometres_and_a_quarter_of_a_commercial_cell() -> None:
    why = analyze(square_wave())["why"]
    assert why["lithium"]["per_half_cycle_um"] == pytest.approx(4.9, rel=0.01)
    assert why["lithium"]["cumulative_um"] == pytest.approx(6 * 4.9, rel=0.01)
    assert why["areal_capacity"]["share_of_essential"] == pytest.approx(1 / 3, rel=0.01)
    assert why["c_rate"]["at_4_mAh_cm2_per_h"] == pytest.approx(0.25)
    assert why["c_rate"]["of_half_cycle_per_h"] == pytest.approx(1.0, rel=0.01)
    assert (why["lithium"]["section"], why["areal_capacity"]["section"]) == ("3.3", "5")
    assert why["nucleation"] is None and why["circuits"] == []


def test_without_an_area_and_of_sodium_no_thickness_is_told() -> None:
    assert analyze(square_wave(None))["why"]["lithium"] is None
    assert analyze(square_wave(None))["why"]["c_rate"] is None
    assert analyze(square_wave(electrodes="Na"))["why"]["lithium"] is None


def test_lithium_nucleates_on_copper_and_not_on_an_alloy() -> None:
    found = [analyze(generate("foreign", seed).trace)["why"]["nucleation"] for seed in (200, 202)]
    assert all(0.002 < nucleation["overpotential_V"] < 0.07 for nucleation in found)
    assert analyze(generate("alloy", 200).trace)["why"]["nucleation"] is None
