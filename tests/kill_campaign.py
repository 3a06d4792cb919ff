"""Kills a recorder again and again and says what each kill cost: `python -m tests.kill_campaign --kills 200`.

One board sends 2000 samples a second all the while; each recorder resumes the run of the one before and is killed at a
random instant. Lost by the kill is what the recorder had read from the port and no file holds; at most a second's worth
may be. What it had not read yet, in the terminal and in the board, is told beside it: a machine that gives a process no
processor leaves seconds there, which the kill does not touch (a board keeps or counts them). The recorder's own time is
what it had of the processor while that was lost, whatever others took. `--busy N` makes such a machine. In the end
every sample of the run is either there or counted as missing.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ccdmon.run.frame_files import read_parts
from ccdmon.run.rows import RowReader
from tests.host.live_rig import RATE_HZ, cell, worked_s
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


@dataclass(frozen=True)
class Kill:
    """What was lost by it, and what lay where no recorder had read it, in samples."""

    lost: int
    unread: int
    share: float  # of a processor that the recorder had


def one_kill(board: PtyBoard, folder: Path, after_s: float) -> Kill:
    """Record, kill at that time after the first new frame."""
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
    began_s, worked_before_s = time.monotonic(), worked_s(process.pid)
    time.sleep(after_s)
    share = (worked_s(process.pid) - worked_before_s) / (time.monotonic() - began_s)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    rest, sent = board.not_fetched(), board.sample
    waiting = RowReader().feed(rest).rows
    read_to = int(waiting[0].samples[0]) if waiting else sent
    return Kill(max(0, read_to - 1 - newest_sample(folder)[0]), sent - read_to, share)


def busy(processes: int) -> list[subprocess.Popen[bytes]]:
    """So many that never rest."""
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]


def main() -> int:
    """Print the worst and the sum; exit 1 where a kill cost more than a second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="processes that take the processor")
    args = parser.parse_args()
    others = busy(args.busy)
    try:
        return campaign(args.kills, random.Random(args.seed))
    finally:
        for other in others:
            other.kill()


def campaign(count: int, chance: random.Random) -> int:
    """As `main`."""
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as place:
        folder, kills = Path(place) / "run", list[Kill]()
        with PtyBoard(Path(place) / "port", source=cell(), rate_Hz=RATE_HZ) as board:
            for _ in range(count):
                kills.append(one_kill(board, folder, chance.uniform(0.0, 1.5)))
                loads.append(os.getloadavg()[0])
        newest, reader = newest_sample(folder)
    counts = reader.counts
    lost_s = sorted(kill.lost / RATE_HZ for kill in kills)
    own_s = sorted(kill.share * kill.lost / RATE_HZ for kill in kills)
    unread_s = sorted(kill.unread / RATE_HZ for kill in kills)
    middle = len(kills) // 2
    print(
        f"kills                    {len(kills)}, load {min(loads):.1f} to {max(loads):.1f} on {os.cpu_count()} cores"
    )
    print(
        f"lost by a kill           median {lost_s[middle]:.3f} s, most {lost_s[-1]:.3f} s (wanted: at most 1)"
    )
    print(f"in the recorder's own time   median {own_s[middle]:.3f} s, most {own_s[-1]:.3f} s")
    print(f"not read yet at a kill   median {unread_s[middle]:.3f} s, most {unread_s[-1]:.3f} s")
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
