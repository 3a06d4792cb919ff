"""What is on a board's console: a ccdmon that answers, a prompt, or the last frames of one that has ended."""

import struct
from typing import Any

import pytest

from ccdmon.link import flash
from ccdmon_fw import wire

SAMPLES = wire.encode(wire.SAMPLES, 7, wire.pack(wire.SAMPLES, 0, 0, 0, 1, 0, 0))
OLD_ACK = wire.encode(wire.ACK, 8, wire.pack(wire.ACK, 41, wire.EXIT, wire.OK, 0))


class Console:
    """A port on which a program's last frames arrive, and what `reply` says to each question."""

    name = "console"

    def __init__(self, reply: Any) -> None:
        self._reply = reply
        self._arrives = SAMPLES + OLD_ACK

    def write(self, data: bytes) -> None:
        number = next(content[1] for content in map(wire.open_frame, data.split(b"\0")) if content)
        self._arrives += self._reply(number)

    def read(self) -> bytes:
        data, self._arrives = self._arrives, b""
        return data


def ack(number: int) -> bytes:
    return wire.encode(wire.ACK, 9, struct.pack("<HBBI", number, wire.GET_STATUS, wire.OK, 0))


@pytest.mark.parametrize(
    ("reply", "runs"),
    [(ack, True), (lambda _: b"\r\n>>> ", False), (lambda _: b"", False)],
    ids=["ccdmon", "prompt", "silence"],
)
def test_the_last_frames_of_a_program_that_ended_are_not_taken_for_one_that_runs(
    reply: Any, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flash, "ASK_LIMIT_S", 0.3)
    monkeypatch.setattr(flash, "ASK_AGAIN_S", 0.1)
    port: Any = Console(reply)
    assert flash.runs_ccdmon(port) is runs


def test_no_question_holds_a_byte_that_a_prompt_acts_on() -> None:
    for number, frame in (next(flash._questions) for _ in range(200)):
        assert wire.open_frame(frame[:-1]) == (wire.GET_STATUS, number, b"")
        assert not {1, 2, 3, 4, 5, 6} & set(frame)
