"""A second simulated cell, written apart from `ccdmon.simulation` and differently: whole columns, plain circuits.

The analysis must not have learned the ways of one simulator. Here the voltage is I times a resistance that is a sum of
a constant, two relaxations after each step and a power of the time in the half-cycle; a fault multiplies or shunts it.
`make(kind, seed)` gives a trace and the truth a reader of it should find.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ccdmon.model.spectrum import Spectrum
from ccdmon.model.trace import Cell, Trace

FAULTS = ("hard_short", "partial_short", "soft_short", "contact_loss", "fake_stable")
KINDS = ("healthy", "limit", *FAULTS)
PROTOCOLS = ("time_control", "capacity_control", "endurable_time", "long_cycling")


@dataclass
class Truth:
    """What really happened. Rows count data rows; densities in mA cm-2."""

    kind: str
    protocol: str
    levels: list[float]
    onset_row: int | None = None
    fault_level: int | None = None
    recovers: bool = False
    reached_limit: bool = False
    told: dict[str, Any] = field(default_factory=dict)


@dataclass
class Test:
    """Columns of a test before it is measured: `half` numbers half-cycles from 0, -1 in rests."""

    __test__ = False

    time_s: np.ndarray
    current_A: np.ndarray
    half: np.ndarray
    since_s: np.ndarray
    level: np.ndarray
    levels: list[float]
    interval_s: float


def program(rng: np.random.Generator, protocol: str, area_cm2: float, rows: int = 6000) -> Test:
    """Half-cycles and fixed rests on a grid of rows."""
    interval_s = float(rng.choice([0.1, 0.2, 0.5, 1, 2, 5, 10, 30]))
    count = {"time_control": 10, "capacity_control": 7, "endurable_time": 5, "long_cycling": 1}[protocol]
    count = count if count == 1 else int(rng.integers(3, count + 1))
    cycles = {"endurable_time": int(rng.integers(2, 6)), "long_cycling": int(rng.integers(5, 30))}.get(
        protocol, 1
    )
    first = float(rng.choice([0.01, 0.05, 0.1, 0.2, 0.5, 2.0]))
    shape = rng.uniform()
    levels = [first * (1 + k) if shape < 0.7 else first * 1.5**k for k in range(count)]
    weights = [levels[-1] / j if protocol == "capacity_control" else 1.0 for j in levels]
    shortest = max(40, int(rows / (2 * cycles * sum(weights))))
    rest = int(rng.choice([0, 0, 5, 20, 60]))
    both = rng.uniform() < 0.5
    sign = float(rng.choice([1, -1]))
    pieces: list[tuple[float, int, int]] = [(0.0, int(rng.integers(0, 50)), 0)]
    for n, (j, weight) in enumerate(zip(levels, weights, strict=True)):
        for _ in range(cycles):
            pieces += [(sign * j, round(shortest * weight), n), (0.0, rest if both else 0, n)]
            pieces += [(-sign * j, round(shortest * weight), n), (0.0, rest, n)]
    return _columns([p for p in pieces if p[1]], levels, interval_s, area_cm2)


def _columns(
    pieces: list[tuple[float, int, int]], levels: list[float], interval_s: float, area_cm2: float
) -> Test:
    lengths = [rows for _, rows, _ in pieces]
    halves, n = [], 0
    for density, _, _ in pieces:
        halves.append(n if density else -1)
        n += density != 0
    rows = sum(lengths)
    start = np.repeat(np.cumsum([0, *lengths[:-1]]), lengths)
    return Test(
        (np.arange(rows) + 1) * interval_s,
        np.repeat([j * 1e-3 * area_cm2 for j, _, _ in pieces], lengths),
        np.repeat(halves, lengths),
        (np.arange(rows) - start + 1) * interval_s,
        np.repeat([level for _, _, level in pieces], lengths),
        levels,
        interval_s,
    )


def resistance(test: Test, rng: np.random.Generator, area_cm2: float) -> np.ndarray:
    """Of the sound cell, ohm, per row: constant, two relaxations, growth within the half-cycle, slow drift."""
    whole = float(10 ** rng.uniform(0.5, 3.5)) / area_cm2
    fast, slow = rng.uniform(0, 0.3), rng.uniform(0, 0.25)
    tau_fast = test.interval_s * 10 ** rng.uniform(-1, 0.5)
    longest_s = float(test.since_s.max())
    tau_slow = longest_s * rng.uniform(0.05, 0.6)
    grown = rng.uniform(0, 0.15) * (test.since_s / longest_s) ** rng.choice([0.5, 1.0])
    shape = 1 - fast * np.exp(-test.since_s / tau_fast) - slow * np.exp(-test.since_s / tau_slow) + grown
    drift = 1 + rng.uniform(-0.1, 0.1) * test.time_s / test.time_s[-1]
    return np.asarray(whole * shape * drift)


def make(kind: str, seed: int, **fixed: Any) -> tuple[Trace, Truth, dict[str, Spectrum]]:
    """A measured test of one kind. `fixed`: protocol, configuration, noise, bare (no optional columns)."""
    rng = np.random.default_rng([seed, KINDS.index(kind), 77])
    protocol = fixed.get("protocol") or str(rng.choice(PROTOCOLS))
    area_cm2 = float(10 ** rng.uniform(-1.3, 1.3))
    if kind in ("limit",):
        protocol = "time_control"
    test = program(rng, protocol, area_cm2, fixed.get("rows", 6000))
    ohm = resistance(test, rng, area_cm2)
    truth = Truth(kind, protocol, test.levels)
    current_A = test.current_A.copy()
    spectra: dict[str, Spectrum] = {}
    voltage_V = _fault(kind, test, ohm, current_A, truth, rng, spectra)
    configuration = fixed.get("configuration") or str(rng.choice(["symmetric", "symmetric", "half"]))
    if configuration == "full":
        scale = min(1.0, 0.8 / float(np.abs(voltage_V).max()))  # a full cell stands no more beside its 3.6 V
        voltage_V, ohm = voltage_V * scale, ohm * scale
        moved = np.cumsum(current_A) * test.interval_s
        voltage_V = voltage_V + np.where(
            _shorted(truth, len(voltage_V)), 0.0, 3.6 + 0.2 * moved / np.abs(moved).max()
        )
    cell = Cell(area_cm2, configuration, "PEO" if kind == "limit" else "LLZO")
    trace = _measured(test, voltage_V, current_A, ohm, cell, truth, rng, fixed)
    return trace, truth, spectra


def _shorted(truth: Truth, rows: int) -> np.ndarray:
    return np.arange(rows) >= (rows if truth.kind != "hard_short" else truth.onset_row)


def _fault(
    kind: str,
    test: Test,
    ohm: np.ndarray,
    current_A: np.ndarray,
    truth: Truth,
    rng: np.random.Generator,
    spectra: dict[str, Spectrum],
) -> np.ndarray:
    """The cell's voltage with its fault; `current_A` gives way where a limit is reached."""
    rows = np.arange(len(ohm))
    if kind == "healthy":
        return ohm * current_A
    if kind == "limit":
        return _limit(test, ohm, current_A, truth, rng)
    if kind == "contact_loss":
        return _contact_loss(test, ohm, current_A, truth, rng)
    onset = _onset(test, rng, 10 if kind == "hard_short" else 60)
    truth.onset_row, truth.fault_level = onset, int(test.level[onset])
    after = rows >= onset
    if kind == "hard_short":
        left = float(10 ** rng.uniform(-3, -1))
        wander = 1 + 0.1 * np.cumsum(rng.standard_normal(len(rows))) / np.sqrt(1 + rows)
        ohm = np.where(after, left * ohm[onset] * np.abs(wander), ohm)
        truth.told = {"left": left}
    elif kind == "partial_short":
        drop = float(rng.uniform(0.1, 0.5))
        ohm = np.where(after, ohm - drop * ohm[onset], ohm)
        truth.told = {"drop": drop}
    elif kind == "soft_short":
        ohm = _soft(test, ohm, onset, truth, rng)
    elif kind == "fake_stable":
        ohm = _fake(test, ohm, truth, rng, spectra)
    return ohm * current_A


