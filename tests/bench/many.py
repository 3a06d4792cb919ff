"""`python -m tests.bench.many --traces 2000 --rows 1500`: what it costs to judge many, and what kills change.

One in a hundred is broken. A plain loop in one process is the measure: the same work by `--jobs 2` and by Dask with one
and two workers must give the same tables; told are CPU seconds of all processes, wall time and the main process's
memory. Then workers and main processes are killed at random, the call is repeated, and the tables are compared again.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ccdmon.catalogue.build import Order, build
from ccdmon.catalogue.keys import Task
from ccdmon.catalogue.parts import judge_into, part_name
from ccdmon.catalogue.tables import EVENTS_FILE, HALF_CYCLES_FILE, RUNS_FILE
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.simulation.scenarios import SCENARIOS
from ccdmon.simulation.simulate import Options, simulate
from tests.host.catalogue.cells import OPTIONS

LOOP_TASKS = 64
SIMULATED = 100
LOOP = "import sys; from tests.bench.many import loop; loop(*sys.argv[1:])"


def make(folder: Path, count: int, rows: int) -> None:
    """Cells of all scenarios in turn, from `SIMULATED` on again under another name; every hundredth file is damaged."""
    names, nothing = sorted(SCENARIOS), dict.fromkeys(Options.__dataclass_fields__)
    for k in range(count):
        path = folder / f"d{k // 100:03d}" / f"t{k:06d}.bdf.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        if k < SIMULATED:
            write_bdf(simulate(names[k % len(names)], k, **{**nothing, "max_rows": rows}).trace, str(path))
        else:
            source = folder / "d000" / f"t{k % SIMULATED:06d}.bdf.csv"
            shutil.copyfile(source, path)
            named = json.loads(_sidecar(source).read_text())
            named["extras"]["cell"]["name"] = (
                path.name
            )  # another content of the sidecar: nothing is known of it
            _sidecar(path).write_text(json.dumps(named))
    for k in range(50, count, 100):
        path = folder / f"d{k // 100:03d}" / f"t{k:06d}.bdf.csv"
        path.write_text(path.read_text()[:4000] + "1,2,broken\n")


def _sidecar(trace: Path) -> Path:
    return trace.with_name(trace.name.replace(".bdf.csv", ".bdf.metadata.json"))


def loop(traces: str, folder: str) -> None:
    """All in this process, one after the other."""
    from ccdmon.catalogue import build as module

    def judge(order: Order, tasks: "module.Iterator[Task]", parts: Path, generation: int, _: object) -> None:
        while some := [task for _, task in zip(range(LOOP_TASKS), tasks, strict=False)]:
            judge_into(parts / part_name(generation, some), some, order.options)

    module._judge = judge  # type: ignore[assignment]
    build(Order([traces], Path(folder), OPTIONS))


def timed(call: list[str]) -> tuple[float, float, int]:
    """(wall s, CPU s of all its processes, high-water mark of the main one in MB)."""
    began_s, most_kB = time.perf_counter(), 0
    child = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        with suppress(OSError, StopIteration):
            status = Path(f"/proc/{child.pid}/status").read_text().splitlines()
            most_kB = int(next(line for line in status if line.startswith("VmHWM")).split()[1])
        pid, _, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            return time.perf_counter() - began_s, usage.ru_utime + usage.ru_stime, most_kB // 1024
        time.sleep(0.05)


def tables(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in (RUNS_FILE, EVENTS_FILE, HALF_CYCLES_FILE)]


def killed(call: list[str], workers: int, mains: int, seed: int) -> tuple[int, int]:
    """Kill so many workers and main processes as the call goes on; repeat it until it ends: how many were."""
    chance, dead_workers, dead_mains = random.Random(seed), 0, 0
    while True:
        child = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until_s = time.monotonic() + chance.uniform(3, 6)
        while child.poll() is None:
            time.sleep(chance.uniform(0.2, 0.8))
            offspring = _children(child.pid)
            if dead_mains < mains and time.monotonic() > until_s:
                child.kill()
                dead_mains += 1
            elif dead_workers < workers and offspring:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(offspring), signal.SIGKILL)
                    dead_workers += 1
        if child.returncode >= 0:
            return dead_workers, dead_mains


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    return []


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--traces", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--folder", type=Path, help="traces made before lie there, or shall")
    parser.add_argument(
        "--only-jobs", action="store_true", help="without the loop: time and memory of `--jobs 2`"
    )
    parser.add_argument("--ways", default="jobs 2,dask 1,dask 2,kills", help="beside the loop")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        traces = args.folder or Path(place) / "traces"
        if not traces.exists():
            make(traces, args.traces, args.rows)
        base = [sys.executable, "-m", "ccdmon", "analyze", str(traces), "--catalogue"]
        at = {
            name: Path(place) / name.replace(" ", "-")
            for name in ("loop", "jobs 2", "dask 1", "dask 2", "kills")
        }
        calls = {
            "loop": [sys.executable, "-c", LOOP, str(traces), str(at["loop"])],
            "jobs 2": [*base, str(at["jobs 2"]), "--jobs", "2"],
            "dask 1": [*base, str(at["dask 1"]), "--cluster", "local:1"],
            "dask 2": [*base, str(at["dask 2"]), "--cluster", "local:2"],
        }  # fmt: skip
        print(
            "| way | wall / s | CPU / s | CPU over the loop's | main process / MB | tables |\n|---|---|---|---|---|---|"
        )
        first_s, measure = 0.0, "jobs 2" if args.only_jobs else "loop"
        for name, call in calls.items():
            if name not in ((measure,) if args.only_jobs else (measure, *args.ways.split(","))):
                continue
            wall_s, cpu_s, most_MB = timed(call)
            first_s = first_s or cpu_s
            same = "same" if tables(at[name]) == tables(at[measure]) else "OTHERS"
            print(
                f"| {name} | {wall_s:.1f} | {cpu_s:.1f} | {cpu_s / first_s:.3f} | {most_MB} | {same} |",
                flush=True,
            )
        if "kills" in args.ways and not args.only_jobs:
            workers, mains = killed([*base, str(at["kills"]), "--jobs", "2"], 10, 2, 1)
            same = "same" if tables(at["kills"]) == tables(at["loop"]) else "OTHERS"
            print(f"| {workers} workers, {mains} main processes killed | | | | | {same} |")


if __name__ == "__main__":
    main()
