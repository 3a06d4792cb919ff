"""A front end that measures no more opens the gate; one that does, however quiet or restless its cell, does not."""

import random
from collections.abc import Iterator

import pytest

from ccdmon_fw import layout, limits
from ccdmon_fw.detector import ACTION_MASK, REASON_MASK, TRIPS, Detector
from tests.firmware.test_rules import LOAD, MID, OHMIC, PLENTY, Row, cell, codes, make, names, ramp, run

OPEN = 65536 * 27 // 37
RUSTLE = 100  # codes: average |second difference| of a front end with 3 steps of noise


def watching(open_code: int = OPEN, stirs: int = 0, **settings: int) -> Detector:
    """As after arming, on a board that knows where an open wire stands and how much it rustles."""
    detector = make(**settings)
    detector.take_open(open_code)
    detector.take_stirring((stirs, stirs, 0))
    return detector


def tripped(detector: Detector, rows: list[Row]) -> tuple[int, str] | None:
    """(row, rule) of the trip."""
    for row, sample in enumerate(rows):
        verdict = detector.step(*sample)
        if verdict & ACTION_MASK == TRIPS:
            assert verdict & REASON_MASK
            return row, limits.RULES[detector.memory[layout.WORDS["RULE"]]]
    return None


def rustling(rows: list[Row], codes_deviation: float = 48) -> list[Row]:
    draw = random.Random(5)

    def noisy(code: int) -> int:
        return code + 16 * round(draw.gauss(0, codes_deviation) / 16)

    return [(noisy(v), noisy(i), p) for v, i, p in rows]


def frozen(rows: list[Row], channel: int) -> list[Row]:
    """Its last value and one step."""
    draw, last = random.Random(6), rows[0][channel]
    return [(*row[:channel], last + 16 * draw.randint(0, 1), *row[channel + 1 :]) for row in rows]


def test_a_current_that_does_not_turn_with_the_voltage_is_not_measured() -> None:
    rows = [*ramp(3), *cell(PLENTY, -LOAD)]
    blind = [*rows[: 2 * PLENTY + 20], *frozen(rows[2 * PLENTY + 20 :], 1)]
    found = tripped(watching(), blind)
    assert found and found[1] == "open_wire"
    assert 0 <= found[0] - 3 * PLENTY <= 12
    assert tripped(watching(), rows) is None


def test_a_voltage_that_turns_round_while_nothing_flows_is_driven_by_a_current_that_is_not_seen() -> None:
    """The current's wire came off in the first half-cycle, as V changed: there was no step to know the cell by."""
    first = list(cell(PLENTY))
    unseen = [(v, 32768, p) for v, _, p in [*cell(PLENTY, r=0.9 * OHMIC), *cell(PLENTY, -LOAD)]]
    found = tripped(watching(), [*first, *unseen])
    assert found and found[1] == "open_wire"
    assert 0 <= found[0] - 2 * PLENTY <= 12
    assert tripped(watching(), [*first, *cell(PLENTY, 0.0), *cell(PLENTY, -LOAD)]) is None


def test_a_step_that_is_no_reversal_must_be_answered_too() -> None:
    """An amplifier whose input floats shows its own zero: a small current instead of none."""
    rows = [*ramp(3), *[(next(cell(1))[0], 32768 + 2 * 300, MID)] * 12]
    found = tripped(watching(), rows)
    assert found and found[1] == "open_wire"
    assert found[0] - 3 * PLENTY <= 6


@pytest.mark.parametrize("channel", [0, 1], ids=["voltage", "current"])
@pytest.mark.parametrize("mode", range(3), ids=limits.CONFIGURATIONS)
def test_what_rustled_before_arming_and_stirs_no_more_is_blind(channel: int, mode: int) -> None:
    rows = rustling([*ramp(2), *cell(300)])
    still = [*rows[:100], *frozen(rows[100:], channel)]
    found = tripped(watching(stirs=RUSTLE, mode=mode), still)
    assert found and found[1] == "blind"
    assert found[0] - 100 <= 4 * 26
    assert tripped(watching(stirs=RUSTLE, mode=mode), rows) is None
    assert tripped(watching(stirs=0, mode=mode), still) is None, (
        "a quiet front end cannot be told from a frozen one"
    )


