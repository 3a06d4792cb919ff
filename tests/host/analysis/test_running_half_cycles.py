"""What is told while a half-cycle runs: early where V tells it, nothing where V of a sound cell is not there yet."""

import numpy as np
import pytest

from ccdmon.analysis.document import StreamingAnalysis, analyze
from ccdmon.model.trace import Cell, Trace
from ccdmon.simulation.campaign.measure import run_one
from ccdmon.simulation.campaign.score import settled_row
from ccdmon.simulation.campaign.worlds import model_world
from ccdmon.simulation.simulate import simulate

ROWS = 6000


def kinds_so_far(trace: Trace, rows: int) -> set[str]:
    stream = StreamingAnalysis(trace.cell)
    stream.feed(trace.rows(0, rows))
    return {event["kind"] for event in stream.report()["events"]}


@pytest.mark.parametrize("seed", [21023, 21039, 21047, 21129])
def test_a_partial_short_in_a_reversal_is_told_within_twelve_rows(seed: int) -> None:
    made = simulate("partial_short", seed, max_rows=ROWS)
    assert made.truth["events"][0]["rows_into_half_cycle"] == 0
    assert "partial_short" in kinds_so_far(made.trace, settled_row(made.truth) + 13)


@pytest.mark.parametrize(("seed", "first_row"), [(22012, 1243), (22014, 238)])
@pytest.mark.parametrize("rows", [6, 12, 16])
def test_salt_that_holds_v_at_zero_after_a_reversal_is_no_hard_short(
    seed: int, first_row: int, rows: int
) -> None:
    trace = simulate("healthy_polymer", seed, max_rows=ROWS).trace
    assert "hard_short" not in kinds_so_far(trace, first_row + rows)


@pytest.mark.parametrize(
    ("scenario", "seed", "rows"), [("healthy", 22008, 3259), ("healthy_polymer", 22001, 1279)]
)
def test_a_larger_reversal_than_the_last_is_no_partial_short(scenario: str, seed: int, rows: int) -> None:
    trace = simulate(scenario, seed, max_rows=ROWS).trace
    assert "partial_short" not in kinds_so_far(trace, rows)


@pytest.mark.parametrize("seed", [21036, 21059, 21104, 21138, 21173])
def test_holes_hide_neither_the_end_of_the_last_level_nor_that_it_was_cut(seed: int) -> None:
    ((score,),) = run_one(("healthy_gaps", seed), model_world(ROWS))
    assert (score.error, score.ccd_right, score.protocol_right) == (None, True, True)


def test_what_a_hole_leaves_of_a_low_level_is_its_half_cycle_and_no_scan() -> None:
    ((score,),) = run_one(("healthy_gaps", 21019), model_world(ROWS))
    assert score.protocol_right


def test_stripping_to_a_cut_off_is_not_fake_stable() -> None:
    """Li|Cu: plated at 40 ohm, stripped until V runs up to 1 V; each sign compares with itself."""
    plated = -(0.02 + 0.06 * np.exp(-np.arange(720) / 8))
    pieces_V, pieces_A = [], []
    for cycle in range(20):
        rows = int(720 * (0.93 + 0.002 * cycle))
        stripped = 0.02 + np.exp((np.arange(rows) - rows) / 4)
        pieces_V += [plated, stripped, np.zeros(12)]
        pieces_A += [np.full(720, -5e-4), np.full(rows, 5e-4), np.zeros(12)]
    voltage_V = np.concatenate(pieces_V)
    voltage_V += np.random.default_rng(7).normal(0, 2e-4, len(voltage_V))
    time_s = 5.0 * np.arange(len(voltage_V))
    cell = Cell(electrode_area_cm2=1.0, configuration="half", electrolyte="LPSCl")
    document = analyze(Trace(time_s, voltage_V, np.concatenate(pieces_A), cell=cell))
    assert document["verdict"] != "failed"
    assert not {"fake_stable", "hard_short"} & {event["kind"] for event in document["events"]}


def test_half_cycles_of_one_sign_in_a_row_have_a_document() -> None:
    """The first of the other sign has none of its own before it to compare with."""
    current_A = np.repeat([1e-3, 0, 1e-3, 0, 1e-3, 0, 1e-3, 0, -1e-3, 0, -1e-3, 0, -1e-3], 60)
    voltage_V = 100 * current_A + np.random.default_rng(1).normal(0, 1e-4, len(current_A))
    trace = Trace(np.arange(len(current_A)), voltage_V, current_A, cell=Cell(electrode_area_cm2=1.0))
    document = analyze(trace)
    assert (len(document["half_cycles"]), document["verdict"]) == (7, "healthy")
