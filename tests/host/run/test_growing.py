"""What is told while a test runs is what `analyze` says afterwards; and the host asks for a trip when it may."""

import json
import os
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ccdmon.analysis.document import Snapshot, StreamingAnalysis, analyze_chunks
from ccdmon.model.front_end import FrontEnd
from ccdmon.model.trace import Cell, Trace
from ccdmon.record.recorder import Recorder
from ccdmon.record.recording import Options, Recording
from ccdmon.run import folder as run_folder
from ccdmon.run.analysed import analysed
from ccdmon.run.growing import LiveRun
from ccdmon.run.sources import FolderRows
from ccdmon.run.stored_rows import RunRows
from ccdmon.run.time_axis import RunTime
from ccdmon.simulation.simulate import simulate
from ccdmon_fw import wire
from tests.host.live_rig import cell, rig_file
from tests.host.pty_board import PtyBoard
from tests.host.record.test_recording import actions, end, events, recorder, samples, state, wait_for
from tests.host.whole_run import open_run
from tests.host.wire_stream import CONFIG, Device, recorded_run


def frames(device: Device, codes: npt.NDArray[np.uint16]) -> Iterator[bytes]:
    for first in range(0, len(codes), 32):
        part = codes[first : first + 32]
        rows = np.column_stack([part, np.zeros(len(part))]).astype("<u2")
        head = wire.pack(wire.SAMPLES, first, 0, 0, 1, len(part), 0)
        yield device.frame(wire.SAMPLES, head + rows.tobytes())


