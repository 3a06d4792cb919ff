"""Frames of the wire, compiled and plain, against the wire module of the firmware itself."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccd_fastcore import _frames, _reference_frames, unpack_samples
from ccdmon_fw import wire


def samples_frame(sequence: int, count: int = 32) -> bytes:
    codes = np.random.default_rng(sequence).integers(0, 65536, (count, 4)).astype("<u2")
    codes[: count // 2, 2] = 0  # zeros are what stuffing is about
    head = wire.pack(wire.SAMPLES, 32 * sequence, 0, 1000 * sequence, 7, count, 1)
    return bytes(wire.encode(wire.SAMPLES, sequence, head + codes.tobytes()))


STREAM = b"".join(samples_frame(k) for k in range(20)) + wire.encode(wire.STATUS, 20, bytes(46))


def test_agrees_with_the_firmware(unframer_class: Any) -> None:
    theirs = [(kind, sequence, bytes(body)) for kind, sequence, body in wire.Unframer().feed(STREAM)]
    assert unframer_class().feed(STREAM) == theirs
    assert len(theirs) == 21


def test_samples_in_arrays(unframer_class: Any) -> None:
    heads, codes, others = unframer_class().feed_samples(STREAM)
    assert heads[3].tolist() == [3, 96, 0, 3000, 7, 32, 1]
    assert codes.shape == (640, 4) and codes.dtype == np.uint16
    assert (
        codes[96:128].tolist() == np.asarray(unpack_samples(unframer_class().feed(STREAM)[3][2])[5]).tolist()
    )
    assert [(kind, before) for kind, _, _, before in others] == [(wire.STATUS, 20)]
    _, _, others = unframer_class().feed_samples(STREAM[: len(STREAM) // 2] + b"\0" + STREAM)
    assert [before for *_, before in others] == [30]


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=600), cut=st.integers(1, 100))
def test_any_bytes_in_any_pieces(data: bytes, cut: int) -> None:
    damaged = STREAM[:700] + data + STREAM[700:]
    whole, pieces = _frames.Unframer(), _frames.Unframer()
    plain = _reference_frames.Unframer()
    frames = whole.feed(damaged)
    assert frames == plain.feed(damaged)
    assert frames == [f for k in range(0, len(damaged), cut) for f in pieces.feed(damaged[k : k + cut])]
    assert whole.crc_errors == pieces.crc_errors == plain.crc_errors


def test_a_flipped_bit_is_counted(unframer_class: Any) -> None:
    damaged = bytearray(STREAM)
    damaged[40] ^= 0x10 if damaged[40] != 0x10 else 0x20
    unframer = unframer_class()
    assert len(unframer.feed(bytes(damaged))) == 20
    assert unframer.crc_errors == 1


def test_noise_without_an_end_is_not_kept(unframer_class: Any) -> None:
    unframer = unframer_class()
    assert unframer.feed(b"\x01" * 10_000) == []
    assert len(unframer.feed(b"\x00" + samples_frame(1))) == 1
    assert unframer.crc_errors == 1


@pytest.mark.parametrize("unpack", [_frames.unpack_samples, _reference_frames.unpack_samples])
def test_a_body_that_is_too_short(unpack: Any) -> None:
    with pytest.raises(ValueError, match="short"):
        unpack(b"123")
    with pytest.raises(ValueError, match="cannot hold"):
        unpack(bytes(14) + b"\x02\x00" + bytes(8))
