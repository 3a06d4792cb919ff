"""`python -m tests.bench.analysis`: what the analysis takes for a row and a half-cycle, and what it keeps.

Each figure comes from a process of its own, several in turns, the best of each. `--against FOLDER` takes another
checkout (with its `.venv`) into the turns, 0.1.0's too. Times are of the processor, for other work on the machine
should not count; only a CSV's are of the wall, against polars that parses the same file.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# Runs in either checkout: the modules had other names in 0.1.0.
CHILD = """
import json, sys, time
from pathlib import Path
sys.path.insert(0, ".")
count, half_cycle_rows, chunk = map(int, sys.argv[1:4])
from tests.bench.data import rows
try:
    from ccdmon.analysis.document import StreamingAnalysis
    from ccdmon.model.trace import Cell, Trace
except ImportError:
    from ccdmon.analysis import StreamingAnalysis
    from ccdmon.trace import Cell, Trace
columns = rows(count, half_cycle_rows=half_cycle_rows)
traces = [Trace(*(c[k : k + chunk] for c in columns), cell=Cell(1.0)) for k in range(0, count, chunk)]
def resident_kB():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4
analysis = StreamingAnalysis(Cell(1.0))
analysis.report()  # what it imports late
before = resident_kB()
start = time.thread_time()
for trace in traces:
    analysis.feed(trace)
fed = time.thread_time()
snapshot = analysis.snapshot()
looked = time.thread_time()
snapshot.report()
told = time.thread_time()
del snapshot
kept = resident_kB()
start_again = time.thread_time()
analysis.report()
again = time.thread_time()
half_cycles = count / half_cycle_rows
print(json.dumps({
    "feed, ns a row": (fed - start) / count * 1e9,
    "first report, us a half-cycle": (told - fed) / half_cycles * 1e6,
    "next report, us a half-cycle": (again - start_again) / half_cycles * 1e6,
    "kept, kB a half-cycle": (kept - before) / half_cycles,
}))
"""
CSV = """
import json, resource, sys, time
from pathlib import Path
if sys.argv[2] == "polars":
    import polars
    start = time.perf_counter()
    polars.read_csv(sys.argv[1])
else:
    from ccdmon.analysis.document import analyze_chunks
    from ccdmon.formats.bdf.read import iter_bdf, read_ahead
    from ccdmon.model.trace import Cell
    start = time.perf_counter()
    analyze_chunks(read_ahead(iter_bdf(Path(sys.argv[1]))), Cell(1.0))
taken = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"wall, s": taken, "processor, s": time.process_time(), "most memory, MB": memory}))
"""


# In a process of its own, too: a child's high-water mark begins with what its parent holds.
WRITE = """
import sys
sys.path.insert(0, ".")
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.model.trace import Cell, Trace
from tests.bench.data import rows
write_bdf(Trace(*rows(int(sys.argv[2]), half_cycle_rows=int(sys.argv[3])), cell=Cell(1.0)), sys.argv[1])
print("{}")
"""


def best(folders: dict[str, Path], code: str, arguments: list[str], rounds: int) -> dict[str, dict[str, Any]]:
    """The smallest of each figure of each checkout, one after the other in every round."""
    found: dict[str, dict[str, Any]] = {}
    for _ in range(rounds):
        for name, folder in folders.items():
            command = [str(folder / ".venv" / "bin" / "python"), "-c", code, *arguments]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
            new = json.loads(done.stdout)
            old = found.get(name, new)
            found[name] = {key: min(value, old[key]) for key, value in new.items()}
    return found


def of_rows(folders: dict[str, Path], rounds: int) -> None:
    for count, half_cycle_rows, chunk in (
        (1_000_000, 1000, 65_536), (1_000_000, 3600, 65_536), (100_000, 1000, 32), (200_000, 30, 65_536),
    ):  # fmt: skip
        found = best(folders, CHILD, [str(count), str(half_cycle_rows), str(chunk)], rounds)
        here = found["here"]
        for key, value in here.items():
            other = found.get("against", {}).get(key)
            ratio = f"{other:.1f} | {value / other:.2f}" if other else "- | -"
            print(f"| {half_cycle_rows}, {chunk:,} | {key} | {value:.1f} | {ratio} |", flush=True)


def of_csv(count: int, rounds: int) -> None:

    print(
        "\n| rows, of a half-cycle | analyze, s | polars parses, s | ratio | memory, MB |\n|---|--:|--:|--:|--:|"
    )
    with tempfile.TemporaryDirectory() as folder:
        for size, half_cycle_rows in ((count * 3 // 5, 1000), (count, 1000), (count, 3600)):
            path = Path(folder) / "rows.bdf.csv"
            best({"here": ROOT}, WRITE, [str(path), str(size), str(half_cycle_rows)], 1)
            ours: dict[str, Any] = {}
            polars: dict[str, Any] = {}
            for _ in range(rounds):
                for name, kept in (("polars", polars), ("ccdmon", ours)):
                    new = best({"here": ROOT}, CSV, [str(path), name], 1)["here"]
                    kept.update({key: min(value, kept.get(key, value)) for key, value in new.items()})
            wall, other = ours["wall, s"], polars["wall, s"]
            print(
                f"| {size:,}, {half_cycle_rows} | {wall:.2f} | {other:.2f} | {wall / other:.2f} "
                f"| {ours['most memory, MB']:.0f} |", flush=True,
            )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.analysis", description=__doc__)
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="another checkout with its .venv")
    parser.add_argument("--rows", type=int, default=5_000_000, help="of the CSV (default 5000000; 0: none)")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    folders = {"here": ROOT} | ({"against": args.against} if args.against else {})
    if not (ROOT / ".venv").is_dir():
        sys.exit(f"{ROOT}/.venv is missing: see README, Install")
    print("| rows of a half-cycle, of a chunk | what | here | against | ratio |\n|---|---|--:|--:|--:|")
    of_rows(folders, args.rounds)
    if args.rows:
        of_csv(args.rows, args.rounds)


if __name__ == "__main__":
    main()
