"""What a leak beside the cell does to a recording: shorts that stand, switch, heal or grow, charge that goes astray.

Each function takes a recording and says what the recording becomes; `Altered.row` is the first row in which a
reader is asked to see it, `begin_row` the first that is touched.
"""

from dataclasses import dataclass, replace

import numpy as np

from ccdmon.model.trace import FloatArray
from ccdmon.simulation.draws import log_uniform
from ccdmon.simulation.injected.recording import Recording, Stretch

SHORTS = ("hard_short", "soft_short", "partial_short", "fake_stable")


@dataclass(frozen=True)
class Altered:
    """Columns after the injection, each (rows,), and what is true of them; `kind` None: a control."""

    time_s: FloatArray
    voltage_V: FloatArray
    current_A: FloatArray
    kind: str | None
    row: int
    begin_row: int
    accept: tuple[str, ...] = ()
    recovered: bool = False
    settles_rows: int = 0


def untouched(recording: Recording) -> Altered:
    """The recording as it is."""
    t = recording.trace
    return Altered(t.test_time_s, t.voltage_V.copy(), t.current_A.copy(), None, 0, 0)


def place(recording: Recording, rng: np.random.Generator, before: float = 0.15, after: float = 0.12) -> int:
    """A row under constant current with some shares of the recording before and after it."""
    rows = len(recording.trace)
    fitting = [
        row
        for stretch in recording.loaded
        for row in range(stretch.start + 3, stretch.stop - 3)
        if before * rows < row < (1 - after) * rows
    ]
    return int(rng.choice(fitting))


def leaked(recording: Recording, shares: FloatArray) -> FloatArray:
    """Voltage beside a leak of conductance g, `shares` = g R for each row: V / (1 + g R), and the noise again."""
    return np.asarray(recording.smooth_V / (1 + shares) + recording.noise_V)


def hard(recording: Recording, rng: np.random.Generator) -> Altered:
    row, base = place(recording, rng), untouched(recording)
    least = 3.0 if recording.has_source else 15.0
    shares = np.where(np.arange(len(base.time_s)) >= row, log_uniform(rng, least, 500), 0.0)
    return replace(base, voltage_V=leaked(recording, shares), kind="hard_short", row=row, begin_row=row)


