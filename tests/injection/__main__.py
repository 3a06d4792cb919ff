"""Every call of the recorder fails once: `python -m tests.injection`, as SQLite's tests do it to a database.

A made-up board is recorded for a dozen rounds with rotating files, a derived trace written in each and clients that
ask. First without a fault, to count the calls; then again and again, the first call of a kind failing,
the second, the third, ... with each error, once and from then on. After each: what the recorder had acknowledged is in
the files, what is not there it has counted, and it ran to its end or refused to begin in one line. Each point runs in
a process of its own, forked from this one, which has recorded once and so has loaded everything; `faults.c` is
preloaded (it is compiled for that). Where there is a file system in memory the files lie there: no point waits for a
disk.

`--every N` takes every Nth call only, `--out FILE` keeps each point and its outcome. Exit 1: a point went wrong.
"""

import argparse
import ctypes
import errno
import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.injection.scenario import FRAMES, PER_FRAME, Outcome, in_files, record

KINDS = ("open", "write", "fsync", "rename", "statvfs", "accept", "read")
ERRORS = ("EIO", "ENOSPC", "EMFILE", "EACCES", "ESTALE", "EINTR")
FOR_EVER = 1 << 40
INTERRUPTIONS = 20  # a call that is interrupted for ever is interrupted by nothing that exists
LIMIT_S = 60.0
LIBRARY = "CCDMON_FAULTS"
_IN_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Point:
    """The `nth` call of a kind fails with `error`, once or for ever."""

    kind: str
    nth: int
    error: str
    for_ever: bool


def compiled(folder: Path) -> Path | None:
    """`faults.c` as a library; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def tried(point: Point | None, place: Path) -> tuple[Outcome, int, list[int]]:
    """One recording in a forked process: its outcome, samples in the files, calls of each kind."""
    place.mkdir()
    faults, (reading, writing) = ctypes.CDLL(None), os.pipe()
    child = os.fork()
    if child == 0:
        faults.fault_prefix(str(place).encode())
        if point is None:
            faults.fault_set(-1, 0, 0, 0)
        else:
            many = (INTERRUPTIONS if point.error == "EINTR" else FOR_EVER) if point.for_ever else 1
            number = getattr(errno, point.error)
            faults.fault_set(KINDS.index(point.kind), ctypes.c_long(point.nth), number, ctypes.c_long(many))
        outcome = record(place / "run")
        calls = [int(faults.fault_count(kind)) for kind in range(len(KINDS))]
        faults.fault_prefix(b"")
        os.write(writing, json.dumps([asdict(outcome), calls]).encode())
        os._exit(0)
    os.close(writing)
    text = _waited_for(child, reading)
    if not text:
        return Outcome(bug="ended without a word, or hung"), 0, []
    document, calls = json.loads(text)
    return Outcome(**document), in_files(place / "run"), calls


def _waited_for(child: int, reading: int) -> bytes:
    """What the child says, empty where it hangs."""
    until_s, text = time.monotonic() + LIMIT_S, b""
    os.set_blocking(reading, False)
    while time.monotonic() < until_s:
        try:
            piece = os.read(reading, 1 << 16)
        except BlockingIOError:
            time.sleep(0.005)
            continue
        if not piece:
            break
        text += piece
    else:
        os.kill(child, 9)
        text = b""
    os.close(reading)
    os.waitpid(child, 0)
    return text


def judged(outcome: Outcome, found: int) -> tuple[str, bool]:
    """(what became of the recording in a few words, whether that is all right)."""
    sent = FRAMES * PER_FRAME
    if outcome.bug:
        return f"bug: {outcome.bug}", False
    if outcome.refused:
        return "refused to begin in one line", "\n" not in outcome.refused
    if found < outcome.acknowledged:
        return f"{outcome.acknowledged - found} acknowledged samples are not in the files", False
    lost = sent - found
    if lost and not outcome.dropped_bytes:
        return f"{lost} samples lost uncounted", False
    if lost:
        return "lost what the disk never took, counted", True
    return ("all there, failure told" if outcome.told else "all there"), True


def points_of(calls: list[int], every: int, only: str | None = None) -> list[Point]:
    """All points of so many calls."""
    return [
        Point(kind, nth, error, for_ever)
        for kind, count in zip(KINDS, calls, strict=True)
        if only in (None, kind)
        for nth in range(1, count + 1, every)
        for error in ERRORS
        for for_ever in (False, True)
    ]


def _place() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None)


def campaign(points: list[Point], out: Path | None) -> int:
    """Try them all; print the tally; 1 where one went wrong."""
    tally: Counter[tuple[str, str]] = Counter()
    wrong = 0
    if out is not None:
        out.write_text("")
    for number, point in enumerate(points):
        with _place() as place:
            outcome, found, _ = tried(point, Path(place) / "p")
        words, fine = judged(outcome, found)
        tally[point.kind, words if fine else "WRONG"] += 1
        wrong += not fine
        if out is not None:
            with out.open("a") as file:
                file.write(json.dumps({**asdict(point), "outcome": words, "fine": fine}) + "\n")
        if not fine:
            print(f"{point}: {words}", flush=True)
        if number % 100 == 99:
            print(f"... {number + 1} of {len(points)}, {wrong} wrong", file=sys.stderr, flush=True)
    for (kind, words), count in sorted(tally.items()):
        print(f"{count:6d} {kind:8s} {words}")
    print(f"{len(points)} points, {wrong} wrong")
    return 1 if wrong else 0


def main() -> int:
    """Run the campaign in a process with the faults preloaded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, metavar="N")
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if LIBRARY not in os.environ:
        with tempfile.TemporaryDirectory() as folder:
            library = compiled(Path(folder))
            if library is None:
                print("no C compiler: apt-get install gcc", file=sys.stderr)
                return 3
            environment = os.environ | {"LD_PRELOAD": str(library), LIBRARY: str(library)}
            return subprocess.run(
                [sys.executable, "-m", "tests.injection", *sys.argv[1:]], env=environment
            ).returncode
    with _place() as place:
        record(Path(place) / "warm")
        gc.freeze()
        outcome, found, calls = tried(None, Path(place) / "p")
    words, fine = judged(outcome, found)
    print("without a fault:", words, dict(zip(KINDS, calls, strict=True)))
    if not fine or words != "all there":
        print(outcome)
        return 1
    return campaign(points_of(calls, args.every, args.kind), args.out)


if __name__ == "__main__":
    sys.exit(main())
