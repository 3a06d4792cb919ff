"""The identity: the dictionary a host needs to read every other message. By far the longest of them, 4000 bytes.

It is made piece by piece in memory that is kept from the start: a heap in use seldom has so much in one place, and the
main loop would end with its gate open because somebody asked who it is.
"""

import json
import struct
import sys
from binascii import crc32

from ccdmon_fw import limits, wire

_HEAD = "<BHH"  # kind, sequence, bytes of JSON
_HEAD_BYTES = 5
_CRC_BYTES = 4
KEPT_BYTES = 5120  # whatever the settings, for a board that has 300 bytes to say of itself; one that has more gets more


class Identity:
    """Of `board`."""

    def __init__(self, board):
        self._board = board
        self._buffer = bytearray(KEPT_BYTES)

    def frame(self, settings, sequence):
        """(buffer, length) of a whole frame, good until the next call."""
        pieces = list(json_pieces(self._document(settings), 2))
        json_bytes = sum(len(piece) for piece in pieces)
        length = _HEAD_BYTES + json_bytes + _CRC_BYTES
        stuffing = length // 254 + 2
        if len(self._buffer) < stuffing + length:
            self._buffer = bytearray(stuffing + length)
        # The payload lies as far behind the frame's begin as stuffing can move a byte.
        payload = memoryview(self._buffer)[stuffing : stuffing + length]
        struct.pack_into(_HEAD, payload, 0, wire.IDENTITY, sequence, json_bytes)
        at = _HEAD_BYTES
        for piece in pieces:
            payload[at : at + len(piece)] = piece
            at += len(piece)
        struct.pack_into("<I", payload, at, crc32(payload[:at]) & 0xFFFFFFFF)
        return self._buffer, wire.cobs_encode(payload, length, self._buffer)

    def _document(self, settings):
        return {
            "schema": limits.SCHEMA,
            "protocol": wire.PROTOCOL,
            "version": limits.VERSION,
            "micropython": ".".join(str(part) for part in sys.implementation.version[:3]),
            "board": self._board.NAME,
            "id": self._board.unique_id(),
            "sample_period_us": self._board.sample_period_us(),
            "front_end": getattr(self._board, "FRONT_END", None),
            "fault": getattr(self._board, "FAULT", None),
            "temperature": hasattr(self._board, "temperature_dC"),
            "reasons": limits.REASONS,
            "rules": limits.RULES,
            "settings": dict(zip(limits.SETTINGS, settings)),
            "messages": wire.dictionary(),
        }


def json_pieces(document, depth):
    """JSON of `document` in pieces of bytes: what a dict has is a piece of its own, to so many levels."""
    if depth == 0 or not document or not isinstance(document, dict):
        yield json.dumps(document).encode()
        return
    before = b"{"
    for name, value in document.items():
        yield before + json.dumps(name).encode() + b":"
        for piece in json_pieces(value, depth - 1):
            yield piece
        before = b","
    yield b"}"
