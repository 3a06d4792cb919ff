"""Injections: what the circuit says of the voltage, on a recording made here and on the shared ones."""

import json

import numpy as np
import pytest

from ccdmon.errors import InputError
from ccdmon.formats.bdf.read import read_bdf
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.model.trace import Cell, Trace
from ccdmon.simulation.injected import circuits, leads
from ccdmon.simulation.injected.__main__ import main
from ccdmon.simulation.injected.generate import INJECTIONS, STOCK, inject, recording_of, stock
from ccdmon.simulation.injected.recording import Recording

NOISE_V = 1e-4
OHM = 100.0


def symmetric(half_rows: int = 80, halves: int = 8) -> Recording:
    """+-1 mA through 100 ohm, with noise."""
    rng = np.random.default_rng(1)
    current = np.repeat([1e-3 * (-1) ** k for k in range(halves)], half_rows)
    voltage = OHM * current + NOISE_V * rng.standard_normal(len(current))
    time_s = 10.0 * np.arange(len(current))
    return Recording.of("made", Trace(time_s, voltage, current, cell=Cell(1.0, "symmetric")))


def full() -> Recording:
    """Two cycles: 200 rows of charge from 3 to 4 V, a held voltage, 200 rows of discharge; 20 ohm."""
    charge, hold = np.linspace(3.0, 4.0, 200), np.full(60, 4.02)
    current = np.concatenate([np.full(200, 1e-3), 1e-3 * np.exp(-np.arange(60) / 20), np.full(200, -1e-3)])
    voltage = np.concatenate([charge + 0.02, hold, charge[::-1] - 0.02])
    time_s = 60.0 * np.arange(920)
    return Recording.of(
        "made full", Trace(time_s, np.tile(voltage, 2), np.tile(current, 2), cell=Cell(1.0, "full"))
    )


def test_a_recording_knows_its_stretches_its_resistance_and_its_noise() -> None:
    made = symmetric()
    assert [len(s) for s in made.stretches] == [80] * 8
    assert not made.has_source
    np.testing.assert_allclose(made.own_ohm, OHM, rtol=0.01)
    assert float(made.noise_V.std()) == pytest.approx(NOISE_V, rel=0.2)


def test_a_source_is_told_and_a_held_voltage_is_no_place_for_a_fault() -> None:
    made = full()
    assert made.has_source
    assert [s.current_A > 0 for s in made.loaded] == [True, False, True, False]
    assert len(circuits.charges(made)) == 2
    assert len(circuits.later_charges(made)) == 1


def test_a_hard_short_leaves_what_the_leak_leaves_and_the_noise_stays() -> None:
    made, rng = symmetric(), np.random.default_rng(3)
    altered = circuits.hard(made, rng)
    after = slice(altered.row, None)
    left = np.abs(altered.voltage_V[after]).mean() / (OHM * 1e-3)
    assert left < 1 / 15
    assert np.array_equal(
        altered.voltage_V[: altered.row], made.smooth_V[: altered.row] + made.noise_V[: altered.row]
    )
    assert np.diff(altered.voltage_V[altered.row : altered.row + 30]).std() > 0.5 * NOISE_V


def test_a_growing_leak_has_half_where_its_truth_says() -> None:
    altered = circuits.growing_leak(symmetric(), np.random.default_rng(0))
    assert abs(altered.voltage_V[altered.row]) == pytest.approx(OHM * 1e-3 / 2, rel=0.1)
    assert altered.begin_row < altered.row


def test_an_open_circuit_has_no_current_and_a_rail_that_follows_its_sign() -> None:
    made = symmetric()
    altered = leads.opened(made, np.random.default_rng(0))
    after = slice(altered.row, None)
    assert np.abs(altered.current_A[after]).max() < 1e-6
    np.testing.assert_allclose(
        altered.voltage_V[after], 5.0 * np.sign(made.trace.current_A[after]), atol=1e-3
    )


