"""The simulated cell: Ohm, Arrhenius, pressure, voids, shorts, and a truth that fits its trace."""

import json
import math

import numpy as np
import pytest

from ccdmon.errors import InputError
from ccdmon.simulation.parameters import Surroundings
from ccdmon.simulation.simulate import SCENARIOS, CellModel, CellParameters, open_cell, simulate

QUIET = {"noise": 0.0, "max_rows": 1500}


def settled_ohm(cell: CellModel, current_A: float = 1e-5) -> float:
    return cell.step(current_A, 1e5) / current_A


def quiet_cell(**changes: float) -> CellModel:
    return CellModel(CellParameters(void_yield=0.0, area_cm2=1.0, heat_loss_W_K=1e9, **changes))


def test_settled_resistance_is_the_sum_of_the_elements() -> None:
    assert settled_ohm(quiet_cell()) == pytest.approx(60 + 20 + 20 + 4, rel=1e-6)


def test_a_step_takes_the_interface_time_constant() -> None:
    cell = quiet_cell(slow_ohm_cm2=0.0)
    assert cell.step(1e-3, 2.0) == pytest.approx(1e-3 * (60 + 40 * (1 - math.exp(-1))), rel=1e-6)


def test_steps_of_any_length_agree() -> None:
    one, many = quiet_cell(), quiet_cell()
    whole = one.step(1e-3, 5.0)
    for _ in range(500):
        pieces = many.step(1e-3, 0.01)
    assert pieces == pytest.approx(whole, rel=1e-6)


def test_warming_follows_arrhenius() -> None:
    cell = quiet_cell(interface_ohm_cm2=(0.0, 0.0), slow_ohm_cm2=0.0)
    cell.surroundings.temperature_degC = 60.0
    factor = math.exp(30e3 / 8.314462618 * (1 / 333.15 - 1 / 298.15))
    assert settled_ohm(cell) == pytest.approx(60 * factor, rel=1e-6)


def test_interface_goes_with_pressure_to_minus_a_half() -> None:
    cell = quiet_cell(bulk_ohm_cm2=1e-9, slow_ohm_cm2=0.0)
    cell.surroundings.frame_pressure_Pa = 4 * 5e6
    assert settled_ohm(cell) == pytest.approx(40 / 2, rel=1e-6)


def test_voids_grow_only_above_the_supply_and_heal_when_plating() -> None:
    cell = CellModel(CellParameters(area_cm2=1.0, supply_diffusion_mA_cm2=0.2, supply_creep_mA_cm2=0.8))
    cell.step(0.9e-3, 3600)
    assert cell.state.voids_mAh_cm2 == (0.0, 0.0)
    cell.step(3e-3, 3600)
    grown = cell.state.voids_mAh_cm2[0]
    assert grown > 0.4
    cell.step(-0.5e-3, 3600)
    assert 0 < cell.state.voids_mAh_cm2[0] < grown
    assert cell.state.voids_mAh_cm2[1] == 0.0


def test_pressure_above_the_critical_one_prevents_voids() -> None:
    parameters = CellParameters(area_cm2=1.0, supply_diffusion_mA_cm2=0.1, supply_creep_mA_cm2=0.5)
    low, high = CellModel(parameters), CellModel(parameters, Surroundings(frame_pressure_Pa=20e6))
    for cell in (low, high):
        cell.step(1e-3, 3600)
    assert low.state.voids_mAh_cm2[0] > 0
    assert high.state.voids_mAh_cm2[0] == 0


def test_a_short_carries_the_current_and_moves_no_lithium() -> None:
    cell = quiet_cell()
    cell.surroundings.leak_S = 1.0
    assert cell.step(1e-3, 1e5) == pytest.approx(1e-3 / (1 + 1 / 104), rel=1e-6)
    assert cell.state.moved_mAh_cm2 < 0.02 * 1e5 / 3600


def test_compliance_limits_the_voltage_and_the_current_gives_way() -> None:
    cell = quiet_cell(compliance_V=0.05)
    assert cell.step(1.0, 10.0) == 0.05
    assert cell.state.limited
    assert cell.state.current_A < 1e-3


def test_a_polymer_past_its_limiting_current_runs_away() -> None:
    cell = quiet_cell(limiting_mA_cm2=1.0, diffusion_tau_s=100.0, compliance_V=50.0)
    start = cell.step(1.5e-3, 5.0)
    assert [cell.step(1.5e-3, 20.0) > start for _ in range(5)] == [True] * 5
    cell.step(1.5e-3, 500.0)
    assert cell.step(1.5e-3, 1.0) > 5 * start


