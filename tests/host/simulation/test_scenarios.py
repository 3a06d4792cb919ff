"""Classes as the review's section 2.2.3 defines them, over many seeds; the coarse physics, not the noise."""

import numpy as np
import pytest

from ccdmon.simulation.draws import Options
from ccdmon.simulation.scenarios import draw_setup
from ccdmon.simulation.simulate import open_cell, simulate

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_partial_short_takes_10_to_50_percent(seed: int) -> None:
    live = open_cell("partial_short", seed, max_rows=1500)
    onset_s, last, before, after = live.setup.fault.onset_s, None, None, None
    for row in live.rows():
        now = live.cell.ionic_ohm()
        if row.test_time_s > onset_s and after is None:
            before, after = last, now
        last = now
    assert 0.09 < 1 - after / before < 0.51


@pytest.mark.parametrize("seed", SEEDS)
def test_contact_loss_grows_and_says_whether_it_reached_the_limit(seed: int) -> None:
    live = open_cell("contact_loss", seed, max_rows=1500)
    fresh = live.cell.ionic_ohm()
    list(live.rows())
    assert live.cell.ionic_ohm() > 1.5 * fresh
    assert live.watch.voids is not None


def test_most_contact_losses_reach_the_limit() -> None:
    truths = [simulate("contact_loss", seed, max_rows=1500).truth for seed in SEEDS]
    assert sum(t["events"][0]["reached_limit"] for t in truths) >= 6


@pytest.mark.parametrize("scenario", ["healthy", "healthy_rests", "healthy_low_voltage", "healthy_polymer"])
def test_healthy_cells_stay_off_the_limit(scenario: str) -> None:
    for seed in SEEDS:
        live = open_cell(scenario, seed, max_rows=1000)
        list(live.rows())
        assert live.watch.limit is None
        assert all(live.cell.contact(k) > 0.7 for k in (0, 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_fake_stable_leaves_a_fraction_and_an_impedance_pair_that_shows_it(seed: int) -> None:
    made = simulate("fake_stable", seed, max_rows=1000)
    ratio = made.eis["after"].resistance_ohm / made.eis["before"].resistance_ohm
    assert 0.03 < ratio < 0.4


@pytest.mark.parametrize("seed", SEEDS)
def test_soft_short_fluctuates_and_recovers_as_told(seed: int) -> None:
    made = simulate("soft_short", seed, noise=0.0, max_rows=4000, rests=False)
    event, trace = made.truth["events"][0], made.trace
    end = event["end_row"] or len(trace)
    assert end - event["row"] >= 20
    inside = slice(event["row"] + 1, end)
    ohms = trace.voltage_V[inside] / trace.current_A[inside]
    assert np.nanstd(ohms) > 0.02 * abs(np.nanmean(ohms))
    assert event["recovered"] == (event["end_row"] is not None)


def test_draws_are_wide() -> None:
    setups = [draw_setup("healthy", seed, Options()) for seed in range(300)]
    intervals = [s.instrument.row_interval_s for s in setups]
    assert min(intervals) < 0.2 and max(intervals) > 20
    assert {s.program.kind for s in setups} == {
        "time_control",
        "capacity_control",
        "endurable_time",
        "long_cycling",
    }
    assert {s.configuration for s in setups} == {"symmetric", "half", "full"}
    noises = [
        s.instrument.voltage_noise_V
        / (
            s.program.levels_mA_cm2[0]
            * 1e-3
            * (s.cell.bulk_ohm_cm2 + sum(s.cell.interface_ohm_cm2) + s.cell.slow_ohm_cm2)
        )
        for s in setups
    ]
    assert min(noises) < 0.0012 and max(noises) > 0.028


def test_failures_also_come_right_at_a_step() -> None:
    truths = [simulate("hard_short", seed, max_rows=600).truth["events"][0] for seed in range(30)]
    assert any(t["rows_into_half_cycle"] <= 1 for t in truths)
    assert any(t["rows_into_half_cycle"] > 20 for t in truths)
