"""Recording: bytes as received, synced in time, each trip logged once; and opening what is left of a run."""

import errno
import json
from argparse import Namespace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.cli.recorded import ended, exit_code
from ccdmon.errors import InputError
from ccdmon.formats.bdf.read import read_bdf
from ccdmon.record.recorder import SYNC_INTERVAL_S, Recorder
from ccdmon.record.recording import Options, Recording
from ccdmon.run import folder as run_folder
from ccdmon.run.folder import EVENTS_FILE, read_events
from ccdmon.run.frame_files import FRAMES_FILE, part_path
from ccdmon.run.rows import Batch
from ccdmon.run.stored_rows import derive_trace
from ccdmon.run.time_axis import CLOCK_FILE, HostTime, RunTime, read_anchors
from tests.host.record.memory_link import MemoryLink
from tests.host.whole_run import open_run
from tests.host.wire_stream import CONFIG, Device, recorded_run, stream


def test_the_log_on_disk_is_the_wire_stream(tmp_path: Path) -> None:
    data = stream() + b"noise that was received too"
    run_folder.create(tmp_path / "r", CONFIG)
    recorder = Recorder(tmp_path / "r")
    for start in range(0, len(data), 100):
        recorder.feed(data[start : start + 100])
    assert (tmp_path / "r" / FRAMES_FILE).read_bytes() == data, "handed over before closing, nothing buffered"


def test_a_second_recorder_appends_behind_whole_frames(tmp_path: Path) -> None:
    device = Device()
    folder = recorded_run(tmp_path / "r", device.samples(0, 32))
    again = Recorder(folder)
    again.feed(device.samples(32, 32))
    again.close()
    assert not part_path(folder, 1).exists()
    assert len(open_run(folder).trace) == 64


def test_behind_half_a_frame_a_new_part_begins(tmp_path: Path) -> None:
    """What a killed host left must not spoil the first frame of the next."""
    device = Device()
    folder = recorded_run(tmp_path / "r", device.samples(0, 32) + device.samples(32, 32)[:-5])
    again = Recorder(folder)
    again.feed(device.samples(64, 32))
    again.close()
    run = open_run(folder)
    assert part_path(folder, 1).exists()
    assert run.samples.tolist() == [*range(32), *range(64, 96)]
    assert (run.counts.missing_samples, run.counts.crc_errors) == (32, 1)


def test_who_joins_within_a_frame_has_no_damage(tmp_path: Path) -> None:
    device = Device()
    run_folder.create(tmp_path / "r", CONFIG)
    recorder = Recorder(tmp_path / "r")
    recorder.catch_up(lambda _batch: None)
    recorder.feed(device.samples(0, 32)[50:] + device.samples(32, 32))
    recorder.close()
    assert recorder.rows.counts.crc_errors == open_run(tmp_path / "r").counts.crc_errors == 0


def test_a_trip_is_logged_once_with_its_rule_and_firmware(tmp_path: Path) -> None:
    run_folder.create(tmp_path / "r", CONFIG)
    recorder = Recorder(tmp_path / "r", firmware_hash="abc", clock=lambda: HostTime(0.0, 0.0, 12.5))
    device = Device()
    recorder.feed(device.identity() + device.samples(70, 8) + device.trip(1, 77, 1) + device.trip(1, 77, 2))
    recorder.close()
    lines = (tmp_path / "r" / EVENTS_FILE).read_text().splitlines()
    assert len(lines) == 1
    event = json.loads(lines[0])
    assert (event["action"], event["rule"], event["sample"]) == ("trip", "hard_short", 77)
    assert (event["firmware_hash"], event["host_time_s"]) == ("abc", 12.5)


def test_a_trip_from_before_the_recording_is_told_as_such(tmp_path: Path) -> None:
    device = Device()
    folder = recorded_run(tmp_path / "r", device.identity() + device.trip(1, 77))
    again = Recorder(folder)
    again.feed(device.samples(0, 32))
    again.close()
    assert json.loads((folder / EVENTS_FILE).read_text())["action"] == "latched"
    assert open_run(folder).trip is None


def test_synced_at_least_every_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    now_s = 0.0
    run_folder.create(tmp_path / "r", CONFIG)
    recorder = Recorder(tmp_path / "r", clock=lambda: HostTime(now_s, now_s, 0.0))
    synced.clear()
    recorder.feed(b"x")
    assert not synced
    now_s = SYNC_INTERVAL_S
    recorder.feed(b"")
    assert synced, "silence on the line still syncs what came before"
    assert SYNC_INTERVAL_S <= 1.0


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    run_folder.create(tmp_path / "r", CONFIG)
    recorder = Recorder(tmp_path / "r")

    class Full:
        name = "frames.bin"

        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    recorder.frames._file._file = Full()
    with pytest.raises(InputError, match=r"frames\.bin: cannot write \(No space left"):
        recorder.feed(b"x")


def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    folder = recorded_run(tmp_path / "r")
    with pytest.raises(InputError, match="holds a recording already"):
        run_folder.create(folder, CONFIG)


def test_the_trace_is_scaled_by_the_front_end(tmp_path: Path) -> None:
    run = open_run(recorded_run(tmp_path / "r"))
    n = np.arange(1000)
    np.testing.assert_allclose(run.trace.test_time_s, n * 0.5)
    np.testing.assert_allclose(run.trace.voltage_V, n * 16 / 32768)
    np.testing.assert_allclose(run.trace.current_A, -n * 16 / 32768 * 0.01)
    assert run.trace.pressure_Pa is None
    assert run.trace.cell.electrode_area_cm2 == 0.785
    assert run.trip is not None
    assert run.trip["rule"] == "hard_short"


