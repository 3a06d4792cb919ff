"""Rows of a small made-up cell, for tests that need to know every number."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Rows = tuple[FloatArray, FloatArray, FloatArray]


def cycling(
    half_cycles: int = 8,
    rows: int = 120,
    *,
    resistance_ohm: float = 100.0,
    noise: float = 0.005,
    seed: int = 0,
    levels: bool = True,
) -> Rows:
    """Time, voltage and current of half-cycles of alternating sign, 1 s rows."""
    rng = np.random.default_rng(seed)
    k = np.arange(half_cycles * rows)
    half = k // rows
    current_A = np.where(half % 2 == 0, 1e-3, -1e-3) * (1 + (half // 2) * 0.5 if levels else 1)
    rise = 1 - 0.2 * np.exp(-(k % rows) / (rows / 6))
    voltage_V = current_A * resistance_ohm * rise
    voltage_V += rng.standard_normal(len(k)) * noise * 1e-3 * resistance_ohm
    return k.astype(float), voltage_V, current_A


def with_drop(rows: Rows, at: int, share: float) -> Rows:
    """The same with the polarisation lowered to `share` from row `at` on."""
    time_s, voltage_V, current_A = rows
    voltage_V = voltage_V.copy()
    voltage_V[at:] *= share
    return time_s, voltage_V, current_A


def with_flicker(rows: Rows, start: int, stop: int, depth: float = 0.3, seed: int = 1) -> Rows:
    """The same with an intermittent leak between the rows."""
    time_s, voltage_V, current_A = rows
    voltage_V = voltage_V.copy()
    leak = depth * np.exp(0.8 * np.random.default_rng(seed).standard_normal(stop - start))
    voltage_V[start:stop] /= 1 + leak
    return time_s, voltage_V, current_A
