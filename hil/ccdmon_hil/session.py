"""The conversation with the firmware on a rig: commands with their answers, samples and trips as they come.

A command is sent again under the same number until it is answered; the firmware carries it out once. Waiting
is measured on the machine's clock, for that is what a user waits by, but nothing else here is.
"""

import itertools
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.errors import DeviceError
from ccdmon.link import Decoder, Identity, Message, Samples
from ccdmon_fw import limits, wire
from ccdmon_hil.target import Target

RETRY_S = 2.0
ANSWER_LIMIT_S = 30.0


class Session:
    """One rig with the firmware running on it. `on_bytes` gets the telemetry as it comes, for a recorder."""

    def __init__(self, target: Target, on_bytes: Callable[[bytes], object] | None = None) -> None:
        self.target = target
        self.on_bytes = on_bytes
        self.decoder = Decoder()
        self.identity: dict[str, Any] = {}
        self.trip: dict[str, int] | None = None  # the first TRIP message of this run
        self.samples: list[Samples] = []  # of this run
        self.samples_seen = 0  # highest sample counter of this run, plus one
        self._run: int | None = None
        self._last: dict[str, dict[str, int]] = {}  # latest message of each kind
        self._numbers = itertools.cycle(range(1, 1 << 16))

    def start(self) -> None:
        """Bring the rig up and learn who answers."""
        self.target.start()
        self.command(wire.IDENTIFY)
        self._wait(lambda: bool(self.identity), "an identity")

    def close(self) -> None:
        """End the rig."""
        self.target.close()

    def configure(self, settings: list[int]) -> None:
        """Disarm, clear a latched trip, and put these detector settings in force."""
        status = self.status()
        if status["armed"]:
            self.command(wire.DISARM)
        if status["trip_id"]:
            self.command(wire.RESET_TRIP, struct.pack("<I", status["trip_id"]))
        head = wire.pack(wire.SET_CONFIG, limits.SCHEMA, 0, len(settings))
        self.command(wire.SET_CONFIG, head + struct.pack(f"<{len(settings)}i", *settings))

    def arm(self) -> None:
        """Close the gate: a new run. Samples and trip of the last one are forgotten."""
        self.samples = []
        self.samples_seen = 0
        self.trip = None
        self._run = None
        self._run = self.command(wire.ARM)
        for event in self.samples:
            self._count(event)

    def status(self) -> dict[str, int]:
        """The firmware's own account: `wire.MESSAGES[STATUS]`."""
        self._last.pop("status", None)
        self.command(wire.GET_STATUS)
        self._wait(lambda: "status" in self._last, "its status")
        return self._last["status"]

    def command(self, kind: int, body: bytes = b"") -> int:
        """Send a command until it is answered; the answer's detail. `DeviceError` if refused or ignored."""
        number = next(self._numbers)
        frame = wire.encode(kind, number, body)
        name = wire.MESSAGES[kind][0]
        self._wait(lambda: self._answer(number) is not None, f"`{name}`", frame)
        answer = self._answer(number)
        assert answer is not None
        if answer["result"] != wire.OK:
            result = wire.RESULTS[answer["result"]]
            raise DeviceError(
                f"rig {self.target.name}: the firmware refuses `{name}`: {result} ({answer['detail']})"
            )
        return answer["detail"]

    def pump(self) -> None:
        """Let the rig run for a moment and take in what it sends."""
        data = self.target.receive()
        if data and self.on_bytes:
            self.on_bytes(data)
        for event in self.decoder.feed(data):
            self._take(event)

    def acknowledge_trip(self) -> None:
        """Tell the firmware that the host has the trip."""
        assert self.trip is not None
        self.command(wire.ACK_TRIP, struct.pack("<I", self.trip["trip_id"]))

    def wait_for_trip(self) -> None:
        """Until the TRIP message of a gate that opened has come."""
        self._wait(lambda: self.trip is not None, "why it opened the gate")

    def codes(self, rows: int) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.bool_]]:
        """Samples of this run below `rows`, shape (rows, 4), and which of them came, shape (rows,)."""
        table = np.zeros((rows, 4), dtype=np.uint16)
        came = np.zeros(rows, dtype=np.bool_)
        for event in self.samples:
            first, stop = event.first_sample, min(event.first_sample + len(event.codes), rows)
            if event.run == self._run and first < stop:
                table[first:stop] = event.codes[: stop - first]
                came[first:stop] = True
        return table, came

    def _take(self, event: object) -> None:
        if isinstance(event, Samples):
            self.samples.append(event)
            self._count(event)
        elif isinstance(event, Identity):
            self.identity = event.document
        elif isinstance(event, Message):
            self._last[event.name] = event.fields
            if event.name == "trip" and self.trip is None:
                self.trip = event.fields

    def _count(self, event: Samples) -> None:
        if event.run == self._run:
            self.samples_seen = max(self.samples_seen, event.first_sample + len(event.codes))

    def _answer(self, number: int) -> dict[str, int] | None:
        answer = self._last.get("ack")
        return answer if answer and answer["command_sequence"] == number else None

    def _wait(self, done: Callable[[], bool], what: str, frame: bytes = b"") -> None:
        begin_s = sent_s = time.monotonic()
        if frame:
            self.target.send(frame)
        while not done():
            self.pump()
            now_s = time.monotonic()
            if now_s - begin_s > ANSWER_LIMIT_S:
                raise DeviceError(f"rig {self.target.name}: the firmware does not answer {what}")
            if frame and now_s - sent_s > RETRY_S:
                sent_s = now_s
                self.target.send(frame)
