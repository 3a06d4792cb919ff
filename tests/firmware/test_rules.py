"""Each rule of the detector: what fires it, what does not, after how many samples, once or again, with which action."""

import random
from collections.abc import Callable, Iterable, Iterator

import pytest

from ccdmon_fw import limits
from ccdmon_fw.detector import ACTION_MASK, ACTION_SHIFT, REASON_MASK, TRIPS, Detector

Row = tuple[int, int, int]
LOAD = 4000  # units of current of a usual phase
OHMIC = 0.5  # voltage over current, both in full scales
MID = 30000  # pressure code
PLENTY = 40  # samples: settled, references known


def codes(voltage_units: float, current_units: float, pressure_code: int = MID) -> Row:
    """Codes of a 12-bit converter."""
    voltage, current = (
        max(16, min(65504, 32768 + round(units / 8) * 16)) for units in (voltage_units, current_units)
    )
    return voltage, current, pressure_code


def cell(
    count: int = PLENTY, current: float = LOAD, r: float | Callable[[int], float] = OHMIC, offset: float = 0
) -> Iterator[Row]:
    """`count` samples at a current; `r` may depend on the place."""
    for n in range(count):
        ratio = r(n) if callable(r) else r
        yield codes(ratio * current + offset, current)


def run(rows: Iterable[Row], **settings: int) -> list[tuple[int, str, int]]:
    """(row, rule, action) of every firing, by the detector's own account."""
    detector = make(**settings)
    fired = []
    known = [0] * len(limits.RULES)
    for row, sample in enumerate(rows):
        detector.step(*sample)
        for rule, name in enumerate(limits.RULES):
            count = detector.event(rule)[0]
            if count != known[rule]:
                known[rule] = count
                fired.append((row, name, settings.get("action_" + name, _default_action(name))))
    return fired


def make(**settings: int) -> Detector:
    wanted = {"settle_samples": 3, "block_shift": 2} | settings
    return Detector(
        [wanted.get(n, v) for n, v in zip(limits.SETTINGS, limits.default_settings(), strict=True)]
    )


def _default_action(name: str) -> int:
    return limits.default_settings()[limits.SETTINGS.index("action_" + name)]


def names(fired: list[tuple[int, str, int]]) -> set[str]:
    return {name for _, name, _ in fired}


def ramp(phases: int, r: float | Callable[[int], float] = OHMIC, count: int = PLENTY) -> list[Row]:
    """Half-cycles of alternating sign."""
    return [row for k in range(phases) for row in cell(count, LOAD if k % 2 == 0 else -LOAD, r)]


NOISE = random.Random(4)


def noisy(share: float) -> Callable[[int], float]:
    return lambda _: OHMIC * (1 + NOISE.gauss(0, share))


def grown(n: int) -> float:
    """Salt diffusion: comes up from below zero in each half-cycle."""
    return OHMIC * (1 - 1.3 * 0.9**n)


