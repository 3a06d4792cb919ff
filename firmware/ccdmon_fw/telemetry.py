"""Sends what the ring holds, and repeats a trip until the host says it saw it. Runs in the main loop only.

A frame is handed to `board.send(buffer, size)`, which may take less than all of it: the rest is offered again in the
next round, so that a host that does not read costs counted drops and nothing else.
"""

import struct
from array import array
from binascii import crc32

from ccdmon_fw import wire
from ccdmon_fw.identity import Identity
from ccdmon_fw.ring import RECORD_BYTES

SAMPLES_PER_FRAME = 32
BLOCKS_PER_FRAME = 12
BLOCK_BYTES = 20
TRIP_REPEAT_MS = 100
FLUSH_MS = 50
WAITING_MESSAGES = 16  # answers that wait for the link; more are dropped, the host asks again
_HEAD = "<BH"
_HEAD_BYTES = 3
_BULK_HEAD = wire.MESSAGES[wire.SAMPLES][1]  # BLOCKS has the same
_BULK_AT = _HEAD_BYTES + struct.calcsize(_BULK_HEAD)


class Telemetry:
    """`samples` is the Ring, `board` sends and tells the time, `box` knows the latched trip."""

    def __init__(self, samples, board, box):
        self._ring = samples
        self._board = board
        self._box = box
        self._bulk = ()  # type: tuple # black box on its way: (trip id, first sample, records, next index)
        self._payload = bytearray(_BULK_AT + SAMPLES_PER_FRAME * RECORD_BYTES + 4)
        self._records = memoryview(self._payload)[_BULK_AT:]
        self._out = bytearray(len(self._payload) + 4)
        self._block = array("H", [0] * (BLOCK_BYTES // 2))
        # (buffer, size, already sent); first the end of what was on its way when the board went down
        self._sending = (b"\0", 1, 0)  # type: tuple
        self._answered = False  # since the last samples
        self._waiting = []
        self._identity = Identity(board)
        self._identity_of = None  # settings that somebody wants to know
        self._before_identity = 0  # messages that waited when it was asked for
        self._sequence = 0
        self._flushed_ms = 0
        self.run = 0  # number of the armed run; 0 before the first
        self.mode = wire.EVERY_SAMPLE
        self.samples_per_block = 1
        self._blocks = 0  # in the payload, waiting for more
        self._first = self._first_us = 0  # of the first of them
        self._trip_acked = box.trip.trip_id == 0
        self._trip_due_ms = 0
        self._trip_repeat = 0

    def pump(self):
        """One round: at most one frame on its way. True if something was sent."""
        self._announce_trip()
        if not self._sending and not self._next():
            return False
        buffer, size, sent = self._sending
        taken = self._board.send(memoryview(buffer)[sent:], size - sent)
        sent += size - sent if taken is None else taken
        self._sending = () if sent >= size else (buffer, size, sent)
        return True

    def message(self, kind, body):
        """Queue one frame of any kind; False where too many wait already."""
        if len(self._waiting) >= WAITING_MESSAGES:
            return False
        self._waiting.append((kind, bytes(body)))  # numbered when it goes: the identity may overtake it
        return True

    def stream(self, mode, samples_per_block):
        """What of the samples is sent from now on."""
        self.mode = mode
        self.samples_per_block = samples_per_block
        self._blocks = 0

    def start_run(self):
        """The gate closes: call with the timer's interrupt held off."""
        self._ring.restart()
        self._blocks = 0
        self.run = (self.run + 1) & 0xFFFF

    def tell_zero_of(self, judge):
        """From now on the identity says where the detector takes zero to be."""
        self._identity.judge = judge

    def identity(self, settings):
        """Send the identity after the messages that wait now; asked again before that, one answers all."""
        if self._identity_of is None:
            self._before_identity = len(self._waiting)
        self._identity_of = settings

    def forget_identity(self):
        """Give its memory back: nobody will ask any more."""
        self._identity = self._identity_of = None  # type: ignore[assignment]

    def acked(self, trip_id):
        """The host has the trip: stop repeating it. True if that trip is the latched one."""
        if trip_id == self._box.trip.trip_id:
            self._trip_acked = True
        return trip_id == self._box.trip.trip_id

    def announce(self):
        """A trip has just been latched: tell it until it is acknowledged."""
        self._trip_acked = False
        self._trip_repeat = 0
        self._trip_due_ms = self._board.uptime_ms()

    def event(self, reason, action, value, limit, fired=None):
        """Something that does not trip has happened; False where the message found no room.

        `fired`: (sample, time_us, times, rule) of a detector's rule; None: now, and no rule of the detector.
        """
        if fired is None:
            sample, time_us = self._ring.newest()
            fired = (sample, time_us, 1, wire.NO_RULE)
        sample, time_us, times, rule = fired
        return self.message(
            wire.EVENT,
            wire.pack(wire.EVENT, self.run, reason, action, sample, time_us, value, limit, times, rule),
        )

    def cleared(self):
        """The latched trip was reset."""
        self._trip_acked = True

    def send_box(self, head, records):
        """Send a black box: its head, then its samples in pieces between other messages."""
        self.message(wire.BOX, head)
        fields, _ = wire.unpack(wire.BOX, head)
        self._bulk = (fields["trip_id"], fields["first_sample"], records, 0)

    def _next_of_box(self):
        trip_id, first, records, index = self._bulk
        if self._box.held != trip_id:
            self._bulk = ()  # another trip came: the host asks again
            return
        total = len(records) // RECORD_BYTES
        piece = records[index * RECORD_BYTES : (index + SAMPLES_PER_FRAME) * RECORD_BYTES]
        self.message(wire.BLACKBOX, wire.pack(wire.BLACKBOX, trip_id, first, index, total) + bytes(piece))
        index += SAMPLES_PER_FRAME
        self._bulk = (trip_id, first, records, index) if index < total else ()

    def _next(self):
        """Choose the next frame: answers and trips before samples, which have their turn between two of them."""
        if self._answered and self._ring.ready() >= SAMPLES_PER_FRAME:
            self._answered = False  # a host that asks in each round would hear of nothing else
            if self._next_samples():
                return True
        if self._bulk and not self._waiting:
            self._next_of_box()
        if self._identity_of is not None and self._before_identity == 0:
            frame, size = self._identity.frame(self._identity_of, self._take_sequence())
            self._identity_of = None
            self._sending = (frame, size, 0)
            return True
        if self._waiting:
            kind, body = self._waiting.pop(0)
            self._before_identity = max(0, self._before_identity - 1)
            frame = wire.encode(kind, self._take_sequence(), body)
            self._sending = (frame, len(frame), 0)
            self._answered = True
            return True
        return self._next_samples()

    def _next_samples(self):
        if self.run == 0 or self.mode == wire.EVENTS_ONLY:
            return False
        ready = self._ring.ready()
        now_ms = self._board.uptime_ms()
        due = now_ms - self._flushed_ms >= FLUSH_MS
        if self.mode == wire.BLOCK_SUMMARY:
            return self._blocks_ready(ready, due, now_ms)
        if ready == 0 or (ready < SAMPLES_PER_FRAME and not due):
            return False
        self._flushed_ms = now_ms
        return self._samples(min(ready, SAMPLES_PER_FRAME))

    def _samples(self, limit):
        count, first, time_us = self._ring.take(self._records, limit)
        if count == 0:
            return False
        self._bulk_frame(wire.SAMPLES, first, time_us, count, count * RECORD_BYTES)
        return True

    def _blocks_ready(self, ready, due, now_ms):
        """Summarise the blocks whose samples are there; True when a frame of them is on its way."""
        size = self.samples_per_block
        while ready >= size and self._blocks < BLOCKS_PER_FRAME:
            ready -= size
            count, first, time_us = self._ring.take_block(self._block, size)
            if count == 0:
                break
            gap = self._blocks and first != self._first + self._blocks * size
            if gap:
                self._blocks_frame()  # what was before it has a frame of its own
            self._put_block(first, time_us)
            if gap:
                return True
        if self._blocks == 0 or (self._blocks < BLOCKS_PER_FRAME and not due):
            return False
        self._flushed_ms = now_ms
        self._blocks_frame()
        return True

    def _put_block(self, first, time_us):
        if self._blocks == 0:
            self._first, self._first_us = first, time_us
        at = self._blocks * BLOCK_BYTES
        self._records[at : at + BLOCK_BYTES] = memoryview(bytes(self._block))
        self._blocks += 1

    def _blocks_frame(self):
        size = self._blocks * BLOCK_BYTES
        self._bulk_frame(wire.BLOCKS, self._first, self._first_us, self.samples_per_block, size)
        self._blocks = 0

    def _bulk_frame(self, kind, first, time_us, count, records_size):
        """Head, CRC and stuffing around the records that lie in the payload."""
        struct.pack_into(_HEAD, self._payload, 0, kind, self._take_sequence())
        struct.pack_into(
            _BULK_HEAD, self._payload, _HEAD_BYTES, first, self._ring.dropped, time_us, self.run, count, 0
        )
        size = _BULK_AT + records_size
        struct.pack_into("<I", self._payload, size, crc32(memoryview(self._payload)[:size]) & 0xFFFFFFFF)
        self._sending = (self._out, wire.cobs_encode(self._payload, size + 4, self._out), 0)

    def _announce_trip(self):
        now_ms = self._board.uptime_ms()
        if self._trip_acked or now_ms - self._trip_due_ms < 0:
            return
        self._trip_due_ms = now_ms + TRIP_REPEAT_MS
        self._trip_repeat = min(self._trip_repeat + 1, 255)
        trip = self._box.trip
        self.message(
            wire.TRIP,
            wire.pack(
                wire.TRIP, trip.trip_id, trip.run, trip.reason, self._trip_repeat, trip.sample, trip.time_us,
                trip.value, trip.limit, trip.uptime_ms,
            ),
        )  # fmt: skip

    def _take_sequence(self):
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        return sequence
