"""`ccdmon record` against a board behind a real terminal: what must survive, does."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ccdmon.cli import main
from ccdmon.errors import DeviceError
from ccdmon.link.control_socket import ask
from ccdmon.run.frame_files import parts
from ccdmon.run.monitoring import monitoring_of
from ccdmon.run.stored_rows import RunRows
from ccdmon.run.trip_place import TripPlace
from ccdmon_fw import wire
from tests.host.pty_board import PtyBoard
from tests.host.web_server import Server
from tests.host.whole_run import open_run

WAIT_S = 30.0


def wait_for(done: Callable[[], Any], what: str) -> Any:
    """The first truthy answer; fails after long."""
    until_s = time.monotonic() + WAIT_S
    while time.monotonic() < until_s:
        if found := done():
            return found
        time.sleep(0.02)
    pytest.fail(f"no {what} within {WAIT_S} s")


def state(folder: Path) -> dict[str, Any]:
    """The recorder's state; empty where it does not answer."""
    try:
        return dict(ask(folder, {"do": "state"})["state"])
    except DeviceError:
        return {}


def events(folder: Path) -> list[dict[str, Any]]:
    path = folder / "events.ndjson"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def samples(folder: Path, more_than: int = 0) -> bool:
    """Whether the board has answered and so many samples came."""
    now = state(folder)
    return now.get("gate", "unknown") != "unknown" and now["samples"] > more_than


def actions(folder: Path) -> list[str]:
    return [event["action"] for event in events(folder)]


