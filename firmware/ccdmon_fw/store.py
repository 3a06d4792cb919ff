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


# Kept, for checking: what is checked is a whole black box, and a heap in use has no such place.
_piece = bytearray(256)


def _crc(generation, length):
    return binascii.crc32(struct.pack("<II", generation, length))


def check_slot(path):
    """(generation, length, CRC-32) of a slot file; None if it is missing, torn or damaged."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
            if len(head) < _HEAD_BYTES:
                return None
            magic, generation, length, wanted = struct.unpack(_HEAD, head)
            if magic != _MAGIC:
                return None
            crc, came = _crc(generation, length), 0
            while True:
                size = file.readinto(_piece)
                if not size:
                    break
                crc = binascii.crc32(memoryview(_piece)[:size], crc)
                came += size
    except OSError:
        return None
    if came != length or crc & 0xFFFFFFFF != wanted:
        return None
    return generation, length, wanted


def read_slot(path):
    """(generation, content) of a slot file; None if it is missing, torn or damaged."""
    found = check_slot(path)
    if found is None:
        return None
    with open(path, "rb") as file:
        file.seek(_HEAD_BYTES)
        return found[0], file.read(found[1])


def write_slot(path, generation, content):
    """Write and read back; True if what came back is what was meant."""
    length = len(content)
    crc = binascii.crc32(content, _crc(generation, length)) & 0xFFFFFFFF
    with open(path, "wb") as file:
        file.write(struct.pack(_HEAD, _MAGIC, generation, length, crc))
        file.write(content)
    return check_slot(path) == (generation, length, crc)


class Slots:
    """`count` slots `folder/name0` ...; `folder` None keeps the newest in memory only (a rig without a disk).

    `room`: bytes that are held for that from the start, for a heap in use may have no such place.
    """

    def __init__(self, folder, name, count, room=0):
        self._folder = folder
        self._name = name
        self._count = count
        self._memory = None
        self._room = bytearray(room if folder is None else 0)
        if folder is not None:
            try:
                os.mkdir(folder)
            except OSError:
                pass  # there already

    def path(self, slot):
        """File of one slot."""
        return "%s/%s%d" % (self._folder, self._name, slot)

    def records(self):
        """(generation, content, slot) of each valid record, one at a time."""
        if self._folder is None:
            if self._memory is not None:
                yield self._memory
            return
        for slot in range(self._count):
            record = read_slot(self.path(slot))
            if record is not None:
                yield record[0], record[1], slot

    def read_each(self, buffer):
        """(generation, length, slot) of each valid record that fits; its content lies in `buffer` until the next."""
        if self._folder is None:
            if self._memory is not None:
                generation, content, slot = self._memory
                buffer[: len(content)] = content
                yield generation, len(content), slot
            return
        for slot in range(self._count):
            found = check_slot(self.path(slot))
            if found is None or found[1] > len(buffer):
                continue
            with open(self.path(slot), "rb") as file:
                file.seek(_HEAD_BYTES)
                file.readinto(buffer[: found[1]])
            yield found[0], found[1], slot

    def newest(self):
        """(generation, content, slot), None where nothing valid lies."""
        found = None
        for record in self.records():
            if found is None or record[0] > found[0]:
                found = record
        return found

    def save(self, content):
        """Put `content` in the slot that is free or oldest; (generation, slot). OSError if it does not read back."""
        if self._folder is None:
            generation = 1 if self._memory is None else self._memory[0] + 1
            size = len(content)
            if size > len(self._room):
                self._room = bytearray(size)
            self._room[:size] = content
            self._memory = (generation, memoryview(self._room)[:size], 0)
            return generation, 0
        checked = [(check_slot(self.path(slot)), slot) for slot in range(self._count)]
        kept = sorted([(found[0], slot) for found, slot in checked if found is not None])
        generation = kept[-1][0] + 1 if kept else 1
        used = [slot for _, slot in kept]
        free = [slot for slot in range(self._count) if slot not in used]
        slot = free[0] if free else used[0]
        if not write_slot(self.path(slot), generation, content):
            raise OSError("flash does not keep what is written")
        return generation, slot
