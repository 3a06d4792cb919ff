"""Commands on their way to a device: numbered, sent again until answered, given up in the end; no I/O.

The recorder must never wait for an answer, so unlike `device.Device` nothing here blocks: `due` says what to send now,
`answered` takes each ACK. One command is on its way at a time, for the firmware remembers only the last number.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ccdmon.link.retries import Attempts, command_numbers
from ccdmon_fw import wire

# (result by name, or None where no answer came; its detail)
OnAnswer = Callable[[str | None, int], object]


@dataclass
class _Command:
    kind: int
    body: bytes
    on_answer: OnAnswer
    number: int = 0
    attempts: Attempts | None = None  # None: not on its way


def _ignore(_result: str | None, _detail: int) -> None:
    return


class CommandQueue:
    """Commands for one device, first come, first served; urgent ones overtake."""

    def __init__(self) -> None:
        self._numbers = command_numbers()
        self._waiting: deque[_Command] = deque()
        self._current: _Command | None = None

    def __len__(self) -> int:
        return len(self._waiting) + (self._current is not None)

    def add(self, kind: int, *values: int, body: bytes = b"", on_answer: OnAnswer = _ignore) -> None:
        """Queue a command: field values of its fixed part, then `body`."""
        self._waiting.append(_Command(kind, wire.pack(kind, *values) + body, on_answer))

    def add_urgent(self, kind: int, *values: int, body: bytes = b"", on_answer: OnAnswer = _ignore) -> None:
        """Before all others, also the one that is on its way: that one is sent again afterwards."""
        self.restart()
        self._waiting.appendleft(_Command(kind, wire.pack(kind, *values) + body, on_answer))

    def due(self, now_s: float) -> bytes:
        """Bytes to send now, monotonic seconds; empty when there is nothing to do but wait."""
        current = self._current
        if current is not None and current.attempts is not None and current.attempts.over(now_s):
            self._current = None
            current.on_answer(None, 0)
        if self._current is None and self._waiting:
            self._current = self._waiting.popleft()
        current = self._current
        if current is None:
            return b""
        if current.attempts is None:
            current.attempts, current.number = Attempts(now_s), next(self._numbers)
        elif not current.attempts.again(now_s):
            return b""
        return bytes(wire.encode(current.kind, current.number, current.body))

    def answered(self, ack: Mapping[str, int]) -> None:
        """Take the fields of an ACK message."""
        current = self._current
        if current is None or ack["command_sequence"] != current.number or ack["command"] != current.kind:
            return
        self._current = None
        result = wire.RESULTS[ack["result"]] if ack["result"] < len(wire.RESULTS) else "unknown_result"
        current.on_answer(result, ack["detail"])

    def restart(self) -> None:
        """What is on its way is sent again later, under a new number: the device was away."""
        if self._current is not None:
            self._current.attempts = None
            self._waiting.appendleft(self._current)
            self._current = None
