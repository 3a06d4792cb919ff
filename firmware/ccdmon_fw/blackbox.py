"""What happened around a trip: kept on flash, written once the gate is open, until its id is cleared.

Two kinds of record: `latch`, whether a trip is latched (written first, so that a power cut finds the gate open again),
and `trip`, the last eight black boxes: the header below and up to 256 samples before and after, as on the wire.
"""

import struct

from ccdmon_fw import store
from ccdmon_fw.ring import HEAD
from ccdmon_fw.sampler import NOTE_HEAD

BEFORE = 256
AFTER = 256
KEPT_TRIPS = 8
WAIT_MS = 2_000  # then the box is closed with what came: the timer may be what failed
_LATCH = "<IIB"  # latched trip id or 0, last trip id given, reason
TRIP_HEAD = (
    "<IBIIiiIII"  # trip id, reason, sample, time_us, value, limit, uptime_ms, settings CRC, first sample
)
TRIP_HEAD_BYTES = struct.calcsize(TRIP_HEAD)


class BlackBox:
    """`samples` is the Ring, `note` the sampler's note of the trip, `folder` where the records lie (None: memory)."""

    def __init__(self, samples, note, folder):
        self._ring = samples
        self._note = note
        self._latch = store.Slots(folder, "latch", 2)
        self._trips = store.Slots(folder, "trip", KEPT_TRIPS)
        self.trip_id = 0  # of the latched trip, 0: none
        self.reason = 0
        self._last_id = 0
        self._open = False
        self._head_at_trip = 0
        self._opened_ms = 0
        found = self._latch.newest()
        if found is not None:
            self.trip_id, self._last_id, self.reason = struct.unpack(_LATCH, found[1])

    def latch(self, reason, now_ms):
        """The gate has just opened: give the trip its id, and keep that first of all."""
        self._head_at_trip = self._note[NOTE_HEAD] or self._ring.control[HEAD]
        self._opened_ms = now_ms
        self._open = True
        self._last_id += 1
        self.trip_id = self._last_id
        self.reason = reason
        self._save_latch()

    def clear(self):
        """The host cleared the latched trip by its id; its black box stays."""
        self.trip_id = 0
        self.reason = 0
        self._open = False
        for index in range(len(self._note)):
            self._note[index] = 0
        self._save_latch()

    def poll(self, now_ms, settings_crc):
        """Close the box when the samples after the trip are there; True when it was written just now."""
        if not self._open:
            return False
        came = (self._ring.control[HEAD] - self._head_at_trip) & 0x3FFFFFFF
        if came < AFTER and now_ms - self._opened_ms < WAIT_MS:
            return False
        self._open = False
        first, records = self._ring.around(self._head_at_trip, BEFORE, min(came, AFTER))
        sample, time_us, _, _, _, value, limit, _ = self._note
        head = struct.pack(
            TRIP_HEAD, self.trip_id, self.reason, sample, time_us, value, limit, now_ms, settings_crc, first
        )
        self._trips.save(head + records)
        return True

    def find(self, trip_id):
        """(first sample, samples as on the wire) of a kept trip; None if it is not kept."""
        for _, content, _ in self._trips.all():
            if struct.unpack_from("<I", content, 0)[0] == trip_id:
                return struct.unpack_from(TRIP_HEAD, content, 0)[8], memoryview(content)[TRIP_HEAD_BYTES:]
        return None

    def _save_latch(self):
        self._latch.save(struct.pack(_LATCH, self.trip_id, self._last_id, self.reason))
