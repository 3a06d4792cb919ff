"""A tap on the wire between a session and its rig: frames pass through a function, either way may be disturbed."""

from collections.abc import Callable
from typing import Any

from ccdmon_fw import wire
from ccdmon_hil.rigs.target import Target

# (number of the frame of samples or blocks since the tap was set, its bytes with the final zero) -> bytes that go on
FrameFault = Callable[[int, bytes], bytes]


class WireTap:
    """A `Target` whose frames of samples or blocks pass through `to_host`; the rest of it is the rig's own."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._held = b""
        self._behind = b""  # other messages that came right behind a frame without its end
        self.sent: dict[int, bytes] = {}  # latest command of each kind
        self.disturb(None)

    def disturb(self, to_host: FrameFault | None) -> None:
        """Set or take away the fault; counts begin anew."""
        self._to_host = to_host
        self._frames = 0
        self._held, self._behind = self._behind + self._held, b""
        self._cut = False

    def send(self, data: bytes) -> None:
        """Commands pass as they are, and are remembered."""
        for frame in data.split(b"\0"):
            content = wire.open_frame(frame)
            if content is not None:
                self.sent[content[0]] = frame + b"\0"
        self._target.send(data)

    def receive(self) -> bytes:
        """What the rig sent, with the fault in it."""
        *frames, self._held = (self._held + self._target.receive()).split(b"\0")
        return b"".join(self._passed(frame + b"\0") for frame in frames)

    def _passed(self, frame: bytes) -> bytes:
        content = wire.open_frame(frame[:-1]) if self._to_host else None
        if self._to_host is None or content is None or content[0] not in (wire.SAMPLES, wire.BLOCKS):
            if not self._cut:
                return frame
            self._behind += frame  # what a frame without its end takes with it is always a frame of samples
            return b""
        passed = self._to_host(self._frames, frame)
        self._frames += 1
        self._cut = passed[-1:] != b"\0" if passed else self._cut
        if not self._cut:
            passed, self._behind = passed + self._behind, b""
        return passed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def flipped(numbers: set[int], at: int, bit: int = 1) -> FrameFault:
    """One bit of a byte of these frames is another."""

    def flip(number: int, frame: bytes) -> bytes:
        changed = bytearray(frame)
        if number in numbers:
            changed[at] ^= bit
        return bytes(changed)

    return flip


def cut(numbers: set[int], size: int) -> FrameFault:
    """Of these frames only so many bytes arrive; 0: none."""
    return lambda number, frame: frame[:size] if number in numbers else frame


def repeated(numbers: set[int]) -> FrameFault:
    """These frames come twice."""
    return lambda number, frame: frame * (1 + (number in numbers))


def swapped(numbers: set[int]) -> FrameFault:
    """These frames come after the one that follows them."""
    held: list[bytes] = []

    def swap(number: int, frame: bytes) -> bytes:
        if number in numbers:
            held.append(frame)
            return b""
        return frame + (held.pop() if held else b"")

    return swap


def preceded(numbers: set[int], noise: bytes) -> FrameFault:
    """Bytes that nobody sent come before these frames."""
    return lambda number, frame: noise + frame if number in numbers else frame
