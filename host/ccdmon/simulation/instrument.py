"""The cycler and logger of a simulated test: when a row is written and what its numbers have gone through."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ccdmon.model.program import Program
from ccdmon.model.trace import FloatArray


@dataclass(frozen=True)
class Instrument:
    """Sampling and errors of the measurement; noises are standard deviations."""

    row_interval_s: float = 1.0
    jitter: float = 0.0  # relative spread of the interval
    extra_rows_at_steps: bool = False  # many cyclers write a row at once after each step
    averages: bool = False  # a row holds the mean since the last one, so a row across a step is in between
    voltage_noise_V: float = 0.0
    voltage_drift_V: float = 0.0  # slow part of the noise
    heavy_tails: bool = False  # Student's t with 5 degrees of freedom instead of Gauss
    voltage_step_V: float = 0.0  # of the converter; 0: none
    voltage_offset_V: float = 0.0
    current_noise: float = 0.0  # relative to the current asked for
    current_floor_A: float = 0.0
    current_step_A: float = 0.0
    pressure_noise_Pa: float = 0.0
    temperature_noise_K: float = 0.05
    has_pressure: bool = False
    has_temperature: bool = False
    lost_share: float = 0.0  # share of the voltage fields left empty
    repeated_share: float = 0.0  # share of rows whose time repeats the row before


def row_times_s(instrument: Instrument, program: Program, rng: np.random.Generator) -> FloatArray:
    """Times of the rows of a whole program in s, increasing, shape (rows,)."""
    end_s = program.duration_s
    count = int(end_s / instrument.row_interval_s) + 2
    gaps = instrument.row_interval_s * (1 + instrument.jitter * rng.uniform(-1, 1, count))
    phase = rng.uniform(0, 1) * instrument.row_interval_s
    times = phase + np.concatenate([[0.0], np.cumsum(gaps)])
    # Jitter adds up: the recording goes on to the end of the program.
    missing = int(max(end_s - times[-1], 0.0) / instrument.row_interval_s)
    times = np.append(times, times[-1] + instrument.row_interval_s * np.arange(1, missing + 1))
    if instrument.extra_rows_at_steps:
        starts = np.array(program.starts_s()[1:-1])
        times = np.sort(np.concatenate([times, starts + 0.02 * instrument.row_interval_s]))
    return np.asarray(times[times <= end_s], dtype=np.float64)


def without_gaps(times_s: FloatArray, gaps: list[tuple[float, float]]) -> FloatArray:
    """The times that lie in none of the [start, stop) gaps: the recording stopped there, the test went on."""
    keep = np.ones(len(times_s), dtype=bool)
    for start_s, stop_s in gaps:
        keep &= ~((times_s >= start_s) & (times_s < stop_s))
    return times_s[keep]


class Converter:
    """Adds the instrument's errors to true values, row by row (the same numbers in any loop)."""

    def __init__(self, instrument: Instrument, rng: np.random.Generator) -> None:
        self.instrument = instrument
        self._random = _deviates(rng, instrument.heavy_tails)
        self._drift = 0.0

    def voltage_V(self, true_V: float) -> float:
        i = self.instrument
        self._drift = 0.98 * self._drift + 0.2 * next(self._random)
        noisy = (
            true_V
            + i.voltage_offset_V
            + i.voltage_noise_V * next(self._random)
            + i.voltage_drift_V * self._drift
        )
        return _quantised(noisy, i.voltage_step_V)

    def current_A(self, true_A: float) -> float:
        i = self.instrument
        noise = i.current_noise * abs(true_A) + i.current_floor_A
        return _quantised(true_A + noise * next(self._random), i.current_step_A)

    def pressure_Pa(self, true_Pa: float) -> float:
        return true_Pa + self.instrument.pressure_noise_Pa * next(self._random)

    def temperature_degC(self, true_degC: float) -> float:
        return round(true_degC + self.instrument.temperature_noise_K * next(self._random), 2)


def _quantised(value: float, step: float) -> float:
    return round(value / step) * step if step > 0 else value


def _deviates(rng: np.random.Generator, heavy_tails: bool) -> Iterator[float]:
    """Standard deviates, drawn in blocks: one by one numpy would take longer than the cell."""
    while True:
        # Student's t with 5 degrees of freedom has variance 5/3.
        block = rng.standard_t(5, 4096) * 0.6**0.5 if heavy_tails else rng.standard_normal(4096)
        yield from block.tolist()