def _onset(test: Test, rng: np.random.Generator, rows_after: int) -> int:
    """A row under load after the first two half-cycles; one time in six the first of a half-cycle."""
    loaded = np.flatnonzero((test.half >= 2) & (np.arange(len(test.half)) < len(test.half) - rows_after))
    if rng.uniform() < 1 / 6:
        loaded = loaded[test.since_s[loaded] <= test.interval_s * 1.5]
    return int(rng.choice(loaded))


def _soft(test: Test, ohm: np.ndarray, onset: int, truth: Truth, rng: np.random.Generator) -> np.ndarray:
    """A leak that is switched on and off at random, each time of another size: V drops by 10-50 % and comes back."""
    depth, dwell_rows = float(rng.uniform(0.15, 0.5)), float(10 ** rng.uniform(0.2, 1.3))
    lasts = int(10 ** rng.uniform(1.9, 3))
    end = onset + lasts if rng.uniform() < 0.7 else len(ohm)
    truth.recovers = end < len(ohm) - 64
    truth.told = {"depth": depth, "dwell_rows": dwell_rows, "rows": min(end, len(ohm)) - onset}
    on, leaking = np.zeros(len(ohm)), True
    row = onset
    while row < min(end, len(ohm)):
        stays = max(1, round(rng.exponential(dwell_rows)))
        on[row : min(row + stays, end)] = rng.uniform(0.5, 1.3) * leaking
        leaking, row = not leaking, row + stays
    conductance = on * depth / (1 - depth) / ohm[onset]
    return np.asarray(1 / (1 / ohm + conductance))


