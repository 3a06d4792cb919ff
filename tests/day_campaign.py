"""A day at 2 kHz through `ccdmon record`, as fast as it takes it: `python -m tests.day_campaign --hours 24`.

A made-up board writes the wire frames of a cell into a terminal and a real recorder reads them. Printed: the
recorder's memory in every hour, and whether every sample is in the frames and in the derived trace. A day is 1.5 GB of
frames.

What the recorder keeps of each half-cycle, beside the blocks of a thousand, is about a kilobyte, and all that it
keeps. Memory goes up and down with the part of the derived trace that is being filled; it counts as constant where no
later hour's highest is over `MOST_GROWTH` above that of the first five. The half-cycles here are much shorter than in
most tests; `--half-cycle-s 600` is nearer to one.
"""

import argparse
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import tty
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pa_parquet
from cobs import cobs

from ccdmon.errors import DeviceError
from ccdmon_fw import limits, wire
from tests.host.live_rig import HALF_CYCLE_S, RATE_HZ, cell, rig_file
from tests.host.pty_board import Source
from tests.host.record.test_recording import state
from tests.kill_campaign import newest_sample

PER_FRAME = 32
CHUNK_FRAMES = 250  # four seconds
FILLED_HOURS = 5
MOST_GROWTH = 0.15


def framed(kind: int, sequence: int, body: bytes) -> bytes:
    """A frame as `wire.encode` makes it, by compiled libraries."""
    payload = struct.pack("<BH", kind, sequence & 0xFFFF) + body
    return bytes(cobs.encode(payload + struct.pack("<I", zlib.crc32(payload)))) + b"\0"


def stream(samples: int, source: Source | None = None) -> Iterator[bytes]:
    """Identity, then so many samples of a made-up cell."""
    document = {"board": "made up", "sample_period_us": round(1e6 / RATE_HZ), "reasons": limits.REASONS}
    text = json.dumps(document).encode()
    yield framed(wire.IDENTITY, 0, struct.pack("<H", len(text)) + text)
    source, sequence = source or cell(), 1
    for first in range(0, samples, PER_FRAME * CHUNK_FRAMES):
        count = min(PER_FRAME * CHUNK_FRAMES, samples - first)
        codes = source(first, count)
        assert codes is not None
        rows = codes.tobytes()
        frames = []
        for at in range(0, count, PER_FRAME):
            n = min(PER_FRAME, count - at)
            head = wire.pack(wire.SAMPLES, (first + at) % (1 << 30), 0, 0, 1, n, 0)
            frames.append(framed(wire.SAMPLES, sequence, head + rows[8 * at : 8 * (at + n)]))
            sequence += 1
        yield b"".join(frames)


def memory_MB(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> int:
    """Print the day; exit 1 where a sample is not accounted for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--half-cycle-s", type=float, default=HALF_CYCLE_S, help="default %(default)g")
    parser.add_argument("--dir", type=Path, help="where the 1.5 GB go (default: the temporary folder)")
    args = parser.parse_args()
    samples = int(args.hours * 3600 * RATE_HZ)
    place = Path(tempfile.mkdtemp(dir=args.dir))
    try:
        return record(samples, place, cell(half_cycle_s=args.half_cycle_s))
    finally:
        shutil.rmtree(place)


def record(samples: int, place: Path, source: Source) -> int:
    """Feed a recorder, watch its memory, count."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    folder, rig = place / "run", rig_file(place, "day")
    command = [
        "record",
        "--port",
        os.ttyname(theirs),
        "--out",
        str(folder),
        "--rig-file",
        str(rig),
        "--no-report",
    ]
    process = subprocess.Popen([sys.executable, "-m", "ccdmon", *command], stderr=subprocess.DEVNULL)
    began_s, sent, hourly_MB, hour_MB = time.monotonic(), 0, list[float](), list[float]()
    while not state_of(folder):
        time.sleep(0.1)
    print("    hours   samples sent   recorder's memory in the hour, lowest and highest / MB", flush=True)
    for data in stream(samples, source):
        left = memoryview(data)
        while left:
            left = left[os.write(ours, left) :]
        sent = min(samples, sent + PER_FRAME * CHUNK_FRAMES)
        hour_MB.append(memory_MB(process.pid))
        if sent >= (len(hourly_MB) + 1) * 3600 * RATE_HZ:
            hourly_MB.append(max(hour_MB))
            print(
                f"{sent / RATE_HZ / 3600:9.2f} {sent:14d} {min(hour_MB):12.1f} {max(hour_MB):9.1f}",
                flush=True,
            )
            hour_MB.clear()
    while state_of(folder).get("samples", 0) < samples:
        time.sleep(0.2)
    print(f"took {time.monotonic() - began_s:.0f} s", flush=True)
    process.send_signal(signal.SIGINT)
    _, _, used = os.wait4(process.pid, 0)
    print(
        f"most memory ever held, joining the derived trace included: {used.ru_maxrss / 1024:.1f} MB",
        flush=True,
    )
    _, reader = newest_sample(folder)
    derived = pa_parquet.ParquetFile(folder / "trace.bdf.parquet").metadata.num_rows
    size = sum(path.stat().st_size for path in folder.glob("frames*.bin"))
    counts = reader.counts
    print(f"sent {samples}, in the frames {counts.samples}, missing {counts.missing_samples}, damaged "
          f"{counts.crc_errors}, in the derived trace {derived}; frames {size / 1e9:.2f} GB")  # fmt: skip
    return 0 if counts.samples == derived == samples and constant(hourly_MB) else 1


def constant(hourly_MB: list[float]) -> bool:
    """Say whether memory stayed what it was when all buffers had been filled; a short recording cannot tell."""
    if len(hourly_MB) <= FILLED_HOURS:
        return True
    filled_MB, most_MB = max(hourly_MB[:FILLED_HOURS]), max(hourly_MB[FILLED_HOURS:])
    held = most_MB <= (1 + MOST_GROWTH) * filled_MB
    print(f"memory {'' if held else 'NOT '}constant: at most {filled_MB:.1f} MB in {FILLED_HOURS} hours, "
          f"{most_MB:.1f} MB in any later one, {hourly_MB[-1]:.1f} MB in the last")  # fmt: skip
    return held


def state_of(folder: Path) -> dict[str, int]:
    """The recorder's state; empty before it answers."""
    with suppress(DeviceError, FileNotFoundError):
        return state(folder)
    return {}


if __name__ == "__main__":
    sys.exit(main())
