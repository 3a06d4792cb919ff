"""Killing the host: what it had been handed is on disk, and the folder opens."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.host.whole_run import open_run

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
