"""The protocol's description suffices: a reader written from it alone reads golden frames and a rig, and arms it."""

import json
from pathlib import Path

import pytest

from ccdmon_fw import wire
from ccdmon_hil.rigs.unix import UnixTarget
from tests.firmware import decoder_from_protocol as stranger

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "tests" / "vectors" / "wire_frames.json").read_text())
ROWS = [(40_000 + n, 36_000 - n, 512) for n in range(60)]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_it_reads_and_writes_the_golden_frames(vector: dict) -> None:
    frame, body = bytes.fromhex(vector["frame"]), bytes.fromhex(vector["body"])
    assert (
        stranger.payload(frame[:-1])
        == bytes([vector["kind"]]) + vector["sequence"].to_bytes(2, "little") + body
    )
    if vector["kind"] == wire.IDENTITY:
        return  # these are made up to be hard to stuff, and hold no JSON
    if vector["kind"] < wire.IDENTIFY:
        (told,) = stranger.messages(frame)
        fields = dict(wire.unpack(vector["kind"], body)[0])
        assert told["name"] == wire.MESSAGES[vector["kind"]][0]
        assert told["number"] == vector["sequence"]
        assert fields.items() <= told.items()
    else:
        assert stranger.command(wire.MESSAGES[vector["kind"]][0], vector["sequence"], body) == frame


def test_a_damaged_frame_is_left_out() -> None:
    frame = bytes.fromhex(next(v["frame"] for v in VECTORS if v["kind"] == wire.ACK))
    (told,) = stranger.messages(b"\1\1\0" + bytes([frame[0], frame[1] ^ 1]) + frame[2:] + b"\0" + frame)
    assert told["name"] == "ack"


def test_it_arms_a_board_never_set_up_and_reads_what_that_measures() -> None:
    rig = UnixTarget()
    rig.start()
    try:
        rig.stand_idle([(32_768 + code, 32_768 - code, 0) for code in range(3)])
        board = stranger.Board(rig.receive, rig.send)
        board.prepare()
        rig.play(lambda row, _closed: ROWS[row] if row < len(ROWS) else None)
        run = board.arm()
        while len(places(board)) < len(ROWS):
            board.ask("keep_alive", "ack")
        status = board.ask("get_status", "status")
        assert (status["armed"], status["gate"], status["run"]) == (1, 1, run)
        assert board.ask("disarm", "ack")["result"] == 0
        assert board.ask("get_status", "status")["gate"] == 0
    finally:
        rig.close()
    first = next(told for told in board.heard if told["name"] == "samples")
    assert (first["first_sample"], first["run"], first["count"]) == (0, run, len(first["places"]))
    assert places(board)[: len(ROWS)] == ROWS
    front_end = {"voltage_full_scale_V": 5.0, "current_full_scale_A": 1e-3}
    assert stranger.volts_amperes(front_end, ROWS[0]) == pytest.approx(
        (7232 / 32768 * 5, 3232 / 32768 * 1e-3)
    )


def places(board: stranger.Board) -> list[stranger.Place]:
    """Codes of voltage, current and pressure of all samples that came."""
    return [place[:3] for told in board.heard if told["name"] == "samples" for place in told["places"]]
