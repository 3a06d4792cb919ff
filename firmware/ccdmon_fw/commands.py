"""Commands from the host: each is answered by ACK under its own sequence number, with a result of wire.RESULTS.

All are idempotent: a host that missed the answer sends the command again under the same number, and gets the same
answer without a second deed. What opens the gate is carried out each time.
"""

import struct

from ccdmon_fw import limits, ring, wire, zeros

_REMEMBERED = 6  # answers, one for each kind of command
# Answered by a message of its own beside the ACK; asked again, that is sent again.
_ONLY_ASKS = (wire.IDENTIFY, wire.GET_STATUS, wire.GET_CONFIG, wire.GET_CLOCK)
_STOPS = (wire.DISARM, wire.FORCE_TRIP)  # carried out whatever their number: opening twice does no harm
_LATER = (-1, 0)  # answered when the self-test it waits for has ended


class Commands:
    """Finds frames in the bytes received and carries them out on the parts of the App."""

    def __init__(self, parts):
        self._parts = parts
        self._board = parts.board
        self._gate = parts.gate
        self._ring = parts.ring
        self._telemetry = parts.telemetry
        self._box = parts.box
        self._unframer = wire.Unframer(wire.MAX_COMMAND_BYTES)
        self._answers = []  # (kind, sequence, answer) of the last commands
        self._awaited = None  # (kind, sequence, what to do when the self-test has passed)
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
            wire.SELF_TEST: self._self_test,
        }

    def feed(self, data, now_ms):
        """Take received bytes; carry out every whole frame among them."""
        for kind, sequence, body in self._unframer.feed(data):
            self._parts.watch.heard(now_ms)
            if self._awaited is not None and self._awaited[:2] == (kind, sequence):
                continue  # it is answered when the self-test ends
            answer = None if kind in _STOPS else self._known(kind, sequence)
            if answer is None:
                result = self._carry_out(kind, sequence, body)
                if result is not None:
                    self._answer(kind, sequence, result)
                continue
            if kind in _ONLY_ASKS:
                self._carry_out(kind, sequence, body)  # the message beside the answer went missing too
            self._telemetry.message(wire.ACK, answer)

    def tested(self):
        """The self-test has ended: answer the command that asked for it."""
        if self._awaited is None:
            return
        kind, sequence, then = self._awaited
        self._awaited = None
        test = self._parts.selftest
        if test.passed() and then is not None:
            then()
        self._answer(kind, sequence, (wire.OK if test.passed() else wire.SELF_TEST_FAILED, test.state))

    def _known(self, kind, sequence):
        for known in self._answers:
            if known[:2] == (kind, sequence):
                return known[2]
        return None

    def _answer(self, kind, sequence, result):
        answer = wire.pack(wire.ACK, sequence, kind, result[0], result[1])
        self._answers = [known for known in self._answers if known[0] != kind][1 - _REMEMBERED :]
        self._answers.append((kind, sequence, answer))
        self._telemetry.message(wire.ACK, answer)

    def _carry_out(self, kind, sequence, body):
        """(result, detail) of one command, None: later. A handler returns that or nothing for plain success."""
        handler = self._handlers.get(kind)
        if handler is None:
            return wire.UNKNOWN_COMMAND, 0
        try:
            fields, rest = wire.unpack(kind, body)
            result = handler(sequence, fields, rest) or (wire.OK, 0)
        except ValueError:
            return wire.BAD_LENGTH, 0
        except OSError:
            return wire.FLASH_FAILED, 0
        return None if result is _LATER else result

    def _identify(self, _sequence, _fields, _rest):
        self._telemetry.identity(self._parts.settings)

    def _status(self, _sequence, _fields, _rest):
        gate, config, test = self._gate, self._parts.config, self._parts.selftest
        contact = test.contact()
        temperature = getattr(self._board, "temperature_dC", None)
        self._telemetry.message(
            wire.STATUS,
            wire.pack(
                wire.STATUS, self._ring.control[ring.COUNTER], self._ring.dropped,
                self._ring.control[ring.OVERRUNS], self._unframer.crc_errors,
                self._board.uptime_ms() & 0xFFFFFFFF, self._box.trip.trip_id, self._telemetry.run, gate.armed,
                gate.reason, gate.closed, test.state, config.crc, config.generation,
                0 if contact is None else 1 + contact, self._telemetry.mode,
                wire.NO_TEMPERATURE if temperature is None else temperature(),
            ),
        )  # fmt: skip

    def _arm(self, _sequence, _fields, _rest):
        if self._gate.reason:
            return wire.LATCHED, self._box.trip.trip_id
        if self._gate.armed:
            return wire.ARMED, self._telemetry.run
        refusal = self._refusal()
        if refusal is not None:
            return refusal
        if not self._parts.selftest.passed():
            return wire.SELF_TEST_FAILED, self._parts.selftest.state
        if not self._parts.selftest.take_zero() or not zeros.voltage_allowed(
            self._parts.detector, self._board
        ):
            return wire.ZERO_TOO_LARGE, zeros.allowed(self._board)
        self._gate.guard()  # the watchdog's start, which takes as long as all the rest: not while the timer waits
        # Sample 0 of the run is the first one after the gate has closed.
        held = self._board.lock()
        self._parts.detector.reset()
        self._telemetry.start_run()
        closed = self._gate.close()
        self._board.unlock(held)
        return (wire.OK, self._telemetry.run) if closed else (wire.LATCHED, 0)

    def _disarm(self, _sequence, _fields, _rest):
        self._gate.open()
        self._parts.selftest.abort()
        self._parts.selftest.forget_current()

    def _self_test(self, sequence, _fields, _rest):
        if self._gate.reason:
            return (
                wire.LATCHED,
                self._box.trip.trip_id,
            )  # only `reset_trip`, which names it, closes the gate then
        if self._gate.armed:
            return wire.ARMED, self._telemetry.run
        return self._test(wire.SELF_TEST, sequence, None)

    def _refusal(self):
        """Why the gate must not close now, not even for the self-test, but for a latched trip; None: it may."""
        if self._parts.config.generation == 0:
            return wire.NO_CONFIGURATION, 0
        if getattr(self._board, "FAULT", None):
            return wire.FAULTY, 0
        if self._parts.selftest.running():
            return wire.BUSY, 0
        if self._parts.selftest.unsafe():
            return wire.NOT_SAFE, 0
        return None

    def _test(self, kind, sequence, then):
        refusal = self._refusal()
        if refusal is not None:
            return refusal
        self._awaited = (kind, sequence, then)
        self._parts.selftest.start()
        return _LATER

    def _force_trip(self, _sequence, _fields, rest):
        """Always opens; the reason asked for counts where the settings let the host have reasons."""
        reason = rest[0] if rest else limits.COMMAND
        if reason not in limits.HOST_REASONS or not limits.edge(self._parts.settings)["host_reasons"]:
            reason = limits.COMMAND
        self._gate.trip(reason)
        return wire.OK, self._gate.reason

    def _reset_trip(self, sequence, fields, _rest):
        if not self._gate.reason or self._box.trip.trip_id != fields["trip_id"]:
            return wire.WRONG_ID, self._box.trip.trip_id
        return self._test(wire.RESET_TRIP, sequence, self._clear_trip)

    def _clear_trip(self):
        self._gate.clear()
        self._box.clear()
        self._telemetry.cleared()

    def _ack_trip(self, _sequence, fields, _rest):
        if not self._telemetry.acked(fields["trip_id"]):
            return wire.WRONG_ID, self._box.trip.trip_id
        self._parts.stuck.acknowledge()

    def _set_config(self, _sequence, fields, rest):
        if self._gate.armed:
            return wire.ARMED, 0
        if self._parts.selftest.running():
            return wire.BUSY, 0
        count = fields["count"]
        if len(rest) != 4 * count or fields["schema"] != limits.SCHEMA:
            return wire.BAD_LENGTH, 0
        settings = struct.unpack("<%di" % count, rest)
        bad = limits.check_settings(settings)
        if bad >= 0:
            return wire.BAD_VALUE, bad
        missing = self._not_on_this_board(limits.edge(settings))
        if missing is not None:
            return wire.NOT_SUPPORTED, limits.SETTINGS.index(missing)
        generation = self._parts.config.save(settings)
        self._parts.apply(settings)
        return wire.OK, generation

    def _not_on_this_board(self, edge):
        for name, offered in (("gate_feedback", "feedback"), ("gate_drive", "pump")):
            if edge[name] and not hasattr(self._board, offered):
                return name
        return None

    def _get_config(self, _sequence, _fields, _rest):
        settings = self._parts.settings
        body = wire.pack(
            wire.CONFIG, self._parts.config.generation, limits.SCHEMA, self._parts.config.slot, len(settings)
        )
        self._telemetry.message(wire.CONFIG, body + struct.pack("<%di" % len(settings), *settings))

    def _stream(self, _sequence, fields, _rest):
        mode, samples_per_block = fields["mode"], fields["samples_per_block"]
        if mode not in (wire.EVERY_SAMPLE, wire.BLOCK_SUMMARY, wire.EVENTS_ONLY):
            return wire.NOT_SUPPORTED, mode
        if mode == wire.BLOCK_SUMMARY and samples_per_block == 0:
            return wire.BAD_VALUE, samples_per_block
        self._telemetry.stream(mode, samples_per_block)

    def _get_blackbox(self, _sequence, fields, _rest):
        if self._gate.armed:
            return wire.ARMED, 0
        found = self._box.find(fields["trip_id"])
        if found is None:
            return wire.NO_RECORD, 0
        self._telemetry.send_box(*found)
        return wire.OK, len(found[1]) // ring.RECORD_BYTES

    def _clock(self, sequence, _fields, _rest):
        held = self._board.lock()
        sample, sample_time_us = self._ring.control[ring.COUNTER], self._ring.control[ring.TIME_US]
        time_us = self._board.time_us()
        self._board.unlock(held)
        uptime_ms = self._board.uptime_ms() & 0xFFFFFFFF
        self._telemetry.message(
            wire.CLOCK,
            wire.pack(wire.CLOCK, sequence, time_us, uptime_ms, (sample - 1) & 0x3FFFFFFF, sample_time_us),
        )

    def _keep_alive(self, _sequence, _fields, _rest):
        pass

    def _exit(self, _sequence, _fields, _rest):
        if self._gate.armed:
            return wire.ARMED, 0
        self._parts.selftest.abort()
        self.exit = True