def test_a_voltage_that_jumps_to_where_an_open_wire_stands_and_stays_there() -> None:
    healthy = [*ramp(2), *cell(PLENTY)]
    off = [*healthy, *[(OPEN + 16 * (n % 2), 32768 + 2 * LOAD, MID) for n in range(60)]]
    found = tripped(watching(), off)
    assert found and found[1] == "open_wire"
    assert found[0] - len(healthy) <= 4 * 11
    assert tripped(watching(open_code=0), off) is None, "a board that does not know where"


def test_a_voltage_that_is_only_back_where_it_was_is_no_open_wire() -> None:
    at_open = (OPEN - 32768) / 2 / LOAD
    away = [*cell(8, r=0.6 * at_open)]
    rows = [*ramp(2, at_open, 80), *cell(80, r=at_open), *away, *cell(80, r=at_open)]
    assert tripped(watching(), rows) is None


def test_a_load_cell_that_showed_something_is_dead_when_it_falls_to_nothing() -> None:
    alive = list(cell(20))
    dead = [(v, i, 12) for v, i, _ in cell(5)]
    assert tripped(watching(), [*alive, *dead]) == (20, "rail")
    assert tripped(watching(), [(v, i, 0) for v, i, _ in cell(60)]) is None, "none is connected"


def full(count: int, volts: float, current: float) -> Iterator[Row]:
    for n in range(count):
        yield codes(volts + 0.02 * current + 0.5 * (n % 2), current)


HEALTHY_FULL = [
    row for k in range(6) for row in (*full(40, 12000, LOAD), *full(20, 12000, 0), *full(40, 12000, -LOAD))
]


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("before", [0, 5, 14], ids=lambda rows: f"{rows} rows before")
def test_a_full_cells_short_is_seen_at_a_step_of_the_current_as_well(before: int, kept: float) -> None:
    """A step explains twice what others did to the voltage, and at once; not what fell before it or far more."""
    healthy = [*HEALTHY_FULL, *full(40 - before, 12000, LOAD)]
    shorted = [*full(before, 12000 * kept, LOAD), *full(40, 12000 * kept, 0)]
    found = tripped(watching(mode=2), [*healthy, *shorted])
    assert found and found[1] == "hard_short"
    assert 0 <= found[0] - len(healthy) <= 20


def test_a_resistive_full_cell_falls_with_the_current_and_is_not_short() -> None:
    resistive = [
        row
        for k in range(4)
        for row in (*cell(40, LOAD, 0.8, 7000), *cell(20, 0, 0.8, 7000), *cell(40, -LOAD, 0.8, 7000))
    ]
    assert run(resistive, mode=2) == []


