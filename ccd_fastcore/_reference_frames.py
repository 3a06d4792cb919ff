"""Frames of the wire in plain Python: what `_core.pyx` compiles. Format: `ccdmon_fw.wire` and `firmware/PROTOCOL.md`.

A frame is COBS(payload + CRC-32 of the payload, little-endian) + one zero byte; a payload is the message type (u8), a
sequence number (u16) and the body. A SAMPLES body is <IIIHBB (first sample, dropped, time in us, run, count, flags) and
`count` times <HHHH (voltage, current, pressure code, verdict).
"""

import binascii
import struct

import numpy as np
import numpy.typing as npt

MAX_FRAME_BYTES = 8192  # longer input without a frame end is noise
SAMPLES = 0x02
SAMPLES_HEAD = struct.Struct("<IIIHBB")
Frame = tuple[int, int, bytes]


def _unstuffed(block: bytes) -> bytes | None:
    out = bytearray()
    at = 0
    while at < len(block):
        code = block[at]
        end = at + code
        if code == 0 or end > len(block):
            return None
        out += block[at + 1 : end]
        if code < 255 and end < len(block):
            out.append(0)
        at = end
    return bytes(out)


def _opened(block: bytes) -> Frame | None:
    payload = _unstuffed(block)
    if payload is None or len(payload) < 7:
        return None
    content = payload[:-4]
    if binascii.crc32(content) != int.from_bytes(payload[-4:], "little"):
        return None
    return content[0], int.from_bytes(content[1:3], "little"), content[3:]


class Unframer:
    """Cuts a byte stream into frames. Counts what it cannot read in `crc_errors`; never raises on input."""

    def __init__(self) -> None:
        self._held = b""
        self._skipping = False
        self.crc_errors = 0

    def feed(self, data: bytes) -> list[Frame]:
        """The frames `data` completes: (type, sequence, body)."""
        blocks = (self._held + bytes(data)).split(b"\0")
        self._held = blocks.pop()
        frames = []
        for block in blocks:
            frame = None if self._skipping else _opened(block)
            if frame is not None:
                frames.append(frame)
            elif block or self._skipping:
                self.crc_errors += 1
            self._skipping = False
        if len(self._held) > MAX_FRAME_BYTES:
            self._held = b""
            self._skipping = True
        return frames

    def feed_samples(
        self, data: bytes
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16], list[tuple[int, int, bytes, int]]]:
        """As `feed`, with the samples in two arrays: (heads, codes, other frames).

        `heads` is int64 of shape (frames, 7): sequence, first sample, dropped, time in us, run, count, flags;
        `codes` is uint16 of shape (samples, 4): voltage, current, pressure code, verdict. Other frames: (type,
        sequence, body, number of heads before it).
        """
        heads: list[tuple[int, ...]] = []
        codes: list[tuple[int, ...]] = []
        others: list[tuple[int, int, bytes, int]] = []
        for kind, sequence, body in self.feed(data):
            if (
                kind != SAMPLES
                or len(body) < SAMPLES_HEAD.size
                or len(body) != SAMPLES_HEAD.size + 8 * body[14]
            ):
                others.append((kind, sequence, body, len(heads)))
                continue
            heads.append((sequence, *SAMPLES_HEAD.unpack_from(body)))
            codes += struct.iter_unpack("<HHHH", body[SAMPLES_HEAD.size :])
        return (
            np.array(heads, dtype=np.int64).reshape(-1, 7),
            np.array(codes, dtype=np.uint16).reshape(-1, 4),
            others,
        )


def unpack_samples(body: bytes) -> tuple[int, int, int, int, int, list[tuple[int, ...]]]:
    """(first sample, dropped, time in us, run, flags, codes) of a SAMPLES body; codes as rows of four.

    Raises ValueError for a body shorter or longer than it says.
    """
    if len(body) < SAMPLES_HEAD.size:
        raise ValueError(f"a samples body of {len(body)} bytes is short")
    first, dropped, time_us, run, count, flags = SAMPLES_HEAD.unpack_from(body)
    if len(body) != SAMPLES_HEAD.size + 8 * count:
        raise ValueError(f"a samples body of {len(body)} bytes cannot hold {count} samples")
    codes = list(struct.iter_unpack("<HHHH", body[SAMPLES_HEAD.size :]))
    return first, dropped, time_us, run, flags, codes
