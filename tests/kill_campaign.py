"""Kills a recorder again and again and says what each kill cost: `python -m tests.kill_campaign --kills 200`.

One board sends 2000 samples a second all the while; each recorder resumes the run of the one before and is killed at a
random instant. Lost is what the board had sent and no file holds; at most a second's worth may be. In the end every
sample of the run is either there or counted as missing.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ccdmon.run.frame_files import read_parts
from ccdmon.run.rows import RowReader
from tests.host.live_rig import RATE_HZ, cell
from tests.host.pty_board import PtyBoard


def newest_sample(folder: Path) -> tuple[int, RowReader]:
    """The last sample in the files, and the reader that read them."""
    reader, newest = RowReader(), -1
    for data in read_parts(folder):
        for rows in reader.feed(data).rows:
            newest = int(rows.samples[-1])
    return newest, reader


def recorded_bytes(folder: Path) -> int:
    """Size of all frames files."""
    return sum(path.stat().st_size for path in folder.glob("frames*.bin"))


def one_kill(board: PtyBoard, folder: Path, after_s: float) -> int:
    """Record, kill at that time after the first new frame; samples lost."""
    before = recorded_bytes(folder)
    command = [
        sys.executable,
        "-m",
        "ccdmon",
        "record",
        "--port",
        str(board.name),
        "--out",
        str(folder),
        "--resume",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while recorded_bytes(folder) <= before:
        if process.poll() is not None:
            raise SystemExit(f"the recorder ended by itself: {process.communicate()[1]}")
        time.sleep(0.005)
    time.sleep(after_s)
    sent = board.sample
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return max(0, sent - 1 - newest_sample(folder)[0])


def main() -> int:
    """Print the worst and the sum; exit 1 where a kill cost more than a second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        with PtyBoard(Path(place) / "port", source=cell(), rate_Hz=RATE_HZ) as board:
            lost = [one_kill(board, folder, chance.uniform(0.0, 1.5)) for _ in range(args.kills)]
        newest, reader = newest_sample(folder)
    counts = reader.counts
    lost_s = sorted(samples / RATE_HZ for samples in lost)
    print(f"kills                    {len(lost)}")
    print(f"lost by a kill, median   {lost_s[len(lost_s) // 2]:.3f} s")
    print(f"lost by a kill, most     {lost_s[-1]:.3f} s (wanted: at most 1)")
    print(
        f"samples in the files     {counts.samples}, missing {counts.missing_samples} (no recorder was there),"
    )
    print(
        f"                         segments {reader.segment + 1}, damaged frames {counts.crc_errors} (torn by kills)"
    )
    print(f"newest sample            {newest}")
    return 0 if lost_s[-1] <= 1.0 and reader.segment == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
