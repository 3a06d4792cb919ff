"""What limited a test, of cells of both worlds: a few seeds each, for the figures are `python -m tests.bench.why`'s."""

import numpy as np
import pytest

from ccdmon import trace
from ccdmon.analysis.document import analyze
from ccdmon.report.words import reasons
from ccdmon.simulation.ladder.generate import generate
from tests.bench.why.cells import limited, stripped, warmed
from tests.bench.why.starved import of_ladder
from tests.host.analysis.why.test_scale import square_wave


@pytest.mark.parametrize("world, seeds", [("model", 1), ("ladder", 3)])
def test_the_critical_current_of_stripping_within_one_level(world: str, seeds: int) -> None:
    found = [stripped(world, seed) for seed in range(50_000, 50_000 + seeds)]
    assert found
    assert all(abs(f["off"]) <= 1 for f in found if f["seen"])


def test_a_healthy_ramp_has_a_lower_bound_beside_that_of_plating() -> None:
    why = analyze(generate("time_control", 50_000).trace)["why"]
    for electrode in ("stripping", "plating"):
        assert why[electrode]["lower_bound"] and why[electrode]["critical_mA_cm2"] is None
        assert why[electrode]["sustained_mA_cm2"] > 0
    assert why["limiting_step"]["step"] is None


def test_where_no_current_flowed_nothing_is_said_of_what_limited_it() -> None:
    time_s = np.arange(0.0, 3600.0)
    why = analyze(
        trace(time_s=time_s, voltage_V=np.full(3600, 0.01), current_A=np.zeros(3600), area_cm2=1.0)
    )["why"]
    assert (why["plating"], why["stripping"]) == (None, None)
    assert [line for _, line in reasons({"why": why})] == ["no current level was tried (2.4)"]


def test_stripping_is_evidence_with_units_and_a_probability() -> None:
    made = next(m for m in map(of_ladder, range(50_000, 50_010)) if m.truth["stripping"]["growth"] > 2)
    step = analyze(made.trace)["why"]["limiting_step"]
    assert step["step"] == "stripping" and step["probability"] > 0.9
    assert step["evidence"]["growth_per_half_cycle"] > 0 and "probability" in step["text"]


def test_an_activation_energy_is_told_with_an_error_that_holds() -> None:
    found = [f for seed in range(50_001, 50_004) if (f := warmed("ladder", seed)) and f["off"] is not None]
    assert len(found) >= 2
    assert all(abs(f["off"]) < 0.15 for f in found)


def test_what_limited_it() -> None:
    assert limited(generate, "hard", 50_000)
    assert limited(generate, "contact_relief", 50_000)


def test_a_cell_that_cools_has_lost_no_contact() -> None:
    assert limited(generate, "temperature", 21_003)  # to 9 degC, at which it has 2.4 times its resistance


def test_a_current_density_at_60_degC_is_brought_to_25_with_its_error() -> None:
    trace = square_wave()
    warm = np.full(len(trace), 60.0)
    found = analyze(
        type(trace)(
            trace.test_time_s, trace.voltage_V, trace.current_A, temperature_degC=warm, cell=trace.cell
        )
    )
    brought = found["why"]["normalised"]["ccd_25degC"]
    factor = np.exp(-0.47 / 8.617e-5 * (1 / 298.15 - 1 / 333.15))
    assert brought["ccd_25degC_mA_cm2"] == pytest.approx(factor, rel=0.01)
    assert 0.5 * brought["ccd_25degC_mA_cm2"] < brought["ccd_25degC_error_mA_cm2"]
    assert not brought["activation_measured"]


def test_the_pressure_of_a_tightened_stack() -> None:
    found = [
        analyze(generate("pressure_raised", seed).trace)["why"]["normalised"]["pressure"]
        for seed in (50_000, 50_001)
    ]
    assert all(
        -0.35 < f["exponent"] < 0 and f["exponent_error"] < 0.2 for f in found
    )  # the interface's share of 0.2-0.5


@pytest.mark.traces
def test_the_recorded_polymer_was_limited_by_transport(shared_dir) -> None:
    import ccdmon

    why = ccdmon.analyze(
        shared_dir / "traces" / "recorded" / "li_peo_polarisation_divergence.bdf.csv"
    ).document["why"]
    assert why["limiting_step"]["step"] == "transport"
    assert 1e-9 < why["transport"]["diffusion_cm2_s"] < 1e-7  # 1e-8 at 60 degC in the review
    assert "degC" not in why["transport"]["text"] and "mA cm-2" in why["transport"]["text"]


def test_each_finding_is_a_line_with_its_section() -> None:
    document = analyze(generate("contact_relief", 50_001).trace)
    lines = dict(reasons(document))
    assert "(2.4)" in lines["Limiting step"] and "(3.3)" in lines["Lithium"]
    assert reasons({}) == []
