"""Killing the host: what it had been handed is on disk, and the folder opens."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import pytest

from tests.host.record.memory_link import recording
from tests.host.whole_run import open_run
from tests.host.wire_stream import Device

RECORD_FOREVER = """
import sys, time
from pathlib import Path
from ccdmon.run import folder as run_folder
from ccdmon.record.recorder import Recorder
from tests.host.wire_stream import CONFIG, Device
folder = Path(sys.argv[1])
run_folder.create(folder, CONFIG)
recorder, device, first = Recorder(folder), Device(), 0
recorder.feed(device.identity())
while True:
    frame = device.samples(first, 32)
    recorder.feed(frame[:100])
    recorder.feed(frame[100:])
    first += 32
    print(first, flush=True)
    time.sleep(0.001)
"""


@pytest.mark.parametrize("seed", range(3))
def test_kill_loses_nothing_that_was_received(seed: int, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    host = subprocess.Popen(
        [sys.executable, "-c", RECORD_FOREVER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert host.stdout is not None
    host.stdout.readline()
    time.sleep(random.Random(seed).uniform(0.05, 0.4))
    host.send_signal(signal.SIGKILL)
    said = [int(line) for line in host.stdout.read().split("\n") if line.strip().isdigit()]
    host.wait()
    run = open_run(folder)
    assert len(run.trace) >= said[-1]
    assert run.counts.missing_samples == 0


@pytest.mark.parametrize(
    ("slow", "then"), [("_parts.add", "live.refresh"), ("live.refresh", "_requests.answer")]
)
def test_what_comes_while_a_round_takes_long_is_not_left_to_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: str, then: str
) -> None:
    """What was read lay in memory until the next round, seconds on a machine that has no time for the recorder."""
    device = Device()
    made = recording(tmp_path / "run", [device.identity() + device.samples(0, 32)], [])
    late, link, held = device.samples(32, 32), cast(Any, made.link._link), list[bool]()

    def arrives(*_: object) -> None:
        link.pending.append(late)

    def looks(*_: object) -> None:
        held.append((made.folder / "frames.bin").read_bytes().endswith(late))

    for name, work in ((slow, arrives), (then, looks)):
        part, method = name.split(".")
        monkeypatch.setattr(getattr(made, part), method, work)
    made.begin()
    made.round()
    made.finish()
    assert held == [True]
