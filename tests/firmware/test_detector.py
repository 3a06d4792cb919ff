"""What the detector trips on, what it leaves alone, and that two interpreters agree to the last bit."""

import hashlib
import math
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdmon_fw import limits
from ccdmon_fw.detector import PENDING, REASON_MASK, SETTLING, Detector

ROOT = Path(__file__).resolve().parents[2]
HALF_CYCLE = 60
LEVELS = 12


def code(value: float, full_scale: float = 1.0) -> int:
    """16-bit offset-binary code of a 12-bit converter."""
    return max(0, min(4095, round(2048 + value / full_scale * 2048))) << 4


def ramp(
    seed: int, noise: float = 0.01, current_noise: float = 0.0, growth: float = 1.0, tau_rows: float = 0.5,
    rest: int = 0, short_at: int | None = None, leak: float = 0.0, levels: int = LEVELS,
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """A time-control ramp: codes of voltage and current, row by row. Resistance 0.02 at full current of 1."""
    draw = random.Random(seed)
    row = 0
    relaxing = 0.0
    for level in range(1, levels + 1):
        for sign in (1, -1):
            for position in range(HALF_CYCLE + rest):
                current = sign * level / levels * 0.6 if position < HALF_CYCLE else 0.0
                resistance = 0.9 / 40 * growth ** (position / HALF_CYCLE) * 40 / growth
                relaxing += (current * resistance * 0.5 - relaxing) * (1 - math.exp(-1 / tau_rows))
                voltage = current * resistance * 0.5 + relaxing
                if short_at is not None and row >= short_at:
                    voltage *= leak / (1 + leak)
                voltage *= 1 + draw.gauss(0, noise)
                yield code(voltage), code(current * (1 + draw.gauss(0, current_noise)))
                row += 1


def first_trip(rows: Iterator[tuple[int, int]], **settings: int) -> tuple[int, str] | None:
    values = limits.default_settings()
    values[limits.SETTINGS.index("settle_samples")] = 3
    values[limits.SETTINGS.index("block_shift")] = 2
    for name, value in settings.items():
        values[limits.SETTINGS.index(name)] = value
    detector = Detector(values)
    for row, (voltage, current) in enumerate(rows):
        verdict = detector.step(voltage, current, 32768)
        if verdict & REASON_MASK:
            return row, limits.REASONS[verdict & REASON_MASK]
    return None


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "kind",
    [
        {"noise": 0.001},
        {"noise": 0.03},
        {"noise": 0.01, "current_noise": 0.1},
        {"growth": 40.0},  # salt diffusion: climbs fortyfold, starts low again
        {"tau_rows": 8.0},  # interface slower than the settling time
        {"rest": 5},
        {"tau_rows": 20.0, "rest": 3},
    ],
    ids=str,
)
def test_healthy_ramps_never_trip(kind: dict, seed: int) -> None:
    assert first_trip(ramp(seed, **kind)) is None


@pytest.mark.parametrize("leak", [0.0, 0.02, 0.1, 0.25])
@pytest.mark.parametrize("half_cycle", [0, 1, 5, 20])
@pytest.mark.parametrize("kind", [{"noise": 0.03}, {"current_noise": 0.1}, {"rest": 4}], ids=str)
def test_short_within_a_half_cycle_trips_two_samples_later(kind: dict, half_cycle: int, leak: float) -> None:
    short_at = half_cycle * (HALF_CYCLE + kind.get("rest", 0)) + 33
    assert first_trip(ramp(1, short_at=short_at, leak=leak, **kind)) == (short_at + 1, "hard_short")


@pytest.mark.parametrize("leak", [0.0, 0.1, 0.25])
@pytest.mark.parametrize("half_cycle", [4, 9, 20])
def test_short_at_a_reversal_trips_once_it_has_settled(half_cycle: int, leak: float) -> None:
    short_at = half_cycle * HALF_CYCLE
    trip = first_trip(ramp(2, short_at=short_at, leak=leak))
    assert trip is not None and trip[1] == "hard_short"
    assert short_at < trip[0] <= short_at + 3 + 3


def test_one_bad_row_is_not_a_short() -> None:
    rows = list(ramp(3))
    for row in (200, 341, 500):
        rows[row] = (32768, rows[row][1])
    for row in (260, 420):
        rows[row] = (rows[row][0], 32768 + (rows[row][1] - 32768) // 8)
    assert first_trip(iter(rows)) is None


def test_voltage_at_the_rail_is_a_sensor_fault_at_once() -> None:
    rows = [*list(ramp(3))[:100], (65520, 40000)]
    assert first_trip(iter(rows)) == (100, "sensor_fault")


def test_pressure_at_the_rail_of_a_converter_of_12_bits_is_a_sensor_fault_at_once() -> None:
    detector = Detector()
    assert detector.step(40000, 40000, 65519) & 0xFF != limits.SENSOR_FAULT
    assert detector.step(40000, 40000, 0xFFF << 4) & 0xFF == limits.SENSOR_FAULT


def test_limits_need_their_confirmation() -> None:
    over, under = (48000, 32768), (40000, 32768)
    assert first_trip(iter([over, under] * 20), voltage_max_code=44768) is None
    assert first_trip(iter([under, over, over]), voltage_max_code=44768) == (2, "limit")


def test_full_cell_short_is_seen_at_rest_too() -> None:
    rows = [(57000, 32768)] * 50 + [(36000, 32768)] * 5
    assert first_trip(iter(rows), mode=2) == (51, "hard_short")
    assert first_trip(iter([(57000 - 40 * k, 32768) for k in range(200)]), mode=2) is None


def test_a_resting_cell_is_not_judged() -> None:
    verdict = Detector().step(32768, 32768, 0)
    assert verdict == SETTLING
    assert not verdict & PENDING


def test_settings_outside_their_bounds_are_refused() -> None:
    settings = limits.default_settings()
    settings[1] = 0
    with pytest.raises(ValueError, match="bounds: 1"):
        Detector(settings)


def test_micropython_gives_the_same_verdicts(tmp_path: Path) -> None:
    kinds = (
        {},
        {"current_noise": 0.1, "noise": 0.03},
        {"growth": 40.0},
        {"rest": 4, "short_at": 700, "leak": 0.1},
    )
    rows = [row for seed, kind in enumerate(kinds) for row in ramp(seed, **kind)]
    draw = random.Random(5)
    rows += [(draw.randrange(65536), draw.randrange(65536)) for _ in range(3000)]
    table = tmp_path / "rows.txt"
    table.write_text("".join(f"{voltage} {current}\n" for voltage, current in rows))
    script = (
        "import sys, hashlib, binascii; sys.path.insert(0, sys.argv[1]); from ccdmon_fw.detector import Detector\n"
        "d = Detector(); h = hashlib.sha256()\n"
        "for line in open(sys.argv[2]):\n"
        "    v, i = line.split(); h.update(b'%d ' % d.step(int(v), int(i), 0))\n"
        "print(binascii.hexlify(h.digest()).decode())\n"
    )
    micropython = Path(sys.executable).with_name("micropython")
    command = [micropython, "-c", script, str(ROOT / "firmware"), str(table)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    detector = Detector()
    verdicts = b"".join(b"%d " % detector.step(voltage, current, 0) for voltage, current in rows)
    assert printed == hashlib.sha256(verdicts).hexdigest()
