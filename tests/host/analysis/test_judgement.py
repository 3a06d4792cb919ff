"""Traces as a user may have them, built by hand: what only comes back is no short, what is short is never too few rows.

A ramp of 10 levels, 0.1 to 1 mA cm-2, one cycle each; `share` scales the resistance by time into the half-cycle.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.model.trace import Cell, FloatArray, Trace

HALF_s = 600.0
Share = Callable[[FloatArray, FloatArray], FloatArray]  # (half-cycle, seconds into it) -> of the resistance


def ramp(interval_s: float, share: Share, **cell: Any) -> Trace:
    rows = round(HALF_s / interval_s)
    half = np.repeat(np.arange(20), rows)
    into_s = np.tile(np.arange(rows) * interval_s, 20)
    current_A = np.where(half % 2, -1, 1) * 1e-4 * (1 + half // 2) * 0.785
    ohm = 255 * (0.95 - 0.1 * np.exp(-into_s / 30) + 0.05 * into_s / HALF_s) * share(half, into_s)
    noise_V = 4e-4 * np.random.default_rng(1).standard_normal(len(half))
    time_s = np.arange(len(half)) * interval_s
    return Trace(time_s, ohm * current_A + noise_V, current_A, cell=Cell(0.785, electrolyte="LLZO", **cell))


def kinds(trace: Trace) -> list[tuple[str, bool]]:
    return [(event["kind"], event["recovered"]) for event in analyze(trace)["events"]]


@pytest.mark.parametrize("rows", [5, 8, 10])
@pytest.mark.parametrize("into_s", [-1.0, 300.0])
def test_half_cycles_of_few_rows_show_a_hard_short(rows: int, into_s: float) -> None:
    shorted = ramp(
        HALF_s / rows, lambda half, s: np.where((half > 14) | ((half == 14) & (s > into_s)), 0.01, 1)
    )
    document = analyze(shorted)
    assert [event["kind"] for event in document["events"]] == ["hard_short"]
    assert document["ccd"]["failed_at_mA_cm2"] == pytest.approx(0.8)
    assert kinds(ramp(HALF_s / rows, lambda half, s: np.ones(len(s)))) == []


@pytest.mark.parametrize(
    ("which", "rows"),
    [(14, 20), (14, 50), (14, 150), (19, 20)],  # no half-cycle comes after 19
)
def test_a_short_that_heals_within_its_half_cycle_is_a_soft_one(which: int, rows: int) -> None:
    trace = ramp(2, lambda half, s: np.where((half == which) & (s > 200) & (s <= 200 + 2 * rows), 0.02, 1))
    assert kinds(trace) == [("soft_short", True)]


@pytest.mark.parametrize("depth", [0.2, 0.5])
def test_a_drop_that_is_gone_again_is_a_soft_short_and_one_after_a_growth_is_none(depth: float) -> None:
    inside = lambda half, s: (half == 14) & (s > 100) & (s < 200)  # noqa: E731
    assert kinds(ramp(2, lambda half, s: np.where(inside(half, s), 1 - depth, 1))) == [("soft_short", True)]
    assert kinds(ramp(2, lambda half, s: np.where(inside(half, s), 1 + depth, 1))) == []


def test_a_short_after_one_that_healed_is_told_too() -> None:
    trace = ramp(2, lambda half, s: np.where((half == 8) & (s > 200) & (s < 300) | (half > 13), 0.02, 1))
    assert kinds(trace) == [("soft_short", True), ("hard_short", False)]


def test_a_voltmeter_that_comes_back_from_its_rail_is_no_short() -> None:
    trace = ramp(2, lambda half, s: np.ones(len(s)))
    trace.voltage_V[3040:3060] = 10.0
    assert analyze(trace)["verdict"] == "healthy"


def test_contact_that_is_regained_is_neither_a_short_nor_fake_stable() -> None:
    grown = lambda half, s: np.where((half > 3) & (half < 12), 1 + 0.9 * (half - 4 + s / HALF_s), 1)  # noqa: E731
    document = analyze(ramp(5, grown))
    assert [(e["kind"], e["recovered"]) for e in document["events"]] == [("contact_loss", True)]
    assert document["verdict"] == "suspect"


def test_a_short_within_the_first_rows_that_leaves_exactly_nothing() -> None:
    trace = ramp(5, lambda half, s: np.where((half > 12) | ((half == 12) & (s > 0)), 0, 1))
    trace.voltage_V[12 * 120 + 1 :] = 0.0
    (event,) = analyze(trace)["events"]
    assert (event["kind"], event["row"]) == ("hard_short", pytest.approx(12 * 120 + 1, abs=3))


def test_the_half_cycle_before_may_have_a_hole() -> None:
    trace = ramp(2, lambda half, s: np.where(half >= 14, 0.0, 1))
    keep = np.ones(len(trace), dtype=bool)
    keep[12 * 300 - 40 : 12 * 300 + 60] = False  # across the reversal
    holed = Trace(trace.test_time_s[keep], trace.voltage_V[keep], trace.current_A[keep], cell=trace.cell)
    document = analyze(holed)
    assert [event["kind"] for event in document["events"]] == ["hard_short"]
    assert document["ccd"]["failed_at_mA_cm2"] == pytest.approx(0.8)


def test_stray_rows_are_no_soft_short() -> None:
    trace = ramp(1, lambda half, s: np.ones(len(s)))
    trace.voltage_V[[700, 2345, 5000, 8123, 11000]] = 0.0
    assert analyze(trace)["verdict"] == "healthy"


def test_stripping_to_a_cut_off_in_a_half_cell_is_no_contact_loss() -> None:
    rng, pieces = np.random.default_rng(0), []
    for cycle in range(15):
        rows = 348 if cycle == 14 else 347  # a row more: the last blocks hold more of the rise
        plated = -0.03 - 0.05 * np.exp(-np.arange(360) / 6) + 3e-4 * rng.standard_normal(360)
        left = rows - 1 - np.arange(rows)
        stripped = 0.03 + 0.97 * np.exp(-left / 2.0) + 3e-4 * rng.standard_normal(rows)
        pieces += [(plated, -4e-4), (stripped, 4e-4)]
    voltage_V = np.concatenate([v for v, _ in pieces])
    current_A = np.concatenate([np.full(len(v), i) for v, i in pieces])
    cell = Cell(0.785, "half", "LPSCl")
    assert analyze(Trace(np.arange(len(voltage_V)) * 10.0, voltage_V, current_A, cell=cell))["events"] == []


def test_a_soft_short_is_over_when_later_half_cycles_are_quiet_however_short() -> None:
    rng = np.random.default_rng(2)
    trace = ramp(
        20, lambda half, s: np.where((half > 13) & (half < 17), 1 - 0.5 * rng.integers(0, 2, len(s)), 1)
    )
    document = analyze(trace)
    assert document["verdict"] == "suspect"
    assert [(e["kind"], e["recovered"]) for e in document["events"]] == [("soft_short", True)]


def test_a_dead_cell_whose_voltage_stands_still_has_no_sensor_fault() -> None:
    trace = ramp(2, lambda half, s: np.where(half >= 14, 0.0, 1))
    trace.voltage_V[14 * 300 :] = 1e-5  # the voltmeter's offset, below its step
    assert kinds(trace) == [("hard_short", False)]


def test_a_short_is_provisional_until_the_next_half_cycles_have_shown_that_it_stays() -> None:
    trace = ramp(4, lambda half, s: np.where((half > 14) | ((half == 14) & (s > 200)), 0.5, 1))
    told = []
    for rows in (14 * 150 + 100, 16 * 150, 19 * 150):
        (event,) = analyze(trace.rows(0, rows))["events"]
        told.append((event["kind"], event["provisional"]))
    assert told == [("partial_short", True), ("partial_short", True), ("partial_short", False)]


def test_a_level_that_swings_until_the_cell_dies_is_told_from_where_it_began() -> None:
    rng = np.random.default_rng(5)
    trace = ramp(
        2,
        lambda half, s: np.where(
            half > 12, 0.03, np.where(half == 12, 1 / (1 + rng.uniform(0, 1, len(s))), 1)
        ),
    )
    document = analyze(trace)
    assert [e["kind"] for e in document["events"]] == ["soft_short", "hard_short"]
    assert document["ccd"]["failed_at_mA_cm2"] == pytest.approx(0.7)


@pytest.mark.parametrize(("ends", "recovered"), [(20, False), (16, True)])
@pytest.mark.parametrize("period_s", [45.0, 170.0])
def test_a_leak_that_comes_and_goes_to_the_end_has_not_recovered(
    period_s: float, ends: int, recovered: bool
) -> None:
    def share(half: FloatArray, into_s: FloatArray) -> FloatArray:
        leaks = (half >= 9) & (half < ends) & ((HALF_s * half + into_s) % period_s < 0.5 * period_s)
        return np.where(leaks, 0.45, 1.0)

    document = analyze(ramp(2.0, share))
    assert {(e["kind"], e["recovered"]) for e in document["events"]} == {("soft_short", recovered)}
    assert document["verdict"] == ("suspect" if recovered else "failed")


@pytest.mark.parametrize(("half_cycle", "stays"), [(1, True), (2, False), (3, True)])
def test_a_fall_before_there_is_a_shape_is_told(half_cycle: int, stays: bool) -> None:
    def share(half: FloatArray, s: FloatArray) -> FloatArray:
        begun = (half == half_cycle) & (s > 250) & ((s < 400) | stays)
        return np.where(begun | (stays & (half > half_cycle)), 0.6, 1.0)

    assert kinds(ramp(2, share)) == [("partial_short", False) if stays else ("soft_short", True)]


@pytest.mark.parametrize("half_cycle", [0, 2])
def test_contact_that_is_regained_before_there_is_a_shape_is_no_short(half_cycle: int) -> None:
    def share(half: FloatArray, s: FloatArray) -> FloatArray:
        return np.where((half == half_cycle) & (s > 150) & (s < 300), 1.2, 1.0)

    assert kinds(ramp(2, share)) == []


def test_a_cell_that_warms_over_half_cycles_has_no_short() -> None:
    def share(half: FloatArray, s: FloatArray) -> FloatArray:
        return 1 - 0.6 / (1 + np.exp(-(half + s / HALF_s - 10) / 1.5))

    assert kinds(ramp(2, share)) == []


def on_copper(cycles: int, bare_V: float, rest_s: int, dead_from: int = 10**6) -> Trace:
    """Lithium plated on bare copper, stripped to a cut-off; from row `dead_from` on a wire is off. 5 s a row."""
    rng = np.random.default_rng(7)
    pieces: list[tuple[FloatArray, float]] = [(np.full(60, bare_V), 0.0)]
    into = np.arange(400.0)
    for _ in range(cycles):
        plated_V = -0.06 + (bare_V + 0.06) * np.exp(-into / 8)
        stripped_V = 0.06 + 0.9 * bare_V * np.exp((into - 400) / 5)
        pieces += [(plated_V, -4e-4), (-0.01 * np.exp(-np.arange(rest_s) / 6.0), 0.0), (stripped_V, 4e-4)]
        pieces += [(bare_V * (0.92 + 0.05 * np.arange(rest_s) / rest_s), 0.0)]
    volts = np.concatenate([v for v, _ in pieces])
    amperes = np.concatenate([np.full(len(v), i) for v, i in pieces])
    volts[dead_from:], amperes[dead_from:] = 6.0, 0.0
    volts = volts + 3e-5 * rng.standard_normal(len(volts))
    amperes = amperes + 2e-8 * rng.standard_normal(len(volts))
    return Trace(np.arange(len(volts)) * 5.0, volts, amperes, cell=Cell(0.785, "half", "LPSCl"))


@pytest.mark.parametrize(("bare_V", "rest_s"), [(0.8, 12), (2.6, 60)])
def test_lithium_plated_on_bare_copper_and_stripped_to_a_cut_off_is_an_ordinary_test(
    bare_V: float, rest_s: int
) -> None:
    assert kinds(on_copper(7, bare_V, rest_s)) == []
    dead = on_copper(7, bare_V, rest_s, dead_from=4000)
    document = analyze(dead)
    assert [(e["kind"], abs(e["row"] - 4000) < 10) for e in document["events"]] == [("contact_loss", True)]
    assert document["verdict"] == "failed"


def test_a_file_that_ends_at_the_compliance_ends_open() -> None:
    trace = ramp(4, lambda half, s: np.ones(len(s)))
    trace.voltage_V[-4:], trace.current_A[-4:] = 5.0, 0.0
    document = analyze(trace)
    assert [e["kind"] for e in document["events"]] == ["contact_loss"] and document["verdict"] == "failed"


@pytest.mark.parametrize("lasts", [10, 40, 10**6])  # rows; a block has 31
@pytest.mark.parametrize("climb", [0.2, 1.5])
def test_a_first_half_cycle_that_climbs_shows_by_itself_whether_v_comes_back(
    climb: float, lasts: int
) -> None:
    rng, row = np.random.default_rng(6), np.arange(2000)
    ohm = 200 * (1 + climb * row / 2000) * np.where((row >= 700) & (row < 700 + lasts), 0.6, 1.0)
    trace = Trace(
        row * 60.0, 1e-4 * ohm + 2e-6 * rng.standard_normal(2000), np.full(2000, 1e-4), cell=Cell(0.785)
    )
    assert kinds(trace) == [("partial_short", False) if lasts > 2000 else ("soft_short", True)]


def half_cell(pieces: Sequence[tuple[FloatArray, float]]) -> Trace:
    """(V, I) one after the other, with their noise; 10 s a row."""
    rng = np.random.default_rng(8)
    volts = np.concatenate([v for v, _ in pieces])
    amperes = np.concatenate([np.full(len(v), i) for v, i in pieces])
    volts, amperes = (x + size * rng.standard_normal(len(x)) for x, size in ((volts, 2e-5), (amperes, 2e-8)))
    return Trace(np.arange(len(volts)) * 10.0, volts, amperes, cell=Cell(0.785, "half", "LPSCl"))


def settling(volts: float, rows: int) -> FloatArray:
    return volts * (1 - 0.2 * np.exp(-np.arange(rows) / (0.05 * rows)))


def running_down(bare_V: float, rows: int) -> FloatArray:
    return settling(-0.05, rows) + bare_V * np.exp(-np.arange(rows) / 40)


def test_copper_that_runs_down_for_long_teaches_nothing_of_what_is_cycled_on_it() -> None:
    stripped = 0.05 + 1.0 * np.exp((np.arange(1500) - 1500) / 30)
    pieces = [(np.full(40, 1.5), 0.0), (running_down(1.5, 1500), -4e-4), (stripped, 4e-4)]
    pieces += [(running_down(1.1, 1500), -4e-4)]
    for _ in range(8):
        pieces += [(settling(0.05, 300), 4e-4), (settling(-0.05, 300), -4e-4)]
    assert kinds(half_cell(pieces)) == []


def test_a_last_stripping_to_the_cut_off_of_those_before_is_no_limit() -> None:
    stripped = 0.05 + 1.0 * np.exp((np.arange(600) - 600) / 60)
    cycle = [(running_down(1.0, 600), -4e-4), (stripped, 4e-4)]
    short = [(settling(0.05, 300), 4e-4), (settling(-0.05, 300), -4e-4)]
    between = [(running_down(1.0, 600), -4e-4), *short * 8]
    assert kinds(half_cell([(np.full(40, 1.5), 0.0), *cycle, *between, (stripped, 4e-4)])) == []
    assert kinds(half_cell([*[(settling(-0.05, 600), -4e-4), (settling(0.05, 600), 4e-4)] * 3, *cycle])) == [
        ("limit", False)
    ]


def test_plating_in_one_direction_on_copper_that_stood_at_volts_is_judged_by_its_resistance() -> None:
    pieces = [(np.full(60, 2.4), 0.0), (running_down(2.4, 600), -4e-4)]
    for volts in [-0.05] * 6 + [-0.0005] * 5:
        pieces += [(np.zeros(40), 0.0), (settling(volts, 300), -4e-4)]
    (event,) = analyze(half_cell(pieces))["events"]
    assert event["kind"] == "hard_short" and abs(event["row"] - (60 + 600 + 6 * 340 + 40)) <= 12
