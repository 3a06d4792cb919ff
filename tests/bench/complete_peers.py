"""All that the core does, as far as pandas, numpy and polars can say it: the long list beside the short one of `peers`.

Per segment (half-cycle, step of the current, rest; a new one, too, behind a gap in time): rows, times, mean current and
voltage, charge, largest voltage and the rows within 0.2 % of it, repeated values, the 16 means of the profile (octaves
of rows), mean of the last 8 rows, noise (mean |second difference|) of the voltage without what follows of the
current's wobble (regression of their differences). Per 8 rows: the drop of the mean against the 8 rows before in units
of the noise. Drops that are large and sure are fitted with a common slope on both sides.

What the three leave out, because it would take a loop over rows in Python: a threshold that learns the level and the
scatter of the current as it goes (they take the median of the whole test, which no stream has), a row that waits until
the next one confirms it, a voltage whose direction is voted. The core does
more, then, not less. river and numba are compared on the short list alone: the long one in a compiled loop is the C
bound.
"""

from typing import Any

import numpy as np

from .data import FloatArray
from .peers import FOLLOW, USUAL

ON, STEP, GAP = 0.3, 0.05, 20.0  # of the usual current; of the current; intervals
SCREEN_DROP, SCREEN_ERRORS = 0.04, 3.0
SIGMA_PER_D2 = 0.511663


def _octave(position: Any) -> Any:
    """Where the means of the profile begin: rows 0, 4, 8, 16, 32 and so on of a segment."""
    return (position == 0) | ((position >= 4) & (position & (position - 1) == 0))


def fits(y: FloatArray, rows: Any) -> list[tuple[int, float, float]]:
    """(row, step, its error) near each candidate: the best split of 28 rows either side, a common slope; all peers'."""
    found = []
    for row in rows:
        first = max(int(row) - 28, 0)
        part = y[first : int(row) + 28]
        if len(part) < 12:
            continue
        before, k = np.cumsum(part), np.arange(1, len(part) + 1)
        fall = (before / k)[2:-3] - ((before[-1] - before) / np.maximum(len(part) - k, 1))[2:-3]
        at = 3 + int(np.argmax(np.maximum(fall, 0.0) ** 2 * (k * (len(part) - k))[2:-3]))
        terms = np.stack([np.ones(len(part)), k - k.mean(), k > at], axis=1)
        known, rest, *_ = np.linalg.lstsq(terms, part, rcond=None)
        variance = float(rest[0]) / (len(part) - 3) if len(rest) else 0.0
        error = float(np.sqrt(variance * np.linalg.inv(terms.T @ terms)[2, 2]))
        found.append((first + at, float(known[2]), error))
    return found


def numpy_complete(time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray) -> dict[str, Any]:
    """Sums over slices; pandas only for the exponentially weighted means."""
    import pandas as pd

    def running(x: FloatArray, alpha: float) -> FloatArray:
        return pd.Series(x).ewm(alpha=alpha).mean().to_numpy()  # type: ignore[no-any-return]

    t, v, i = time_s, voltage_V, current_A
    size, dt, dv, di = np.abs(i), np.diff(t, prepend=t[0]), np.diff(v, prepend=v[0]), np.diff(i, prepend=i[0])
    sign = np.where(size > ON * np.median(size), np.sign(i), 0.0)
    step = (np.abs(di) > STEP * size) & (sign != 0)
    new = (np.diff(sign, prepend=sign[0]) != 0) | (dt > GAP * np.median(dt)) | step
    first = np.flatnonzero(np.concatenate(([True], new[1:])))
    rows = np.diff(first, append=len(t))
    segment = np.repeat(np.arange(len(first)), rows)
    position = np.arange(len(t)) - first[segment]
    current = np.add.reduceat(i, first) / rows
    follows = running(dv * di, FOLLOW)
    moved = running(di * di, FOLLOW)
    beta = np.divide(follows, moved, out=np.zeros_like(v), where=moved > 0)
    y = (v - np.clip(beta, 0.0, None) * (i - current[segment])) * np.where(sign < 0, -1.0, 1.0)
    d2 = np.abs(np.diff(np.diff(y, prepend=y[0]), prepend=0.0))
    d2[position < 2] = 0.0
    octave = np.flatnonzero(_octave(position))
    highest = np.maximum.reduceat(y, first)
    total = np.concatenate(([0.0], np.cumsum(y)))
    stop = first + rows
    block = np.flatnonzero(position % 8 == 0)
    full = np.diff(block, append=len(t)) == 8
    mean, e1 = (np.add.reduceat(x, block) / 8 for x in (y, d2))
    drop = _drops(mean, e1, segment[block], full, running)
    return {
        "first_row": first, "rows": rows, "start_s": t[first], "end_s": t[stop - 1], "sign": sign[first],
        "current_A": current, "voltage_mean_V": np.add.reduceat(v, first) / rows,
        "charge_C": np.add.reduceat(np.where(position > 0, 0.5 * (size + np.roll(size, 1)) * dt, 0.0), first),
        "highest_V": highest, "rows_highest": np.add.reduceat(y >= 0.998 * highest[segment], first, dtype=np.int64),
        "stuck_rows": np.add.reduceat((dv == 0) & (position > 0), first, dtype=np.int64),
        "profile_V": np.add.reduceat(y, octave) / np.diff(octave, append=len(t)), "profile_segment": segment[octave],
        "end_V": (total[stop] - total[np.maximum(stop - 8, first)]) / np.minimum(rows, 8),
        "noise_V": SIGMA_PER_D2 * np.add.reduceat(d2, first) / np.maximum(rows - 2, 1),
        "steps": fits(y, block[drop]),
    }  # fmt: skip


