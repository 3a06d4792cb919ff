"""From true values to what a file holds: ranges, converter steps, noise, pick-up, touched leads, missing fields."""

import math
from dataclasses import dataclass

import numpy as np

from ccdmon.model.trace import FloatArray
from ccdmon.simulation.ladder.cycler import Record


@dataclass(frozen=True)
class Converters:
    """Errors of the measurement; in V and A unless a name says otherwise."""

    voltage_noise_V: float
    slow_share: float = 0.3  # of the noise, with a time constant of some fifty rows
    voltage_step_V: float = 1e-5
    voltage_offset_V: float = 0.0
    range_bits: int = 15  # of the current: each decade its own range and step
    range_gain: float = 1e-3  # by which ranges disagree
    hum_V: float = 0.0  # of the mains, folded by the slow sampling
    spikes_per_row: float = 0.0
    spike_V: float = 0.0
    rests_without_current: bool = False
    lost_per_row: float = 0.0
    gaps: int = 0
    gap_rows: int = 30
    has_temperature: bool = False
    has_pressure: bool = False
    pressure_Pa: float = 5e6


def voltage_column(record: Record, how: Converters, rng: np.random.Generator) -> FloatArray:
    """The voltage as the converter gives it, shape (rows,)."""
    true = np.array(record.voltage_V)
    white = rng.standard_normal(len(true))
    slow = np.empty(len(true))
    state = 0.0
    for row, kick in enumerate(rng.standard_normal(len(true))):
        state = 0.98 * state + 0.2 * kick
        slow[row] = state
    noise = how.voltage_noise_V * (white + how.slow_share * slow)
    phase = 2 * math.pi * np.array(record.time_s) * 0.0137
    noise = noise + how.hum_V * np.sin(phase + rng.uniform(0, 6.28))
    hit = rng.uniform(size=len(true)) < how.spikes_per_row
    noise = noise + hit * how.spike_V * rng.standard_normal(len(true))
    read = true + how.voltage_offset_V + noise
    read[rng.uniform(size=len(true)) < how.lost_per_row] = np.nan
    return np.asarray(np.round(read / how.voltage_step_V) * how.voltage_step_V)


def current_column(record: Record, how: Converters, rng: np.random.Generator) -> FloatArray:
    """The current: a range for each decade, with a gain and a step of its own; empty in rests where that is so."""
    true = np.array(record.current_A)
    size = np.maximum(np.abs(true), 1e-12)
    decade = np.ceil(np.log10(size)).astype(int)
    gains = {d: 1 + how.range_gain * rng.standard_normal() for d in range(-13, 4)}
    step = 10.0**decade / 2**how.range_bits
    noisy = true * np.array([gains[max(d, -13)] for d in decade]) + 0.5 * step * rng.standard_normal(
        len(true)
    )
    read = np.round(noisy / step) * step
    at_rest = np.abs(true) < 1e-9
    read[at_rest] = np.nan if how.rests_without_current else 0.0
    return np.asarray(read)


def kept_rows(rows: int, how: Converters, rng: np.random.Generator) -> FloatArray:
    """Which rows are in the file: the logger stops now and then; boolean, shape (rows,)."""
    keep = np.ones(rows, dtype=bool)
    for _ in range(how.gaps):
        start = int(rng.integers(10, max(11, rows - 10)))
        keep[start : start + int(rng.integers(2, how.gap_rows + 2))] = False
    return keep


def temperature_column(record: Record, rng: np.random.Generator) -> FloatArray:
    """The chamber's sensor, in degC."""
    return np.round(np.array(record.temperature_degC) + 0.05 * rng.standard_normal(len(record)), 2)


def pressure_column(record: Record, how: Converters, rng: np.random.Generator) -> FloatArray:
    """The stack's load cell, in Pa."""
    noise = 1 + 1e-3 * rng.standard_normal(len(record))
    return np.asarray(np.array(record.pressure) * how.pressure_Pa * noise)
