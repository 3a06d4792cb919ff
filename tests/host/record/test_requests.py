"""What page and verbs may ask of a recorder: each order becomes its command, what the board says its answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from ccdmon.link.decoder import Message
from ccdmon.link.device import mismatch
from ccdmon.record.board_talk import DeviceSide
from ccdmon.record.requests import Requests
from ccdmon_fw import limits, wire

OURS = {"version": limits.VERSION, "protocol": wire.PROTOCOL, "schema": limits.SCHEMA}


class Log:
    """A recorder that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.front_end = None

    def log(self, **event: Any) -> None:
        self.lines.append(event)

    def reason(self, code: int) -> str:
        return limits.REASONS[code]

    def told_of_trip(self, fields: dict[str, int]) -> str:
        return f"limit: pressure {fields['value']} Pa below {fields['limit']} Pa"


class Asked:
    """A request as it comes from the socket."""

    def __init__(self, **document: Any) -> None:
        self.document, self.said = json.loads(json.dumps(document)), list[Any]()

    def answer(self, **fields: Any) -> None:
        self.said.append(fields)

    def refuse(self, error: str) -> None:
        self.said.append(error)


class Scene:
    """A recorder's requests, a board of this package, and what is told."""

    def __init__(self, folder: Path, settings: list[int] | None = None) -> None:
        self.log, self.told, self.now_s = Log(), list[str](), 0.0
        self.device = DeviceSide(None, lambda box: None, lambda *_: None, lambda: None)
        self.device.identity = dict(OURS)
        self.lost: str | None = None
        self.requests = Requests(
            folder, self.log, self.device, state=lambda: {"gate": "open"}, settings=lambda: settings,  # type: ignore[arg-type]
            say=self.told.append, lost=lambda: self.lost,
        )  # fmt: skip

    def ask(self, **document: Any) -> Asked:
        asked = Asked(**document)
        self.requests._carry_out(asked)  # type: ignore[arg-type]
        return asked

    def board(self, result: int = wire.OK, detail: int = 0) -> tuple[str, bytes]:
        """The next command that goes out, answered by the board so."""
        self.now_s += 0.01
        ((kind, number, body),) = wire.Unframer().feed(self.device.queue.due(self.now_s))
        self.device.queue.answered(
            {"command_sequence": number, "command": kind, "result": result, "detail": detail}
        )
        return wire.MESSAGES[kind][0], body

    def quiet(self) -> bool:
        return len(self.device.queue) == 0


@pytest.fixture
def scene(tmp_path: Path) -> Any:
    made = Scene(tmp_path)
    yield made
    made.requests.close()


def test_the_state_is_told_and_no_command(scene: Scene) -> None:
    assert scene.ask(do="state").said == [{"state": {"gate": "open"}}]
    assert scene.log.lines == [] and scene.quiet()


@pytest.mark.parametrize(
    ("document", "command"),
    [
        ({"do": "trip"}, "force_trip"), ({"do": "disarm"}, "disarm"), ({"do": "arm"}, "arm"),
        ({"do": "reset_trip", "trip_id": 3}, "reset_trip"), ({"do": "reset_trip", "trip_id": 0}, "reset_trip"),
        ({"do": "reset_trip", "trip_id": (1 << 32) - 1}, "reset_trip"),
    ],
)  # fmt: skip
def test_an_order_is_a_command_and_answered_when_the_state_shows_it(
    scene: Scene, document: dict[str, Any], command: str
) -> None:
    asked = scene.ask(**document)
    sent = []
    while not sent or sent[-1] != command:
        sent.append(scene.board()[0])
    assert asked.said == [], "not before the board's new state is here"
    while not scene.quiet():
        sent.append(scene.board()[0])
    assert sent[-1] == "get_status" and asked.said == [{}]
    assert scene.log.lines == [{"action": "command", "command": document["do"]}]


def test_the_trip_that_is_cleared_is_the_one_that_was_named(scene: Scene) -> None:
    scene.ask(do="reset_trip", trip_id=7)
    assert scene.board() == ("reset_trip", wire.pack(wire.RESET_TRIP, 7))


def test_a_trip_overtakes_what_waits(scene: Scene) -> None:
    scene.ask(do="disarm")
    scene.ask(do="reset_trip", trip_id=1)
    scene.ask(do="trip")
    assert scene.board()[0] == "force_trip"


def test_a_gate_is_armed_when_the_board_says_so(scene: Scene) -> None:
    for result, armed in ((wire.BUSY, False), (wire.NOT_SAFE, False), (wire.OK, True), (wire.BUSY, True)):
        scene.ask(do="arm")
        while not scene.quiet():
            name, _ = scene.board(result)
            if name == "arm":
                assert scene.requests.armed is armed
        assert scene.requests.armed is armed


@pytest.mark.parametrize(
    "document",
    [
        {}, {"do": None}, {"do": "arms"}, {"do": ["trip"]}, {"do": "reset_trip"}, {"do": "x" * 5000},
        {"do": "reset_trip", "trip_id": "3"}, {"do": "reset_trip", "trip_id": True},
        {"do": "reset_trip", "trip_id": -1}, {"do": "reset_trip", "trip_id": 1 << 32},
        {"do": "reset_trip", "trip_id": 3.0},
    ],
    ids=lambda d: str(d)[:30],
)  # fmt: skip
def test_what_is_no_order_is_refused_and_logged_short(scene: Scene, document: dict[str, Any]) -> None:
    asked = scene.ask(**document)
    assert len(asked.said) == 1 and asked.said[0].startswith("unknown request ") and len(asked.said[0]) < 110
    assert scene.quiet()
    assert [line["action"] for line in scene.log.lines] == ["command"] and len(
        scene.log.lines[0]["command"]
    ) <= 80