CAUSES: dict[str, list[Row]] = {
    "hard_short": [*ramp(2), *cell(20), *cell(10, r=0.01)],
    "limit_voltage": [*ramp(2), *cell(5, r=1.5)],
    "limit_current": [*ramp(2), *cell(5, current=12000, r=0.1)],
    "limit_pressure": [*ramp(1), *[(*row[:2], 60000) for row in cell(5)]],
    "rail": [*ramp(1), (65535, 32768 + 2 * LOAD, MID)],
    "stuck": [*ramp(3), *[(next(cell(1))[0], 32768 - 2 * LOAD, MID)] * 12],
    "open_wire": [*ramp(3), *[(next(cell(1))[0], 32768, MID)] * 12],
    "jump": [*ramp(2), *cell(20), *cell(1, r=3.5), *cell(5)],
    "partial_short": [*ramp(2), *cell(30), *cell(30, r=0.35)],
    "soft_short": [*ramp(6, count=80), *cell(60), *cell(80, r=noisy(0.3))],
    "soft_persists": [*ramp(3, count=80), *cell(60), *cell(200, r=noisy(0.3))],
    "divergence": [*ramp(2), *cell(200, r=lambda n: OHMIC * (1 if n < 100 else 1.02 ** (n - 100)))],
    "rate_voltage": [*ramp(2), *cell(60, r=lambda n: OHMIC + max(0, n - 30) * 0.01)],
    "rate_current": [*ramp(1, count=30), *[codes(2000, LOAD + 40 * n) for n in range(25)]],
    "rate_pressure": [(32768, 32768, MID + 100 * max(0, n - 20)) for n in range(60)],
    "sag": [*ramp(2), *cell(240, r=lambda n: OHMIC * (0.05 + 0.95 * 0.95 ** max(0, n - 100)))],
    "low_resistance": list(cell(20, r=0.001)),
    "open_circuit": [*ramp(2), *[codes(12000, 0)] * 30],
    "soft_collapse": [*ramp(3, count=80), *cell(60), *cell(60, r=noisy(0.3)), *cell(20, r=0.01)],
    "slide": [*ramp(2), *cell(100, r=lambda n: OHMIC * 0.85 ** max(0, n - 60))],
    "doubtful_resistance": [row for k in range(4) for row in cell(20, LOAD * (-1) ** k, 0.02)],
    "blind": [*ramp(2, noisy(0.05), 80), *cell(60, r=noisy(0.05)), *[codes(OHMIC * LOAD, LOAD)] * 140],
}
SETTINGS: dict[str, dict[str, int]] = {
    "limit_voltage": {"voltage_max_code": 40000},
    "low_resistance": {"resistance_first_r": 100},
    "doubtful_resistance": {"resistance_doubtful_r": 1000},
    "limit_current": {"current_max_code": 50000},
    "limit_pressure": {"pressure_max_code": 50000},
    "soft_persists": {"soft_persist_blocks": 20},
    "rate_voltage": {"rate_voltage_codes": 200},
    "rate_current": {"rate_current_codes": 200},
    "rate_pressure": {"rate_pressure_codes": 200},
}


@pytest.mark.parametrize("rule", limits.RULES)
def test_each_rule_fires_on_its_cause(rule: str) -> None:
    assert rule in names(run(CAUSES[rule], **SETTINGS.get(rule, {})))


@pytest.mark.parametrize("rule", limits.RULES)
@pytest.mark.parametrize("action", range(4))
def test_the_action_is_what_the_setting_says(rule: str, action: int) -> None:
    detector = make(
        **SETTINGS.get(rule, {}),
        **{"action_" + name: 0 for name in limits.RULES if name != rule and name not in limits.ALWAYS_TRIPS},
    )
    detector.memory[4 + limits.DETECTOR_SETTINGS.index("action_" + rule)] = action
    words = [detector.step(*row) for row in CAUSES[rule]]
    seen = {word & ACTION_MASK for word in words if word & REASON_MASK}
    assert seen == ({action << ACTION_SHIFT} if action else set())
    reason = limits.RULE_REASONS[limits.RULES.index(rule)]
    assert {word & REASON_MASK for word in words} - {0} == ({reason} if action else set())
    assert (detector.event(limits.RULES.index(rule))[0] > 0) == (action > 0)


HEALTHY: dict[str, list[Row]] = {
    "reversals": ramp(12),
    "noise": ramp(12, noisy(0.03)),
    "diffusion": ramp(12, grown, count=80),
    "warming": [row for k in range(12) for row in cell(60, LOAD * (-1) ** k, OHMIC * 0.8**k)],
    "steps": [row for k in range(1, 9) for row in cell(30, 500 * k)],
    "steps down": [row for k in range(8, 0, -1) for row in cell(30, 500 * k)],
    "rests": [row for k in range(10) for row in (*cell(30, LOAD * (-1) ** k), *cell(20, 0.0))],
    "leak that grows": [*ramp(4), *cell(300, r=lambda n: OHMIC * max(0.1, 0.99**n))],
    "wave": [row for k in range(8) for row in _wave(k)] if (_wave := lambda k: [
        codes(OHMIC * i, i) for i in (LOAD * (-1) ** k * (1 + 0.15 * ((n % 12) - 6) / 6) for n in range(60))
    ]) else [],
}  # fmt: skip


