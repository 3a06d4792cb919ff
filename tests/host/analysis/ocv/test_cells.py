"""Full cells built by hand: what V shows of losses, dips, rests and endless charge, and what is the charge's own."""

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.model.trace import Cell, FloatArray, Trace

ROWS, CYCLES = 200, 6  # of a charge or a discharge
CURRENT_A = 1e-3


def cycles() -> tuple[FloatArray, FloatArray]:
    """V and I of charges and discharges between 3 and 4.2 V, 20 rows of rest after each."""
    state = np.linspace(0, 1, ROWS)
    charge, rest = 3.0 + 1.2 * state + 0.05, np.full(20, 4.2)
    discharge, empty = 4.2 - 1.2 * state - 0.05, np.full(20, 3.0)
    volts = np.tile(np.concatenate([charge, rest, discharge, empty]), CYCLES)
    one = np.concatenate([np.full(ROWS, CURRENT_A), np.zeros(20), np.full(ROWS, -CURRENT_A), np.zeros(20)])
    return volts + 2e-4 * np.random.default_rng(3).standard_normal(volts.size), np.tile(one, CYCLES)


def told(volts: FloatArray, amperes: FloatArray) -> list[tuple[str, int]]:
    trace = Trace(np.arange(float(volts.size)) * 10, volts, amperes, cell=Cell(1.0, "full"))
    return [(e["kind"], e["row"]) for e in analyze(trace)["events"]]


def test_charges_discharges_and_rests_are_no_events() -> None:
    assert told(*cycles()) == []


@pytest.mark.parametrize("row", [1000, 1100, 1400])
def test_a_volt_lost_within_a_row_that_stays_is_a_short(row: int) -> None:
    volts, amperes = cycles()
    volts[row:] -= 1.0
    ((kind, found),) = told(volts, amperes)
    assert (kind, found) == ("partial_short", pytest.approx(row, abs=4))


def test_a_cell_whose_v_follows_the_current_alone_is_dead() -> None:
    volts, amperes = cycles()
    volts[1000:] = 5.0 * amperes[1000:]
    assert [kind for kind, _ in told(volts, amperes)] == ["hard_short"]


def test_rows_that_dip_and_come_back_are_a_soft_short_and_rows_that_rise_are_none() -> None:
    volts, amperes = cycles()
    rows = 920 + 12 * np.arange(10)
    low, high = volts.copy(), volts.copy()
    low[rows] -= 0.1
    high[rows] += 0.1
    assert [kind for kind, _ in told(low, amperes)] == ["soft_short"]
    assert told(high, amperes) == []


@pytest.mark.parametrize(("from_cycle", "verdict"), [(2, "failed"), (9, "healthy")])
def test_v_that_falls_behind_a_discharge_is_a_leak_however_soon_it_slows(
    from_cycle: int, verdict: str
) -> None:
    volts, amperes = cycles()
    cycle = np.arange(volts.size) // (2 * ROWS + 40)
    behind = (np.arange(volts.size) % (2 * ROWS + 40)) - (2 * ROWS + 20)
    leaks = (behind >= 0) & (cycle >= from_cycle)
    volts[leaks] -= 0.4 * (1 - np.exp(-behind[leaks] / 5))
    trace = Trace(np.arange(float(volts.size)) * 10, volts, amperes, cell=Cell(1.0, "full"))
    document = analyze(trace)
    assert document["verdict"] == verdict
    assert [e["recovered"] for e in document["events"]] == [False] * (verdict == "failed")


@pytest.mark.parametrize("into", [7, 20])  # rows of the rest; a block has 15
def test_v_that_is_lost_in_a_rest_is_told_at_its_row(into: int) -> None:
    volts, amperes = cycles()
    row = 5 * (2 * ROWS + 40) + ROWS + into
    volts, amperes = np.insert(volts, row, np.full(30, 4.2)), np.insert(amperes, row, np.zeros(30))
    resting = (
        np.concatenate([volts[:row], np.full(900, 0.002)]),
        np.concatenate([amperes[:row], np.zeros(900)]),
    )
    ((kind, found),) = told(*resting)
    assert (kind, found) == ("hard_short", pytest.approx(row, abs=2))


