"""The blocks of a half-cycle against the shape its cell has, with numpy: what `_level.pyx` compiles.

The last bits may differ, for exponentials and logarithms do.
"""

import numpy as np
import numpy.typing as npt

from ccd_fastcore._reference_few import middle, quantile

FloatArray = npt.NDArray[np.float64]
FLAT, CLEAR, LEAST_OHM = 0.08, 0.25, 1e-15
BINS = 41


def spans(blocks: FloatArray, start_s: float, end_s: float, count: float) -> FloatArray:
    """Start and end since the stretch began, and the mean V without the lowest and highest row, of each block."""
    interval_s = (end_s - start_s) / max(count - 1, 1)
    begin_s = blocks[1] - start_s
    stop_s = np.append(begin_s[1:], end_s - start_s + interval_s)
    stop_s = np.maximum(stop_s, begin_s + 1e-6 * max(interval_s, 1e-9))
    rows = blocks[2]
    inner = (blocks[3] - blocks[5] - blocks[6]) / np.maximum(rows - 2, 1)
    return np.array([begin_s, stop_s, np.where(rows > 2, inner, blocks[3] / rows)])


def ohms(volts: FloatArray, amperes: float, most_ohm: float) -> FloatArray:
    """V / I, no more than `most_ohm` either way: behind a current of next to nothing."""
    with np.errstate(over="ignore"):
        return np.clip(volts / amperes, -most_ohm, most_ohm)


def on_shape(
    row: FloatArray,
    rows: FloatArray,
    ohm: FloatArray,
    shape: FloatArray,
    bend: tuple[FloatArray, FloatArray] | None,
    unsure: float,
    early: float,
    noise_ohm: float,
    kept_ohm: float,
) -> tuple[FloatArray, npt.NDArray[np.int64], float, float]:
    """Level, relative error and usable shape; bins of the blocks; median and usual size of the level."""
    n = row.size
    shape = np.where(np.abs(shape) < FLAT, np.where(shape < 0, -FLAT, FLAT), shape)
    level = ohm / shape
    place = 3 * np.log2(1 + (row - row[0] + 0.5 * (rows - 1)))
    bins = np.clip(np.floor(place), 0, BINS - 1).astype(np.int64)
    error = unsure + early * np.exp(-np.arange(n) / (0.1 * n + 1))
    have = np.flatnonzero(np.isfinite(bend[0])) if bend is not None else np.zeros(0, int)
    if bend is not None and have.size:
        bent = np.interp(place - 0.5, have, np.clip(bend[0][have], 0.3, 3))
        level = level / (bent / middle(bent[n // 3 :]))  # how V bends; its size is the shape's
        error = np.maximum(error, np.interp(place - 0.5, have, bend[1][have]))
    m = middle(level[n // 3 :])
    clear = np.abs(level[np.abs(shape) > CLEAR])
    size = max(abs(m), quantile(clear, 0.9) if clear.size else 0.0, kept_ohm, LEAST_OHM)
    noise = noise_ohm / size / np.maximum(np.abs(shape), 0.2)
    error = error * np.maximum(1, 1 / np.maximum(np.abs(shape), 0.02))
    error = np.sqrt(noise**2 / np.minimum(rows, 3) + error**2) + np.where(shape < CLEAR, 9.0, 0.0)
    return np.array([level, error, shape]), bins, m, size


def stray_rows(
    blocks: FloatArray, volts: FloatArray, positive: bool, least_V: float, converter_steps: float
) -> tuple[list[float], int]:
    """First rows of blocks with a row far towards 0 from its block, and the number with one far from 0."""
    spans_V = blocks[6] - blocks[5]
    finest_V = float(np.min(spans_V[spans_V > 0], initial=np.inf))
    least_V = max(least_V, converter_steps * finest_V)
    low_V, high_V = volts - blocks[5], blocks[6] - volts
    down, up = (low_V, high_V) if positive else (high_V, low_V)
    settled = np.arange(volts.size) > 1
    dips: list[float] = blocks[0][settled & (down > least_V) & (up < down)].tolist()
    return dips, int(np.count_nonzero(settled & (up > least_V) & (down < up)))
