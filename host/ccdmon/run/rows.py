"""The rows of a recording: wire bytes in, stretches of rows out, each placed in its segment; no I/O.

A *segment* is what one arming of one device boot sent: within it the sample counter only rises. A new one begins when
the run number changes or the counter falls back (the device was reset), so a device that comes back after a reset, or
a host that starts again, adds a segment to the same recording. The counter wraps at 2**30 (three days at 4 kHz) and is
unrolled here. A row is one sample, or one block of samples with its lowest, highest and mean codes.

The board tells its temperature in the status, once a second: a row has that of the last status before it in the
recording. (A status may overtake the rows of a moment that wait in the board: a temperature is slower.)
"""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from ccdmon.link.decoder import (
    Counts,
    Event,
    Identity,
    JoiningDecoder,
    Message,
    Refused,
    Restarted,
    Samples,
)
from ccdmon_fw import wire

COUNTER = 1 << 30
# A counter that falls back by no more than this without a restart repeats rows that came already.
REPEATED = 4096

Codes = npt.NDArray[np.uint16]
Tenths = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Rows:
    """Consecutive arrivals of one segment; `codes` (n, 4): voltage, current, pressure, verdict (means for blocks)."""

    segment: int
    run: int  # the device's own number of this arming
    samples: npt.NDArray[np.int64]  # counter of each row's first sample, shape (n,)
    codes: Codes
    lowest: Codes  # (n, 3), of the row's samples
    highest: Codes
    samples_per_row: int = 1
    temperature_dC: Tenths | None = None  # (n,), of the board; `wire.NO_TEMPERATURE`: not measured

    def __len__(self) -> int:
        return len(self.samples)


@dataclass
class Batch:
    """What some bytes completed: rows, and the other messages in their order."""

    rows: list[Rows] = field(default_factory=list)
    messages: list[Message | Identity] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # why identities were, each in a few words


class RowReader:
    """`feed` takes the bytes of a recording in any chunks; every loss is in `counts`."""

    def __init__(self) -> None:
        self._decoder = JoiningDecoder()
        self._run: int | None = None
        self._next = 0  # unrolled counter expected next in this segment
        self._restarted = False
        self._pending: list[Rows] = []
        self._temperature_dC = wire.NO_TEMPERATURE
        self._joining = True
        self._joined_late = 0  # damaged frames that were none: 1 where the recording began within one
        self.segment = -1  # ordinal of the current one
        self.missing_samples = 0  # within segments

    @property
    def counts(self) -> Counts:
        """The link's account; `missing_samples` is this reader's, which tells a gap from a restart."""
        counts = self._decoder.counts
        damaged = counts.crc_errors - self._joined_late
        return replace(counts, missing_samples=self.missing_samples, crc_errors=damaged)

    def feed(self, data: bytes) -> Batch:
        """What `data` completed."""
        batch = Batch()
        events = self._begin(data) if self._joining else self._decoder.feed(data)
        for event in events:
            if isinstance(event, Samples):
                self._single(event)
            elif isinstance(event, Message) and event.name == "blocks":
                self._blocks(event)
            elif isinstance(event, Restarted):
                self._restarted = True
            elif isinstance(event, Refused):
                batch.refused.append(event.why)
            elif isinstance(event, Message | Identity):
                batch.messages.append(event)
                if isinstance(event, Message) and event.name == "status":
                    self._temperature_dC = event.fields["temperature_dC"]
        batch.rows, self._pending = _joined(self._pending), []
        return batch

    def _begin(self, data: bytes) -> list[Event]:
        """The first bytes: whoever opens a port while the board sends gets the rest of a frame first, no damage."""
        end = data.find(b"\0") + 1
        events = self._decoder.feed(data[:end] if end else data)
        if end:
            self._joining = False
            self._joined_late = self._decoder.counts.crc_errors
            events += self._decoder.feed(data[end:])
        return events

    def _single(self, event: Samples) -> None:
        self._place(event.run, event.first_sample, event.codes, event.codes[:, :3], event.codes[:, :3], 1)

    def _blocks(self, event: Message) -> None:
        known = np.array(event.items, dtype=np.uint16).reshape(-1, 10)
        per_row = max(1, event.fields["samples_per_block"])
        first, run = event.fields["first_sample"], event.fields["run"]
        self._place(run, first, known[:, [2, 5, 8, 9]], known[:, [0, 3, 6]], known[:, [1, 4, 7]], per_row)

    def _place(self, run: int, first: int, codes: Codes, lowest: Codes, highest: Codes, per_row: int) -> None:
        if not len(codes):
            return
        skipped = self._skip(run, first)
        first = self._next + skipped
        if skipped < 0:  # rows that came already
            again = -(skipped // per_row)
            codes, lowest, highest, first = (
                codes[again:],
                lowest[again:],
                highest[again:],
                first + again * per_row,
            )
        self.missing_samples += max(skipped, 0)
        samples = first + per_row * np.arange(len(codes), dtype=np.int64)
        self._next = max(self._next, first + per_row * len(codes))
        if len(codes):
            tenths = np.full(len(codes), self._temperature_dC, dtype=np.int16)
            self._pending.append(Rows(self.segment, run, samples, codes, lowest, highest, per_row, tenths))

    def _skip(self, run: int, first: int) -> int:
        """Samples from the expected one to `first`, negative for repeated ones; opens a segment where one begins."""
        ahead = (first - self._next) % COUNTER
        behind = COUNTER - ahead
        restarted, self._restarted = self._restarted, False
        if run == self._run and ahead < COUNTER // 2:
            return ahead
        if run == self._run and behind <= REPEATED and not restarted:
            return -behind
        self.segment += 1
        self._run, self._next = run, first
        return 0


def _joined(parts: list[Rows]) -> list[Rows]:
    """Neighbours of one segment and kind put together."""
    groups: list[list[Rows]] = []
    for part in parts:
        last = groups[-1][-1] if groups else None
        if last and (last.segment, last.samples_per_row) == (part.segment, part.samples_per_row):
            groups[-1].append(part)
        else:
            groups.append([part])
    return [_concatenated(group) for group in groups]


def _concatenated(group: list[Rows]) -> Rows:
    if len(group) == 1:
        return group[0]
    first = group[0]
    samples, codes, lowest, highest, tenths = (
        np.concatenate([getattr(part, name) for part in group])
        for name in ("samples", "codes", "lowest", "highest", "temperature_dC")
    )
    return Rows(first.segment, first.run, samples, codes, lowest, highest, first.samples_per_row, tenths)