def test_lost_samples_leave_a_gap_in_time(tmp_path: Path) -> None:
    device = Device()
    run = open_run(recorded_run(tmp_path / "r", device.samples(0, 4) + device.samples(10, 4)))
    assert run.trace.test_time_s.tolist() == [0, 0.5, 1, 1.5, 5, 5.5, 6, 6.5]
    assert run.counts.missing_samples == 6


def test_only_the_last_armed_run_is_the_trace(tmp_path: Path) -> None:
    device = Device()
    data = device.samples(0, 30, run=1) + device.samples(0, 20, run=2)
    assert len(open_run(recorded_run(tmp_path / "r", data)).trace) == 20


def test_declared_conditions_are_no_measured_columns(tmp_path: Path) -> None:
    folder = recorded_run(tmp_path / "r")
    run_folder.rewrite_config(
        folder, {**CONFIG, "conditions": {"temperature_degC": 60.0, "pressure_Pa": 2e6}}
    )
    trace = open_run(folder).trace
    assert (trace.temperature_degC, trace.pressure_Pa) == (None, None)
    derived = read_bdf(derive_trace(folder))
    assert (derived.temperature_degC, derived.pressure_Pa) == (None, None)
    for cell in (trace.cell, derived.cell):
        assert (cell.stated_temperature_degC, cell.stated_pressure_Pa) == (60.0, 2e6)
    ccd = analyze(derived)["ccd"]
    assert (ccd["temperature_degC"], ccd["pressure_MPa"]) == (60.0, 2.0)


def test_derived_trace_reads_back_the_same(tmp_path: Path) -> None:
    run = open_run(recorded_run(tmp_path / "r"))
    back = read_bdf(derive_trace(run.folder))
    np.testing.assert_array_equal(back.voltage_V, run.trace.voltage_V)
    assert back.cell.electrolyte == "LLZO"


def test_a_folder_cut_off_at_any_byte_opens(tmp_path: Path) -> None:
    """Every cut of the frames, every cut of the event log: no fewer samples than there are whole frames."""
    folder = recorded_run(tmp_path / "r", stream(200))
    whole, events = (folder / FRAMES_FILE).read_bytes(), (folder / EVENTS_FILE).read_bytes()
    rows = []
    for size in range(1200, len(whole) + 1):
        (folder / FRAMES_FILE).write_bytes(whole[:size])
        rows.append(len(open_run(folder).trace))
    assert rows == sorted(rows)
    assert rows[-1] == 200
    assert all(later - earlier in (0, 8, 32) for earlier, later in pairwise(rows))
    for size in range(len(events)):
        (folder / EVENTS_FILE).write_bytes(events[:size])
        assert len(open_run(folder).trace) == 200


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("run.toml", "", "voltage_full_scale_V"),
        ("run.toml", "= nonsense", "TOML"),
        ("run.toml", None, "run.toml"),
        ("frames.bin", "", "no whole frame"),
        ("frames.bin", None, "frames.bin"),
    ],
)
def test_a_folder_that_cannot_be_opened_says_why(
    tmp_path: Path, name: str, text: str | None, part: str
) -> None:
    folder = recorded_run(tmp_path / "r")
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
    with pytest.raises(InputError, match=part) as caught:
        open_run(folder)
    assert "\n" not in str(caught.value)


def test_who_ends_it_while_an_earlier_recording_is_read_does_not_wait_for_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ccdmon.record.recorder.CATCH_UP_BYTES", 4096)
    folder = recorded_run(tmp_path / "run", stream(4000))
    frames = (folder / "frames.bin").read_bytes()
    derived = derive_trace(folder).read_bytes()
    made = Recording(folder, MemoryLink([b"new\0"]), Options({}), say=lambda _: None)  # type: ignore[arg-type]
    made.run(lambda: True, lambda _: None)
    assert made.recorder.rows.counts.samples < 2000
    assert (folder / "frames.bin").read_bytes() == frames + b"new\0", "what came meanwhile is there"
    assert (folder / "trace.bdf.parquet").read_bytes() == derived
    assert list(read_events(folder / EVENTS_FILE))[-1]["samples"] is None
    assert ended(made, None)["samples"] is None and "reads all" in capsys.readouterr().err
    assert exit_code(made, Namespace(arm=False)) == 0


def test_what_arrives_while_an_earlier_recording_is_read_is_neither_lost_nor_told_twice(
    tmp_path: Path,
) -> None:
    """A week takes minutes to read; the disk has the new bytes at once, the rows come later with their own time."""
    device = Device()
    folder = recorded_run(tmp_path / "r", b"".join(device.samples(32 * n, 32) for n in range(40)))
    now_s = 1000.0
    again = Recorder(
        folder, time=RunTime(0.5), clock=lambda: HostTime(now_s, now_s, now_s), rotate_bytes=4000
    )
    fresh, seen = [device.samples(32 * n, 32, run=2) for n in range(60)], list[int]()

    def meanwhile(batch: Batch) -> None:
        nonlocal now_s
        seen.extend(int(sample) for rows in batch.rows for sample in rows.samples)
        for frame in fresh:
            now_s += 16.0
            again.write(frame)
        fresh.clear()
        now_s += 3600.0

    again.catch_up(meanwhile)
    assert seen == list(range(32 * 40)), "not what was written meanwhile"
    assert len(open_run(folder).trace) == 32 * 60, "on the disk already"
    batch = again.feed(b"")
    assert [int(sample) for rows in batch.rows for sample in rows.samples] == list(range(32 * 60))
    anchor = next(anchor for anchor in read_anchors(folder / CLOCK_FILE) if anchor.segment == 1)
    assert anchor.unix_s == 1016.0, "its own time, not that of the end"
    again.close()
