"""The identity: whole, whatever its length, and in memory that is there from the start."""

import json

from ccdmon_fw import limits, wire
from ccdmon_fw.identity import KEPT_BYTES, Identity
from tests.firmware.fake_board import FakeBoard

LONGEST = -(2**31)


def test_it_is_a_frame_whose_json_states_each_setting() -> None:
    settings = list(limits.default_settings())
    buffer, size = Identity(FakeBoard()).frame(settings, 7)
    opened = wire.open_frame(bytes(buffer[: size - 1]))
    assert opened is not None
    kind, sequence, body = opened
    fields, text = wire.unpack(kind, body)
    assert (kind, sequence, fields["json_bytes"]) == (wire.IDENTITY, 7, len(text))
    document = json.loads(text)
    assert document["settings"] == dict(zip(limits.SETTINGS, settings, strict=True))
    assert document["messages"] == wire.dictionary()
    assert document["version"] == limits.VERSION


def test_no_settings_need_more_memory_than_is_kept() -> None:
    identity = Identity(FakeBoard())
    kept, _ = identity.frame([0] * len(limits.SETTINGS), 0)
    size = len(kept)
    again, used = identity.frame([LONGEST] * len(limits.SETTINGS), 65535)
    assert again is kept
    assert len(again) == size == KEPT_BYTES
    assert used <= size - 300
    opened = wire.open_frame(bytes(again[: used - 1]))
    assert opened is not None
    assert json.loads(opened[2][2:])["settings"][limits.SETTINGS[0]] == LONGEST


def test_a_board_that_grows_gets_more() -> None:
    board = FakeBoard()
    identity = Identity(board)
    board.FAULT = "x" * 3000  # type: ignore[attr-defined]
    buffer, size = identity.frame(list(limits.default_settings()), 1)
    opened = wire.open_frame(bytes(buffer[: size - 1]))
    assert opened is not None
    assert json.loads(opened[2][2:])["fault"] == board.FAULT  # type: ignore[attr-defined]
