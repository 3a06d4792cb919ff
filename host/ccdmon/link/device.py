"""The conversation with a monitor's firmware, over whatever carries its bytes: a serial port or a rig.

    device = Device(port.write, port.read, f"port {port.name}", on_event=show)
    device.identify()["version"]
    device.command(wire.DISARM)

A command is sent again under the same number until it is answered; the firmware carries it out once. A refusal is a
`RefusedError`: what was refused, why, and what to do. Everything else that arrives meanwhile goes to `on_event`, the
bytes as they came to `on_bytes`. Waiting is measured on the machine's clock, for that is what a user waits by, unless
the board at the other end has one that stands still with it (`now_s`).
"""

import struct
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ccdmon.errors import DeviceError
from ccdmon.link.decoder import Decoder, Event, Identity, Message, Refused
from ccdmon.link.retries import GIVE_UP_S, Attempts, command_numbers
from ccdmon_fw import limits, wire

ANSWER_LIMIT_S = GIVE_UP_S
TRIP_TOLD_S = (
    5.0  # a trip that nobody acknowledged is told every 100 ms, of a board's clock: an emulated one is slow
)

# What to do about a refusal, by its name in `wire.RESULTS`; {detail} is the number that came with it.
_ADVICE = {
    "armed": "disarm it first (`ccdmon disarm`)",
    "latched": "trip {detail} is latched: find its cause, then `ccdmon reset-trip {detail}`",
    "wrong_id": "the latched trip is {detail}",
    "no_configuration": "give it one: `ccdmon arm --rig-file rig.toml`, or where a trip is latched "
    "`ccdmon reset-trip ID --rig-file rig.toml`",
    "self_test_failed": "check relay, wiring, feedback and cycler",
    "bad_value": "setting {detail} is beyond its ceiling",
    "bad_length": "host and firmware differ in version: `ccdmon flash`",
    "unknown_command": "the firmware is older than this program: `ccdmon flash`",
    "no_record": "it keeps no black box of that trip",
    "flash_failed": "its flash does not keep what is written: format it (`ccdmon flash`) or replace the board",
    "busy": "try again in a moment",
    "not_safe": "its external trip (GP14) is not held to ground: it tripped, or its wire is off; where there is none "
    'link GP14 to ground, or say `external_trip = "none"` under [gate] of the rig file',
    "zero_too_large": "the zero of voltage or current is off by more than {detail} codes of 65536: calibrate "
    "(`ccdmon calibrate`), and see that no current flows with the gate open",
    "faulty": "a converter does not start (`ccdmon status`): check its wiring and power, then reset the board",
}


class RefusedError(DeviceError):
    """The firmware answered no: `command` and `result` by name, `detail` the number that came with it."""

    def __init__(self, where: str, command: str, result: str, detail: int, what: str = "") -> None:
        self.where, self.command, self.result, self.detail = where, command, result, detail
        super().__init__(f"{where}: the firmware refuses `{command}`: {why_refused(result, detail, what)}")


def named(names: Sequence[str], code: int) -> str:
    """The name of a code that came over the wire; one that this version does not know is told as such."""
    return str(names[code]) if 0 <= code < len(names) else f"unknown code {code}"


def why_refused(result: str, detail: int, what: str = "") -> str:
    """A refusal and what to do about it, in words; `result` is a name of `wire.RESULTS`, or that none came.

    `what`: the trip that is latched, in words, where that is known.
    """
    if result not in wire.RESULTS:
        return result
    advice = _ADVICE.get(result, f"detail {detail}").format(detail=detail)
    if result == "wrong_id" and detail == 0:
        advice = "no trip is latched"
    if is_trip(result, detail):
        advice = "what tripped it is still there: see `ccdmon status`, and measure at the converters' pins"
    if result == "self_test_failed" and detail < len(wire.SELF_TESTS):
        latched = f"; latched is {what}" if what and is_trip(result, detail) else ""
        result += f" ({wire.SELF_TESTS[detail]}{latched})"
    return f"{result}; {advice}"