@pytest.mark.parametrize("scenario", ["hard_short", "soft_short", "contact_loss"])
def test_the_running_report_is_that_of_analyze(scenario: str, tmp_path: Path) -> None:
    """At any moment: the folder as it lies there then, analysed, says the same."""
    trace = simulate(scenario, 3).trace
    front_end = FrontEnd.for_trace(trace)
    config = {
        **CONFIG,
        "time": {"seconds_per_sample": 1.0, "segments": "joined"},
        "front_end": {"voltage_full_scale_V": front_end.voltage_full_scale_V,
                      "current_full_scale_A": front_end.current_full_scale_A},
    }  # fmt: skip
    folder = tmp_path / "run"
    run_folder.create(folder, config)
    axis = RunTime.of_config(config)
    recorder_, live = Recorder(folder, time=axis), LiveRun(folder, config, axis)
    sent = list(frames(Device(), front_end.codes(trace)[:6000]))
    for number, frame in enumerate(sent):
        for rows in recorder_.feed(frame).rows:
            live.feed(rows)
        if number in (len(sent) // 2, len(sent) - 1):
            wait_for(partial(live.refresh, now_s=1e9 + number * 1e3), "report")
            whole = analysed(FolderRows(RunRows(folder))).document
            del whole["source"]  # the file and the time
            assert json.dumps(live.report) == json.dumps(whole)
    recorder_.close()


def test_a_report_that_takes_long_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report over a week of half-cycles takes seconds; the host promises to lose one at most."""
    done, snapshot_report = threading.Event(), Snapshot.report

    def slow(snapshot: Snapshot) -> dict[str, Any]:
        assert done.wait(10.0)
        return snapshot_report(snapshot)

    monkeypatch.setattr(Snapshot, "report", slow)
    folder = recorded_run(tmp_path / "r")
    run = RunRows(folder)
    live = LiveRun(folder, run.config, RunTime.of_config(run.config))
    pieces = [piece.rows for piece in run.pieces()]
    live.feed(pieces[0])
    began_s = time.monotonic()
    assert not live.refresh()
    assert time.monotonic() - began_s < 5.0
    for rows in pieces[1:]:
        live.feed(rows)
    done.set()
    wait_for(live.refresh, "report")
    assert live.reported is not None and live.reported.first_row == 0
    assert live.report == analyze_chunks([live.reported.trace], live.reported.trace.cell)


def test_the_events_alone_are_those_of_the_report() -> None:
    trace = simulate("partial_short", 5).trace
    analysis = StreamingAnalysis(trace.cell)
    analysis.feed(trace)
    report = analysis.report()
    assert report["events"] and analysis.snapshot().events() == {"events": report["events"]}


def test_events_take_little_memory_beside_the_records() -> None:
    """Of a week of short half-cycles, most of which were let go of; what one takes is bounded here, in bytes."""
    count, rows = 6000, 20
    time_s = np.arange(count * rows) * 1.0
    current_A = np.where(time_s // rows % 2 == 0, 1e-3, -1e-3)
    analysis = StreamingAnalysis(Cell(1.0, configuration="symmetric"))
    analysis.feed(Trace(time_s, 150 * current_A, current_A))
    analysis.look()  # what is kept of each half-cycle
    tracemalloc.start()
    try:
        assert len(analysis.snapshot().events()) == 1
        assert tracemalloc.get_traced_memory()[1] / count < 1200
    finally:
        tracemalloc.stop()


def restless(first: int, count: int) -> npt.NDArray[np.uint16]:
    """A cell that is quiet for six half-cycles and then fluctuates, lower than before: a soft short that stays."""
    rows = cell(noise_V=0.002)(first, count)
    time_s = np.arange(first, first + count) / 2000.0
    swing = np.where(time_s > 25.0, 0.75 + 0.2 * np.sin(2 * np.pi * 30 * time_s), 1.0)
    voltage = (rows[:, 0].astype(np.int64) - 32768) * swing
    rows[:, 0] = 32768 + (voltage / 16).astype(np.int64) * 16
    return rows


def test_the_host_asks_for_a_trip_on_what_only_it_sees(tmp_path: Path) -> None:
    rig = rig_file(tmp_path, "soft")
    rig.write_text(rig.read_text() + "[host_trips]\nsoft_short = true\npersist_s = 3.0\n")
    folder = tmp_path / "run"
    with (
        PtyBoard(tmp_path / "port", source=restless, speed=8.0) as board,
        recorder(board.name, folder, "--rig-file", str(rig)) as process,
    ):
        wait_for(lambda: "trip_requested" in actions(folder), "request")
        wait_for(lambda: board.gate == 0, "open gate")
        wait_for(lambda: state(folder).get("host_trip_latency_s"), "measured time")
        end(process)
    asked = next(event for event in events(folder) if event["action"] == "trip_requested")
    assert asked["rule"] == "soft_short"
    assert asked["value"] >= asked["limit"] == 3.0
    assert asked["latency_s"] > 0
    assert wire.FORCE_TRIP in board.commands


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    """A file system of two megabytes, really full, then really not."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no small file system: mounting one is not allowed here")
    try:
        with (
            PtyBoard(tmp_path / "port", speed=4.0) as board,
            recorder(board.name, small / "run") as process,
        ):
            wait_for(lambda: samples(small / "run", 100), "samples")
            space = os.statvfs(small)
            (small / "ballast").write_bytes(b"\0" * (space.f_bavail * space.f_frsize - 8192))
            wait_for(lambda: state(small / "run").get("disk"), "full disk")
            (small / "ballast").unlink()
            wait_for(lambda: not state(small / "run").get("disk", "?"), "disk back")
            wait_for(lambda: "disk_back" in actions(small / "run"), "mark")
            said = end(process)
        assert "make space; waiting" in said and "Traceback" not in said
        counts = open_run(small / "run").counts
        assert counts.crc_errors == 0
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


class QuietBoard:
    """A link that carries nothing but what is sent."""

    name, up, broke, opening, taken = "quiet", True, "", 1, 1

    def __init__(self) -> None:
        self.sent = b""

    def take(self, _timeout_s: float) -> bytes:
        return b""

    def send(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        pass


def test_a_board_that_watches_its_host_hears_it_while_an_old_recording_is_read(tmp_path: Path) -> None:
    folder, link = recorded_run(tmp_path / "r"), QuietBoard()
    recording = Recording(folder, link, Options({}), say=print)  # type: ignore[arg-type]
    recording.run(lambda: recording.recorder.caught_up, lambda _recording: None)
    assert [kind for kind, _, _ in wire.Unframer().feed(link.sent)] == [wire.KEEP_ALIVE]
    assert (folder / "trace.bdf.parquet").is_file()
