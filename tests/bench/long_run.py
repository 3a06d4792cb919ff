"""`python -m tests.bench.long_run --hours 1 6 24`: the most memory each verb holds on run folders of growing length.

The folders are those of a rig at 2 kHz for so many hours (1.5 GB of frames a day), their frames made as fast as it
goes. Each verb runs in a process of its own, which tells its high-water mark; a recorder's memory is what
`python -m tests.day_campaign` prints.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ccdmon.rig.rig_file import read_rig
from ccdmon.run import folder as run_folder
from ccdmon.run.document import config_of
from ccdmon.run.frame_files import ROTATE_BYTES, part_path
from ccdmon.run.time_axis import CLOCK_FILE, Anchor
from tests.day_campaign import stream
from tests.host.live_rig import RATE_HZ, cell, rig_file

from .long_file import CHILD

# What the live page does with a folder: everything read once, then looked at near its beginning.
WATCH = """
import resource, sys
from pathlib import Path
from ccdmon.live.follower import Follower
follower = Follower(Path(sys.argv[1]))
while follower.poll() or not follower.caught_up:
    pass
follower.history.view(100.0, 101.0, 4000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


def write_run(place: Path, hours: float, half_cycle_s: float) -> Path:
    """A run folder as `ccdmon record` leaves it when it is killed: frames, clock, `run.toml`."""
    folder = place / f"run-{hours:g}h"
    config = config_of(read_rig(rig_file(place, "long")).document(), "made up", "made up")
    config["time"]["seconds_per_sample"] = 1 / RATE_HZ
    run_folder.create(folder, config)
    (folder / CLOCK_FILE).write_text(Anchor(0, 31, 32 / RATE_HZ, 1.7e9).line())
    frames, part = stream(int(hours * 3600 * RATE_HZ), cell(half_cycle_s=half_cycle_s)), 0
    while _write_part(part_path(folder, part), frames):
        part += 1
    return folder


def _write_part(path: Path, frames: Iterator[bytes]) -> bool:
    """Fill one part; whether there may be more."""
    with path.open("wb") as file:
        for data in frames:
            file.write(data)
            if file.tell() >= ROTATE_BYTES:
                return True
    return False


def peak(command: list[str]) -> tuple[int, float]:
    """(most memory held / MB, seconds) of a child that prints its own high-water mark last."""
    began_s = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", *command], capture_output=True, text=True, check=False)
    if done.returncode > 1:
        sys.exit(done.stderr)
    return int(done.stderr.split()[-1]), time.perf_counter() - began_s


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.long_run", description=__doc__)
    parser.add_argument("--hours", type=float, nargs="+", default=[1.0, 6.0, 24.0])
    parser.add_argument("--half-cycle-s", type=float, default=600.0, help="memory grows with their number")
    parser.add_argument("--dir", type=Path, help="where the frames go (default: the temporary folder)")
    args = parser.parse_args()
    place = Path(tempfile.mkdtemp(dir=args.dir))
    print("| hours | verb | most memory held / MB | took / s |\n|--:|---|--:|--:|", flush=True)
    try:
        for hours in args.hours:
            folder = write_run(place, hours, args.half_cycle_s)
            out, parquet = str(place / "out"), str(place / "long.bdf.parquet")
            for name, command in (
                ("analyze --json", [CHILD, "analyze", str(folder), "--json"]),
                ("report", [CHILD, "report", str(folder), "--out", out]),
                ("convert", [CHILD, "convert", str(folder), parquet]),
                ("validate", [CHILD, "validate", str(folder)]),
                ("watch", [WATCH, str(folder)]),
            ):
                memory_MB, took_s = peak(command)
                print(f"| {hours:g} | {name} | {memory_MB} | {took_s:.0f} |", flush=True)
            shutil.rmtree(folder)
            Path(parquet).unlink()
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