def _drops(mean: FloatArray, e1: FloatArray, segment: Any, full: Any, running: Any) -> Any:
    """Which eights of rows lie lower than those before beyond the noise."""
    d = np.diff(mean, prepend=mean[0])
    same = full & np.concatenate(([False] * 2, segment[2:] == segment[:-2]))
    error = 0.5 * SIGMA_PER_D2 * running(e1, USUAL)
    return np.flatnonzero(same & (-d > SCREEN_DROP * np.abs(mean - d)) & (-d > SCREEN_ERRORS * error))


def pandas_complete(time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray) -> dict[str, Any]:
    """The same in pandas' own words: one frame of the rows, one of the blocks, built-in aggregations."""
    import pandas as pd

    frame = pd.DataFrame({"t": time_s, "v": voltage_V, "i": current_A})
    size, dt, dv, di = frame.i.abs(), frame.t.diff(), frame.v.diff(), frame.i.diff()
    sign = np.sign(frame.i).where(size > ON * size.median(), 0.0)
    step = (di.abs() > STEP * size) & (sign != 0)
    new = (sign.diff().fillna(0.0) != 0) | (dt > GAP * dt.median()) | step
    frame["segment"] = new.cumsum()
    grouped = frame.groupby("segment", sort=False)
    position = grouped.cumcount()
    beta = (dv * di).ewm(alpha=FOLLOW).mean() / (di * di).ewm(alpha=FOLLOW).mean()
    wobble = frame.i - grouped.i.transform("mean")
    frame["y"] = (frame.v - beta.fillna(0.0).clip(lower=0.0) * wobble) * np.where(sign < 0, -1.0, 1.0)
    frame["d2"] = frame.y.diff().diff().abs().mask(position < 2)
    frame["sign"] = sign
    frame["charge"] = (0.5 * (size + size.shift()) * dt).mask(position == 0)
    frame["stuck"] = (dv == 0.0) & (position > 0)
    frame["near"] = frame.y >= 0.998 * grouped.y.transform("max")
    frame["octave"] = _octave(position).cumsum()
    frame["block"] = (position % 8 == 0).cumsum()
    found = grouped.agg(
        rows=("t", "size"), start_s=("t", "first"), end_s=("t", "last"), sign=("sign", "first"),
        current_A=("i", "mean"), voltage_mean_V=("v", "mean"), charge_C=("charge", "sum"), highest_V=("y", "max"),
        rows_highest=("near", "sum"), stuck_rows=("stuck", "sum"), noise_V=("d2", "mean"),
    )  # fmt: skip
    found["noise_V"] *= SIGMA_PER_D2
    found["end_V"] = grouped[["y", "segment"]].tail(8).groupby("segment", sort=False).y.mean()
    profile = frame.groupby("octave", sort=False).agg(segment=("segment", "first"), profile_V=("y", "mean"))
    blocks = frame.groupby("block", sort=False).agg(
        segment=("segment", "first"), rows=("y", "size"), mean=("y", "mean"), e1=("d2", "mean")
    )
    d = blocks["mean"].diff()
    same = (blocks.rows == 8) & (blocks.segment == blocks.segment.shift(2))
    sure = -d > SCREEN_ERRORS * 0.5 * SIGMA_PER_D2 * blocks.e1.ewm(alpha=USUAL).mean()
    low = np.flatnonzero(same & sure & (-d > SCREEN_DROP * (blocks["mean"] - d).abs()))
    candidates = np.flatnonzero((position % 8 == 0).to_numpy())[low]
    return {
        "segments": found, "profile": profile, "blocks": blocks, "steps": fits(frame.y.to_numpy(), candidates)
    }  # fmt: skip


