"""Half of what the core finds, as a user would compose it from other libraries: the same short list in each.

Per half-cycle (a new one where the current changes sign): rows, start and end, charge by the trapezoid rule, mean
current and voltage, voltage after settling (rows 4 to 7) and at the end (last 8 rows), slope, noise (mean |second
difference|), smallest and largest voltage, repeated values. Running: exponentially weighted
mean of R and of the noise, how V follows I (regression of their differences), the drop of the mean of 8 rows against
the 8 before in units of the noise.

Each uses what its library does fastest: polars one lazy query, pandas its built-in aggregations, numpy sums over
slices (`reduceat`). What the core does beyond this is in `complete_peers`.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from .data import FloatArray

Peer = Callable[[FloatArray, FloatArray, FloatArray], Any]
LEVEL, USUAL, FOLLOW = 1 / 16, 1 / 32, 1 / 16  # weights of the running means


class RiverHalfCycle:
    """What river keeps of one half-cycle."""

    def __init__(self, time_s: float) -> None:
        from river import stats

        self.rows, self.start, self.charge, self.stuck = 0, time_s, 0.0, 0
        self.voltage, self.current, self.noise, self.settled = (stats.Mean() for _ in range(4))
        self.lowest, self.highest = stats.Min(), stats.Max()
        self.slope, self.spread = stats.Cov(), stats.Var()
        self.drop = 0.0


def river_composite(time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray) -> list[Any]:
    from river import stats

    level, usual = stats.EWMean(LEVEL), stats.EWMean(USUAL)
    follows, moved = stats.EWCov(FOLLOW), stats.EWVar(FOLLOW)
    last_rows: deque[float] = deque(maxlen=16)
    found: list[Any] = []
    half, t_last, v_last, i_last, dv_last = RiverHalfCycle(0.0), 0.0, 0.0, 0.0, 0.0
    for t, v, i in zip(time_s.tolist(), voltage_V.tolist(), current_A.tolist(), strict=True):
        if not found or (i > 0) != (i_last > 0):
            half = RiverHalfCycle(t)
            found.append(half)
        dv, di = v - v_last, i - i_last
        half.rows += 1
        half.charge += 0.5 * (abs(i) + abs(i_last)) * (t - t_last)
        half.voltage.update(v)
        half.current.update(i)
        half.lowest.update(v)
        half.highest.update(v)
        half.slope.update(t, v)
        half.spread.update(t)
        if 4 < half.rows <= 8:
            half.settled.update(v)
        level.update(v / i if i else 0.0)
        follows.update(dv, di)
        moved.update(di)
        last_rows.append(v)
        if half.rows > 2:
            noise = abs(dv - dv_last)
            half.noise.update(noise)
            usual.update(noise)
            size = usual.get() or 1.0
            if len(last_rows) == 16:
                rows = list(last_rows)
                half.drop = max(half.drop, (sum(rows[:8]) - sum(rows[8:])) / 8 / size)
        half.stuck += dv == 0.0
        t_last, v_last, i_last, dv_last = t, v, i, dv
    return found


def pandas_composite(time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray) -> Any:
    import pandas as pd

    frame = pd.DataFrame({"t": time_s, "v": voltage_V, "i": current_A})
    new = np.sign(frame.i).diff().fillna(0.0) != 0
    dv, di, size = frame.v.diff(), frame.i.diff(), frame.i.abs()
    frame["half"] = new.cumsum()
    frame["charge"] = 0.5 * (size + size.shift()) * frame.t.diff()
    frame["noise"] = dv.diff().abs().mask(new | new.shift(fill_value=False))
    usual = frame.noise.ewm(alpha=USUAL).mean()
    frame["level"] = (frame.v / frame.i).ewm(alpha=LEVEL).mean()
    frame["follows"] = (dv * di).ewm(alpha=FOLLOW).mean() / (di * di).ewm(alpha=FOLLOW).mean()
    now = frame.v.rolling(8).mean()
    frame["drop"] = (now.shift(8) - now) / usual
    frame["stuck"] = dv == 0.0
    frame["tv"], frame["tt"] = frame.t * frame.v, frame.t * frame.t
    grouped = frame.groupby("half", sort=False)
    found = grouped.agg(
        start=("t", "first"), end=("t", "last"), rows=("t", "size"), charge=("charge", "sum"), voltage=("v", "mean"),
        current=("i", "mean"), t=("t", "mean"), tv=("tv", "mean"), tt=("tt", "mean"), noise=("noise", "mean"),
        lowest=("v", "min"), highest=("v", "max"), stuck=("stuck", "sum"),
        level=("level", "last"), follows=("follows", "last"), drop=("drop", "max"),
    )  # fmt: skip
    found["slope"] = (found.tv - found.t * found.voltage) / (found.tt - found.t**2)
    position = grouped.cumcount()
    settled = frame[["v", "half"]][(position >= 4) & (position < 8)]
    found["settled"] = settled.groupby("half", sort=False).v.mean()
    found["last_rows"] = grouped[["v", "half"]].tail(8).groupby("half", sort=False).v.mean()
    return found


def numpy_composite(time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray) -> dict[str, Any]:
    """By hand, with pandas only for the exponentially weighted means: what an expert would write."""
    import pandas as pd

    def running(x: FloatArray, alpha: float) -> FloatArray:
        return pd.Series(x).ewm(alpha=alpha).mean().to_numpy()  # type: ignore[no-any-return]

    t, v, i = time_s, voltage_V, current_A
    first = np.concatenate(([0], np.flatnonzero(np.diff(np.sign(i))) + 1))
    stop = np.append(first[1:], len(t))
    rows = stop - first
    size, dv, di = np.abs(i), np.diff(v, prepend=v[0]), np.diff(i, prepend=i[0])
    charge = 0.5 * (size + np.concatenate(([0.0], size[:-1]))) * np.diff(t, prepend=t[0])
    noise = np.abs(np.diff(dv, prepend=0.0))
    noise[first] = noise[np.minimum(first + 1, len(t) - 1)] = np.nan
    usual = running(noise, USUAL)
    total = np.concatenate(([0.0], np.cumsum(v)))
    now = (total[8:] - total[:-8]) / 8
    drop = np.full_like(v, -np.inf)
    drop[15:] = (now[:-8] - now[8:]) / usual[15:]
    mean_t, mean_v = np.add.reduceat(t, first) / rows, np.add.reduceat(v, first) / rows
    with np.errstate(invalid="ignore", divide="ignore"):
        follows = running(dv * di, FOLLOW)[stop - 1] / running(di * di, FOLLOW)[stop - 1]
        slope = (np.add.reduceat(t * v, first) / rows - mean_t * mean_v) / (
            np.add.reduceat(t * t, first) / rows - mean_t**2
        )
    return {
        "start": t[first], "end": t[stop - 1], "rows": rows, "charge": np.add.reduceat(charge, first),
        "voltage": mean_v, "current": np.add.reduceat(i, first) / rows, "slope": slope,
        "noise": np.add.reduceat(np.nan_to_num(noise), first) / np.maximum(rows - 2, 1),
        "lowest": np.minimum.reduceat(v, first), "highest": np.maximum.reduceat(v, first),
        "stuck": np.add.reduceat(dv == 0, first, dtype=np.int64),
        "level": running(v / i, LEVEL)[stop - 1], "follows": follows, "drop": np.maximum.reduceat(drop, first),
        "settled": (total[np.minimum(first + 8, stop)] - total[np.minimum(first + 4, stop)]) / 4,
        "last_rows": (total[stop] - total[np.maximum(stop - 8, first)]) / np.minimum(8, rows),
    }  # fmt: skip


def polars_composite(time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray) -> Any:
    import polars as pl

    t, v, i, dv, di, new = (pl.col(name) for name in ("t", "v", "i", "dv", "di", "new"))
    noise, usual, now = (pl.col(name) for name in ("noise", "usual", "now"))
    frame = pl.LazyFrame({"t": time_s, "v": voltage_V, "i": current_A}).with_columns(
        new=i.sign().diff().fill_null(0.0) != 0.0, dv=v.diff(), di=i.diff(), now=v.rolling_mean(8),
        charge=0.5 * (i.abs() + i.abs().shift()) * t.diff(), level=(v / i).ewm_mean(alpha=LEVEL),
    )  # fmt: skip
    frame = frame.with_columns(
        half=new.cum_sum(),
        noise=pl.when(new | new.shift(fill_value=False)).then(None).otherwise(dv.diff().abs()),
        covariance=(dv * di).ewm_mean(alpha=FOLLOW),
        variance=(di * di).ewm_mean(alpha=FOLLOW),
    ).with_columns(usual=noise.ewm_mean(alpha=USUAL, ignore_nulls=True))
    frame = frame.with_columns(drop=(now.shift(8) - now) / usual)
    return (
        frame.group_by("half", maintain_order=True)
        .agg(
            t.first().alias("start"), t.last().alias("end"), pl.len().alias("rows"), pl.col("charge").sum(),
            v.mean().alias("voltage"), i.mean().alias("current"), (pl.cov(t, v) / t.var()).alias("slope"),
            noise.mean(), v.min().alias("lowest"), v.max().alias("highest"),
            (dv == 0.0).sum().alias("stuck"), pl.col("level").last(),
            (pl.col("covariance").last() / pl.col("variance").last()).alias("follows"), pl.col("drop").max(),
            v.slice(4, 4).mean().alias("settled"), v.tail(8).mean().alias("last_rows"),
        )
        .collect()
    )  # fmt: skip


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