@pytest.mark.parametrize("mode", range(3), ids=limits.CONFIGURATIONS)
@pytest.mark.parametrize("kind", HEALTHY)
def test_no_rule_fires_on_a_healthy_cell(kind: str, mode: int) -> None:
    rows = HEALTHY[kind]
    if mode == 2:  # a full cell's voltage is its open-circuit voltage and a little polarisation
        rows = [(32768 + 20000 + (v - 32768) // 8, i, p) for v, i, p in rows]
    assert run(rows, mode=mode) == []


@pytest.mark.parametrize("left", [0.3, 0.4])
def test_a_leak_that_takes_a_half_cycle_is_told_by_what_the_cell_had_at_the_same_age(left: float) -> None:
    falling = cell(120, r=lambda n: OHMIC * (1 - (1 - left) * min(1.0, n / 60)))
    fired = run([*ramp(4, count=120), *falling, *cell(120, -LOAD, OHMIC * left)])
    assert names(fired) == ({"sag"} if left == 0.3 else set())


def test_a_cell_that_was_paused_unseen_comes_up_from_below_and_is_no_leak() -> None:
    paused = cell(80, r=lambda n: OHMIC * (1 if n < 27 else 1 - 0.7 * 0.8 ** (n - 27)))
    assert "sag" not in names(run([*ramp(4, count=80), *paused, *ramp(2, count=80)]))


@pytest.mark.parametrize("before", range(20, 24))  # where the blocks lie
def test_the_knee_at_the_end_of_a_discharge_is_no_short(before: int) -> None:
    """Rows every two minutes, then the step's last one and a rest with rows close together, as cyclers write them."""
    ends = (11656, 11600, 11552, 11480, 11416, 11320, 11200, 11032, 10776, 10384, 9760, 8768)
    rows = [*[codes(12000, LOAD)] * 40, *[codes(11900, 0)] * 20, *[codes(11720, -LOAD)] * before]
    rows += [codes(v, -LOAD) for v in ends]
    assert run([*rows, *[codes(8784, 0)] * 60], mode=2) == []
    assert "hard_short" in names(run([*rows[:-2], *[codes(8200, -LOAD)] * 40], mode=2))


@pytest.mark.parametrize("share", [0.5, 0.8, 0.9])
def test_a_half_cell_that_begins_at_its_open_circuit_falls_without_a_short(share: float) -> None:
    first = [codes(60 + 2000 * share**n, LOAD) for n in range(120)]
    assert "hard_short" not in names(run(first, mode=1)) and "slide" not in names(run(first, mode=1))
    assert "hard_short" in names(run([*first, *cell(10, LOAD, 0.002)], mode=1))


def test_the_two_directions_of_a_half_cell_are_not_alike() -> None:
    """An alloy that is emptied to 1.3 V, and filled near 0 V, from where it comes up."""
    cycle = [
        *[codes(-6000 - 20 * n, -LOAD) for n in range(60)],
        *[codes(900 * (1 - 1.2 * 0.8**n), LOAD) for n in range(60)],
    ]
    assert run(cycle * 3, mode=1) == []
    emptied = [codes(-6000 - 20 * n, -LOAD) for n in range(60)]
    assert "hard_short" in names(run([*cycle * 3, *emptied[:30], *cell(10, -LOAD, 0.002)], mode=1))


def test_a_half_cell_with_a_voltage_of_its_own_is_judged_by_the_whole_of_it() -> None:
    rows = [row for k in range(6) for row in cell(40, LOAD * (-1) ** k, 0.2, offset=4000)]
    assert run(rows, mode=1) == []
    assert "hard_short" in names(run([*rows, *cell(20, LOAD, 0.2, 4000), *cell(6, LOAD, 0.01)], mode=1))


@pytest.mark.parametrize("confirm", [1, 2, 3, 8])
def test_a_hard_short_is_confirmed(confirm: int) -> None:
    healthy = [*ramp(2), *cell(20)]
    shorted = list(cell(20, r=0.01))
    assert run([*healthy, *shorted[: confirm - 1], *cell(20)], confirm_samples=confirm) == []
    fired = run([*healthy, *shorted], confirm_samples=confirm)
    assert fired == [(len(healthy) + confirm - 1, "hard_short", limits.ACTION_TRIP)]


def test_a_short_at_the_first_reversal_is_expected_by_superposition() -> None:
    first = list(cell(PLENTY, r=lambda n: OHMIC * (1 - 0.3 * 0.9**n)))
    ((row, rule, _),) = run([*first, *cell(20, -LOAD, r=0.01)])
    assert rule == "hard_short"
    assert row - len(first) <= 3 + 3


def test_a_short_of_a_cell_that_comes_up_from_below_lacks_the_rise() -> None:
    healthy = ramp(6, grown, count=80)
    ((row, rule, _),) = run([*healthy, *cell(80, LOAD, r=0.01)])
    assert rule == "hard_short"
    assert row - len(healthy) <= 16


def test_what_rises_again_is_a_cell_coming_up_from_below() -> None:
    """A recording that paused in one half-cycle and went on in another of the same sign."""
    first = list(cell(80, r=lambda n: OHMIC * (1 - 0.9**n)))
    later = cell(60, r=lambda n: OHMIC * (-0.1 + min(n * 0.06, 1.1)))
    assert "hard_short" not in names(run([*first, *later]))


@pytest.mark.parametrize(("channel", "name"), enumerate(("voltage", "current", "pressure")))
def test_limits_have_two_ends_confirmation_and_hysteresis(channel: int, name: str) -> None:
    def at(code: int, count: int) -> list[Row]:
        row = [32768, 32768, MID]
        row[channel] = code
        return [tuple(row)] * count  # type: ignore[list-item]

    settings = {f"{name}_max_code": 34000, f"{name}_min_code": 29000, "limit_confirm_samples": 3}
    rule = f"limit_{name}"
    inside = at(32768, 3)
    limit = lambda rows: [row for row, fired, _ in run(rows, **settings) if fired == rule]  # noqa: E731
    assert limit([*inside, *at(34001, 2), *inside]) == []
    assert limit([*inside, *at(34001, 3)]) == [5]
    assert limit([*inside, *at(28999, 3)]) == [5]
    assert limit([*inside, *at(34000, 9), *at(29000, 9)]) == []
    back = [*at(34000, 1), *at(34001, 3)]  # within the hysteresis it stays the same excursion
    assert limit([*inside, *at(34001, 3), *back]) == [5]
    assert limit([*inside, *at(34001, 3), *inside, *at(34001, 3)]) == [5, 11]


def test_a_limit_that_trips_stays_in_the_verdict() -> None:
    detector = make(voltage_max_code=40000)
    words = [detector.step(45000, 32768, MID) for _ in range(6)]
    assert [word & ACTION_MASK == TRIPS for word in words] == [False, True, True, True, True, True]


def test_no_trip_hides_behind_a_warning() -> None:
    detector = make(voltage_max_code=40000, action_limit_voltage=2, action_rail=3)
    for _ in range(5):
        detector.step(65535, 32768, MID)
    assert detector.step(65535, 32768, MID) & (ACTION_MASK | REASON_MASK) == TRIPS | limits.SENSOR_FAULT
    detector = make(voltage_max_code=40000, action_limit_voltage=3)
    detector.memory[4 + limits.DETECTOR_SETTINGS.index("action_rail")] = 2
    words = [detector.step(65535, 32768, MID) for _ in range(3)]
    assert [word & REASON_MASK for word in words] == [limits.SENSOR_FAULT, limits.LIMIT, limits.LIMIT]
    assert words[1] & ACTION_MASK == TRIPS
    assert [detector.event(rule)[0] for rule in (1, 4)] == [1, 1], "both are told"


def test_rates_do_not_fire_at_a_current_step() -> None:
    rows = [*ramp(6), *(row for k in range(1, 5) for row in cell(30, 1000 * k))]
    assert run(rows, rate_voltage_codes=100, rate_current_codes=100) == []


def test_a_voltage_held_at_the_cyclers_limit_is_not_stuck() -> None:
    held = next(cell(1))[0]
    rows = [*ramp(3), *[(held, 32768 + 4 * LOAD, MID)] * 20]
    assert "stuck" not in names(run(rows, action_partial_short=0))


def test_a_quiet_cell_repeats_its_codes_and_is_not_stuck() -> None:
    rows = [*ramp(4, count=400), *cell(2000), *cell(400, 0.0)]
    assert run(rows) == []


def test_a_relaxing_cell_has_no_open_wire() -> None:
    rows = [*ramp(3), *(codes(1600 * 0.99**n, 0) for n in range(60))]
    assert run(rows) == []


@pytest.mark.parametrize("depth", [0.05, 0.6])
def test_too_small_or_too_gradual_a_step_is_no_partial_short(depth: float) -> None:
    after = {0.05: lambda n: OHMIC * 0.95, 0.6: lambda n: OHMIC * max(0.4, 1 - 0.01 * n)}[depth]
    assert run([*ramp(2), *cell(40), *cell(100, r=after)]) == []


@pytest.mark.parametrize("mode", range(3), ids=limits.CONFIGURATIONS)
@pytest.mark.parametrize(("over_rows", "told"), [(1, True), (80, False)])
def test_a_step_up_by_half_and_more_is_a_contact_that_lets_go(over_rows: int, told: bool, mode: int) -> None:
    """Of a symmetric cell whose own polarisation grew as much before: half and full cells rise on a charge."""
    grows = [*ramp(2), *cell(60, r=lambda n: OHMIC * (0.4 + 0.01 * n))]
    rows = [*grows, *cell(120, r=lambda n: OHMIC * (1 + 0.8 * min(1, (n + 1) / over_rows)))]
    assert ("divergence" in names(run(rows, mode=mode))) == (told and mode == 0)


def test_partial_short_is_told_once_for_each_half_cycle() -> None:
    rows = [*ramp(2), *cell(30), *cell(30, r=0.35), *cell(60, -LOAD, 0.35)]
    assert [rule for _, rule, _ in run(rows)] == ["partial_short"]


def test_a_current_that_gives_way_at_the_cyclers_limit_has_lost_its_contact() -> None:
    at_limit = 1.1 * OHMIC * LOAD
    giving_way = [codes(at_limit, max(LOAD * 0.97**n, 100)) for n in range(120)]
    assert "open_circuit" in names(run([*ramp(4), *giving_way]))
    held = [codes(at_limit, LOAD * (0.45 + 0.55 * 0.97**n)) for n in range(120)]  # what a held voltage leaves
    assert "open_circuit" not in names(run([*ramp(4), *held]))


def test_soft_short_is_told_again_only_after_it_was_calm() -> None:
    wild, calm = list(cell(100, r=noisy(0.3))), list(cell(200))
    rows = [*ramp(6, count=80), *cell(60), *wild, *calm, *wild]
    assert [rule for _, rule, _ in run(rows) if rule == "soft_short"] == ["soft_short"] * 2


def test_events_keep_sample_value_and_limit_and_end_with_the_run() -> None:
    detector = make(voltage_max_code=40000)
    for k in range(4):
        detector.memory[3] = 1000 * k
        detector.step(45000 if k else 32768, 32768, MID)
    assert detector.event(limits.RULES.index("limit_voltage")) == (1, 3, 2000, 45000, 40000)
    detector.reset()
    assert detector.event(limits.RULES.index("limit_voltage")) == (0,) * 5
