"""Whatever fails beside the frames, a recording goes on: each way is made to fail, and every sample is there."""

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ccdmon.cli import main
from ccdmon.cli.recorded import exit_code
from ccdmon.link.control_socket import CONTROL_FILE, MOST_CLIENTS, ask
from ccdmon.record.event_log import FREE_LINES, EventLog
from ccdmon.record.recording import Recording
from ccdmon.run import lock as folder_lock
from ccdmon.run.frame_files import FrameFiles, part_path, parts
from ccdmon.run.lock import FolderLock, is_recorded_now
from ccdmon.run.time_axis import HostTime
from tests.host.pty_board import PtyBoard
from tests.host.record.memory_link import recording, to_the_end
from tests.host.record.test_recording import end, events, recorder, samples, state, wait_for
from tests.host.whole_run import open_run
from tests.host.wire_stream import Device, recorded_run, stream

ROUNDS = 40

has_locks = pytest.mark.skipif(folder_lock.fcntl is None, reason="folders have no locks on this system")


def pieces() -> list[bytes]:
    device = Device()
    return [device.identity(), *(device.samples(32 * n, 32) for n in range(ROUNDS))]


def broken(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("on purpose")


def refused(number: int) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


# What is made to fail: (name of the attribute of a `Recording`, method)
PARTS = [
    ("live", "feed"), ("live", "refresh"), ("_judge", "judge"), ("_requests", "answer"), ("_parts", "add"),
    ("_parts", "poll"), ("_parts", "finish"), ("_notifier", "look"), ("_notifier", "close"), ("_watch", "look"),
    ("_watch", "link"), ("device", "take"), ("device", "due"), ("link", "send"), ("_document", "learn"),
    ("_document", "write_in_time"), ("_requests", "close"), ("link", "close"), ("recorder", "log"),
]  # fmt: skip


@pytest.mark.parametrize(
    "way", [broken, refused(errno.EMFILE), refused(errno.EIO)], ids=["bug", "EMFILE", "EIO"]
)
@pytest.mark.parametrize("part", PARTS, ids=".".join)
def test_a_part_that_fails_ends_nothing(
    tmp_path: Path, part: tuple[str, str], way: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    made = recording(tmp_path / "r", pieces(), said)
    monkeypatch.setattr(getattr(made, part[0]), part[1], way)
    to_the_end(made)
    assert len(open_run(tmp_path / "r").trace) == 32 * ROUNDS
    if part != ("recorder", "log"):
        told = [e for e in events(tmp_path / "r") if e["action"] == "problem"]
        assert told and any("the recording goes on" in line for line in said)


def test_an_analysis_that_fails_is_told_and_the_rows_still_become_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    made = recording(tmp_path / "r", pieces(), said)
    monkeypatch.setattr(made.live._analysis, "feed", broken)
    to_the_end(made)
    assert "the analysis stopped" in str(made.live.problem)
    assert any("host trips are off" in line for line in said)
    from ccdmon.formats.bdf.read import read_bdf

    assert len(read_bdf(tmp_path / "r" / "trace.bdf.parquet")) == 32 * ROUNDS


def test_a_terminal_that_is_gone_ends_nothing(tmp_path: Path) -> None:
    made = recording(tmp_path / "r", pieces(), [])
    made.run(lambda: not made.link._link.pending, refused(errno.EIO))  # type: ignore[attr-defined]
    assert len(open_run(tmp_path / "r").trace) == 32 * ROUNDS


def test_free_space_that_cannot_be_asked_for_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", refused(errno.ESTALE))
    made = to_the_end(recording(tmp_path / "r", pieces(), []))
    assert made.state()["free_bytes"] is None
    assert made._beside.failures == {}


def test_the_next_part_is_open_before_the_old_one_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.1.0 closed first: without a descriptor left the recording ended."""
    frames = pieces()[1:]
    files = FrameFiles(tmp_path, rotate_bytes=1000)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refused(errno.EMFILE))
        for frame in frames[:20]:
            files.append(frame)
    assert len(parts(tmp_path)) == 1
    assert files.part_error is not None and files.part_error.errno == errno.EMFILE
    files._part_due_s = 0.0
    for frame in frames[20:]:
        files.append(frame)
    files.close()
    assert len(parts(tmp_path)) > 2
    assert files.part_error is None
    assert b"".join(path.read_bytes() for path in parts(tmp_path)) == b"".join(frames)


def forget(descriptor: int) -> None:
    """What a network's file system does to an open file when its server restarts: it takes nothing any more."""
    reading = os.open("/dev/null", os.O_RDONLY)
    os.dup2(reading, descriptor)
    os.close(reading)


def test_a_disk_that_forgot_the_open_file_is_taken_anew(tmp_path: Path) -> None:
    frames = pieces()[1:]
    files = FrameFiles(tmp_path)
    files.append(frames[0])
    forget(files._file._file.fileno())
    for frame in frames[1:]:
        files.append(frame)
    assert files.error is None
    assert part_path(tmp_path, 0).read_bytes() == b"".join(frames)


def test_a_missing_part_is_not_written_over(tmp_path: Path) -> None:
    for number in (0, 1, 2, 4):
        part_path(tmp_path, number).write_bytes(b"\1\0")
    assert FrameFiles(tmp_path).part == 4


class Slow:
    """A clock that stands."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> HostTime:
        return HostTime(self.now_s, self.now_s, self.now_s)


def test_a_rule_that_fires_without_end_does_not_fill_the_disk_and_is_counted(tmp_path: Path) -> None:
    clock, path = Slow(), tmp_path / "events.ndjson"
    log, fired = EventLog(path, clock), 50_000
    for number in range(fired):
        clock.now_s += 0.001
        log.add({"action": "inform", "rule": "noise", "sample": number, "value": float("nan")})
    log.add({"action": "trip", "rule": "hard_short"})
    log.close()
    lines = events(tmp_path)
    noise = [e for e in lines if e.get("rule") == "noise"]
    assert len(noise) < FREE_LINES + 10
    assert sum(1 + e.get("not_logged", 0) for e in noise) == fired
    assert lines[-2]["rule"] == "hard_short", "another kind is written at once"
    assert noise[0]["value"] is None


def test_a_log_that_the_disk_does_not_take_stays_within_memory(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.ndjson", Slow())
    forget(log._file._file.fileno())
    log._file.path = tmp_path / "gone"
    for number in range(5000):
        log.add({"action": "inform", "rule": f"r{number}", "text": "x" * 1000})
    assert len(log._file.waiting) <= (1 << 20) + 2000
    assert log.lost_lines > 0


@has_locks
def test_a_second_recorder_touches_nothing(tmp_path: Path) -> None:
    """In 0.1.0 it was refused after it had emptied the derived trace of the first."""
    folder = recorded_run(tmp_path / "r")
    (folder / "trace-parts").mkdir()
    (folder / "trace-parts" / "part-00000.bdf.parquet").write_bytes(b"rows of the first")
    (folder / "frames.bin").write_bytes((folder / "frames.bin").read_bytes()[:-3])
    with PtyBoard(tmp_path / "port") as board:
        lock = FolderLock(folder)
        before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}
        with recorder(board.name, folder, "--resume") as second:
            _, said = second.communicate(timeout=30)
        assert (second.returncode, said.count("\n")) == (2, 1)
        assert "another recorder is writing here" in said
        after = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}
        assert after == before
        lock.close()


@has_locks
def test_a_lock_ends_with_its_holder_and_is_seen_without_one_that_answers(tmp_path: Path) -> None:
    code = f"import sys, pathlib; sys.path[:0] = {sys.path!r}\nfrom ccdmon.run.lock import FolderLock\n" \
           f"held = FolderLock(pathlib.Path({str(tmp_path / 'r')!r})); print('held', flush=True); input()"  # fmt: skip
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    os.kill(holder.pid, signal.SIGSTOP)
    assert is_recorded_now(tmp_path / "r")
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    assert not is_recorded_now(tmp_path / "r")
    FolderLock(tmp_path / "r").close()


def test_a_folder_made_for_nothing_goes_again(tmp_path: Path) -> None:
    FolderLock(tmp_path / "new").close()
    assert not (tmp_path / "new").exists()
    assert not is_recorded_now(tmp_path / "new")


@pytest.fixture
def board(tmp_path: Path) -> Any:
    with PtyBoard(tmp_path / "port") as board:
        yield board


def test_idle_sockets_do_not_keep_others_out(board: PtyBoard, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with recorder(board.name, folder) as process:
        wait_for(lambda: samples(folder, 100), "samples")
        port = json.loads((folder / CONTROL_FILE).read_text())["port"]
        idle = [socket.create_connection(("127.0.0.1", port), 5.0) for _ in range(10 * MOST_CLIENTS)]
        began_s = time.monotonic()
        assert ask(folder, {"do": "state"})["state"]["recording"]
        assert time.monotonic() - began_s < 2.0
        held = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
        assert held < 2 * MOST_CLIENTS, "descriptors are for the recording"
        for one in idle:
            one.close()


def test_a_folder_that_is_moved_is_told_and_recorded_on(board: PtyBoard, tmp_path: Path) -> None:
    folder, moved = tmp_path / "run", tmp_path / "elsewhere"
    with recorder(board.name, folder, "--rotate-mb", "0.2") as process:
        wait_for(lambda: samples(folder, 1000), "samples")
        folder.rename(moved)
        wait_for(lambda: "folder_moved" in [e["action"] for e in events(moved)], "a line in the log")
        before = state(moved)["samples"]
        wait_for(lambda: state(moved)["samples"] > before + 4000, "samples after it was moved")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert "was moved or deleted" in said
    assert "Traceback" not in said
    assert open_run(moved).counts.missing_samples == 0


def test_a_folder_that_was_deleted_is_told_and_no_success(tmp_path: Path) -> None:
    said: list[str] = []
    made = recording(tmp_path / "run", [stream(64)], said)
    made.begin()
    made.round()
    made.round()
    shutil.rmtree(tmp_path / "run")
    made.finish()
    assert made.recorder.rows.counts.samples > 0
    assert any("was deleted" in line and "in no file" in line for line in said)
    assert exit_code(made, Namespace(arm=False)) == 3


def test_a_terminal_that_hangs_up_is_nobodys_wish_to_end_it(board: PtyBoard, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with recorder(board.name, folder) as process:
        wait_for(lambda: samples(folder, 100), "samples")
        assert process.stderr is not None
        process.stderr.close()
        process.send_signal(signal.SIGHUP)
        board.trip()  # which it says
        wait_for(lambda: state(folder).get("trip"), "trip")
        before = state(folder)["samples"]
        wait_for(lambda: state(folder)["samples"] > before + 2000, "samples")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_files_that_may_not_grow_are_told_what_is_lost_is_counted_and_the_exit_code_says_it(
    board: PtyBoard, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource", reason="no limits of files here")
    folder = tmp_path / "run"
    with recorder(board.name, folder) as process:
        wait_for(lambda: samples(folder, 500), "samples")
        most = (folder / "frames.bin").stat().st_size + 5000
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        wait_for(lambda: state(folder).get("disk"), "a disk that takes nothing")
        said = end(process, code=3)
    assert "smaller --rotate-mb" in said and "bytes; they are lost" in said
    assert events(folder)[-1]["waiting_bytes"] > 0
    assert (folder / "frames.bin").stat().st_size == most


def test_a_recorder_that_was_stopped_for_a_while_loses_nothing_uncounted(
    board: PtyBoard, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with recorder(board.name, folder) as process:
        wait_for(lambda: samples(folder, 500), "samples")
        process.send_signal(signal.SIGSTOP)
        time.sleep(2.0)
        process.send_signal(signal.SIGCONT)
        before = board.sample
        wait_for(lambda: state(folder).get("samples", 0) > before, "samples after it")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    run = open_run(folder)
    assert run.counts.samples + run.counts.missing_samples == run.samples[-1] - run.samples[0] + 1


@has_locks
def test_analyze_writes_nothing_over_another_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, other = recorded_run(tmp_path / "r"), recorded_run(tmp_path / "other")
    assert main(["analyze", str(folder), "--out", str(folder)]) == 1, "its own report is its own"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(["analyze", str(other), "--out", str(folder)]) == 2
    assert "holds another recording" in capsys.readouterr().err
    lock = FolderLock(folder)
    assert main(["analyze", str(folder), "--out", str(folder)]) == 2
    lock.close()
    said = capsys.readouterr().err
    assert "is being recorded" in said and said.count("\n") == 1
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_recording_keeps_its_order(tmp_path: Path) -> None:
    """Nothing is done with bytes that are not on the disk yet."""
    made, seen = recording(tmp_path / "r", pieces(), []), list[int]()
    fed = made.live.feed

    def feed(rows: Any) -> Any:
        seen.append((tmp_path / "r" / "frames.bin").stat().st_size)
        return fed(rows)

    made.live.feed = feed  # type: ignore[method-assign]
    to_the_end(made)
    sizes = [sum(map(len, pieces()[: n + 2])) for n in range(ROUNDS)]
    assert len(seen) == ROUNDS and all(held >= wanted for held, wanted in zip(seen, sizes, strict=True))
    assert isinstance(made, Recording)
