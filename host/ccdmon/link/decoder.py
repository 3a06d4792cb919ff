"""The host's end of the wire: bytes in, events out, no I/O.

`Decoder.feed(bytes)` returns the events those bytes completed, in order; what is not complete yet waits for
the next call, so any cutting of the stream gives the same events. Nothing that arrives can make it raise: a
damaged or missing frame is the link's fault, not the caller's, and becomes a `Lost` event and a count.

Three counters tell three losses apart: `crc_errors` (a frame came and was damaged), `missing_frames` (the
sequence number jumped) and `missing_samples` (the sample counter jumped, whoever lost them). The device's own
count of dropped samples (`device_dropped`) is part of the last: a dropped sample leaves a gap in the counter.
"""

import itertools
import struct
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ccd_fastcore import Unframer
from ccdmon.link import identity
from ccdmon_fw import wire

SEQUENCES = 1 << 16
_SAMPLES_HEAD = struct.Struct(wire.MESSAGES[wire.SAMPLES][1])
# The status of wire protocol 1, which recordings hold, ends before the temperature.
_NO_TEMPERATURE = struct.pack("<h", wire.NO_TEMPERATURE)
_STATUS_1_BYTES = struct.calcsize(wire.MESSAGES[wire.STATUS][1]) - len(_NO_TEMPERATURE)
# Columns of `Heads`
_SEQUENCE, _FIRST, _DROPPED, _RUN, _COUNT = 0, 1, 2, 4, 5
# A sequence that jumps by more than this went backwards: the device restarted and counts from zero.
LARGEST_GAP = SEQUENCES // 2

Heads = npt.NDArray[np.int64]  # of frames of samples, see `ccd_fastcore.Unframer.feed_samples`
Codes = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Identity:
    """Who sends: schema, versions, board, reasons and the message dictionary, as the device states them."""

    document: dict[str, Any]


@dataclass(frozen=True)
class Samples:
    """Consecutive samples of one run; `codes`: (n, 4) uint16 of voltage, current, pressure, verdict."""

    first_sample: int
    run: int
    time_us: int  # of the first sample, device clock, wraps at 2**32
    dropped: int  # by the device, since it started
    codes: npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Message:
    """Any other message by its name in the dictionary (`trip`, `ack`, ...), fields and repeated items.

    Item k of `blocks` summarises `samples_per_block` samples from `first_sample + k * samples_per_block` on.
    """

    name: str
    fields: dict[str, int]
    items: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Lost:
    """Something did not arrive: `what` is "frames", "samples" or "damaged", `count` how many."""

    what: str
    count: int


@dataclass(frozen=True)
class Restarted:
    """The device's frame sequence began anew: it was reset or powered up."""


@dataclass(frozen=True)
class Refused:
    """An intact identity whose document breaks its schema: `why` in a few words. Nothing of it is used."""

    why: str


Event = Identity | Samples | Message | Lost | Restarted | Refused


@dataclass
class Counts:
    """What arrived and what did not."""

    frames: int = 0
    samples: int = 0
    crc_errors: int = 0
    missing_frames: int = 0
    missing_samples: int = 0
    device_dropped: int = 0
    unreadable: int = 0  # intact frames whose body does not fit their type
    restarts: int = 0


class Frames(Protocol):
    """Cuts bytes into frames: the compiled `ccd_fastcore.Unframer`, or the firmware's own `wire.Unframer`."""

    @property
    def crc_errors(self) -> int:
        """Frames that came damaged."""

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """The frames `data` completes: (type, sequence, body)."""


class JoiningFrames(Frames, Protocol):
    """As `Frames`; also gives the samples of many frames in one array."""

    def feed_samples(self, data: bytes) -> tuple[Heads, Codes, list[tuple[int, int, bytes, int]]]:
        """As `ccd_fastcore.Unframer.feed_samples`."""


