"""The report document: form, verdicts, protocol and critical current density."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ccdmon.analysis.document import StreamingAnalysis, analyze, analyze_chunks
from ccdmon.errors import InputError
from ccdmon.formats.bdf.read import read_bdf
from ccdmon.model.trace import Cell, Trace
from ccdmon.simulation.simulate import simulate

SEEDS = range(200, 212)


def recorded(recorded_dir: Path, name: str) -> dict[str, Any]:
    return analyze(read_bdf(recorded_dir / f"{name}.bdf.csv"))


def near(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and abs(a - b) < 0.03 * abs(b))


@pytest.mark.traces
def test_recorded_hard_short(recorded_dir: Path) -> None:
    document = recorded(recorded_dir, "na_nasicon_na_hard_short")
    (event,) = document["events"]
    assert document["verdict"] == "failed"
    assert (event["kind"], event["row"]) == ("hard_short", 2255)
    assert event["start_s"] == pytest.approx(2254, abs=0.1)
    assert event["recovered"] is False
    assert document["ccd"]["failed_at_mA_cm2"] == pytest.approx(0.11, abs=0.01)
    assert document["ccd"]["endured_mA_cm2"] is None
    assert document["ccd"]["cumulative_capacity_mAh_cm2"] == pytest.approx(0.068, abs=0.002)


@pytest.mark.traces
def test_recorded_healthy_cell_of_few_millivolts(recorded_dir: Path) -> None:
    document = recorded(recorded_dir, "li_llzo_li_healthy_low_voltage")
    assert (document["verdict"], document["events"]) == ("healthy", [])
    assert document["protocol"]["kind"] == "long_cycling"
    assert document["ccd"]["lower_bound"] is True
    # 1.1 to 1.3 kohm by impedance, says the recording's note
    assert [h["resistance_start_ohm"] for h in document["half_cycles"]] == pytest.approx([1220] * 8, rel=0.15)


@pytest.mark.traces
def test_recorded_polarisation_that_runs_away_is_no_short(recorded_dir: Path) -> None:
    kinds = {event["kind"] for event in recorded(recorded_dir, "li_peo_polarisation_divergence")["events"]}
    assert not kinds & {"hard_short", "partial_short", "soft_short"}


@pytest.mark.parametrize("seed", SEEDS)
def test_simulated_hard_short(seed: int) -> None:
    simulated = simulate("hard_short", seed)
    document, truth = analyze(simulated.trace), simulated.truth
    event = next(e for e in document["events"] if e["kind"] == "hard_short")
    assert document["verdict"] == "failed"
    assert 0 <= event["row"] - truth["first_faulty_row"] <= 5
    assert document["protocol"]["kind"] == truth["protocol"]["kind"]
    assert near(document["ccd"]["endured_mA_cm2"], truth["ccd"]["endured_mA_cm2"])
    assert near(document["ccd"]["failed_at_mA_cm2"], truth["ccd"]["failed_at_mA_cm2"])


@pytest.mark.parametrize(
    "scenario", ["healthy", "healthy_rests", "healthy_eis_excitation", "healthy_polymer"]
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_simulated_healthy_cells_do_not_fail(scenario: str, seed: int) -> None:
    simulated = simulate(scenario, seed + 300)
    document = analyze(simulated.trace)
    assert document["verdict"] != "failed"
    assert document["ccd"]["lower_bound"] is True
    assert document["protocol"]["kind"] == simulated.truth["protocol"]["kind"]


def test_the_document_has_the_promised_form() -> None:
    document = analyze(simulate("hard_short", 7).trace)
    told = ["schema", "verdict", "reason", "notes", "protocol", "half_cycles", "events", "ccd", "why"]
    assert list(document) == told
    assert document["schema"] == "ccdmon.report/2"
    assert document["reason"].startswith("hard short from row")
    assert {"kind", "levels_mA_cm2", "half_cycle_s", "half_cycle_mAh_cm2", "cycles_per_level"} <= set(
        document["protocol"]
    )
    assert {
        "index", "cycle", "start_s", "end_s", "current_density_mA_cm2", "capacity_mAh_cm2", "voltage_mean_V",
        "resistance_start_ohm_cm2", "resistance_end_ohm_cm2", "noise_V",
    } <= set(document["half_cycles"][0])  # fmt: skip
    assert {
        "kind", "start_s", "end_s", "row", "cycle", "current_density_mA_cm2", "recovered", "provisional", "probability",
        "evidence",
    } <= set(document["events"][0])  # fmt: skip
    assert {
        "endured_mA_cm2", "failed_at_mA_cm2", "lower_bound", "limited_by", "capacity_per_half_cycle_mAh_cm2",
        "cumulative_capacity_mAh_cm2", "half_cycle_s", "temperature_degC", "pressure_MPa", "area_cm2", "eis",
    } <= set(document["ccd"])  # fmt: skip


def test_without_an_area_nothing_is_area_specific() -> None:
    trace = simulate("hard_short", 7, protocol="time_control").trace
    bare = Trace(
        trace.test_time_s, trace.voltage_V, trace.current_A, cell=Cell(configuration=trace.cell.configuration)
    )
    document = analyze(bare)
    assert document["ccd"]["failed_at_mA_cm2"] is None and document["ccd"]["failed_at_A"] > 0
    assert document["half_cycles"][0]["resistance_start_ohm_cm2"] is None
    assert document["half_cycles"][0]["resistance_start_ohm"] > 0
    assert analyze(bare, area_cm2=2.0)["ccd"]["failed_at_mA_cm2"] == pytest.approx(
        document["ccd"]["failed_at_A"] * 1e3 / 2
    )


@pytest.mark.parametrize("area", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_area_is_refused(area: float) -> None:
    with pytest.raises(InputError, match="area"):
        analyze(simulate("healthy", 1).trace, area_cm2=area)


def test_chunks_give_the_same_document() -> None:
    trace = simulate("hard_short", 3).trace
    whole = analyze(trace)
    chunks = (trace.rows(start, start + 777) for start in range(0, len(trace), 777))
    assert analyze_chunks(chunks, trace.cell) == whole


@pytest.mark.parametrize("current_A", [0.0, 1e-3, np.nan])
def test_traces_that_say_nothing_have_a_document(current_A: float) -> None:
    rows = 20
    trace = Trace(np.arange(rows) * 1.0, np.full(rows, np.nan), np.full(rows, current_A), cell=Cell(1.0))
    document = analyze(trace)
    assert (document["verdict"], document["reason"]) == ("not_judged", "no current flowed")
    assert document["ccd"]["endured_mA_cm2"] is None
    json.dumps(document, allow_nan=False)


@pytest.mark.parametrize("scenario", ["hard_short", "soft_short", "healthy_rests"])
def test_a_report_asked_for_while_the_test_runs_is_that_of_the_rows_so_far(scenario: str) -> None:
    trace = simulate(scenario, 7).trace
    analysis = StreamingAnalysis(trace.cell)
    for start in range(0, len(trace), 700):
        analysis.feed(trace.rows(start, start + 700))
        assert analysis.rows == min(start + 700, len(trace))
        if start // 700 % 3 == 0:
            assert analysis.report() == analyze(trace.rows(0, start + 700))
    assert analysis.report() == analysis.report() == analyze(trace)


def test_a_report_before_the_first_row_says_that_nothing_is_known() -> None:
    document = StreamingAnalysis(Cell(1.0)).report()
    assert (document["verdict"], document["half_cycles"]) == ("not_judged", [])
    assert document["ccd"]["endured_mA_cm2"] is None


@pytest.mark.parametrize("rows", [40, 100, 1000])
@pytest.mark.parametrize("interval_s", [0.1, 30.0])
def test_the_slope_of_the_polarisation(rows: int, interval_s: float) -> None:
    time_s = np.arange(6 * rows) * interval_s
    current_A = np.where(np.arange(6 * rows) // rows % 2 == 0, 1e-3, -1e-3)
    voltage_V = current_A * (100 + np.arange(6 * rows) % rows * interval_s * 0.02)
    document = analyze(Trace(time_s, voltage_V, current_A))
    slopes = [h["polarization_slope_V_s"] for h in document["half_cycles"]]
    assert len(slopes) == 6
    assert slopes == pytest.approx([2e-5] * 6, rel=0.05)


def test_no_charge_flows_while_a_half_cycle_pauses() -> None:
    pieces, rows = [1, 0, 1, -1, 0, -1] * 3, [120, 60, 120, 120, 60, 120] * 3
    current_A = np.repeat(pieces, rows) * 1e-4  # the pause is a rest that was recorded, not a hole
    trace = Trace(np.arange(len(current_A)) * 5.0, 300 * current_A, current_A, cell=Cell(1.0))
    document = analyze(trace)
    assert len(document["half_cycles"]) == 6
    assert document["ccd"]["cumulative_capacity_mAh_cm2"] == pytest.approx(12 * 600 * 0.1 / 3600, rel=0.01)