def test_a_refusal_and_silence_are_told_to_who_asked(scene: Scene) -> None:
    asked = scene.ask(do="disarm")
    scene.board(wire.LATCHED, 4)
    assert asked.said == [
        "the board refuses: latched; trip 4 is latched: find its cause, then `ccdmon reset-trip 4`"
    ]
    silent = scene.ask(do="disarm")
    scene.device.queue.due(1.0)
    scene.device.queue.due(100.0)
    assert silent.said == ["the board does not answer; look at its LED, cable and power"]


def test_another_firmware_is_not_armed_whoever_asks(scene: Scene) -> None:
    scene.device.identity = {"version": "0.0.1", "protocol": 1, "schema": 1}
    why = mismatch(scene.device.identity)
    assert why and scene.ask(do="arm").said == [why]
    scene.requests.arm()
    assert scene.told == [f"not armed: {why}"] * 2 and scene.quiet()
    assert [line["action"] for line in scene.log.lines] == ["command", "not_armed", "not_armed"]


def test_arming_brings_the_settings_of_the_rig_file(tmp_path: Path) -> None:
    settings = limits.default_settings()
    scene = Scene(tmp_path, settings)
    scene.requests.arm()
    name, body = scene.board()
    assert name == "set_config" and body.endswith(
        b"".join(v.to_bytes(4, "little", signed=True) for v in settings)
    )
    scene.requests.close()


def test_where_there_is_no_socket_that_is_told_and_nothing_ends(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "nowhere")
    assert len(scene.told) == 1 and "no control socket (No such file" in scene.told[0]
    scene.requests.answer()
    scene.requests.close()


def test_a_long_word_is_cut_in_the_log_and_in_the_answer(scene: Scene) -> None:
    asked = scene.ask(do="y" * 5000)
    assert asked.said == [f"unknown request {'y' * 80!r}"]
    assert scene.log.lines == [{"action": "command", "command": "y" * 80}]


@pytest.mark.parametrize("document", [{"do": "arm"}, {"do": "reset_trip", "trip_id": 3}])
def test_what_closes_a_gate_is_refused_at_once_where_the_link_is_lost(scene: Scene, document: Any) -> None:
    scene.lost = "port /dev/x: it went away"
    (said,) = scene.ask(**document).said
    assert "link to the board is lost (port /dev/x: it went away): nothing was sent" in said
    assert "cycler" in said, "what to do"
    assert scene.quiet()


@pytest.mark.parametrize(
    ("document", "command"), [({"do": "trip"}, "force_trip"), ({"do": "disarm"}, "disarm")]
)
def test_what_opens_a_gate_is_told_at_once_and_goes_out_when_the_board_is_back(
    scene: Scene, document: Any, command: str
) -> None:
    scene.lost = "it went away"
    asked = scene.ask(**document)
    scene.requests.answer()
    assert len(asked.said) == 1 and "goes out if the board is back within 30 s" in asked.said[0]
    scene.lost = None
    assert scene.board()[0] == command
    while not scene.quiet():
        scene.board()
    assert len(asked.said) == 1, "it is answered once"


def test_who_waits_while_the_link_breaks_is_told_then(scene: Scene) -> None:
    asked = scene.ask(do="reset_trip", trip_id=3)
    scene.requests.answer()
    assert asked.said == []
    scene.lost = "it went away"
    scene.requests.answer()
    assert len(asked.said) == 1 and "link to the board is lost" in asked.said[0]


def test_a_self_test_that_trips_says_what_is_latched(scene: Scene) -> None:
    asked = scene.ask(do="reset_trip", trip_id=3)
    scene.board(wire.RESULTS.index("self_test_failed"), wire.SELF_TESTS.index("tripped"))
    assert asked.said == [], "which one it was comes with the status"
    scene.device.trip = {"trip_id": 3, "value": 1, "limit": 2}
    scene.device.status = {"trip_id": 3, "reason": limits.LIMIT}
    assert scene.board()[0] == "get_status"
    assert (
        "self_test_failed (tripped; latched is limit: pressure 1 Pa below 2 Pa); what trip" in asked.said[0]
    )


def test_the_trip_of_an_earlier_host_is_asked_for_once(scene: Scene) -> None:
    status = Message("status", {"trip_id": 7, "reason": limits.LIMIT, "uptime_ms": 5, "run": 0}, ())
    for _ in range(3):
        scene.device.take(status, 0.0)
    assert scene.board() == ("get_blackbox", wire.pack(wire.GET_BLACKBOX, 7))
    assert scene.quiet()
    scene.device.take(Message("box", {"trip_id": 7, "value": 4, "limit": 5}, ()), 0.0)
    assert scene.device.trip["value"] == 4


def test_a_recording_that_arms_says_what_is_watched_now(scene: Scene) -> None:
    settings = dict(zip(limits.SETTINGS, limits.default_settings(), strict=True)) | {
        "voltage_max_code": 49152
    }
    scene.device.identity["settings"] = settings
    scene.requests.arm()
    while not scene.quiet():
        scene.board()
    assert len(scene.told) == 1
    assert "outside of: voltage up to 50.0% of full scale; rules: hard_short, rail" in scene.told[0]


def test_a_recording_that_was_to_arm_knows_that_it_was_refused(scene: Scene) -> None:
    scene.requests.arm()
    while not scene.quiet():
        scene.board(wire.LATCHED, 4)
    assert scene.requests.refused and not scene.requests.armed