@pytest.mark.parametrize("rows", [150, 10**6])  # of the file behind it: no charge follows, or some
@pytest.mark.parametrize("into", [2, 5])
def test_v_that_is_lost_in_the_first_rows_of_a_discharge_is_told(into: int, rows: int) -> None:
    volts, amperes = cycles()
    row = 3 * (2 * ROWS + 40) + ROWS + 20 + into
    volts[row:], amperes[row:] = 0.05 + 40.0 * amperes[row:], amperes[row:]
    ((kind, found),) = told(volts[: row + rows], amperes[: row + rows])
    assert (kind, found) == ("hard_short", pytest.approx(row, abs=3))


def test_a_full_cell_that_never_had_a_voltage_is_shorted_from_its_first_row() -> None:
    amperes = cycles()[1]
    assert told(1.2 * amperes + 1e-5 * np.sin(np.arange(amperes.size)), amperes) == [("hard_short", 0)]


def test_v_that_leaps_a_row_each_time_and_takes_no_charge_any_more_is_an_open_circuit() -> None:
    volts, amperes = cycles()
    row = 3 * (2 * ROWS + 40) + 60
    volts[row:], amperes[row:] = 3.6, 0.0
    volts[row::67] = 5.0
    assert told(volts, amperes) == [("contact_loss", pytest.approx(row, abs=4))]


@pytest.mark.parametrize("ohm", [20.0, 900.0])
def test_the_end_of_a_held_voltage_is_no_loss(ohm: float) -> None:
    state, tail_A = np.linspace(0, 1, ROWS), 1e-3 * np.exp(-np.arange(120) / 60)
    charge = np.concatenate([3.1 + 1.1 * state, np.full(120, 4.2), np.full(20, 4.2 - ohm * tail_A[-1])])
    discharge = np.concatenate([4.1 - 1.1 * state, np.full(20, 3.05)])
    volts = np.tile(np.concatenate([charge, discharge]), CYCLES)
    one_A = np.concatenate([np.full(ROWS, 1e-3), tail_A, np.zeros(20), np.full(ROWS, -1e-3), np.zeros(20)])
    assert (
        told(volts + 2e-4 * np.random.default_rng(1).standard_normal(volts.size), np.tile(one_A, CYCLES))
        == []
    )


@pytest.mark.parametrize(("growth", "kinds"), [(1.0, []), (9.0, ["contact_loss"])])
def test_steps_of_the_current_that_cost_ever_more_are_lost_contact(growth: float, kinds: list[str]) -> None:
    volts, amperes = cycles()
    ohm = np.interp(np.arange(volts.size), [0, volts.size // 2, volts.size], [40.0, 40.0, 40.0 * growth])
    # Behind a discharge the first row of a charge has polarised already, by far more.
    volts = volts + ohm * amperes + np.where(amperes > 0, 0.3, 0.0)
    assert [kind for kind, _ in told(volts, amperes)] == kinds


@pytest.mark.parametrize("level_V", [0.4, 0.6])
def test_v_that_falls_again_and_again_to_one_value_and_is_back_between_is_a_soft_short(
    level_V: float,
) -> None:
    volts, amperes = cycles()
    half = np.arange(920, 960)
    volts[half[half % 7 < 4]] = level_V
    assert [kind for kind, _ in told(volts, amperes)] == ["soft_short"]


def test_dips_in_a_rest_are_a_soft_short() -> None:
    volts, amperes = np.concatenate([cycles(), np.array([np.full(400, 3.0), np.zeros(400)])], axis=1)
    volts += 2e-4 * np.random.default_rng(5).standard_normal(volts.size)
    assert told(volts, amperes) == []
    volts[-300::40] -= 0.2
    assert [kind for kind, _ in told(volts, amperes)] == ["soft_short"]