def polars_complete(time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray) -> dict[str, Any]:
    """The same as lazy queries: one for the rows, then three of its groups at once."""
    import polars as pl

    t, v, i, y, d, dv, di, sign = (pl.col(name) for name in ("t", "v", "i", "y", "d", "dv", "di", "sign"))
    segment, position, mean = (pl.col(name) for name in ("segment", "position", "mean"))
    inside = pl.when(position >= 2)
    rows = (
        pl.LazyFrame({"t": time_s, "v": voltage_V, "i": current_A})
        .with_columns(
            dt=t.diff(), dv=v.diff(), di=i.diff(),
            sign=pl.when(i.abs() > ON * i.abs().median()).then(i.sign()).otherwise(0.0),
        )
        .with_columns(
            new=(
                (sign.diff().fill_null(0.0) != 0)
                | (pl.col("dt") > GAP * pl.col("dt").median()).fill_null(False)
                | ((di.abs() > STEP * i.abs()) & (sign != 0)).fill_null(False)
            ),
            beta=((dv * di).ewm_mean(alpha=FOLLOW) / (di * di).ewm_mean(alpha=FOLLOW)).fill_nan(0.0).clip(0.0),
            row=pl.int_range(pl.len(), dtype=pl.Int64),
        )
        .with_columns(
            segment=pl.col("new").cum_sum(),
            position=pl.col("row") - pl.when(pl.col("new") | (pl.col("row") == 0)).then(pl.col("row")).forward_fill(),
        )
        .with_columns(wobble=i - i.mean().over("segment"))
        .with_columns(
            y=(v - pl.col("beta").fill_null(0.0) * pl.col("wobble")) * pl.when(sign < 0).then(-1.0).otherwise(1.0)
        )
        .with_columns(
            d2=inside.then(y.diff().diff().abs()),
            charge=pl.when(position > 0).then(0.5 * (i.abs() + i.abs().shift()) * pl.col("dt")),
            octave=_octave(position).cum_sum(), block=(position % 8 == 0).cum_sum(),
        )
        .collect(engine="streaming")
        .lazy()
    )  # fmt: skip
    found = rows.group_by("segment", maintain_order=True).agg(
        pl.len().alias("rows"), t.first().alias("start_s"), t.last().alias("end_s"), sign.first(),
        i.mean().alias("current_A"), v.mean().alias("voltage_mean_V"), pl.col("charge").sum().alias("charge_C"),
        y.max().alias("highest_V"), (y >= 0.998 * y.max()).sum().alias("rows_highest"),
        ((dv == 0.0) & (position > 0)).sum().alias("stuck_rows"), y.tail(8).mean().alias("end_V"),
        (SIGMA_PER_D2 * pl.col("d2").mean()).alias("noise_V"),
    )  # fmt: skip
    profile = rows.group_by("octave", maintain_order=True).agg(segment.first(), y.mean().alias("profile_V"))
    usual = pl.col("e1").ewm_mean(alpha=USUAL)
    same = (pl.col("rows") == 8) & (segment == segment.shift(2))
    blocks = (
        rows.group_by("block", maintain_order=True)
        .agg(
            segment.first(), pl.len().alias("rows"), y.mean().alias("mean"), pl.col("d2").mean().alias("e1"),
            pl.col("row").first(),
        )
        .with_columns(d=mean.diff())
        .with_columns(
            low=same & (-d > SCREEN_DROP * (mean - d).abs()) & (-d > SCREEN_ERRORS * 0.5 * SIGMA_PER_D2 * usual),
        )
    )  # fmt: skip
    tables = pl.collect_all([found, profile, blocks])
    candidates = tables[2].filter(pl.col("low"))["row"].to_numpy()
    names = ("segments", "profile", "blocks")
    return dict(zip(names, tables, strict=True)) | {
        "steps": fits(rows.select("y").collect()["y"].to_numpy(), candidates)
    }
