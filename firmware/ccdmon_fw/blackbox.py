"""What happened around a trip: kept on flash, written once the gate is open, until its id is cleared.

Two kinds of record: `latch`, the latched trip (written first, so that a power cut finds the gate open again), and
`trip`, the last eight black boxes: the header below and 256 samples before and after, as on the wire. A power cut while
one of them is written leaves what was kept before; where it took the samples of a trip, its box has none.
"""

import struct
from collections import namedtuple

from ccdmon_fw import sampler, store, wire
from ccdmon_fw.ring import HEAD, RECORD_BYTES

BEFORE = 256
AFTER = 256
KEPT_TRIPS = 8
WAIT_MS = 2_000  # then the box is closed with what came: the timer may be what failed
# The header is the fixed part of wire.BOX, but for the last two, which belong to the samples.
HEAD_FORMAT = wire.MESSAGES[wire.BOX][1]
HEAD_BYTES = struct.calcsize(HEAD_FORMAT)
Trip = namedtuple(
    "Trip", ("trip_id", "run", "reason", "sample", "time_us", "value", "limit", "uptime_ms", "config_crc")
)
NONE = Trip(0, 0, 0, 0, 0, 0, 0, 0, 0)
_TRIP_FORMAT = "<IHBIIiiII"
_LATCH_FORMAT = "<I"  # the last id given, then the latched trip


class BlackBox:
    """`samples` is the Ring, `note` the sampler's note of the trip, `folder` where the records lie (None: memory)."""

    def __init__(self, samples, note, folder):
        self._ring = samples
        self._note = note
        self._latch = store.Slots(folder, "latch", 2)
        self._trips = store.Slots(folder, "trip", KEPT_TRIPS, HEAD_BYTES + (BEFORE + AFTER) * RECORD_BYTES)
        self.trip = NONE  # the latched one
        self._last_id = 0
        self.open = False  # samples are still to come
        # Made at the start: when the trip comes, the heap may have no such place.
        self._content = memoryview(bytearray(HEAD_BYTES + (BEFORE + AFTER) * RECORD_BYTES))
        self.held = 0  # id of the trip whose box lies there now
        self.write_failed = False  # flash is full or worn out: the trip is latched in memory only
        self._head_at_trip = 0
        self._opened_ms = 0
        found = self._latch.newest()
        if found is not None:
            self._last_id = struct.unpack_from(_LATCH_FORMAT, found[1], 0)[0]
            self.trip = Trip(*struct.unpack_from(_TRIP_FORMAT, found[1], 4))
            if self.trip.trip_id and self.find(self.trip.trip_id) is None:
                self._save_box(self.trip.sample, 0)  # a reset took its samples

    def latch(self, gate, run, now_ms, config_crc):
        """The gate has just opened: give the trip its id, and keep that first of all."""
        note = self._note
        head = self._ring.control[HEAD]
        sample, time_us = self._ring.before(head)
        value, limit = gate.value, gate.limit
        if note[sampler.NOTE_HEAD]:  # a rule of the detector tripped, in the tick
            head = note[sampler.NOTE_HEAD]
            sample, time_us, value, limit = note[0], note[1], note[5], note[6]
        self._head_at_trip = head
        self._opened_ms = now_ms
        self.open = True
        self._last_id += 1
        self.trip = Trip(
            self._last_id, run, gate.reason, sample, time_us, value, limit, now_ms & 0xFFFFFFFF, config_crc
        )
        self._save_latch()

    def clear(self):
        """The host cleared the latched trip by its id; its black box stays."""
        self.trip = NONE
        self.open = False
        for index in range(len(self._note)):
            self._note[index] = 0
        self._save_latch()

    def poll(self, now_ms):
        """Close the box when the samples after the trip are there; True when it was written just now."""
        if not self.open:
            return False
        came = (self._ring.control[HEAD] - self._head_at_trip) & 0x3FFFFFFF
        if came < AFTER and now_ms - self._opened_ms < WAIT_MS:
            return False
        before, samples = self._ring.around(
            self._head_at_trip, BEFORE, min(came, AFTER), self._content[HEAD_BYTES:]
        )
        self._save_box(self._number_of_tripping() + 1 - before, samples)
        self.open = False
        return True

    def _save_box(self, first, samples):
        self.held = self.trip.trip_id
        struct.pack_into(HEAD_FORMAT, self._content, 0, *self.trip, first, samples)
        self._keep(self._trips, self._content[: HEAD_BYTES + samples * RECORD_BYTES])

    def _number_of_tripping(self):
        """Number of the last sample before the gate opened; those before the run's first count below zero."""
        head, counter = self._ring.place()
        return counter - ((head - self._head_at_trip) & 0x3FFFFFFF) - 1

    def find(self, trip_id):
        """(fixed part of wire.BOX, samples as on the wire) of a kept trip, good while `held`; None: it is not kept."""
        for _, length, _ in self._trips.read_each(self._content):
            self.held = struct.unpack_from("<I", self._content, 0)[0]
            if self.held == trip_id:
                return self._content[:HEAD_BYTES], self._content[HEAD_BYTES:length]
        return None

    def _save_latch(self):
        self._keep(
            self._latch, struct.pack(_LATCH_FORMAT, self._last_id) + struct.pack(_TRIP_FORMAT, *self.trip)
        )

    def _keep(self, slots, content):
        try:
            slots.save(content)
        except OSError:
            self.write_failed = True
