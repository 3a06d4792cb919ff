"""`python -m tests.bench.long_file`: `ccdmon analyze --out` on a Parquet file far larger than memory should hold.

Writes the file piece by piece (24 bytes a row before compression), analyses it in a process of its own, and prints how
long that took and the most memory it held.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pa_parquet

from .data import rows

PIECE_ROWS = 1_000_000
LABELS = ("Test Time / s", "Voltage / V", "Current / A")
# The child tells its own high-water mark: the parent's view of its children keeps that of the largest so far.
CHILD = """
import resource, sys
from ccdmon.cli import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""


def write(path: Path, count: int, half_cycle_rows: int) -> None:
    """A cycling cell of `count` rows, one a second."""
    schema = pa.schema([(label, pa.float64()) for label in LABELS])
    with pa_parquet.ParquetWriter(path, schema) as writer:
        for first in range(0, count, PIECE_ROWS):
            piece = rows(min(PIECE_ROWS, count - first), first=first, half_cycle_rows=half_cycle_rows)
            writer.write_table(pa.table(dict(zip(LABELS, map(pa.array, piece), strict=True)), schema))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.long_file", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument(
        "--half-cycle-rows", type=int, default=3600, help="rows of a half-cycle (default 3600)"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.bdf.parquet"
        write(path, args.rows, args.half_cycle_rows)
        command = [sys.executable, "-c", CHILD, "analyze", str(path), "--json", "--out", f"{folder}/report"]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        taken = time.perf_counter() - start
        if done.returncode > 1:
            sys.exit(done.stderr)
        document = json.loads(done.stdout)
        page = Path(folder) / "report" / "report.html"
        print("| what | value |\n|---|--:|")
        print(f"| rows, file | {args.rows:,}, {path.stat().st_size / 1e6:.0f} MB |")
        print(f"| verdict, half-cycles | {document['verdict']}, {len(document['half_cycles'])} |")
        print(f"| page | {page.stat().st_size / 1e6:.1f} MB |")
        print(f"| time, with the page | {taken:.1f} s ({taken / args.rows * 1e9:.0f} ns/row) |")
        print(f"| most memory held | {done.stderr.split()[-1]} MB |")


if __name__ == "__main__":
    main()