def test_a_small_answer_may_be_missing_by_chance_where_the_front_end_rustles() -> None:
    rows = [codes(12000 + (72 if n & 8 else 0), LOAD if n & 8 else 0) for n in range(80)]
    rows += [codes(12072, 0) for _ in range(8)]
    assert tripped(watching(mode=2), rows) == (85, "open_wire")
    noisy = watching(mode=2)
    noisy.take_zero(limits.CODE_ZERO, 0, RUSTLE // 2)
    noisy.reset()
    assert tripped(noisy, rows) is None


def test_noise_after_a_small_step_is_no_answer_that_a_large_one_must_repeat() -> None:
    """Seen where the current of a charge had died away: 140 units of noise, and ten times the current after it."""
    rows = [codes(12000 + (140 if n & 8 else 0), LOAD / 10 if n & 8 else 0) for n in range(80)]
    rows += [codes(12140, -LOAD) for _ in range(8)]
    noisy = watching(mode=2)
    noisy.take_zero(limits.CODE_ZERO, 0, RUSTLE // 2)
    noisy.reset()
    assert tripped(noisy, rows) is None
    found = tripped(watching(mode=2), rows)
    assert found and found[1] == "stuck", "without noise it is one"


def test_a_voltage_that_swings_through_zero_before_any_current_was_seen_is_driven_by_one() -> None:
    """The current's wire is off from the first row on."""
    unseen = [(v, 32768, p) for v, _, p in ramp(3)]
    found = tripped(watching(), unseen)
    assert found and found[1] == "open_wire"
    assert 0 <= found[0] - PLENTY <= 12
    drifts = [codes(400 - 5 * n, 0) for n in range(160)]
    assert tripped(watching(), [*cell(20, 0.0), *drifts]) is None, "slowly"
    assert tripped(watching(), [(v // 40 + 31948, i, p) for v, i, p in unseen]) is None, "by next to nothing"
    assert tripped(watching(mode=1), unseen) is None, "a half cell has a voltage of its own"


@pytest.mark.parametrize(("moved", "told"), [(0, True), (0.1, False)])
def test_where_the_first_current_ends_some_of_the_voltage_goes_at_once(moved: float, told: bool) -> None:
    """Its wire came off in the first half-cycle: no other step was seen before."""
    first = [*cell(20, 0.0), *cell(PLENTY)]
    stays = [codes(OHMIC * LOAD * (1 - moved), 0)] * 20
    found = tripped(watching(), [*first, *stays])
    assert (found == (len(first) + 5, "open_wire")) == told
    full_cell = [(v + 16000, i, p) for v, i, p in [*first, *stays]]
    assert tripped(watching(mode=2), full_cell) is None, "its voltage is its own"


@pytest.mark.parametrize("rows_after", [0, 3])
def test_a_full_cells_short_that_comes_with_a_step_is_cut_off_as_soon_as_any(rows_after: int) -> None:
    rows = [*HEALTHY_FULL, *full(rows_after, 12000, LOAD), *full(40, 1000, LOAD)]
    assert tripped(watching(mode=2), rows) == (len(HEALTHY_FULL) + 5, "hard_short"), (
        "once the step has settled"
    )


def test_a_short_in_the_last_row_before_a_reversal_does_not_lower_what_the_cell_had() -> None:
    healthy = [*ramp(4), *cell(PLENTY - 1)]
    assert "hard_short" in names(run([*healthy, *cell(1, r=0.05), *cell(PLENTY, -LOAD, 0.05)]))


def test_no_setting_lets_a_dead_converter_keep_the_gate_closed() -> None:
    settings = limits.default_settings()
    at = limits.SETTINGS.index("action_rail")
    settings[at] = limits.ACTION_WARN
    assert limits.check_settings(settings) == at
    with pytest.raises(ValueError, match="always trips"):
        limits.detector_settings(5.0, 0.01, 1.0, actions={"rail": "warn"})


def test_a_cell_that_never_had_more_than_the_least_plausible_is_told_of() -> None:
    few = {
        "area_cm2": 1.0,
        "voltage_full_scale_V": 0.05,
        "current_full_scale_A": 0.002,
        "sample_interval_s": 1.0,
    }
    unit = 16384 * few["current_full_scale_A"] / few["voltage_full_scale_V"] / 16384
    for ohm, told in ((1.0, True), (4.0, True), (15.0, False)):
        detector = Detector(limits.detector_settings(**few))
        for row in [row for k in range(4) for row in cell(20, LOAD * (-1) ** k, ohm * unit)]:
            assert detector.step(*row) & ACTION_MASK != TRIPS
        assert (detector.event(limits.RULES.index("doubtful_resistance"))[0] > 0) == told


def charge(taper: bool) -> list[Row]:
    """A full cell: rest, charge, perhaps held until its current has died away, rest, discharge, rest."""
    up = [codes(12000 + 200 + 10 * n, LOAD) for n in range(60)]
    held = [codes(12800, LOAD * 0.6**n) for n in range(8)] if taper else []
    rest = [codes(12790, 0) for _ in range(20)] if taper else [codes(12600, 0) for _ in range(20)]
    down = [codes(12590 - 10 * n, -LOAD) for n in range(60)]
    return [*[codes(12000, 0) for _ in range(20)], *up, *held, *rest, *down, *[codes(12200, 0)] * 20]


def test_a_held_voltage_whose_current_died_away_has_nothing_to_answer_with() -> None:
    rows = [*charge(False), *charge(False), *charge(True)]
    assert tripped(watching(mode=2, stirs=0), rows) is None


@pytest.mark.parametrize("mode", [1, 2])
def test_an_empty_electrode_answers_much_and_a_full_one_hardly(mode: int) -> None:
    """Steps of its own voltage beside the current's, as where a charge begins."""
    cycle = [
        *[codes(9000 + min(1500, 250 * n), LOAD) for n in range(60)],
        *[codes(10496, 0) for _ in range(20)],
        *[codes(10300 - 20 * n, -LOAD) for n in range(60)],
        *[codes(9000, 0) for _ in range(20)],
    ]
    assert tripped(watching(mode=mode), cycle * 3) is None


def test_a_current_that_dithers_about_where_it_counts_as_one_has_not_vanished() -> None:
    units = limits.CURRENT_ON_UNITS
    rows = [codes(80, units if n % 12 < 6 else units - 8) for n in range(200)]
    assert tripped(watching(current_on_units=units), rows) is None
    gone = [codes(80, units if n < 40 else 0) for n in range(60)]
    assert tripped(watching(current_on_units=units), gone) == (45, "open_wire")


def test_a_foil_stripped_bare_as_its_current_ends_has_answered() -> None:
    """Its own voltage rises by as much as the current's share falls, from some samples before on; a wire's does not."""
    cycle = [*cell(60, LOAD, 0.5), *cell(20, 0), *cell(60, -LOAD, 0.5), *cell(20, 0)]
    stripped = [*cycle * 2, *cell(60, LOAD, 0.5), *cell(20, 0), *cell(59, -LOAD, 0.5)]
    bare = [codes(-0.5 * LOAD - 300, -LOAD), *[codes(-0.5 * LOAD - 304, 0) for _ in range(20)]]
    assert tripped(watching(mode=1), [*stripped, *bare]) is None
    found = tripped(watching(mode=1), [*stripped, *[codes(-0.5 * LOAD, 0) for _ in range(20)]])
    assert found and found[1] == "open_wire"


@pytest.mark.parametrize("share", [0.003, 1.0])
def test_a_full_cell_that_falls_ever_faster_stands_still_in_its_rest(share: float) -> None:
    """As much as its own voltage falls in a sample it may have risen with the step: it comes back by what it lost."""
    down = [codes(12000 - share * 1.12**n, -LOAD) for n in range(60)]
    cycle = [*[codes(12400 + 5 * n, LOAD) for n in range(60)], *[codes(12600, 0)] * 20, *down]
    cycle += [codes(12000 - share * 1.12**59, 0)] * 20
    assert (tripped(watching(mode=2), [*cycle, *cycle]) is None) == (share == 1.0)


def test_a_held_voltage_whose_current_changes_all_the_time_is_no_dead_converter() -> None:
    """At the end of a held charge: current that is mostly noise of its range, of both signs."""
    draw = random.Random(7)
    rows = [*charge(False), *charge(False), *[codes(12000 + 10 * n, LOAD) for n in range(60)]]
    held = [codes(12600, LOAD * draw.choice((-1.5, -0.6, 0.3, 0.7, 1.5))) for _ in range(300)]
    assert tripped(watching(mode=2), [*rows, *held]) is None


def test_noise_is_not_learned_where_a_half_cell_falls_from_its_open_circuit() -> None:
    first = [codes(14000 * 0.94 ** max(0, n - 30) - 80, -LOAD) for n in range(200)]
    assert tripped(watching(mode=1), [*first, *[codes(-80, -LOAD)] * 200]) is None