def _fake(
    test: Test, ohm: np.ndarray, truth: Truth, rng: np.random.Generator, spectra: dict[str, Spectrum]
) -> np.ndarray:
    """An electronic path that carries nearly all: there from the start, or grown within some hundred rows."""
    left = float(rng.uniform(0.05, 0.3))
    sound, way = float(np.median(ohm)), str(rng.choice(["pair", "before", "shape"]))
    truth.told = {"left": left, "way": way}
    leak_S = np.full(len(ohm), (1 / left - 1) / sound)
    if way == "shape":
        # The formation takes a half-cycle or two; what the cell was before must be seen first.
        start = int(np.flatnonzero(test.half >= max(2, int(test.half.max() * rng.uniform(0.2, 0.5))))[0])
        span = max(60, int((test.half == test.half[start]).sum() * rng.uniform(0.5, 1.0)))
        leak_S *= np.clip((np.arange(len(ohm)) - start) / span, 0, 1) ** 2
        truth.onset_row = start
    else:
        truth.onset_row = 0
        spectra["before"] = _spectrum(sound, np.inf, rng)
        if way == "pair":
            spectra["after"] = _spectrum(sound, left / (1 - left) * sound, rng)
    truth.fault_level = int(test.level[truth.onset_row])
    return np.asarray(1 / (1 / ohm + leak_S))


def _spectrum(sound_ohm: float, leak_ohm: float, rng: np.random.Generator) -> Spectrum:
    frequency_Hz = np.logspace(6, -2, 65)
    omega = 2j * np.pi * frequency_Hz
    z = 0.4 * sound_ohm + 0.4 * sound_ohm / (1 + omega * 1e-4) + 0.2 * sound_ohm / (1 + omega * 0.3)
    z = 1 / (1 / z + 1 / leak_ohm)
    return Spectrum(frequency_Hz, z * (1 + 0.003 * (rng.standard_normal(65) + 1j * rng.standard_normal(65))))


def _contact_loss(
    test: Test, ohm: np.ndarray, current_A: np.ndarray, truth: Truth, rng: np.random.Generator
) -> np.ndarray:
    """The interface goes: from some half-cycle on the resistance grows by a factor each, most of it within it."""
    last = int(test.half.max())
    begins = int(rng.integers(2, max(3, int(0.6 * last))))
    wanted = float(10 ** rng.uniform(0.4, 1.3))  # 2.5 to 20 times by the end
    start = int(np.flatnonzero(test.half >= begins)[0])
    share = np.clip((np.arange(len(ohm)) - start) / (len(ohm) - start), 0, 1)
    growth = 1 + (wanted - 1) * share ** rng.uniform(1, 2.5)
    truth.onset_row = int(np.flatnonzero(growth > 1.3)[0])
    truth.fault_level, truth.told = int(test.level[truth.onset_row]), {"growth": wanted, "first_row": start}
    voltage_V = ohm * growth * current_A
    if rng.uniform() < 0.6:
        limit_V = float(np.abs(voltage_V).max() * rng.uniform(0.5, 0.9))
        limit_V = max(limit_V, 1.02 * float(np.abs(ohm * current_A).max()))
        over = np.abs(voltage_V) > limit_V
        if over.sum() >= 5:
            truth.reached_limit = True
            current_A[over] *= limit_V / np.abs(voltage_V[over])
            voltage_V[over] = np.sign(voltage_V[over]) * limit_V
            truth.fault_level = int(test.level[np.flatnonzero(over)[0]])
            truth.told["limit_row"] = int(np.flatnonzero(over)[0])
    return np.asarray(voltage_V)


