"""A tap disturbs frames of samples and nothing else."""

from typing import Any

from ccdmon_fw import wire
from ccdmon_hil.rigs.wire_tap import WireTap, cut

SAMPLES = [wire.encode(wire.SAMPLES, n, wire.pack(wire.SAMPLES, 32 * n, 0, 0, 1, 0, 0)) for n in range(3)]
STATUS = wire.encode(wire.ACK, 9, wire.pack(wire.ACK, 1, wire.ARM, wire.OK, 0))


class Rig:
    """Gives one piece of its stream at a time."""

    name = "rig"

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)

    def receive(self) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


def frames(tap: WireTap, receives: int) -> list[int]:
    """Kinds of the frames that are whole."""
    data = b"".join(tap.receive() for _ in range(receives))
    return [content[0] for content in map(wire.open_frame, data.split(b"\0")) if content]


def tapped(*pieces: bytes) -> WireTap:
    rig: Any = Rig(*pieces)
    tap = WireTap(rig)
    tap.disturb(cut({0}, 10))
    return tap


def test_a_cut_frame_takes_the_next_one_of_samples_with_it_and_no_other_message() -> None:
    assert frames(tapped(SAMPLES[0] + STATUS, SAMPLES[1], SAMPLES[2]), 3) == [wire.ACK, wire.SAMPLES]


def test_a_message_held_back_comes_when_the_fault_is_taken_away() -> None:
    tap = tapped(SAMPLES[0] + STATUS)
    assert frames(tap, 1) == []
    tap.disturb(None)
    assert frames(tap, 1) == [wire.ACK]
