"""UF2 reading and writing, against the block layout of Microsoft's specification."""

import struct

import pytest

from ccdmon_hil.rigs import uf2


def test_one_block_as_the_specification_draws_it() -> None:
    block = uf2.encode(b"\x01\x02\x03")
    assert block[:32] == struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, 0x10000000, 256, 0, 1, 0xE48BFF56)
    assert block[32:36] == b"\x01\x02\x03\x00"
    assert block[508:] == bytes.fromhex("306fb10a")
    assert len(block) == 512


def test_blocks_follow_each_other_in_flash() -> None:
    data = uf2.encode(bytes(600))
    addresses = [struct.unpack_from("<I", data, at + 12)[0] for at in range(0, len(data), 512)]
    assert addresses == [0x10000000, 0x10000100, 0x10000200]
    assert uf2.problem(data) is None


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: b"", "empty"),
        (lambda data: b"#!/bin/sh\n" * 100, "not a UF2"),
        (lambda data: data[:-512], "cut short"),
        (lambda data: data[:-100], "cut short"),
        (lambda data: data[:512] + bytes(512) + data[1024:], "block 1 is damaged"),
        (
            lambda data: data.replace(struct.pack("<I", 0xE48BFF56), struct.pack("<I", 0xE48BFF59)),
            "another chip",
        ),
        (
            lambda data: data.replace(struct.pack("<I", 0x10000100), struct.pack("<I", 0x20000000)),
            "outside the flash",
        ),
    ],
)
def test_what_is_no_image_is_named(spoil, says) -> None:  # type: ignore[no-untyped-def]
    assert says in (uf2.problem(spoil(uf2.encode(bytes(600)))) or "")
