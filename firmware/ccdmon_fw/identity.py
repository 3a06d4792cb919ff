"""The identity: the dictionary a host needs to read every other message. By far the longest of them, 5000 bytes.

It is made in memory that is kept from the start: a heap in use seldom has so much in one place, and the
main loop would end with its gate open because somebody asked who it is.
"""

import json
import struct
import sys
from binascii import crc32

from ccdmon_fw import detector, limits, wire

try:
    from io import BytesIO

    import micropython  # noqa: F401
except ImportError:
    from ccdmon_fw.cpython import BytesIO

_HEAD = "<BHH"  # kind, sequence, bytes of JSON
_HEAD_BYTES = 5
_CRC_BYTES = 4
KEPT_BYTES = 6144  # whatever the settings, for a board that has 300 bytes to say of itself; one that has more gets more


class Identity:
    """Of `board`."""

    def __init__(self, board):
        self._board = board
        self.judge = None  # the Detector, whose zeros are told
        self._json = BytesIO(KEPT_BYTES)
        self._buffer = bytearray(KEPT_BYTES)

    def frame(self, settings, sequence):
        """(buffer, length) of a whole frame, good until the next call."""
        self._json.seek(0)
        json.dump(self._document(settings), self._json)
        json_bytes = self._json.tell()
        length = _HEAD_BYTES + json_bytes + _CRC_BYTES
        stuffing = length // 254 + 2
        if len(self._buffer) < stuffing + length:
            self._buffer = bytearray(stuffing + length)
        # The payload lies as far behind the frame's begin as stuffing can move a byte.
        payload = memoryview(self._buffer)[stuffing : stuffing + length]
        struct.pack_into(_HEAD, payload, 0, wire.IDENTITY, sequence, json_bytes)
        self._json.seek(0)
        self._json.readinto(payload[_HEAD_BYTES:-_CRC_BYTES])
        struct.pack_into("<I", payload, length - _CRC_BYTES, crc32(payload[:-_CRC_BYTES]) & 0xFFFFFFFF)
        return self._buffer, wire.cobs_encode(payload, length, self._buffer)

    def _zero(self):
        """Where zero lies: codes of 0 V (as set) and of 0 A (as taken), units from which on a current counts as one."""
        if self.judge is None:
            return None
        memory = self.judge.memory
        return [memory[detector.V_ZERO], memory[detector.I_ZERO], memory[detector.ON]]

    def _document(self, settings):
        return {
            "schema": limits.SCHEMA,
            "protocol": wire.PROTOCOL,
            "version": limits.VERSION,
            "micropython": _interpreter(),
            "board": self._board.NAME,
            "id": self._board.unique_id(),
            "sample_period_us": self._board.sample_period_us(),
            "front_end": getattr(self._board, "FRONT_END", None),
            "fault": getattr(self._board, "FAULT", None),
            "temperature": hasattr(self._board, "temperature_dC"),
            "external_trip": hasattr(self._board, "unsafe"),
            "zero": self._zero(),
            "reasons": limits.REASONS,
            "rules": limits.RULES,
            "rule_reasons": limits.RULE_REASONS,
            "compared": limits.COMPARED,
            "settings": dict(zip(limits.SETTINGS, settings)),
            "messages": wire.dictionary(),
        }


def _interpreter():
    """Version of MicroPython; on another, as a model on CPython is, with its name."""
    version = ".".join(str(part) for part in sys.implementation.version[:3])
    name = sys.implementation.name
    return version if name == "micropython" else name + " " + version
