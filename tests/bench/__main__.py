"""`python -m tests.bench`: one table, one run, medians. Peers that are not installed are left out, and named.

What each of them computes is written in `complete_peers.py` (what the core does) and, where a line says "short list",
in `peers.py` (the half of it that every library can say). Work that is compared is timed in turns, so that a machine
that slows down slows all of it. `--quick` takes a tenth of the rows, to see that it runs.
"""

import argparse
import statistics
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ccd_fastcore import STATE_BYTES, Envelope, ReferenceStream, RowBlocks, Stream, Unframer, feed_many

from . import complete_peers, numba_peer, peers, plain_c
from .data import frames, rows

Columns = tuple[Any, ...]
Work = Callable[[], Any]


def seconds(works: Mapping[str, Work], rounds: int, *, warm: bool = False) -> dict[str, float]:
    """Median wall time of each, one after the other in every round; `warm`: of the second of two, the data in cache."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            if warm:
                work()
            start = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def line(name: str, value: str, ratio: str = "") -> None:
    print(f"| {name} | {value} | {ratio} |", flush=True)


def left_out(works: dict[str, Work], name: str, make: Callable[[], Work]) -> None:
    """Add what `make` gives, tried once, or say why not."""
    try:
        work = make()
        work()
        works[name] = work
    except (ImportError, OSError) as error:
        line(name, f"left out: {error}")


def batch(count: int, rounds: int) -> None:
    columns = rows(count)
    few = tuple(c[: min(count, 20_000)] for c in columns)
    core, river = f"core, batch of {count:,} rows", "short list: river"
    works: dict[str, Work] = {
        core: lambda: Stream().feed(*columns),
        "core, with the rows of each half-cycle in blocks": lambda: with_blocks(columns),
    }

    def bound() -> Work:
        work = plain_c.compiled()
        if work(*columns) != sum(map(len, Stream().feed(*columns))):
            raise SystemExit(
                "the plain C finds other records than the core; plain_c.py has to learn something"
            )
        return lambda: work(*columns)

    def numba() -> Work:
        work = numba_peer.numba_composite()
        return lambda: work(*columns)

    left_out(works, "C bound: the same algorithm without Python", bound)
    for name, work in (
        ("numpy + pandas composite", complete_peers.pandas_complete),
        ("polars composite", complete_peers.polars_complete),
        ("numpy by hand", complete_peers.numpy_complete),
        ("short list: numpy + pandas", peers.pandas_composite),
        ("short list: polars", peers.polars_composite),
        ("short list: numpy by hand", peers.numpy_composite),
    ):
        left_out(works, name, lambda work=work: lambda: work(*columns))  # type: ignore[misc]
    left_out(works, "short list: numba, one loop", numba)
    left_out(works, river, lambda: lambda: peers.river_composite(*few))
    works["plain-Python twin"] = lambda: ReferenceStream().feed(*few)
    slow = {river, "plain-Python twin"}
    each = {
        name: taken / (len(few[0]) if name in slow else count)
        for name, taken in seconds(works, rounds, warm=True).items()
    }
    for name, taken in each.items():
        line(name, f"{taken * 1e9:.1f} ns/row", f"{taken / each[core]:.2f}")


def with_blocks(columns: Columns) -> Any:
    """All that the analysis asks of the core for a row."""
    stream = Stream()
    segments = stream.feed(*columns)[0]
    return RowBlocks().feed(*columns, None, None, segments, stream.running)


def chunks(rounds: int) -> None:
    columns = rows(100_000)
    for size in (1, 10, 100, 1000):
        total = min(len(columns[0]), size * 2000)
        parts = [tuple(c[k : k + size] for c in columns) for k in range(0, total, size)]

        def work(parts: list[Any] = parts) -> None:
            stream = Stream()
            for part in parts:
                stream.feed(*part)

        taken = seconds({"": work}, rounds)[""] / len(parts)
        line(f"core, chunk of {size}", f"{taken * 1e6:.2f} us/chunk", f"{taken / size * 1e9:.1f} ns/row")


def channels(rounds: int) -> None:
    columns = [np.stack([c] * 256) for c in rows(100)]
    streams = [Stream() for _ in range(256)]
    taken = seconds({"": lambda: feed_many(streams, *columns)}, rounds)[""]  # type: ignore[arg-type]
    line(
        "core, 256 rigs of 100 rows in one call", f"{taken * 1e6:.0f} us", f"{taken / 25600 * 1e9:.1f} ns/row"
    )
    line("state of one rig", f"{STATE_BYTES} bytes")


def threads(count: int, rounds: int) -> None:
    """Two threads with a stream each: without the interpreter lock they take as long as one, on two idle cores."""
    columns = rows(count)

    def both() -> None:
        pair = [threading.Thread(target=Stream().feed, args=columns) for _ in range(2)]
        for thread in pair:
            thread.start()
        for thread in pair:
            thread.join()

    taken = seconds({"one": lambda: Stream().feed(*columns), "two": both}, rounds)
    line(
        "two threads against one, twice the rows",
        f"{taken['two'] * 1e3:.1f} ms",
        f"{taken['two'] / taken['one']:.2f}",
    )


def envelope(count: int, rounds: int) -> None:
    time_s, voltage_V, _ = rows(count)
    taken = seconds({"": lambda: Envelope().feed(time_s, voltage_V)}, rounds)[""]
    line("smallest and largest for plots, one signal", f"{taken / count * 1e9:.1f} ns/row")


def wire_frames(rounds: int) -> None:
    data = frames()
    count = data.count(b"\0")
    works: dict[str, Work] = {"core, frame of 32 samples": lambda: Unframer().feed_samples(data)}
    left_out(works, "cobs + crc + struct in Python", lambda: lambda: peers.python_frames(data))
    taken = seconds(works, rounds)
    for name, whole_s in taken.items():
        line(name, f"{whole_s / count * 1e6:.2f} us", f"{whole_s / taken['core, frame of 32 samples']:.1f}")


def memory(count: int) -> None:
    """What a batch allocates at its peak: the records of its half-cycles, and nothing for its rows."""
    columns = rows(count)
    tracemalloc.start()
    Stream().feed(*columns)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    line(f"core, more memory for {count:,} rows in one call", f"{peak / 1e6:.1f} MB")


def whole(count: int, rounds: int) -> None:
    import pyarrow.parquet as pa_parquet

    from ccdmon.analysis.document import analyze_chunks
    from ccdmon.formats.bdf.read import iter_bdf, read_ahead
    from ccdmon.formats.bdf.write import table_of, write_bdf
    from ccdmon.model.trace import Cell, Trace

    with tempfile.TemporaryDirectory() as folder:
        trace = Trace(*rows(count, half_cycle_rows=3600), cell=Cell(1.0))  # an hour each, at a row a second
        own, foreign = Path(folder) / "t.bdf.parquet", Path(folder) / "foreign.parquet"
        csv = Path(folder) / "t.bdf.csv"
        write_bdf(trace, own)
        pa_parquet.write_table(table_of(trace), foreign)
        write_bdf(trace, csv)
        del trace

        def analyze(path: Path) -> Work:
            return lambda: analyze_chunks(read_ahead(iter_bdf(path)), Cell(1.0))

        core = f"analyze, Parquet of {count:,} rows as ccdmon writes it"
        works = {core: analyze(own), "analyze, the same rows as pyarrow writes them": analyze(foreign)}

        def parse() -> Work:
            import polars

            return lambda: polars.read_csv(csv)

        left_out(works, "polars, parse the same rows from CSV", parse)
        taken = seconds(works, rounds)
        for name, whole_s in taken.items():
            line(name, f"{whole_s:.2f} s", f"{whole_s / taken[core]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the batch (default 1000000)")
    parser.add_argument("--whole-rows", type=int, default=10_000_000, help="of the files (default 10000000)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, three rounds")
    args = parser.parse_args()
    if args.quick:
        args.rows, args.whole_rows, args.rounds = args.rows // 10, args.whole_rows // 10, 3
    print("| what | median | times the core |\n|---|--:|--:|")
    batch(args.rows, args.rounds)
    chunks(args.rounds)
    channels(args.rounds)
    memory(args.whole_rows)
    threads(args.rows, args.rounds)
    envelope(args.rows, args.rounds)
    wire_frames(args.rounds)
    whole(args.whole_rows, args.rounds)


if __name__ == "__main__":
    main()
