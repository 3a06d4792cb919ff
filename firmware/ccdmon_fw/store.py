"""Records that survive a power cut: each in several slots with generation and CRC-32; a torn write leaves the older.

Never used while armed: writing flash holds the timer's interrupt off.

    slot file: magic 4 bytes | generation u32 | length u32 | CRC-32 of generation, length and content u32 | content
"""

import binascii
import os
import struct

_HEAD = "<4sIII"
_HEAD_BYTES = 16
_MAGIC = b"ccd1"


def _crc(generation, content):
    return binascii.crc32(content, binascii.crc32(struct.pack("<II", generation, len(content)))) & 0xFFFFFFFF


def read_slot(path):
    """(generation, content) of a slot file; None if it is missing, torn or damaged."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return None
    if len(data) < _HEAD_BYTES:
        return None
    magic, generation, length, crc = struct.unpack_from(_HEAD, data, 0)
    content = data[_HEAD_BYTES:]
    if magic != _MAGIC or len(content) != length or crc != _crc(generation, content):
        return None
    return generation, content


def write_slot(path, generation, content):
    """Write and read back; True if what came back is what was meant."""
    content = bytes(content)
    with open(path, "wb") as file:
        file.write(struct.pack(_HEAD, _MAGIC, generation, len(content), _crc(generation, content)))
        file.write(content)
    return read_slot(path) == (generation, content)


class Slots:
    """`count` slots `folder/name0` ...; `folder` None keeps the newest in memory only (a rig without a disk)."""

    def __init__(self, folder, name, count):
        self._folder = folder
        self._name = name
        self._count = count
        self._memory = None
        if folder is not None:
            try:
                os.mkdir(folder)
            except OSError:
                pass  # there already

    def path(self, slot):
        """File of one slot."""
        return "%s/%s%d" % (self._folder, self._name, slot)

    def records(self):
        """(generation, content, slot) of each valid record, one at a time: eight black boxes at once take 32 KB."""
        if self._folder is None:
            if self._memory is not None:
                yield self._memory
            return
        for slot in range(self._count):
            record = read_slot(self.path(slot))
            if record is not None:
                yield record[0], record[1], slot

    def newest(self):
        """(generation, content, slot), None where nothing valid lies."""
        found = None
        for record in self.records():
            if found is None or record[0] > found[0]:
                found = record
        return found

    def save(self, content):
        """Put `content` in the slot that is free or oldest; (generation, slot). OSError if it does not read back."""
        kept = sorted([(generation, slot) for generation, _, slot in self.records()])
        generation = kept[-1][0] + 1 if kept else 1
        if self._folder is None:
            self._memory = (generation, bytes(content), 0)
            return generation, 0
        used = [slot for _, slot in kept]
        free = [slot for slot in range(self._count) if slot not in used]
        slot = free[0] if free else used[0]
        if not write_slot(self.path(slot), generation, content):
            raise OSError("flash does not keep what is written")
        return generation, slot