def is_trip(result: str, detail: int) -> bool:
    """Whether this refusal is a self-test that ended in a trip, which the board holds latched."""
    return result == "self_test_failed" and detail == wire.SELF_TESTS.index("tripped")


def mismatch(identity: Mapping[str, Any]) -> str:
    """Why the firmware that states `identity` is not this package's, with what to do; "" where it is.

    A gate is closed, and limits are sent, only where both ends mean the same by every number on the wire.
    """
    wanted = {"version": limits.VERSION, "protocol": wire.PROTOCOL, "schema": limits.SCHEMA}
    found = {key: identity.get(key) for key in wanted}
    if None in found.values():
        return "what answers does not state a firmware of ccdmon; is it the right port?"
    if found == wanted:
        return ""
    theirs, ours = (
        "{version} (wire protocol {protocol}, settings schema {schema})".format(**each)
        for each in (found, wanted)
    )
    return f"the board runs firmware {theirs}, this package has {ours}: `ccdmon flash`"


class Device:
    """One firmware at the other end of `send(bytes)` and `receive() -> bytes`, which waits a moment at most.

    `where` names it in errors; `first_command`: the number of the first, where no other host was there before. All
    methods raise `DeviceError` where it does not answer within `answer_limit_s`.
    """

    def __init__(
        self,
        send: Callable[[bytes], object],
        receive: Callable[[], bytes],
        where: str,
        *,
        on_event: Callable[[Event], object] | None = None,
        on_bytes: Callable[[bytes], object] | None = None,
        answer_limit_s: float = ANSWER_LIMIT_S,
        now_s: Callable[[], float] = time.monotonic,
        first_command: int | None = None,
    ) -> None:
        self._send, self._receive, self.where = send, receive, where
        self.on_event, self._on_bytes = on_event, on_bytes
        self._answer_limit_s, self._now_s = answer_limit_s, now_s
        self.decoder = Decoder()
        self.identity: dict[str, Any] = {}
        self._last: dict[str, Message] = {}  # latest message of each kind
        self._numbers = command_numbers(first_command)

    def identify(self) -> dict[str, Any]:
        """Who answers: the identity document (`firmware/PROTOCOL.md`)."""
        self.identity = {}
        self.command(wire.IDENTIFY, told=lambda: bool(self.identity))
        return self.identity

    def require_match(self) -> None:
        """Raises `DeviceError` where the firmware that was identified is not this package's (`mismatch`)."""
        wrong = mismatch(self.identity or self.identify())
        if wrong:
            raise DeviceError(f"{self.where}: {wrong}")

    def status(self) -> dict[str, int]:
        """The firmware's own account: `wire.MESSAGES[STATUS]`."""
        return self.ask(wire.GET_STATUS, "status").fields

    def clock(self) -> dict[str, int]:
        """Its clock: `wire.MESSAGES[CLOCK]`."""
        return self.ask(wire.GET_CLOCK, "clock").fields

    def trip(self, trip_id: int) -> Mapping[str, int] | None:
        """The fields of that latched trip: as it is told until somebody acknowledges it, later by its black box.

        None where the board keeps none of it.
        """
        try:
            return self.ask(wire.GET_BLACKBOX, "box", wire.pack(wire.GET_BLACKBOX, trip_id)).fields
        except RefusedError:
            pass  # not on its flash yet: then it is told again and again
        until_s = self._now_s() + TRIP_TOLD_S
        while self._now_s() < until_s:
            if "trip" in self._last and self._last["trip"].fields["trip_id"] == trip_id:
                return self._last["trip"].fields
            self.pump()
        return None

    def settings(self) -> list[int]:
        """The settings in force, in the order of `limits.SETTINGS`."""
        return [value for (value,) in self.ask(wire.GET_CONFIG, "config").items]

    def configure(self, settings: Sequence[int]) -> int:
        """Put settings in force, read them back and compare; their generation on its flash.

        `DeviceError` where the firmware is not this package's.
        """
        self.require_match()
        head = wire.pack(wire.SET_CONFIG, limits.SCHEMA, 0, len(settings))
        generation = self.command(wire.SET_CONFIG, head + struct.pack(f"<{len(settings)}i", *settings))
        kept = self.settings()
        if kept != list(settings):
            differs = [
                name
                for name, *pair in zip(limits.SETTINGS, settings, kept, strict=False)
                if pair[0] != pair[1]
            ]
            raise DeviceError(
                f"{self.where}: other settings are in force than were sent ({', '.join(differs) or 'their number'}); "
                "send them again, and flash the board if that does not help"
            )
        return generation

    def arm(self) -> int:
        """Close the gate, after the self-test where none has passed yet; the number of the run that begins.

        `DeviceError`, gate open, where the firmware is not this package's.
        """
        self.require_match()
        if self.status()["self_test"] not in (wire.PASSED, wire.PASSED_DRY):
            self.self_test()
        return self.command(wire.ARM)

    def self_test(self) -> str:
        """Open, close and open the gate; `passed` or `passed_without_current`, `RefusedError` for anything else."""
        return named(wire.SELF_TESTS, self.command(wire.SELF_TEST))

    def reset_trip(self, trip_id: int) -> None:
        """Clear the latched trip of that id, once the self-test has closed and opened the gate.

        `RefusedError` where another or none is latched, or contact or current do not follow.
        """
        self.command(wire.RESET_TRIP, wire.pack(wire.RESET_TRIP, trip_id))

    def ask(self, kind: int, answer: str, body: bytes = b"") -> Message:
        """Send a command that is answered by a message of its own, beside the ACK."""
        self._last.pop(answer, None)
        self.command(kind, body, told=lambda: answer in self._last)
        return self._last[answer]

    def command(self, kind: int, body: bytes = b"", *, told: Callable[[], bool] = lambda: True) -> int:
        """Send a command until it is answered; the answer's detail. `RefusedError` where the answer is no.

        `told`: whether what it asks for, beside the answer, has come; either may get lost on the way.
        """
        number = next(self._numbers)
        name = wire.MESSAGES[kind][0]

        def done() -> bool:
            answer = self._answer(number)
            return answer is not None and (answer["result"] != wire.OK or told())

        self.wait(done, f"`{name}`", wire.encode(kind, number, body))
        answer = self._answer(number)
        assert answer is not None
        if answer["result"] != wire.OK:
            raise RefusedError(self.where, name, named(wire.RESULTS, answer["result"]), answer["detail"])
        return answer["detail"]

    def pump(self) -> list[Event]:
        """Take in what has arrived; the events it completed."""
        data = self._receive()
        if data and self._on_bytes:
            self._on_bytes(data)
        events = self.decoder.feed(data)
        for event in events:
            self._take(event)
        return events

    def wait(self, done: Callable[[], bool], what: str, frame: bytes = b"") -> None:
        """Take in what arrives until `done`, sending `frame` again and again; `what` it is that does not come."""
        attempts = Attempts(self._now_s(), self._answer_limit_s)
        if frame:
            self._send(frame)
        while not done():
            self.pump()
            now_s = self._now_s()
            if attempts.over(now_s):
                raise DeviceError(f"{self.where}: the firmware does not answer {what}")
            if frame and attempts.again(now_s):
                self._send(frame)

    def _take(self, event: Event) -> None:
        if isinstance(event, Identity):
            self.identity = event.document
        elif isinstance(event, Message):
            self._last[event.name] = event
        elif isinstance(event, Refused):
            raise DeviceError(
                f"{self.where}: what it states of itself cannot be used ({event.why}); `ccdmon flash`"
            )
        if self.on_event:
            self.on_event(event)

    def _answer(self, number: int) -> dict[str, int] | None:
        answer = self._last.get("ack")
        return answer.fields if answer and answer.fields["command_sequence"] == number else None