def test_same_seed_same_trace_other_seed_other_trace() -> None:
    one, two, other = (simulate("soft_short", seed, max_rows=1500) for seed in (5, 5, 6))
    assert np.array_equal(one.trace.voltage_V, two.trace.voltage_V, equal_nan=True)
    assert one.truth == two.truth
    assert len(other.trace) != len(one.trace) or not np.array_equal(
        one.trace.voltage_V, other.trace.voltage_V
    )


def test_noise_option_changes_nothing_but_the_noise() -> None:
    quiet, loud = simulate("hard_short", 3, **QUIET), simulate("hard_short", 3, noise=0.03, max_rows=1500)
    assert np.array_equal(quiet.trace.test_time_s, loud.trace.test_time_s)
    assert quiet.truth["events"] == loud.truth["events"]
    assert quiet.truth["ccd"] == loud.truth["ccd"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_gives_a_usable_trace_and_a_json_truth(scenario: str) -> None:
    made = simulate(scenario, 7, max_rows=1500)
    assert (np.diff(made.trace.test_time_s) >= 0).all()
    assert np.isfinite(made.trace.current_A).all()
    assert json.loads(json.dumps(made.truth, allow_nan=False))["rows"] == len(made.trace)
    for event in made.truth["events"]:
        assert 0 <= event["row"] < len(made.trace)
        assert event["kind"] == made.truth["class"]
    if SCENARIOS[scenario].class_ == "healthy":
        assert made.truth["events"] == []
        assert made.truth["ccd"]["lower_bound"]


@pytest.mark.parametrize("seed", range(6))
def test_a_hard_short_shows_at_its_row_and_not_before(seed: int) -> None:
    made = simulate("hard_short", seed, configuration="symmetric", **QUIET)
    row = made.truth["events"][0]["row"]
    volts, amps = np.abs(made.trace.voltage_V), np.abs(made.trace.current_A)
    loaded = np.flatnonzero(amps > 0)
    before, after = loaded[loaded < row - 1][-5:], loaded[loaded > row + 1][:5]
    ohms = [np.nanmedian(volts[rows] / amps[rows]) for rows in (before, after)]
    assert ohms[1] < 0.2 * ohms[0]


@pytest.mark.parametrize("seed", range(4))
def test_pressure_stops_moving_in_a_short(seed: int) -> None:
    live = open_cell("hard_short", seed, configuration="symmetric", pressure=True, max_rows=1500)
    list(live.rows())
    moved = live.cell.state.moved_mAh_cm2
    current_A = live.setup.program.levels_mA_cm2[-1] * live.setup.cell.area_cm2 * 1e-3
    live.cell.step(current_A, 3600)
    assert abs(live.cell.state.moved_mAh_cm2 - moved) < 0.1 * live.setup.program.levels_mA_cm2[-1]


def test_an_open_gate_stops_the_current() -> None:
    live = open_cell("healthy", 1, noise=0.0, rests=False, max_rows=1500)
    rows = [live.next_row(gate_closed=k < 50) for k in range(60)]
    assert abs(rows[40].current_A) > 0
    assert [row.current_A for row in rows[51:]] == [0.0] * 9


def test_closed_gate_rows_equal_simulate() -> None:
    live, made = open_cell("healthy", 2, max_rows=1500), simulate("healthy", 2, max_rows=1500)
    rows = [row.voltage_V for row in live.rows()]
    assert np.array_equal(rows, made.trace.voltage_V, equal_nan=True)


def test_unknown_names_are_told() -> None:
    with pytest.raises(InputError, match="unknown scenario 'nonsense': one of healthy"):
        simulate("nonsense", 0)
    with pytest.raises(InputError, match="unknown protocol 'fast'"):
        simulate("healthy", 0, protocol="fast")
    with pytest.raises(InputError, match="area_cm2 must be above zero"):
        simulate("healthy", 0, area_cm2=0.0)


def breathing(configuration: str, seed: int) -> float:
    """How far the stack's pressure swings over a healthy test, over its mean: frame and voids held still."""
    live = open_cell("healthy", seed, configuration=configuration, pressure=True, max_rows=1000)
    cell, setup = live.cell, live.setup
    low, high = math.inf, 0.0
    for segment in setup.program.segments:
        cell.step(segment.current_density_mA_cm2 * setup.cell.area_cm2 * 1e-3, segment.duration_s)
        cell.state.voids_mAh_cm2 = (0.0, 0.0)
        low, high = min(low, cell.pressure_Pa), max(high, cell.pressure_Pa)
    return (high - low) / cell.parameters.reference_pressure_Pa


@pytest.mark.parametrize("seed", range(3))
def test_a_symmetric_stack_hardly_breathes_a_full_one_does(seed: int) -> None:
    assert breathing("symmetric", seed) < 2e-3
    assert breathing("full", seed) > 4e-3
