"""`python -m tests.bench`: one table, one run, medians. Peers that are not installed are left out, and named."""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ccd_fastcore import STATE_BYTES, ReferenceStream, Stream, Unframer, feed_many

from . import peers
from .data import frames, rows

Columns = tuple[Any, ...]


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Median wall time of `work`."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def line(name: str, value: str, ratio: str = "") -> None:
    print(f"| {name} | {value} | {ratio} |", flush=True)


def peer_table(columns: Columns, few: Columns) -> list[tuple[str, Callable[[], Callable[..., Any]], Columns]]:
    """Name, what makes it, and the rows it gets: the slow ones get few."""
    return [
        ("plain-Python twin", lambda: ReferenceStream().feed, few),
        ("river composite", lambda: peers.river_composite, few),
        ("numpy + pandas composite", lambda: peers.pandas_composite, columns),
        ("polars composite", lambda: peers.polars_composite, columns),
        ("numba, the basic part only", peers.numba_composite, columns),
    ]


def batch(count: int, repeats: int) -> float:
    columns = rows(count)
    core = seconds(lambda: Stream().feed(*columns), repeats) / count
    line(f"core, batch of {count:,} rows", f"{core * 1e9:.1f} ns/row", "1")
    few = tuple(c[: min(count, 50_000)] for c in columns)
    for name, make, part in peer_table(columns, few):
        try:
            work = make()
            work(*(c[:1000] for c in part))
        except ImportError as error:
            line(name, f"left out: {error}")
            continue
        each = seconds(partial(work, *part), max(1, repeats // 2)) / len(part[0])
        line(name, f"{each * 1e9:.1f} ns/row", f"{each / core:.1f}")
    return core


def chunks(repeats: int) -> None:
    columns = rows(200_000)
    for size in (1, 10, 100, 1000):
        total = min(200_000, size * 5000)
        parts = [tuple(c[k : k + size] for c in columns) for k in range(0, total, size)]

        def work(parts: list[Any] = parts) -> None:
            stream = Stream()
            for part in parts:
                stream.feed(*part)

        line(f"core, chunk of {size}", f"{seconds(work, repeats) / len(parts) * 1e6:.2f} us/chunk")


def channels(repeats: int) -> None:
    columns = [np.stack([c] * 256) for c in rows(100)]
    streams = [Stream() for _ in range(256)]
    taken = seconds(lambda: feed_many(streams, *columns), repeats)  # type: ignore[arg-type]
    line(
        "core, 256 channels of 100 rows in one call",
        f"{taken * 1e6:.0f} us",
        f"{taken / 25600 * 1e9:.1f} ns/row",
    )


def wire_frames(repeats: int) -> None:
    data = frames()
    count = data.count(b"\0")
    core = seconds(lambda: Unframer().feed_samples(data), repeats) / count
    line("core, frame of 32 samples", f"{core * 1e6:.2f} us", "1")
    try:
        python = seconds(lambda: peers.python_frames(data), repeats) / count
        line("cobs + crc + struct in Python", f"{python * 1e6:.2f} us", f"{python / core:.1f}")
    except ImportError as error:
        line("cobs + crc + struct in Python", f"left out: {error}")


def whole(count: int, repeats: int) -> None:
    from ccdmon.analysis import analyze_chunks
    from ccdmon.formats.bdf import iter_bdf, write_bdf
    from ccdmon.trace import Cell, Trace

    with tempfile.TemporaryDirectory() as folder:
        trace = Trace(*rows(count), cell=Cell(1.0))
        parquet, csv = Path(folder) / "t.bdf.parquet", Path(folder) / "t.bdf.csv"
        write_bdf(trace, parquet)
        write_bdf(trace, csv)
        del trace
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        taken = seconds(lambda: analyze_chunks(iter_bdf(parquet, 100_000), Cell(1.0)), repeats)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        line(f"analyze, Parquet of {count:,} rows", f"{taken:.2f} s", "1")
        line("more memory at its peak (process high water)", f"{grown:.1f} MB")
        try:
            import polars

            parse = seconds(lambda: polars.read_csv(csv), repeats)
            line("polars, parse the same rows from CSV", f"{parse:.2f} s", f"{parse / taken:.2f}")
        except ImportError as error:
            line("polars, parse the same rows from CSV", f"left out: {error}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the batch (default 1000000)")
    parser.add_argument(
        "--whole-rows", type=int, default=2_000_000, help="of the Parquet file (default 2000000)"
    )
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    print("| what | median | times the core |\n|---|--:|--:|")
    batch(args.rows, args.repeats)
    chunks(args.repeats)
    channels(args.repeats)
    line("state of one channel", f"{STATE_BYTES} bytes")
    wire_frames(args.repeats)
    whole(args.whole_rows, max(1, args.repeats // 2))


if __name__ == "__main__":
    main()
