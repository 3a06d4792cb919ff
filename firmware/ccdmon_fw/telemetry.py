"""Sends what the ring holds, and repeats a trip until the host says it saw it. Runs in the main loop only.

A frame is handed to `board.send(buffer, size)`, which may take less than all of it: the rest is offered again in the
next round, so that a host that does not read costs counted drops and nothing else.
"""

import json
import struct
import sys
from binascii import crc32

from ccdmon_fw import limits, wire
from ccdmon_fw.ring import RECORD_BYTES

SAMPLES_PER_FRAME = 32
TRIP_REPEAT_MS = 100
FLUSH_MS = 50
WAITING_MESSAGES = 16  # answers that wait for the link; more are dropped, the host asks again
_HEAD = "<BH"
_HEAD_BYTES = 3
_SAMPLES_HEAD = wire.MESSAGES[wire.SAMPLES][1]
_SAMPLES_AT = _HEAD_BYTES + struct.calcsize(_SAMPLES_HEAD)


class Telemetry:
    """`samples` is the Ring, `gate` the Gate, `sampler` knows what tripped, `board` sends and tells the time."""

    def __init__(self, samples, gate, sampler, board, box):
        self._ring = samples
        self._gate = gate
        self._sampler = sampler
        self._board = board
        self._box = box
        self._bulk = ()  # type: tuple # black box on its way: (trip id, first sample, records, next index)
        self._payload = bytearray(_SAMPLES_AT + SAMPLES_PER_FRAME * RECORD_BYTES + 4)
        self._records = memoryview(self._payload)[_SAMPLES_AT:]
        self._out = bytearray(len(self._payload) + 4)
        self._sending = ()  # type: tuple # (buffer, size, already sent)
        self._waiting = []
        self._sequence = 0
        self._flushed_ms = 0
        self.run = 0  # number of the armed run; 0 before the first
        self.mode = wire.EVERY_SAMPLE
        self._trip_acked = box.trip_id == 0
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
        self._waiting.append(wire.encode(kind, self._take_sequence(), body))
        return True

    def start_run(self):
        """The gate closes: call with the timer's interrupt held off."""
        self._ring.restart()
        self.run = (self.run + 1) & 0xFFFF

    def identity(self, settings):
        """The dictionary a host needs to read everything else."""
        text = json.dumps(
            {
                "schema": limits.SCHEMA,
                "protocol": wire.PROTOCOL,
                "version": limits.VERSION,
                "micropython": ".".join(str(part) for part in sys.implementation.version[:3]),
                "board": self._board.NAME,
                "id": self._board.unique_id(),
                "sample_period_us": self._board.sample_period_us(),
                "front_end": getattr(self._board, "FRONT_END", None),
                "fault": getattr(self._board, "FAULT", None),
                "reasons": limits.REASONS,
                "rules": limits.RULES,
                "settings": dict(zip(limits.SETTINGS, settings)),
                "messages": wire.dictionary(),
            }
        ).encode()
        self.message(wire.IDENTITY, struct.pack("<H", len(text)) + text)

    def acked(self, trip_id):
        """The host has the trip: stop repeating it. True if that trip is the latched one."""
        if trip_id == self._box.trip_id:
            self._trip_acked = True
        return trip_id == self._box.trip_id

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

    def send_box(self, trip_id, first_sample, records):
        """Send a black box in pieces, between other messages."""
        self._bulk = (trip_id, first_sample, records, 0)

    def _next_of_box(self):
        trip_id, first, records, index = self._bulk
        total = len(records) // RECORD_BYTES
        piece = records[index * RECORD_BYTES : (index + SAMPLES_PER_FRAME) * RECORD_BYTES]
        self.message(wire.BLACKBOX, wire.pack(wire.BLACKBOX, trip_id, first, index, total) + bytes(piece))
        index += SAMPLES_PER_FRAME
        self._bulk = (trip_id, first, records, index) if index < total else ()

    def _next(self):
        """Choose the next frame: answers and trips before samples."""
        if self._bulk and not self._waiting:
            self._next_of_box()
        if self._waiting:
            frame = self._waiting.pop(0)
            self._sending = (frame, len(frame), 0)
            return True
        if self.run == 0 or self.mode == wire.EVENTS_ONLY:
            return False
        ready = self._ring.ready()
        now_ms = self._board.uptime_ms()
        if ready == 0 or (ready < SAMPLES_PER_FRAME and now_ms - self._flushed_ms < FLUSH_MS):
            return False
        self._flushed_ms = now_ms
        return self._samples(min(ready, SAMPLES_PER_FRAME))

    def _samples(self, limit):
        count, first, time_us = self._ring.take(self._records, limit)
        if count == 0:
            return False
        struct.pack_into(_HEAD, self._payload, 0, wire.SAMPLES, self._take_sequence())
        struct.pack_into(
            _SAMPLES_HEAD, self._payload, _HEAD_BYTES, first, self._ring.dropped, time_us, self.run, count, 0
        )
        size = _SAMPLES_AT + count * RECORD_BYTES
        struct.pack_into("<I", self._payload, size, crc32(memoryview(self._payload)[:size]) & 0xFFFFFFFF)
        self._sending = (self._out, wire.cobs_encode(self._payload, size + 4, self._out), 0)
        return True

    def _announce_trip(self):
        now_ms = self._board.uptime_ms()
        if self._trip_acked or now_ms - self._trip_due_ms < 0:
            return
        self._trip_due_ms = now_ms + TRIP_REPEAT_MS
        self._trip_repeat = min(self._trip_repeat + 1, 255)
        sample, time_us, _, _, _, value, limit, _ = self._sampler.note
        self.message(
            wire.TRIP,
            wire.pack(
                wire.TRIP, self._box.trip_id, self.run, self._gate.reason, self._trip_repeat, sample, time_us,
                value, limit, now_ms,
            ),
        )  # fmt: skip

    def _take_sequence(self):
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        return sequence