def _limit(
    test: Test, ohm: np.ndarray, current_A: np.ndarray, truth: Truth, rng: np.random.Generator
) -> np.ndarray:
    """Salt runs out in the last half-cycle at Sand's time: V diverges to the limit of the cycler."""
    last = test.half.max()
    in_last = np.flatnonzero(test.half == last)
    sand = in_last[0] + int(len(in_last) * rng.uniform(0.4, 0.8))
    rows = np.arange(len(ohm))
    ahead = np.clip((sand - rows) / len(in_last), 1e-4, None)
    over = np.where(rows >= in_last[0], 0.03 / ahead, 0.0)
    voltage_V = ohm * (1 + over) * current_A
    limit_V = 4 * float(np.abs(ohm * current_A).max())
    hit = np.abs(voltage_V) > limit_V
    hit |= (rows >= sand) & (rows <= in_last[-1])
    current_A[hit] *= np.minimum(limit_V / np.abs(voltage_V[hit]), 1) ** 0.25 * np.linspace(
        0.95, 0.5, hit.sum()
    )
    voltage_V[hit] = np.sign(voltage_V[hit]) * limit_V
    truth.onset_row, truth.fault_level = int(np.flatnonzero(hit)[0]), int(test.level[sand])
    return np.asarray(voltage_V)


def _measured(
    test: Test,
    voltage_V: np.ndarray,
    current_A: np.ndarray,
    ohm: np.ndarray,
    cell: Cell,
    truth: Truth,
    rng: np.random.Generator,
    fixed: dict[str, Any],
) -> Trace:
    """Noise, steps of the converter, scans in the rests, rows lost or repeated, columns left out."""
    smallest_V = float(np.median(np.abs(ohm))) * float(np.abs(test.current_A[test.current_A != 0]).min())
    noise = fixed.get("noise") or float(10 ** rng.uniform(-3, -1.523))
    sigma_V = noise * (smallest_V if rng.uniform() < 0.5 else 1.0)
    if sigma_V == noise:
        sigma_V = noise * np.maximum(np.abs(ohm * test.current_A), smallest_V)
    voltage_V = voltage_V + sigma_V * rng.standard_normal(len(voltage_V))
    step_V = smallest_V * float(10 ** rng.uniform(-4, -2))
    voltage_V = np.round(voltage_V / step_V) * step_V
    current_A = current_A * (1 + 10 ** rng.uniform(-5, -2.5) * rng.standard_normal(len(current_A)))
    resting = test.half < 0
    if rng.uniform() < 0.3:  # an impedance scan in every rest, seen by a slow logger
        wave = (
            0.1
            * np.abs(test.current_A).max()
            * np.sin(2 * np.pi * np.cumsum(rng.uniform(0.02, 0.4, len(ohm))))
        )
        current_A = np.where(resting, wave, current_A)
        voltage_V = np.where(resting, wave * ohm, voltage_V)
    time_s = test.time_s.copy()
    if rng.uniform() < 0.2:
        at = rng.integers(1, len(time_s), 5)
        time_s[at] = time_s[at - 1]
    if rng.uniform() < 0.2:
        voltage_V[rng.integers(0, len(time_s), 5)] = np.nan
    bare = fixed.get("bare", rng.uniform() < 0.5)
    return Trace(
        time_s,
        voltage_V,
        current_A,
        None if bare else np.full(len(time_s), 5e6) + 1e3 * rng.standard_normal(len(time_s)),
        None if bare else np.full(len(time_s), 25.0),
        cell=cell,
    )
