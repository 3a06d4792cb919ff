"""What the recorder says to its board, and what it knows of it: identity, status, trips, black boxes. No I/O.

on_link_up        identify, choose the telemetry
every second      ask for the status: also a sign of life for a board that watches its host
every ten         ask for the clock: when the samples were taken
a trip            acknowledge it, then fetch its black box until it is there
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ccdmon.link.command_queue import CommandQueue, OnAnswer
from ccdmon.link.decoder import Identity, Message
from ccdmon_fw import limits, wire

STATUS_INTERVAL_S = 1.0
CLOCK_INTERVAL_S = 10.0
CLOCK_FIRST, CLOCK_FIRST_S = 10, 1.0  # so many in the beginning come more often: a line needs points
BOX_FIRST_S = 0.5  # the box closes 256 samples after the trip
BOX_RETRY_S = 1.0
BOX_TRIES = 30
MODES = {"every_sample": wire.EVERY_SAMPLE, "blocks": wire.BLOCK_SUMMARY, "events": wire.EVENTS_ONLY}
MOST_FETCHED = 4096
MOST_FETCHES = 16  # a board has one trip at a time; what numbers them anew in each message has no more
WRAP_MS = 1 << 32  # of the board's own clock
NOT_YET = ("no_record", "busy", "armed", None)


def trip_key(fields: Mapping[str, Any]) -> tuple[int, ...]:
    """What tells a trip from each other one: a board whose flash was erased numbers them from 1 again."""
    return tuple(fields.get(name, 0) for name in ("trip_id", "run", "sample", "time_us"))


def _started_anew(before: Mapping[str, int], now: Mapping[str, int]) -> bool:
    """Between two statuses: its clock fell back, or it knows no more that it was armed."""
    fell_back = (now["uptime_ms"] - before["uptime_ms"]) % WRAP_MS >= WRAP_MS // 2
    return fell_back or (now["run"] == 0 != before["run"])


@dataclass
class BlackBox:
    """Samples around a trip as they arrive: `codes[n]` is sample `first_sample + n`. A reset may have left none."""

    trip_id: int
    first_sample: int = 0
    total: int = -1  # not known yet
    codes: dict[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every sample of it came."""
        return 0 <= self.total <= len(self.codes) and all(n in self.codes for n in range(self.total))


@dataclass
class _Fetch:
    box: BlackBox
    due_s: float
    tries: int = 0