def soft(recording: Recording, rng: np.random.Generator) -> Altered:
    """A leak that switches, twenty rows to a quarter of the recording long, then gone."""
    row, base = place(recording, rng, after=0.3), untouched(recording)
    rows = len(base.time_s)
    depth, lasts = float(rng.uniform(0.15, 0.6)), int(rng.integers(20, max(21, rows // 4)))
    state = np.cumsum(rng.uniform(size=rows) < 1 / log_uniform(rng, 2, 8)) % 2 == 0
    sizes = depth / (1 - depth) * np.exp(0.3 * rng.standard_normal(rows))
    inside = (np.arange(rows) >= row) & (np.arange(rows) < row + lasts)
    state[row] = True
    shares = np.where(inside & state, sizes, 0.0)
    return replace(
        base, voltage_V=leaked(recording, shares), kind="soft_short", row=row, begin_row=row, recovered=True
    )


def partial(recording: Recording, rng: np.random.Generator) -> Altered:
    """A bridge leaves 50-85 % of the resistance, for good."""
    row, base = place(recording, rng), untouched(recording)
    left = np.where(np.arange(len(base.time_s)) >= row, 1 - rng.uniform(0.15, 0.5), 1.0)
    voltage = recording.smooth_V * left + recording.noise_V
    return replace(base, voltage_V=voltage, kind="partial_short", row=row, begin_row=row)


def growing_leak(recording: Recording, rng: np.random.Generator) -> Altered:
    """A leak that grows to 8-100 times the cell's own conductance until the end."""
    base, rows = untouched(recording), len(recording.trace)
    begin = place(recording, rng, 0.2, 0.5)
    since = np.clip((np.arange(rows) - begin) / (rows - begin), 0, 1)
    final, power = log_uniform(rng, 8, 100), float(rng.uniform(1.0, 3.0))
    shares = final * since**power
    row = int(np.argmax(shares >= 1.0))
    accept = ("hard_short", "soft_short")
    return replace(
        base, voltage_V=leaked(recording, shares), kind="fake_stable", row=row, begin_row=begin, accept=accept
    )


def micro(recording: Recording, rng: np.random.Generator) -> Altered:
    """Drops of 20-200 mV of a cell with a source, a few rows each, half a dozen of them."""
    row, base = place(recording, rng, after=0.3), untouched(recording)
    drop = np.zeros(len(base.time_s))
    at = row
    for _ in range(int(rng.integers(3, 9))):
        lasts = int(rng.integers(1, 5))
        drop[at : at + lasts] = log_uniform(rng, 0.02, 0.2)
        at += lasts + int(rng.integers(5, 30))
    voltage = recording.smooth_V - _fed(drop, recording) + recording.noise_V
    accept = ("partial_short",)
    return replace(
        base, voltage_V=voltage, kind="soft_short", row=row, begin_row=row, accept=accept, recovered=True
    )


def sagged(recording: Recording, rng: np.random.Generator) -> Altered:
    """V falls by 50 mV to 1 V within a row and stays: a leak that a good source still feeds."""
    row, base = place(recording, rng), untouched(recording)
    drop = np.where(np.arange(len(base.time_s)) >= row, log_uniform(rng, 0.05, 1.0), 0.0)
    voltage = recording.smooth_V - _fed(drop, recording) + recording.noise_V
    return replace(base, voltage_V=voltage, kind="soft_short", row=row, begin_row=row, accept=SHORTS)


def _fed(drop_V: FloatArray, recording: Recording) -> FloatArray:
    """A leak draws the voltage towards 0, never past it: at most 60 % of what is there."""
    return np.asarray(np.minimum(drop_V, 0.6 * np.abs(recording.smooth_V)) * np.sign(recording.smooth_V))


def charges(recording: Recording) -> list[Stretch]:
    """Stretches in which the voltage of a cell with a source rises."""
    voltage = recording.smooth_V
    return [s for s in recording.loaded if len(s) >= 30 and voltage[s.stop - 1] > voltage[s.start]]


def later_charges(recording: Recording) -> list[Stretch]:
    """Charges before which the cell was charged or discharged: what it holds can be known."""
    return [s for s in charges(recording) if s.start >= recording.loaded[0].stop]


def endless(recording: Recording, rng: np.random.Generator) -> Altered:
    """From some row of a charge on the leak takes the whole current: 1.3 to 2.5 times the largest charge is passed."""
    fitting = later_charges(recording)
    chosen = fitting[int(rng.integers(len(fitting)))]
    row = chosen.start + int(len(chosen) * rng.uniform(0.3, 0.8))
    base, row_s = untouched(recording), recording.row_s
    most_C = max(abs(s.current_A) * _seconds(recording, s) for s in recording.loaded)
    count = int(most_C * float(rng.uniform(1.3, 2.5)) / (abs(chosen.current_A) * row_s))
    count = min(max(count, 40), 6000)
    since = np.arange(1, count + 1)
    level = recording.smooth_V[row] - 0.03 * float(rng.uniform(0, 1)) * -np.expm1(-since / 5)
    return replace(
        base,
        time_s=np.concatenate([base.time_s[:row], base.time_s[row - 1] + since * row_s]),
        voltage_V=np.concatenate([base.voltage_V[:row], level + recording.noise_like(count, rng)]),
        current_A=np.concatenate([base.current_A[:row], np.full(count, base.current_A[row])]),
        kind="soft_short",
        row=row,
        begin_row=row,
        accept=SHORTS,
        settles_rows=count // 2,
    )


def _seconds(recording: Recording, stretch: Stretch) -> float:
    return float(np.ptp(recording.trace.test_time_s[stretch.rows]))


def rested(recording: Recording, rng: np.random.Generator, sag_V: float = 0.0) -> Altered:
    """A rest put behind a charge: the polarisation relaxes; with `sag_V` a leak takes that too, and does not slow."""
    chosen = charges(recording)[int(rng.integers(len(charges(recording))))]
    base, row_s = untouched(recording), recording.row_s
    other = np.flatnonzero(np.sign(base.current_A[chosen.stop :]) != np.sign(chosen.current_A))
    stop = chosen.stop + (
        int(other[0]) if len(other) else len(base.time_s) - chosen.stop
    )  # behind a held voltage
    count = int(rng.integers(60, 240))
    since = np.arange(1, count + 1)
    relaxes = float(recording.own_ohm[0]) * abs(float(base.current_A[stop - 1]))
    level = base.voltage_V[stop - 1] - relaxes * (0.5 - 0.5 * np.exp(-since / 8)) - sag_V * since / count
    times = base.time_s[stop - 1] + since * row_s
    return replace(
        base,
        time_s=np.concatenate([base.time_s[:stop], times, base.time_s[stop:] + count * row_s]),
        voltage_V=np.concatenate(
            [base.voltage_V[:stop], level + recording.noise_like(count, rng), base.voltage_V[stop:]]
        ),
        current_A=np.concatenate([base.current_A[:stop], np.zeros(count), base.current_A[stop:]]),
        kind="soft_short" if sag_V else None,
        row=stop,
        begin_row=stop,
        accept=SHORTS,
        settles_rows=count,
    )


def sag_in_rest(recording: Recording, rng: np.random.Generator) -> Altered:
    return rested(recording, rng, log_uniform(rng, 0.05, 0.4))
