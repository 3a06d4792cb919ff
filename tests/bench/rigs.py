"""`python -m tests.bench.rigs --rigs 64 --seconds 600`: one process records so many rigs at 2 kHz.

Boards behind pseudo-terminals, in processes of their own. Meanwhile one is unplugged and comes back, one trips, and the
folder of a third, a small file system of its own where that may be made (root), is full after two fifths of the time.
Told are what is missing, the recorder's share of a core and its memory. `--rigs 1` is a lone recorder, with nothing of
the kind and with whatever is installed beside it.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.host.live_rig import RATE_HZ, cell
from tests.host.pty_board import PtyBoard, Source

BOARDS_PER_PROCESS = 16
SHOWN_EVERY_S = 30.0
FRAMES_kB_S = 16.6
UNPLUGGED, TRIPPED, FULL = range(3)  # rigs
BEGIN_S = 15.0  # until all are recorded


def played(seconds: float) -> Source:
    """A cell of half-cycles of 30 s, made beforehand: boards must have time to send."""
    rows = cell(half_cycle_s=30.0)(0, int(seconds * RATE_HZ))

    def codes(first: int, count: int) -> npt.NDArray[np.uint16]:
        return np.take(rows, range(first, first + count), axis=0, mode="wrap")

    return codes


def serve(ports: list[str], seconds: float, odd: bool) -> None:
    """Boards until the time is over; the first of the odd ones is unplugged and comes back, the second trips."""
    with ExitStack() as stack:
        source = played(seconds + 4 * BEGIN_S)
        boards = [stack.enter_context(PtyBoard(Path(port), source=source)) for port in ports]
        time.sleep(BEGIN_S + seconds / 3)
        if odd:
            boards[TRIPPED].trip()
            boards[UNPLUGGED].unplug()
            time.sleep(2)
            boards[UNPLUGGED].plug_in()
        time.sleep(seconds + BEGIN_S)


@contextmanager
def small_disk(folder: Path, seconds: float) -> Iterator[bool]:
    """A file system that frames fill after two fifths of the time; False where none may be mounted."""
    folder.mkdir(parents=True)
    size_kB = int(64 + 0.4 * FRAMES_kB_S * seconds)
    call = ["mount", "-t", "tmpfs", "-o", f"size={size_kB}k", "tmpfs", str(folder)]
    mounted = subprocess.run(call, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) // 1024


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rigs", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=600.0)
    args = parser.parse_args()
    odd = args.rigs > FULL
    with tempfile.TemporaryDirectory() as place, ExitStack() as disks:
        ports = [f"{place}/port{number:02d}" for number in range(args.rigs)]
        made = subprocess.run(
            [sys.executable, "-m", "ccdmon", "init", f"{place}/rig.toml", "--area-cm2", "1"]
        )
        assert made.returncode == 0
        files = []
        for number, port in enumerate(ports):
            text = Path(f"{place}/rig.toml").read_text()
            path = Path(place) / f"r{number:02d}.toml"
            path.write_text(with_port(text, port))
            files.append(str(path))
        boards = [
            multiprocessing.Process(
                target=serve, args=(ports[k : k + BOARDS_PER_PROCESS], args.seconds, odd and k == 0)
            )
            for k in range(0, args.rigs, BOARDS_PER_PROCESS)
        ]
        for process in boards:
            process.start()
        while not all(Path(port).exists() for port in ports):
            time.sleep(0.1)
        call = [sys.executable, "-m", "ccdmon", "record", "--rig-file", *files, "--out", f"{place}/runs"]
        full = odd and disks.enter_context(small_disk(Path(f"{place}/runs/port{FULL:02d}"), args.seconds))
        began_s = time.monotonic()
        with Path(f"{place}/said").open("w") as said, Path(f"{place}/out").open("w") as out:
            child = subprocess.Popen(
                [*call, "--stop-after", f"{args.seconds}s", "--no-report", "--json"], stdout=out, stderr=said
            )
            used_s, most_MB, shown_s = 0.0, 0, began_s
            while child.poll() is None:
                with suppress(OSError, StopIteration):
                    used_s, most_MB = cpu_s(child.pid), status(child.pid, "VmHWM")
                    if time.monotonic() - shown_s > SHOWN_EVERY_S:
                        shown_s = time.monotonic()
                        print(
                            f"{shown_s - began_s:.0f} s: {status(child.pid, 'VmRSS')} MB, load {os.getloadavg()[0]:.0f}"
                        )
                time.sleep(0.2)
        took_s = time.monotonic() - began_s
        for process in boards:
            process.terminate()
        print(Path(f"{place}/said").read_text())
        told = json.loads(Path(f"{place}/out").read_text())
        records = told["records"] if odd else [told]
        by_name = {Path(r["run_dir"]).name: r for r in records}
        missing = {name: r["missing_samples"] for name, r in by_name.items() if r["missing_samples"]}
        of_full = by_name.get(f"port{FULL:02d}", {}).get("samples")
        if odd:
            nothing = "nothing may be mounted: no full disk"
            print(f"port{FULL:02d}, on a full disk: {of_full} samples" if full else nothing)
        print(
            "| rigs | s | samples | missing | CPU of a core | memory / MB | wait at a port / s |\n"
            "|---|---|---|---|---|---|---|"
        )
        samples = sum(r["samples"] for r in records)
        print(
            f"| {len(records)} | {took_s:.0f} | {samples} | {missing or 0} | {100 * used_s / took_s:.0f} % | {most_MB} "
            f"| {told.get('longest_wait_at_ports_s', '-')} |"
        )


def with_port(text: str, port: str) -> str:
    """A rig file with that port."""
    import tomlkit

    document = tomlkit.parse(text)
    document.setdefault("port", tomlkit.table())["device"] = port
    document["name"] = Path(port).name
    return tomlkit.dumps(document)


if __name__ == "__main__":
    main()
