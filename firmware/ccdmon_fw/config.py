"""The settings in force, kept in two slots on flash: a torn write leaves the older."""

import struct
from binascii import crc32

from ccdmon_fw import limits, store


class Config:
    """`folder` as in `store.Slots`. What lies there but is out of today's bounds is not used."""

    def __init__(self, folder):
        self._slots = store.Slots(folder, "config", 2)
        self.generation = 0  # 0: nothing kept, the defaults are in force
        self.slot = 0  # where the settings in force lie
        self.crc = 0

    def load(self):
        """The kept settings, newest valid first; None: there are none."""
        for generation, content, slot in sorted(self._slots.records(), key=lambda record: -record[0]):
            if len(content) % 4 == 0:
                settings = struct.unpack("<%di" % (len(content) // 4), content)
                if limits.check_settings(settings) < 0:
                    self.generation, self.slot = generation, slot
                    self.crc = crc32(content) & 0xFFFFFFFF
                    return settings
        return None

    def save(self, settings):
        """Keep checked settings; the generation they got. The same settings again are not written again."""
        content = struct.pack("<%di" % len(settings), *settings)
        crc = crc32(content) & 0xFFFFFFFF
        if self.generation == 0 or crc != self.crc:
            self.generation, self.slot = self._slots.save(content)
            self.crc = crc
        return self.generation
