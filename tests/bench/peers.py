"""The same functions as the core's, as a user would compose them from other libraries.

Segmentation by the sign of the current, charge, R = V / I, exponentially weighted mean and variance of R, a two-sided
CUSUM on it, minimum and maximum, a rolling or running median. None of them sees soft shorts, steps by fit or protocols.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .data import FloatArray

Peer = Callable[[FloatArray, FloatArray, FloatArray], Any]


def river_composite(time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray) -> Any:
    from river import drift, stats

    mean, spread = stats.EWMean(0.05), stats.EWVar(0.05)
    median, low, high = stats.Quantile(0.5), stats.Min(), stats.Max()
    detector = drift.PageHinkley()
    charge, sign, last = 0.0, 0, None
    for t, v, i in zip(time_s.tolist(), voltage_V.tolist(), current_A.tolist(), strict=True):
        now = (i > 0) - (i < 0)
        if now != sign:
            sign = now
        if last is not None:
            charge += abs(i) * (t - last)
        last = t
        if not i:
            continue
        r = v / i
        for each in (mean, spread, median, low, high, detector):
            each.update(r)
    return charge, mean.get(), median.get()


def pandas_composite(time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray) -> Any:
    import pandas as pd

    frame = pd.DataFrame({"t": time_s, "v": voltage_V, "i": current_A})
    frame["half"] = (np.sign(frame.i).diff() != 0).cumsum()
    frame["r"] = frame.v / frame.i
    frame["q"] = frame.i.abs() * frame.t.diff().fillna(0.0)
    mean = frame.r.ewm(alpha=0.05).mean()
    deviation = frame.r.ewm(alpha=0.05).std()
    score = ((frame.r - mean) / deviation).fillna(0.0)
    up = score.cumsum() - score.cumsum().cummin()
    down = score.cumsum().cummax() - score.cumsum()
    grouped = frame.groupby("half", sort=False).agg(
        q=("q", "sum"), low=("r", "min"), high=("r", "max"), middle=("r", "median"), first=("r", "first")
    )
    return grouped, up.max(), down.max()


def polars_composite(time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray) -> Any:
    import polars as pl

    frame = pl.DataFrame({"t": time_s, "v": voltage_V, "i": current_A}).lazy()
    frame = frame.with_columns(
        half=(pl.col("i").sign().diff().fill_null(1) != 0).cum_sum(),
        r=pl.col("v") / pl.col("i"),
        q=pl.col("i").abs() * pl.col("t").diff().fill_null(0.0),
    )
    frame = frame.with_columns(
        mean=pl.col("r").ewm_mean(alpha=0.05), deviation=pl.col("r").ewm_std(alpha=0.05)
    ).with_columns(score=((pl.col("r") - pl.col("mean")) / pl.col("deviation")).fill_null(0.0).cum_sum())
    frame = frame.with_columns(
        up=pl.col("score") - pl.col("score").cum_min(), down=pl.col("score").cum_max() - pl.col("score")
    )
    return (
        frame.group_by("half", maintain_order=True)
        .agg(
            pl.col("q").sum(),
            pl.col("r").min().alias("low"),
            pl.col("r").max().alias("high"),
            pl.col("r").median().alias("middle"),
            pl.col("r").first().alias("first"),
            pl.col("up").max(),
            pl.col("down").max(),
        )
        .collect()
    )


def numba_composite() -> Peer:
    """The basic part in numba, compiled before it is timed."""
    import numba

    @numba.njit  # type: ignore[untyped-decorator]
    def one_pass(t: FloatArray, v: FloatArray, i: FloatArray) -> tuple[float, float, float, float]:
        charge, mean, variance, up, down, low, high = 0.0, 0.0, 0.0, 0.0, 0.0, 1e300, -1e300
        for k in range(1, len(t)):
            charge += abs(i[k]) * (t[k] - t[k - 1])
            if i[k] == 0.0:
                continue
            r = v[k] / i[k]
            score = (r - mean) / math.sqrt(variance + 1e-30)
            mean += 0.05 * (r - mean)
            variance += 0.05 * ((r - mean) ** 2 - variance)
            up, down = max(0.0, up + score - 0.5), max(0.0, down - score - 0.5)
            low, high = min(low, r), max(high, r)
        return charge, mean, up + down, high - low

    one_pass(np.zeros(2), np.ones(2), np.ones(2))
    return one_pass  # type: ignore[no-any-return]


def python_frames(data: bytes) -> int:
    """Frames decoded with cobs, binascii and struct."""
    import binascii
    import struct

    from cobs import cobs

    count = 0
    for block in data.split(b"\0")[:-1]:
        payload = cobs.decode(block)
        content = payload[:-4]
        if binascii.crc32(content) != struct.unpack("<I", payload[-4:])[0]:
            continue
        struct.unpack_from("<BHIIIHBB", content)
        count += len(list(struct.iter_unpack("<HHHH", content[19:])))
    return count
