"""The detector is the golden model: its verdicts and its memory on fixed rows are written down, to the last bit.

A change that is meant to change neither (a faster tick) must keep both digests; one that moves words of the memory
keeps the verdicts; any other is meant to change verdicts, and says so with the new file:

    python -m tests.firmware.test_golden_detector
"""

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdmon_fw import limits
from tests.firmware import test_rules
from tests.firmware.test_rules import Row, make

VECTORS = Path(__file__).parents[1] / "vectors" / "detector_verdicts.json"
LOOK_EVERY = 7  # rows between two looks at the memory
REST, SHORT, AWAY = 20, 30, 40  # rows


def _cell(draw: random.Random, below: float) -> Iterator[Row]:
    """Half-cycles of random current, length, growth, noise and pauses; shorts, runaways and bad codes at random.

    `below` 1.3: salt diffusion, comes up from below zero in each half-cycle.
    """
    sign = 1
    resistance = draw.uniform(0.1, 1.5)
    while True:
        current = sign * draw.choice((90, 700, 4000, 9000)) * draw.uniform(0.8, 1.2)
        sign = -sign if draw.random() < 0.8 else sign
        growth, noise = draw.choice((1.0, 1.0, 1.01, 0.985)), draw.choice((0.0, 0.003, 0.03))
        length = draw.randint(8, 120)
        shorted_at = draw.randint(0, length) if draw.random() < 0.2 else length
        for n in range(length):
            now = resistance * growth**n * (1 - below * 0.9**n) * (0.15 if n >= shorted_at else 1.0)
            yield test_rules.codes(
                now * current * (1 + draw.gauss(0, noise)), current, draw.choice((30000, 30016))
            )
        for _ in range(draw.choice((0, 0, 3, REST))):
            yield test_rules.codes(draw.choice((0, 40, 400)), draw.choice((0, 0, 30)))
        if draw.random() < 0.1:
            yield (draw.randrange(65536), draw.randrange(65536), draw.randrange(65536))


def _settings(draw: random.Random) -> dict[str, int]:
    """Mode, confirmation and limits at random; nothing ends a run, so that all of it is seen."""
    chosen = {
        "mode": draw.randrange(3),
        "confirm_samples": draw.randint(1, 4),
        "settle_samples": draw.randint(2, 9),
    }
    chosen |= {"block_shift": draw.randint(2, 5), "soft_persist_blocks": draw.randint(2, 20)}
    chosen |= {
        f"rate_{name}_codes": draw.choice((200, 2000, 65535)) for name in ("voltage", "current", "pressure")
    }
    return chosen | {"voltage_max_code": 50000, "current_min_code": 12000, "pressure_max_code": 50000}


def _runs() -> dict[str, tuple[dict[str, int], list[Row]]]:
    runs = {f"rule {name}": (test_rules.SETTINGS.get(name, {}), rows) for name, rows in test_rules.CAUSES.items()
            if not name.startswith("soft")}  # fmt: skip
    runs |= {f"healthy {name}": ({"mode": len(name) % 3}, rows) for name, rows in test_rules.HEALTHY.items()
             if name != "noise"}  # fmt: skip
    for seed in range(18):
        draw = random.Random(seed)
        settings, rows = _settings(draw), _cell(draw, 0.0 if seed < 12 else 1.3)
        runs[f"random {seed}"] = settings, [next(rows) for _ in range(1500)]
    return runs


RUNS = _runs()


def digests(settings: dict[str, int], rows: list[Row]) -> dict[str, str]:
    """Of the verdicts with every event, and of the memory."""
    detector, verdicts, memory = make(**settings), hashlib.sha256(), hashlib.sha256()
    for number, row in enumerate(rows):
        verdicts.update(b"%d " % detector.step(*row))
        if number % LOOK_EVERY == 0:
            memory.update(repr(list(detector.memory)).encode())
    for rule, name in enumerate(limits.RULES):
        event = tuple(detector.event(rule))
        if event[0]:  # so that a new rule changes nothing where it does not fire
            verdicts.update(repr((name, event)).encode())
    return {"verdicts": verdicts.hexdigest()[:16], "memory": memory.hexdigest()[:16]}


@pytest.mark.parametrize("name", RUNS)
def test_verdicts_and_memory_are_those_written_down(name: str) -> None:
    assert digests(*RUNS[name]) == json.loads(VECTORS.read_text())[name]


def test_every_rule_fires_in_these_rows() -> None:
    fired = {
        rule
        for settings, rows in RUNS.values()
        for rule in test_rules.names(test_rules.run(rows, **settings))
    }
    assert fired >= set(limits.RULES)


if __name__ == "__main__":
    VECTORS.write_text(json.dumps({name: digests(*run) for name, run in RUNS.items()}, indent=1) + "\n")