class Decoder:
    """Turns the byte stream of one device into events; see the top of this file."""

    def __init__(self, unframer: Frames | None = None) -> None:
        self.counts = Counts()
        self._unframer: Frames = Unframer() if unframer is None else unframer
        self._next_sequence: int | None = None
        self._next_sample: dict[int, int] = {}  # by run

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by `data`."""
        frames = self._unframer.feed(data)
        events = self._damaged()
        for kind, sequence, body in frames:
            events += self._arrived(sequence, sequence, 1)
            events += self._read(kind, body)
        return events

    def _damaged(self) -> list[Event]:
        damaged = self._unframer.crc_errors - self.counts.crc_errors
        self.counts.crc_errors += damaged
        return [Lost("damaged", damaged)] if damaged else []

    def _arrived(self, first: int, last: int, count: int) -> list[Event]:
        """So many frames of consecutive sequence numbers."""
        self.counts.frames += count
        events = [] if first == self._next_sequence else self._sequence_events(first)
        self._next_sequence = (last + 1) % SEQUENCES
        return events

    def _sequence_events(self, sequence: int) -> list[Event]:
        if self._next_sequence is None:
            return []
        gap = (sequence - self._next_sequence) % SEQUENCES
        if gap >= LARGEST_GAP:
            self.counts.restarts += 1
            self._next_sample.clear()
            return [Restarted()]
        self.counts.missing_frames += gap
        return [Lost("frames", gap)]

    def _read(self, kind: int, body: bytes) -> list[Event]:
        try:
            if kind == wire.SAMPLES:
                return self._samples(body)
            if kind == wire.BLOCKS:
                return self._blocks(body)
            if kind == wire.IDENTITY:
                return [read_identity(body)]
            return [read_message(kind, body)]
        except (ValueError, KeyError, struct.error) as error:
            self.counts.unreadable += 1
            return [Refused(str(error))] if kind == wire.IDENTITY else []

    def _samples(self, body: bytes) -> list[Event]:
        event = read_samples(body)
        return self._counted(event, event.run, event.first_sample, len(event.codes), event.dropped)

    def _blocks(self, body: bytes) -> list[Event]:
        event = read_message(wire.BLOCKS, body)
        run, first, size = (event.fields[name] for name in ("run", "first_sample", "samples_per_block"))
        return self._counted(event, run, first, size * len(event.items), event.fields["dropped"])

    def _counted(self, event: Event, run: int, first: int, count: int, dropped: int) -> list[Event]:
        """The event, after what is missing between it and the one before; `count` samples it tells of."""
        expected = self._next_sample.get(run, first)
        self._next_sample[run] = first + count
        self.counts.samples += count
        self.counts.device_dropped = dropped
        missing = first - expected
        if missing <= 0:
            return [event]
        self.counts.missing_samples += missing
        return [Lost("samples", missing), event]


class JoiningDecoder(Decoder):
    """As `Decoder`; samples that follow each other without a gap come as one event, so they depend on the cutting."""

    def __init__(self) -> None:
        self._joining: JoiningFrames = Unframer()
        super().__init__(self._joining)

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by `data`: in Python work for each stretch of frames, not for each frame."""
        heads, codes, others = self._joining.feed_samples(data)
        events, done = self._damaged(), 0
        ends = heads[:, _COUNT].cumsum()
        for kind, sequence, body, before in others:
            events += self._stretches(heads[done:before], codes, ends[done:before])
            events += self._arrived(sequence, sequence, 1) + self._read(kind, body)
            done = before
        return events + self._stretches(heads[done:], codes, ends[done:])

    def _stretches(self, heads: Heads, codes: Codes, ends: Heads) -> list[Event]:
        """Frames one after the other; `ends` are where their samples end in `codes`."""
        if not len(heads):
            return []
        steps = np.diff(heads, axis=0)
        follows = (steps[:, _SEQUENCE] % SEQUENCES == 1) & (steps[:, _RUN] == 0)
        follows &= steps[:, _FIRST] == heads[:-1, _COUNT]
        cuts = [0, *(np.flatnonzero(~follows) + 1).tolist(), len(heads)]
        events: list[Event] = []
        for start, stop in itertools.pairwise(cuts):
            of_it = codes[ends[start] - heads[start, _COUNT] : ends[stop - 1]]
            events += self._stretch(heads[start].tolist(), heads[stop - 1].tolist(), stop - start, of_it)
        return events

    def _stretch(self, first: list[int], last: list[int], count: int, codes: Codes) -> list[Event]:
        sequence, sample, dropped, time_us, run, _, _ = first
        events = self._arrived(sequence, last[_SEQUENCE], count)
        event = Samples(sample, run, time_us, dropped, codes)
        return events + self._counted(event, run, sample, len(codes), last[_DROPPED])


def read_samples(body: bytes) -> Samples:
    """A SAMPLES body; raises ValueError where it is shorter than its count says, struct.error for no whole head."""
    first_sample, dropped, time_us, run, count, _ = _SAMPLES_HEAD.unpack_from(body)
    codes = np.frombuffer(body, dtype="<u2", count=4 * count, offset=_SAMPLES_HEAD.size).reshape(-1, 4)
    return Samples(first_sample, run, time_us, dropped, codes)


def read_identity(body: bytes) -> Identity:
    """An IDENTITY body; raises ValueError where its document breaks its schema (`identity`)."""
    fields, rest = wire.unpack(wire.IDENTITY, body)
    return Identity(identity.checked(rest[: fields["json_bytes"]]))


def read_message(kind: int, body: bytes) -> Message:
    """Any body by the dictionary; KeyError: unknown type, ValueError or struct.error: too short."""
    name, _, _, item_format, item_names = wire.MESSAGES[kind]
    if kind == wire.STATUS and len(body) == _STATUS_1_BYTES:
        body += _NO_TEMPERATURE
    fields, rest = wire.unpack(kind, body)
    if not item_names:
        return Message(name, fields)
    size = struct.calcsize(item_format)
    whole = rest[: len(rest) // size * size]
    return Message(name, fields, tuple(struct.iter_unpack(item_format, whole)))
