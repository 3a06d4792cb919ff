"""Each kind of the second world: its truth is what its numbers show."""

import json
from functools import cache

import numpy as np
import pytest

from ccdmon.errors import InputError
from ccdmon.formats.bdf.read import read_bdf
from ccdmon.model.kinds import EVENT_KINDS
from ccdmon.simulation.ladder import generate as generator
from ccdmon.simulation.ladder.__main__ import main
from ccdmon.simulation.ladder.kinds import KINDS

generate = cache(generator.generate)  # the tests look at the same traces
HEALTHY = [name for name, kind in KINDS.items() if kind.reads == "healthy"]
FAULTY = [name for name in KINDS if name not in HEALTHY]
SYMMETRIC_SHORTS = ("hard", "hard_in_rest", "leak_from_start")


def resistance_ohm(made, rows: slice) -> np.ndarray:
    """|V / I| of the loaded rows among these."""
    voltage, current = made.trace.voltage_V[rows], made.trace.current_A[rows]
    loaded = np.abs(np.nan_to_num(current)) > 0
    return np.abs(voltage[loaded] / current[loaded])


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_is_one_trace_and_time_never_runs_back(kind: str) -> None:
    first, again = generate(kind, 5), generator.generate(kind, 5)
    assert first.truth == again.truth
    np.testing.assert_array_equal(first.trace.voltage_V, again.trace.voltage_V)
    assert (np.diff(first.trace.test_time_s) >= 0).all()
    json.dumps(first.truth)


@pytest.mark.parametrize("kind", HEALTHY)
def test_a_healthy_kind_has_no_event(kind: str) -> None:
    made = generate(kind, 5)
    assert made.truth["events"] == []
    assert made.truth["class"] == "healthy"


@pytest.mark.parametrize("kind", FAULTY)
def test_a_fault_is_told_of_within_its_rows(kind: str) -> None:
    made = generate(kind, 5)
    (event,) = made.truth["events"]
    assert event["kind"] == KINDS[kind].reads
    assert event["kind"] in EVENT_KINDS
    assert 0 <= event["begin_row"] <= event["row"] < len(made.trace)


@pytest.mark.parametrize("kind", SYMMETRIC_SHORTS)
@pytest.mark.parametrize("seed", range(3))
def test_after_a_hard_short_the_voltage_is_what_the_leak_leaves(kind: str, seed: int) -> None:
    made = generate(kind, seed)
    row = made.truth["events"][0]["row"]
    after = np.nanmedian(resistance_ohm(made, slice(row + 5, None)))
    if kind == "leak_from_start":
        assert after * made.trace.cell.electrode_area_cm2 < 0.5
    else:
        assert after < 0.1 * np.nanmedian(resistance_ohm(made, slice(0, row)))


@pytest.mark.parametrize("seed", range(3))
def test_a_bridge_leaves_a_smaller_cell_for_good(seed: int) -> None:
    made = generate("partial", seed)
    row = made.truth["events"][0]["row"]
    before = np.nanmedian(resistance_ohm(made, slice(row - 60, row)))
    left = np.nanmedian(resistance_ohm(made, slice(row + 60, row + 200))) / before
    assert 0.4 < left < 0.95


@pytest.mark.parametrize("seed", range(3))
def test_a_power_law_leak_has_taken_half_where_its_truth_begins(seed: int) -> None:
    made = generate("leak_power_law", seed)
    event = made.truth["events"][0]
    fresh = np.nanmedian(resistance_ohm(made, slice(0, event["begin_row"])))
    there = np.nanmedian(resistance_ohm(made, slice(event["row"], event["row"] + 10)))
    end = np.nanmedian(resistance_ohm(made, slice(-20, None)))
    assert there == pytest.approx(fresh / 2, rel=0.25)
    assert end < 0.25 * fresh


@pytest.mark.parametrize("seed", range(3))
def test_lost_contact_and_an_open_cell_reach_the_compliance(seed: int) -> None:
    for kind in ("contact_relief", "opened"):
        made = generate(kind, seed)
        assert np.nanmax(np.abs(made.trace.voltage_V)) == pytest.approx(5.0, rel=0.01)
        assert made.truth["ccd"]["limited_by"] == "contact_loss"


def test_a_lead_that_is_off_reads_the_rail_whatever_the_current() -> None:
    made = generate("lead_off", 0)
    after = made.trace.voltage_V[made.truth["events"][0]["row"] + 5 :]
    assert np.ptp(after[np.isfinite(after)]) < 0.1
    assert np.nanmedian(np.abs(after)) > 5.0


def test_a_charge_that_never_ends_takes_more_than_the_capacity() -> None:
    made = generate("full_endless", 1)
    event = made.truth["events"][0]
    time_s, current_A = made.trace.test_time_s, np.nan_to_num(made.trace.current_A)
    steps = made.trace.step_count
    charges = [
        float(np.trapezoid(current_A[steps == n], time_s[steps == n]))
        for n in np.unique(steps)
        if current_A[steps == n].max() > 0
    ]
    endless = steps[event["row"]]
    of_endless = float(np.trapezoid(current_A[steps == endless], time_s[steps == endless]))
    assert of_endless > 1.5 * np.median(charges[:-1])


def test_a_full_cell_that_leaks_sags_in_its_rest() -> None:
    made = generate("full_sag", 1)
    row = made.truth["events"][0]["row"]
    step = made.trace.step_count == made.trace.step_count[row]
    rest = made.trace.voltage_V[step]
    healthy_rest = made.trace.voltage_V[made.trace.step_count == 3]
    assert rest[3] - rest[-1] > 3 * (healthy_rest[3] - healthy_rest[-1])


def test_the_current_falls_out_of_the_table_in_rests_where_the_cycler_leaves_it_out() -> None:
    empty = [np.isnan(generate("rests", seed).trace.current_A).any() for seed in range(8)]
    assert any(empty)
    assert not all(empty)


def test_the_command_writes_a_trace_with_sidecar_and_truth(tmp_path, capsys) -> None:
    out = tmp_path / "a.bdf.csv"
    assert main(["--kind", "hard", "--seed", "1", "--out", str(out)]) == 0
    assert len(read_bdf(out)) == json.loads((tmp_path / "a.truth.json").read_text())["rows"]
    assert main(["--list"]) == 0
    assert "leak_power_law" in capsys.readouterr().out
    assert main(["--kind", "no_such", "--out", str(out)]) == 2


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="unknown kind"):
        generate("no_such", 0)