class DeviceSide:
    """`telemetry` is `[telemetry]` of the rig file or None to leave the board as it is; `on_box` gets black boxes.

    `on_clock` is called right before the board is asked for its clock, whose answer is the recorder's.
    """

    def __init__(
        self,
        telemetry: Mapping[str, Any] | None,
        on_box: Callable[[BlackBox], object],
        on_refused: Callable[[str, str, int], object],
        on_clock: Callable[[], object],
    ) -> None:
        self.queue = CommandQueue()
        self.identity: dict[str, Any] = {}
        self.status: dict[str, int] = {}
        self.trip: dict[str, int] = {}  # the newest trip that the board told of
        self._telemetry, self._on_box = telemetry, on_box
        self._on_refused = on_refused  # (command, result, detail)
        self._on_clock = on_clock
        self._status_due_s = self._clock_due_s = 0.0
        self._clocks_asked = 0
        self._fetches: dict[int, _Fetch] = {}
        self._acked: set[int] = set()
        self._looked_for = 0
        self._last_status: Mapping[str, int] = {}  # also of before the link broke
        self._fetched: set[tuple[int, ...]] = set()  # trips, as `trip_key` has them
        self.restarts = 0  # of the board, in this recording: its power was lost, or it was reset

    def on_link_up(self) -> None:
        """A board answers for the first time, or again."""
        self.queue.restart()
        self.status = {}  # who knows what became of the gate meanwhile
        self.queue.add(wire.GET_STATUS)
        self._greet()

    def _greet(self) -> None:
        """All that a board is told in the beginning, and after a start of its own."""
        self._clocks_asked = 0
        self._acked.clear()
        self.queue.add(wire.IDENTIFY)
        if self._telemetry is not None:
            mode, per_block = MODES[self._telemetry["mode"]], int(self._telemetry["samples_per_block"])
            self.command("stream", wire.STREAM, mode, per_block)

    def due(self, now_s: float) -> bytes:
        """Bytes to send now."""
        if now_s >= self._status_due_s:
            self._status_due_s = now_s + STATUS_INTERVAL_S
            if not len(self.queue):
                self.queue.add(wire.GET_STATUS)
        if now_s >= self._clock_due_s and not len(self.queue):
            self._ask_clock(now_s)
        for fetch in list(self._fetches.values()):
            if now_s >= fetch.due_s:
                self._ask_box(fetch, now_s)
        return self.queue.due(now_s)

    def take(self, message: Message | Identity, now_s: float) -> None:
        """What the board sent."""
        if isinstance(message, Identity):
            self.identity = message.document
        elif message.name == "ack":
            self.queue.answered(message.fields)
        elif message.name == "status":
            self._take_status(message.fields)
            self._look_for_a_trip_of_before(self.status.get("trip_id", 0))
        elif message.name == "trip":
            self.trip = dict(message.fields)
            self._tripped(message.fields, now_s)
        elif message.name == "box":
            self.trip = dict(message.fields)
        elif message.name == "blackbox":
            self._box_piece(message)

    def _take_status(self, fields: Mapping[str, int]) -> None:
        before, self._last_status, self.status = self._last_status, fields, dict(fields)
        if before and _started_anew(before, fields):
            self.restarts += 1
            self._greet()

    def command(self, name: str, kind: int, *values: int, body: bytes = b"") -> None:
        """Queue a command whose refusal is told."""
        self.queue.add(kind, *values, body=body, on_answer=self.told(name))

    def arm(self, settings: list[int] | None, on_answer: OnAnswer) -> None:
        """Put settings in force, if any, test and close the gate; `on_answer` gets the last answer, or a refusal."""

        def configured(result: str | None, detail: int) -> None:
            if result == "ok":
                self.queue.add(wire.IDENTIFY)  # the settings in force, for what the log says of limits
                self.queue.add(wire.SELF_TEST, on_answer=tested)
            else:
                on_answer(result, detail)

        def tested(result: str | None, detail: int) -> None:
            if result == "ok":
                self.queue.add(wire.ARM, on_answer=armed)
            else:
                on_answer(result, detail)

        def armed(result: str | None, detail: int) -> None:
            if result == "ok" and self.status:
                self.status["run"] = detail  # the next status says it, too
            on_answer(result, detail)

        if settings is None:
            configured("ok", 0)
        else:
            body = struct.pack(f"<{len(settings)}i", *settings)
            self.queue.add(wire.SET_CONFIG, limits.SCHEMA, 0, len(settings), body=body, on_answer=configured)

    def told(self, name: str) -> OnAnswer:
        """What to do with the answer to a command that nobody waits for: a refusal is told."""

        def answered(result: str | None, detail: int) -> None:
            if result != "ok":
                self._on_refused(name, result or "no answer", detail)

        return answered

    def _tripped(self, fields: Mapping[str, int], now_s: float) -> None:
        trip_id = fields["trip_id"]
        self.status.update(trip_id=trip_id, reason=fields["reason"], gate=0, armed=0)
        if trip_id in self._acked or len(self._fetches) >= MOST_FETCHES:
            return  # the board sends a trip until it is acknowledged
        self._acked.add(trip_id)
        fetched = trip_key(fields) in self._fetched or len(self._fetched) >= MOST_FETCHED

        def acknowledged(result: str | None, _detail: int) -> None:
            if result is None:
                self._acked.discard(trip_id)  # it is repeated, and so is this

        self.queue.add(wire.ACK_TRIP, trip_id, on_answer=acknowledged)
        if not fetched:
            self._fetched.add(trip_key(fields))
            self._fetches.setdefault(trip_id, _Fetch(BlackBox(trip_id), now_s + BOX_FIRST_S))

    def _look_for_a_trip_of_before(self, latched: int) -> None:
        """One that an earlier host acknowledged is told no more; the head of its black box says what it was."""
        if latched and latched != self.trip.get("trip_id") and latched != self._looked_for:
            self._looked_for = latched
            self.queue.add(wire.GET_BLACKBOX, latched)

    def _ask_clock(self, now_s: float) -> None:
        self._clocks_asked += 1
        self._clock_due_s = now_s + (CLOCK_FIRST_S if self._clocks_asked < CLOCK_FIRST else CLOCK_INTERVAL_S)
        self._on_clock()
        self.queue.add(wire.GET_CLOCK)

    def _ask_box(self, fetch: _Fetch, now_s: float) -> None:
        fetch.due_s = now_s + 1e9  # until this is answered
        fetch.tries += 1

        def answered(result: str | None, detail: int) -> None:
            if result == "ok":
                fetch.due_s = now_s + 60.0  # pieces may get lost: ask again then
            elif result in NOT_YET and fetch.tries < BOX_TRIES:
                fetch.due_s = now_s + BOX_RETRY_S
            else:
                del self._fetches[fetch.box.trip_id]
                self._on_refused("get_blackbox", result or "no answer", detail)

        self.queue.add(wire.GET_BLACKBOX, fetch.box.trip_id, on_answer=answered)

    def _box_piece(self, message: Message) -> None:
        fields = message.fields
        fetch = self._fetches.get(fields["trip_id"])
        if fetch is None:
            return
        box = fetch.box
        box.first_sample, box.total = fields["first_sample"], fields["total"]
        box.codes.update(enumerate(message.items, fields["index"]))
        if box.whole:
            del self._fetches[box.trip_id]
            self._on_box(box)
