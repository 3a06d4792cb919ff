"""The tick on the emulated Pico: no path allocates, it is fast, the pin opens first, a fault in it opens the gate."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdmon_fw import limits
from ccdmon_fw.detector import ACTIONS_AT, TRIPS, Detector
from tests.firmware.pico_script import run_on_pico
from tests.firmware.test_rules import CAUSES, SETTINGS, Row
from tests.firmware.tick_script import BY_HAND, EACH_RULE, IN_THE_INTERRUPT, SCRIPT, SPEED

pytestmark = pytest.mark.pico
LIMIT_S = 300.0  # of the machine's time: 25 s where nothing else runs


def _settings(rule: str) -> list[int]:
    """All rules off but this one, whose action the script sets."""
    wanted = {"settle_samples": 3, "block_shift": 2, **SETTINGS.get(rule, {})}
    wanted |= {
        f"action_{name}": limits.ACTION_OFF for name in limits.RULES if name not in limits.ALWAYS_TRIPS
    }
    return [wanted.get(n, v) for n, v in zip(limits.SETTINGS, limits.default_settings(), strict=True)]


@pytest.fixture(scope="module")
def said(pico_image: Path) -> Iterator[list[str]]:
    """What the script told."""
    causes = [(rule, _settings(name), len(CAUSES[name])) for rule, name in enumerate(limits.RULES)]
    rows = [code for name in limits.RULES for row in CAUSES[name] for code in row]
    data = {
        "causes.json": json.dumps(causes).encode(),
        "rows.bin": b"".join(code.to_bytes(2, "little") for code in rows),
    }
    most = max(len(rows) for rows in CAUSES.values())
    script = (SCRIPT + BY_HAND + EACH_RULE + SPEED + IN_THE_INTERRUPT).replace("MOST_ROWS", str(most))
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield run_on_pico(monkeypatch, pico_image, script, LIMIT_S, data=data)


def test_no_tick_path_allocates(said: list[str]) -> None:
    assert said[:7] == [
        "current True 0",
        "rest True 0",
        "reversal True 0",
        f"short True 1 False {1 << 30}",
        "rail True 6 False",
        "pumping True 0 True",
        "late True 8 False",
    ]
    latched = [f"latched {reason} True {reason} False" for reason in range(1, len(limits.REASONS))]
    assert [line for line in said if line.startswith("latched")] == latched


def test_what_fails_in_a_tick_opens_the_gate_and_an_allocation_is_seen_behind_a_trip_too(
    said: list[str],
) -> None:
    assert [line for line in said if line.startswith("guarded")] == ["guarded False 7 False"] * 2
    assert "behind a trip False 1" in said


@pytest.mark.parametrize("rule", limits.RULES)
def test_no_rule_allocates_and_each_says_what_the_golden_model_says(said: list[str], rule: str) -> None:
    number = limits.RULES.index(rule)
    expected = []
    for action in (limits.ACTION_TRIP, limits.ACTION_WARN):
        tripped, times = _golden(rule, CAUSES[rule], action)
        reason = limits.RULE_REASONS[number] if tripped else 0
        expected.append(f"{number} {action} True {reason} {times} {tripped}")
    assert int(expected[0].split()[3]) > 0
    assert [line for line in said if line.startswith(f"{number} ")] == expected


def _golden(rule: str, rows: list[Row], action: int) -> tuple[int, int]:
    """(row that trips, or 0; how often the rule fires) on this machine."""
    judge = Detector(_settings(rule))
    judge.memory[ACTIONS_AT + limits.RULES.index(rule)] = action  # also one that no setting allows
    trips = [n for n, row in enumerate(rows) if judge.step(*row) & TRIPS == TRIPS]
    return trips[0] if trips else 0, judge.event(limits.RULES.index(rule))[0]


def test_the_timers_interrupt_runs_and_trips_with_the_heap_locked(said: list[str]) -> None:
    assert [said[-4], said[-3], said[-1]] == [
        "blocks True True 0",
        "trips True True 5 False",
        "external 9 False",
    ]


def test_nothing_allocates_while_the_samples_are_held_off(said: list[str]) -> None:
    assert said[-2] == "held off nothing allocated"


def test_tick_takes_at_most_60_us(said: list[str]) -> None:
    (line,) = [line for line in said if line.startswith("tick us")]
    assert float(line.split()[-1]) <= 60, line


def test_the_pin_opens_within_60_us_of_the_sample_that_decides(said: list[str]) -> None:
    """That sample comes two periods of 100 us after a short at the latest, of the 270 us that are promised."""
    (line,) = [line for line in said if line.startswith("pin us")]
    assert 0 < int(line.split()[-1]) <= 60, line
