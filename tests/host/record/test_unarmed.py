"""A board that sends no samples: after a loss of its power, or with a trip latched that keeps it from being armed."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from ccdmon.cli.recorded import exit_code
from ccdmon.record.recording import Options, Recording
from ccdmon.run import folder as run_folder
from ccdmon.run.document import config_of
from ccdmon.run.folder import EVENTS_FILE, read_events
from ccdmon_fw import limits, wire
from tests.host.record.memory_link import FRONT_END, MemoryLink
from tests.host.wire_stream import Device

OURS = {"version": limits.VERSION, "protocol": wire.PROTOCOL, "schema": limits.SCHEMA}


class Scene:
    """A recording of a board in memory, which answers nothing but what it is told to."""

    def __init__(self, folder: Path, *, arm: bool = False) -> None:
        document = {"front_end": FRONT_END}
        run_folder.create(folder, config_of(document, "memory", "test"))
        self.folder, self.link, self.said, self.board = folder, MemoryLink(), list[str](), Device()
        self.made = Recording(folder, self.link, Options(document, arm=arm), say=self.said.append)  # type: ignore[arg-type]
        self.made.begin()

    def hears(self, *frames: bytes) -> None:
        self.link.pending += frames
        while self.link.pending:
            self.made.round(0.0)
        self.made.round(0.0)

    def away_and_back(self) -> None:
        self.link.up = False
        self.made.round(0.0)
        self.link.up = True
        self.board = Device()
        self.link.sent.clear()

    def sent(self) -> list[int]:
        return [kind for kind, _, _ in wire.Unframer().feed(self.link.sent)]

    def events(self, action: str) -> list[Any]:
        self.made.recorder.sync()
        return [line for line in read_events(self.folder / EVENTS_FILE) if line["action"] == action]


@pytest.fixture
def scene(tmp_path: Path) -> Any:
    made = Scene(tmp_path / "run")
    yield made
    made.made.finish()


def recorded(scene: Scene) -> None:
    board = scene.board
    scene.hears(
        board.identity(**OURS), board.status(run=1, gate=1, armed=1, uptime_ms=9000), board.samples(0, 32)
    )


def test_after_a_loss_of_power_it_is_told_that_nothing_is_recorded(scene: Scene) -> None:
    recorded(scene)
    assert scene.made.state()["not_recording"] is None
    scene.away_and_back()
    scene.made.round(0.0)
    assert scene.made.state()["gate"] == "unknown", "what the board said before it was away is of then"
    assert wire.GET_STATUS in scene.sent()
    scene.hears(scene.board.identity(**OURS), scene.board.status(uptime_ms=300, dropped=777))
    (line,) = [said for said in scene.said if "power was lost: the gate is open" in said]
    assert f"`ccdmon arm --run-folder {scene.folder}`" in line
    assert len(scene.events("board_restarted")) == len(scene.events("not_recording")) == 1
    state = scene.made.state()
    assert "power was lost" in state["not_recording"] and state["gate"] == "open"
    assert state["device_dropped"] == 0, "no run, no samples of one"
    scene.hears(scene.board.status(uptime_ms=1300))
    assert len([said for said in scene.said if "power was lost" in said]) == 1, "told once"


def test_armed_again_the_recording_goes_on(scene: Scene) -> None:
    recorded(scene)
    scene.away_and_back()
    scene.hears(scene.board.status(uptime_ms=300))
    scene.hears(scene.board.status(uptime_ms=900, run=1, gate=1), scene.board.samples(0, 32))
    state = scene.made.state()
    assert (state["not_recording"], state["samples"], state["gate"]) == (None, 64, "closed")


def test_a_cable_that_was_pulled_is_no_loss_of_power(scene: Scene) -> None:
    recorded(scene)
    scene.away_and_back()
    scene.hears(scene.board.status(run=1, gate=1, uptime_ms=12000), scene.board.samples(64, 32))
    assert not scene.events("board_restarted") and not [said for said in scene.said if "power" in said]


def test_a_trip_after_a_loss_of_power_is_told_though_its_number_came_before(scene: Scene) -> None:
    """A board whose flash was erased numbers its trips from 1 again."""
    recorded(scene)
    scene.hears(scene.board.trip(1, 20))
    scene.away_and_back()
    scene.hears(scene.board.status(uptime_ms=300))
    scene.hears(scene.board.trip(1, 4711, run=0), scene.board.trip(1, 4711, 2, run=0))
    assert len([said for said in scene.said if said.startswith("TRIP 1")]) == 2
    assert [event["sample"] for event in scene.events("trip")] == [20, 4711]
    assert [event["segment"] for event in scene.events("trip")] == [0, -1], "it lies in no rows"


def test_the_trip_of_before_that_a_board_tells_again_is_acknowledged_and_no_new_one(scene: Scene) -> None:
    recorded(scene)
    scene.hears(scene.board.trip(1, 20))
    scene.away_and_back()
    scene.hears(scene.board.status(uptime_ms=300, trip_id=1), scene.board.trip(1, 20))
    assert len(scene.events("trip")) == 1
    waiting = [command.kind for command in scene.made.device.queue._waiting]
    assert wire.ACK_TRIP in waiting, "else it tells it for ever"
    (line,) = [said for said in scene.said if "power was lost" in said]
    assert f"`ccdmon reset-trip 1 --run-folder {scene.folder}`, then" in line


@pytest.mark.parametrize("run", [0, 3])
def test_a_board_that_refuses_to_be_armed_is_recorded_if_it_sends_samples_and_else_ends_with_3(
    tmp_path: Path, run: int, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Scene(tmp_path / "run", arm=True)
    board = scene.board
    scene.hears(board.identity(**OURS), board.status(run=run, trip_id=1))
    assert not scene.made.over and not [said for said in scene.said if "armed" in said], "not asked yet"
    scene.made._requests.refused = True  # as the board's answer `latched` sets it: see test_requests
    scene.hears(*([board.samples(0, 32)] if run else []), board.status(run=run, trip_id=1, uptime_ms=5))
    assert scene.made.over is (run == 0)
    assert bool([said for said in scene.said if "the recording ends here" in said]) is (run == 0)
    scene.link.up = True
    scene.made.finish()
    assert exit_code(scene.made, Namespace(arm=True)) == 3
    assert "never closed its gate" in capsys.readouterr().err


def test_a_board_that_was_never_armed_is_told_once(scene: Scene) -> None:
    for uptime_ms in (100, 1100, 2100):
        scene.hears(scene.board.identity(**OURS), scene.board.status(uptime_ms=uptime_ms))
    (line,) = [said for said in scene.said if "not armed" in said]
    assert "no sample comes" in line and not scene.made.over


def test_a_board_that_has_just_been_armed_is_not_told_as_unarmed(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "run", arm=True)
    board, queue = scene.board, scene.made.device.queue
    scene.hears(board.identity(**OURS), board.status())
    for _ in range(20):
        queue.restart()
        for kind, number, _ in wire.Unframer().feed(queue.due(0.0)):
            queue.answered({"command_sequence": number, "command": kind, "result": wire.OK, "detail": 1})
    assert scene.made.armed
    scene.made.round(0.0)
    assert not [line for line in scene.said if "not armed" in line]
    scene.made.finish()
