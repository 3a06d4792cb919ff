"""What the benchmarks run on: a cycling cell, as many rows as wanted, and a stream of wire frames."""

import numpy as np
import numpy.typing as npt

from ccdmon_fw import wire

FloatArray = npt.NDArray[np.float64]


def rows(
    count: int, seed: int = 0, *, first: int = 0, half_cycle_rows: int = 1000
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Time, voltage, current of the rows from `first` on: polarisation that rises in each half-cycle, 0.5 % noise."""
    rng = np.random.default_rng((seed, first))
    k = np.arange(first, first + count)
    position = k % half_cycle_rows
    current_A = np.where((k // half_cycle_rows) % 2 == 0, 1e-3, -1e-3)
    voltage_V = current_A * 100 * (1 - 0.2 * np.exp(-position / (0.15 * half_cycle_rows)))
    voltage_V += rng.standard_normal(count) * 5e-4
    return k.astype(np.float64), voltage_V, current_A


def frames(count: int = 2000, samples: int = 32) -> bytes:
    """SAMPLES frames as a board sends them."""
    rng = np.random.default_rng(1)
    made = []
    for k in range(count):
        head = wire.pack(wire.SAMPLES, k * samples, 0, k * 1000, 1, samples, 0)
        made.append(
            wire.encode(
                wire.SAMPLES, k & 0xFFFF, head + rng.integers(0, 65536, (samples, 4)).astype("<u2").tobytes()
            )
        )
    return b"".join(made)