@contextmanager
def recorder(
    port: Path, folder: Path, *more: str, report: bool = False, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    more = (*more, *(() if report else ("--no-report",)))
    process = subprocess.Popen(
        [sys.executable, "-m", "ccdmon", "record", "--port", str(port), "--out", str(folder), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=None if env is None else os.environ | env,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def end(process: subprocess.Popen[str], document: str = "", code: int = 0) -> str:
    """End a recording in good order; what it said. `document`: what stdout must begin with, nothing without."""
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=WAIT_S)
    assert process.returncode == code, said
    assert out.startswith(document) and bool(out) == bool(document)
    return said + out


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    with PtyBoard(tmp_path / "port") as board:
        yield board


def test_every_sample_is_there_and_derived(board: PtyBoard, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with recorder(board.name, folder, "--json", report=True) as process:
        wait_for(lambda: samples(folder, 2000), "samples")
        said = end(process, "{")
    run = open_run(folder)
    document = json.loads(said[said.index("{") :])
    assert 0 < document.pop("clock")["error_s"] < 5.0
    assert document == {
        "schema": "ccdmon.record/1", "run_dir": str(folder), "samples": run.counts.samples,
        "missing_samples": 0, "crc_errors": 0, "trip_ids": [], "report": str(folder / "report.html"),
    }  # fmt: skip
    assert "Host time of the samples" in (folder / "report.html").read_text()
    assert run.counts.missing_samples == run.counts.crc_errors == 0
    assert (run.samples == run.samples[0] + range(len(run.samples))).all()
    assert f"{len(run.trace)} samples, 0 missing" in said
    from ccdmon.formats.bdf.read import read_bdf

    derived = read_bdf(folder / "trace.bdf.parquet")
    assert (derived.voltage_V == run.trace.voltage_V).all()
    assert run.config["firmware"]["board"] == "test"
    assert run.config["time"]["seconds_per_sample"] == 500e-6
    assert not (folder / "control.json").exists()


def test_a_board_that_goes_away_comes_back_into_the_same_run(board: PtyBoard, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with recorder(board.name, folder) as process:
        wait_for(lambda: state(folder).get("gate") == "closed", "status")
        wait_for(lambda: samples(folder, 3000), "more than it will have sent when it is back")
        board.unplug()
        wait_for(lambda: state(folder).get("link") == "lost", "lost link")
        time.sleep(1.0)
        before = state(folder)["samples"]
        board.plug_in()
        wait_for(lambda: state(folder)["samples"] > before + 500, "samples after the gap")
        said = end(process)
    assert "waiting for the board" in said and "the board is back" in said
    assert actions(folder).index("link_lost") < actions(folder).index("link_back")
    run = open_run(folder)
    assert [segment.number for segment in run.segments] == [0, 1]
    time_s = run.trace.test_time_s
    gap_s = time_s[run.segments[1].first_row] - time_s[run.segments[1].first_row - 1]
    assert gap_s > 1.0, "the host knows how long the board was away"


def test_of_a_board_that_stays_away_nobody_claims_to_know_the_gate(board: PtyBoard, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with recorder(board.name, folder) as process:
        wait_for(lambda: state(folder).get("gate") == "closed", "status")
        board.unplug()
        wait_for(lambda: state(folder).get("link") == "lost", "lost link")
        assert state(folder)["gate"] == "unknown"
        said = end(process, code=3)
    assert "nobody knows its gate, look at its LED" in said and "its gate is closed" not in said
    assert monitoring_of(RunRows(folder), None).gate == "unknown"


def test_a_trip_is_acknowledged_logged_and_its_black_box_kept(board: PtyBoard, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with recorder(board.name, folder) as process:
        wait_for(lambda: samples(folder, 500), "samples")
        board.trip()
        wait_for(lambda: "blackbox_kept" in actions(folder), "black box")
        wait_for(lambda: state(folder).get("trip"), "trip")
        assert state(folder)["gate"] == "open"
        end(process)
    assert wire.ACK_TRIP in board.commands
    (trip,) = [event for event in events(folder) if event["action"] == "trip"]
    assert (trip["rule"], trip["trip_id"], trip["unit"]) == ("hard_short", 1, "V")
    assert trip["value_physical"] == pytest.approx(1000 / 16384 * 6.0)
    assert {"device_time_s", "host_time_s", "window_s", "firmware_hash", "latency_s"} <= trip.keys()
    assert (folder / "blackbox-1.bdf.csv").read_text().count("\n") == 129
    assert TripPlace.of(RunRows(folder)).row is not None


def test_a_black_box_whose_samples_a_reset_took_is_told_and_asked_for_once(
    board: PtyBoard, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    board.box_samples = 0
    with recorder(board.name, folder) as process:
        wait_for(lambda: samples(folder, 500), "samples")
        board.trip()
        wait_for(lambda: "blackbox_empty" in actions(folder), "black box")
        end(process)
    assert not list(folder.glob("blackbox*"))
    assert board.commands.count(wire.GET_BLACKBOX) == 1


def test_people_are_told_of_a_trip_and_their_addresses_stay_out_of_the_run(
    board: PtyBoard, tmp_path: Path, web_server: Server
) -> None:
    web_server.release.set()
    rig, folder = tmp_path / "rig.toml", tmp_path / "run"
    assert main(["init", str(rig), "--name", "bay 3"]) == 0
    text = rig.read_text()
    rig.write_text(text.replace("[notifications]", f'[notifications]\nurls = ["{web_server.url}"]\n#'))
    with recorder(board.name, folder, "--rig-file", str(rig)) as process:
        wait_for(lambda: samples(folder, 500), "samples")
        board.trip()
        wait_for(lambda: web_server.received, "message")
        end(process)
    (title,) = (sent["title"] for sent in web_server.received)
    assert title.startswith("bay 3: cut off (hard short: ")
    assert "127.0.0.1" not in (folder / "run.toml").read_text()


def test_commands_reach_the_board_through_the_recorder(board: PtyBoard, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with recorder(board.name, folder) as process:
        wait_for(lambda: samples(folder, 100), "samples")
        ask(folder, {"do": "trip"})
        assert board.gate == 0
        with pytest.raises(DeviceError, match="wrong_id"):
            ask(folder, {"do": "reset_trip", "trip_id": 9})
        with pytest.raises(DeviceError, match="latched"):
            ask(folder, {"do": "arm"})
        with pytest.raises(DeviceError, match="unknown request"):
            ask(folder, {"do": "nonsense"})
        ask(folder, {"do": "reset_trip", "trip_id": 1})
        ask(folder, {"do": "arm"})
        assert board.gate == 1
        ask(folder, {"do": "disarm"})
        assert board.gate == 0
        end(process)
    assert next(e["command"] for e in events(folder) if e["action"] == "command") == "trip"


def test_a_board_with_another_firmware_is_recorded_and_not_armed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with PtyBoard(tmp_path / "tty", extra={"version": "0.0.1"}) as board:
        board.gate = 0
        with recorder(board.name, folder, "--arm") as process:
            wait_for(lambda: samples(folder, 100), "samples")
            with pytest.raises(DeviceError, match=r"runs firmware 0\.0\.1 .*`ccdmon flash`"):
                ask(folder, {"do": "arm"})
            assert "--arm: the board never closed its gate" in end(process, code=3)
    assert board.gate == 0
    assert not {wire.ARM, wire.SELF_TEST, wire.SET_CONFIG} & set(board.commands)
    assert actions(folder).count("not_armed") == 2


@pytest.mark.parametrize("after_s", [0.2, 0.7])
def test_a_killed_recorder_is_resumed_into_the_same_run(
    board: PtyBoard, tmp_path: Path, after_s: float
) -> None:
    folder = tmp_path / "run"
    with recorder(board.name, folder) as process:
        wait_for(lambda: samples(folder, 100), "samples")
        time.sleep(after_s)
        sent = board.sample
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    before = open_run(folder).samples
    assert before[-1] >= sent - 2000, "at most the last second"
    with recorder(board.name, folder, "--resume") as process:
        wait_for(lambda: samples(folder, len(before) + 500), "samples")
        end(process)
    run = open_run(folder)
    assert run.counts.samples + run.counts.missing_samples == run.samples[-1] - run.samples[0] + 1
    assert [segment.number for segment in run.segments] == [0]


def test_frames_rotate(board: PtyBoard, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with recorder(board.name, folder, "--rotate-mb", "0.01") as process:
        wait_for(lambda: len(parts(folder)) > 3, "parts")
        end(process)
    assert open_run(folder).counts.missing_samples == 0


def test_stops_after_its_time(board: PtyBoard, tmp_path: Path) -> None:
    with recorder(board.name, tmp_path / "run", "--stop-after", "1s") as process:
        process.communicate(timeout=WAIT_S)
    assert process.returncode == 0
    assert len(open_run(tmp_path / "run").trace) > 0


def test_two_recorders_do_not_share_a_folder(board: PtyBoard, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with PtyBoard(tmp_path / "other") as other, recorder(board.name, folder) as process:
        wait_for(lambda: samples(folder, 100), "samples")
        with recorder(other.name, folder, "--resume") as second:
            _, said = second.communicate(timeout=WAIT_S)
        assert second.returncode == 2
        assert "another recorder is writing here" in said
        end(process)


def test_no_port_is_one_line_and_exit_3(tmp_path: Path) -> None:
    with recorder(tmp_path / "nothing", tmp_path / "run") as process:
        _, said = process.communicate(timeout=WAIT_S)
    assert process.returncode == 3
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()
