"""UF2, the file a Raspberry Pi Pico is flashed with: 512-byte blocks, each saying where its payload goes.

Format: Microsoft's UF2 specification. Layout of one block, little-endian:

    0  magic 0x0A324655 | magic 0x9E5D5157 | flags | address | payload bytes | block number | blocks | family
    32 payload, zero-padded to 476 bytes
    508 magic 0x0AB16F30
"""

import struct
from collections.abc import Sequence

BLOCK_BYTES = 512
PAYLOAD_BYTES = 256  # what the RP2040's boot ROM programs per block: one flash page
SECTOR_BYTES = 4096  # what it erases at once
FLASH_BASE = 0x10000000
FLASH_BYTES = 16 * 1024 * 1024  # the most the RP2040 can address
FAMILY_RP2040 = 0xE48BFF56
FLAG_FAMILY_PRESENT = 0x2000
MAGIC_START = (0x0A324655, 0x9E5D5157)
MAGIC_END = 0x0AB16F30

_HEAD = struct.Struct("<8I")


def encode(binary: bytes) -> bytes:
    """UF2 of a raw flash image that starts at the base of the RP2040's flash."""
    return _encode(range(0, len(binary), PAYLOAD_BYTES), binary)


def encode_used(flash: bytes) -> bytes:
    """UF2 of those sectors of a whole flash that are not erased; the others keep on the chip what they hold."""
    erased = b"\xff" * SECTOR_BYTES
    used = [at for at in range(0, len(flash), SECTOR_BYTES) if flash[at : at + SECTOR_BYTES] != erased]
    pages = [page for at in used for page in range(at, at + SECTOR_BYTES, PAYLOAD_BYTES)]
    return _encode(pages, flash)


def _encode(places: Sequence[int], binary: bytes) -> bytes:
    return b"".join(
        _block(index, len(places), at, binary[at : at + PAYLOAD_BYTES]) for index, at in enumerate(places)
    )


def _block(index: int, count: int, at: int, payload: bytes) -> bytes:
    head = _HEAD.pack(
        *MAGIC_START,
        FLAG_FAMILY_PRESENT,
        FLASH_BASE + at,
        PAYLOAD_BYTES,
        index,
        count,
        FAMILY_RP2040,
    )
    return head + payload.ljust(BLOCK_BYTES - _HEAD.size - 4, b"\0") + struct.pack("<I", MAGIC_END)


def problem(data: bytes) -> str | None:
    """Why `data` is no complete RP2040 image, in a few words; None when it is one."""
    if not data:
        return "the file is empty"
    if data[:8] != struct.pack("<2I", *MAGIC_START):
        return "not a UF2 file"
    if len(data) % BLOCK_BYTES:
        return "a UF2 file cut short"
    return next(
        (found for at in range(0, len(data), BLOCK_BYTES) if (found := _block_problem(data, at))), None
    )


def _block_problem(data: bytes, at: int) -> str | None:
    *magic, flags, address, size, index, count, family = _HEAD.unpack_from(data, at)
    where = f"block {at // BLOCK_BYTES}"
    if tuple(magic) != MAGIC_START or data[at + 508 : at + 512] != struct.pack("<I", MAGIC_END):
        return f"{where} is damaged"
    if flags & FLAG_FAMILY_PRESENT and family != FAMILY_RP2040:
        return f"for another chip than the RP2040 (family 0x{family:08x})"
    if count * BLOCK_BYTES != len(data) or index != at // BLOCK_BYTES:
        return f"a UF2 file cut short or joined: {where} says {index} of {count}"
    if size > BLOCK_BYTES - 36 or not FLASH_BASE <= address <= FLASH_BASE + FLASH_BYTES - size:
        return f"{where} lies outside the flash (0x{address:08x})"
    return None
