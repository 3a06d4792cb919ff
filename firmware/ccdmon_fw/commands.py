"""Commands from the host: each is answered by ACK under its own sequence number, with a result of wire.RESULTS.

All are idempotent: a host that missed the answer sends the command again under the same number, and gets the same
answer without a second deed.
"""

import struct

from ccdmon_fw import detector, limits, ring, wire


class Commands:
    """Finds frames in the bytes received and carries them out on the parts it was given."""

    def __init__(self, board, judge, gate, samples, telemetry, box, config, stuck):
        self._board = board
        self._detector = judge
        self._gate = gate
        self._ring = samples
        self._telemetry = telemetry
        self._box = box
        self._config = config
        self._stuck = stuck
        self._unframer = wire.Unframer()
        self._last = (-1, -1)
        self._last_answer = b""
        self.exit = False
        self._handlers = {
            wire.IDENTIFY: self._identify,
            wire.GET_STATUS: self._status,
            wire.ARM: self._arm,
            wire.DISARM: self._disarm,
            wire.FORCE_TRIP: self._force_trip,
            wire.RESET_TRIP: self._reset_trip,
            wire.ACK_TRIP: self._ack_trip,
            wire.SET_CONFIG: self._set_config,
            wire.GET_CONFIG: self._get_config,
            wire.GET_CLOCK: self._clock,
            wire.KEEP_ALIVE: self._keep_alive,
            wire.EXIT: self._exit,
            wire.STREAM: self._stream,
            wire.GET_BLACKBOX: self._get_blackbox,
        }

    def feed(self, data):
        """Take received bytes; carry out every whole frame among them."""
        for kind, sequence, body in self._unframer.feed(data):
            if (kind, sequence) != self._last:
                self._last = (kind, sequence)
                result, detail = self._carry_out(kind, sequence, body)
                self._last_answer = wire.pack(wire.ACK, sequence, kind, result, detail)
            elif kind in (wire.IDENTIFY, wire.GET_STATUS, wire.GET_CONFIG, wire.GET_CLOCK):
                self._carry_out(kind, sequence, body)  # only asks: the answer went missing too
            self._telemetry.message(wire.ACK, self._last_answer)

    def _carry_out(self, kind, sequence, body):
        """(result, detail) of one command; a handler returns either that or None for plain success."""
        handler = self._handlers.get(kind)
        if handler is None:
            return wire.UNKNOWN_COMMAND, 0
        try:
            fields, rest = wire.unpack(kind, body)
            return handler(sequence, fields, rest) or (wire.OK, 0)
        except ValueError:
            return wire.BAD_LENGTH, 0

    def _identify(self, _sequence, _fields, _rest):
        self._telemetry.identity(self._detector.settings())

    def _status(self, _sequence, _fields, _rest):
        gate = self._gate
        self._telemetry.message(
            wire.STATUS,
            wire.pack(
                wire.STATUS, self._ring.control[ring.COUNTER], self._ring.dropped,
                self._ring.control[ring.OVERRUNS], self._unframer.crc_errors, self._board.uptime_ms(),
                self._box.trip_id, self._telemetry.run, gate.armed, gate.reason,
                gate.closed, 0, self._config.crc,
            ),
        )  # fmt: skip

    def _arm(self, _sequence, _fields, _rest):
        if self._gate.reason:
            return wire.LATCHED, self._box.trip_id
        if self._gate.armed:
            return wire.ARMED, self._telemetry.run
        # Sample 0 of the run is the first one after the gate has closed.
        held = self._board.lock()
        self._detector.reset()
        self._telemetry.start_run()
        self._gate.close()
        self._board.unlock(held)
        return wire.OK, self._telemetry.run

    def _disarm(self, _sequence, _fields, _rest):
        self._gate.open()

    def _force_trip(self, _sequence, _fields, _rest):
        self._gate.trip(limits.COMMAND)

    def _reset_trip(self, _sequence, fields, _rest):
        if self._box.trip_id != fields["trip_id"]:
            return wire.WRONG_ID, self._box.trip_id
        self._gate.clear()
        self._box.clear()
        self._telemetry.cleared()

    def _ack_trip(self, _sequence, fields, _rest):
        if not self._telemetry.acked(fields["trip_id"]):
            return wire.WRONG_ID, self._box.trip_id
        self._stuck.acknowledge()

    def _set_config(self, _sequence, fields, rest):
        if self._gate.armed:
            return wire.ARMED, 0
        count = fields["count"]
        if len(rest) != 4 * count or fields["schema"] != limits.SCHEMA:
            return wire.BAD_LENGTH, 0
        settings = struct.unpack("<%di" % count, rest)
        bad = limits.check_settings(settings)
        if bad >= 0:
            return wire.BAD_VALUE, bad
        held = self._board.lock()
        self._detector.load(settings)
        self._board.unlock(held)
        return wire.OK, self._config.save(settings)

    def _get_config(self, _sequence, _fields, _rest):
        settings = self._detector.settings()
        body = wire.pack(wire.CONFIG, self._config.generation, limits.SCHEMA, 0, len(settings))
        self._telemetry.message(wire.CONFIG, body + struct.pack("<%di" % len(settings), *settings))

    def _stream(self, _sequence, fields, _rest):
        if fields["mode"] not in (wire.EVERY_SAMPLE, wire.EVENTS_ONLY):
            return wire.NOT_SUPPORTED, fields["mode"]
        self._telemetry.mode = fields["mode"]

    def _get_blackbox(self, _sequence, fields, _rest):
        if self._gate.armed:
            return wire.ARMED, 0
        found = self._box.find(fields["trip_id"])
        if found is None:
            return wire.NO_RECORD, 0
        self._telemetry.send_box(fields["trip_id"], found[0], found[1])
        return wire.OK, len(found[1]) // ring.RECORD_BYTES

    def _clock(self, sequence, _fields, _rest):
        held = self._board.lock()
        time_us, sample = self._detector.memory[detector.T], self._ring.control[ring.COUNTER]
        self._board.unlock(held)
        self._telemetry.message(
            wire.CLOCK, wire.pack(wire.CLOCK, sequence, time_us, self._board.uptime_ms(), sample)
        )

    def _keep_alive(self, _sequence, _fields, _rest):
        pass

    def _exit(self, _sequence, _fields, _rest):
        if self._gate.armed:
            return wire.ARMED, 0
        self.exit = True