def test_a_wire_that_is_off_leaves_the_current_and_a_rail_that_follows_nothing() -> None:
    made = symmetric()
    altered = leads.wire_off(made, np.random.default_rng(0))
    np.testing.assert_array_equal(altered.current_A, made.trace.current_A)
    assert np.ptp(altered.voltage_V[altered.row + 5 :]) < 0.2


def test_an_endless_charge_passes_more_than_the_cell_has_taken_before() -> None:
    altered = circuits.endless(full(), np.random.default_rng(2))
    after = slice(altered.row, None)
    passed = float(np.trapezoid(altered.current_A[after], altered.time_s[after]))
    assert passed > 1.25 * 200 * 60 * 1e-3
    assert np.ptp(altered.voltage_V[after]) < 0.05


def test_a_resistance_in_series_ends_a_discharge_early_at_the_same_voltage() -> None:
    made = full()
    altered = leads.lost_capacity(made, np.random.default_rng(5))
    assert len(altered.time_s) < len(made.trace)
    step = altered.voltage_V[altered.row] - altered.voltage_V[altered.row - 1]
    assert -0.45 < step < -0.05
    assert altered.voltage_V[-1] == pytest.approx(made.trace.voltage_V[-1], abs=0.02)


def test_a_rest_is_put_behind_the_held_voltage_and_a_leak_makes_it_sag_to_its_end() -> None:
    calm = circuits.rested(full(), np.random.default_rng(4))
    sagging = circuits.rested(full(), np.random.default_rng(4), sag_V=0.2)
    assert calm.row in (260, 720)
    assert calm.kind is None
    rest = slice(calm.row, calm.row + 50)
    assert (calm.current_A[rest] == 0).all()
    falls = calm.voltage_V[rest] - sagging.voltage_V[rest]
    assert (np.diff(falls) > 0).all()
    assert (np.diff(calm.time_s) > 0).all()


@pytest.mark.parametrize("kind", INJECTIONS)
def test_a_seed_is_one_trace_with_a_truth_inside_it(kind: str) -> None:
    recordings = [symmetric(), full()]
    made, again = inject(kind, 7, recordings), inject(kind, 7, recordings)
    assert made is not None
    assert again is not None
    assert made.truth == again.truth
    assert len(made.trace) == made.truth["rows"]
    for event in made.truth["events"]:
        assert 0 < event["begin_row"] <= event["row"] < len(made.trace)
    json.dumps(made.truth)


def test_both_directions_and_configurations_and_several_names_are_drawn() -> None:
    truths = [inject("hard", seed, [symmetric()]).truth for seed in range(24)]
    assert len({t["recording"] for t in truths}) == 2
    assert {t["configuration"] for t in truths} == {"symmetric", "half"}
    assert len({t["electrolyte"] for t in truths}) > 4


def test_a_kind_that_no_recording_can_take_is_none_and_an_unknown_one_is_refused() -> None:
    assert inject("endless", 0, [symmetric()]) is None
    with pytest.raises(InputError, match="unknown injection"):
        inject("no_such", 0, [symmetric()])


def test_the_command_takes_the_healthy_rows_of_any_recording(tmp_path, capsys) -> None:
    path = tmp_path / "mine.bdf.csv"
    write_bdf(symmetric().trace, path)
    assert main([f"{path}@0:320", "--kind", "hard", "--out", str(tmp_path / "out")]) == 0
    assert len(read_bdf(tmp_path / "out" / "hard_s0.bdf.csv")) == 320
    assert json.loads((tmp_path / "out" / "hard_s0.truth.json").read_text())["class"] == "hard_short"
    assert main([f"{path}@all", "--out", str(tmp_path)]) == 2
    assert "TRACE@FROM:TO" in capsys.readouterr().err
    with pytest.raises(InputError, match="40 at least"):
        recording_of(f"{path}@0:20")


def test_the_shared_recordings_take_each_kind(shared_dir) -> None:
    recordings = stock(shared_dir / "traces")
    assert len(recordings) == len(STOCK)
    for kind in INJECTIONS:
        made = inject(kind, 1, recordings)
        assert made is not None, kind
        assert made.truth["recording"]
