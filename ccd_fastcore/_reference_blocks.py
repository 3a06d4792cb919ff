"""The rows of the running segment in at most 64 blocks, in plain Python: what `_blocks.pyx` compiles, row by row.

A block is joined with its neighbour where both are of as many rows (2**k): what is added up is added up in the same
order however the rows come. A segment's last block may have fewer rows; it is told as the joined rest of the counter.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite, nan

from ccd_fastcore._interpreted import _summary

BLOCK_FIELDS = (
    "row", "time_s", "rows", "sum_V", "sum_A", "lowest_V", "highest_V", "fall_V", "rise_V", "temperature_degC",
    "pressure_Pa",
)  # fmt: skip
MOST_BLOCKS = 64
HEAD = 5  # numbers before a segment's blocks: how many, V and A of the first row and of the last
Column = Iterable[float]
Block = tuple[float, ...]  # of `BLOCK_FIELDS`


class Segment:
    """Whole blocks of `width` rows and, as the digits of a binary counter, the smaller ones behind them."""

    def __init__(self) -> None:
        self.whole: list[Block] = []
        self.rest: list[Block] = []  # each of fewer rows than the one before
        self.width = 1
        self.first: tuple[float, float] | None = None  # V and A of the first row and of the last
        self.last = (0.0, 0.0)

    def copy(self) -> "Segment":
        """Another one that goes its own way."""
        other = Segment()
        other.whole, other.rest, other.width = list(self.whole), list(self.rest), self.width
        other.first, other.last = self.first, self.last
        return other

    def add(self, row: int, time_s: float, volts: float, amperes: float, others: tuple[float, float]) -> None:
        """Take a row; `others` are temperature in degC and pressure in Pa."""
        if len(self.whole) == MOST_BLOCKS and not self.rest:
            self.whole = [joined(a, b) for a, b in zip(self.whole[::2], self.whole[1::2], strict=True)]
            self.width *= 2
        if self.first is None:
            self.first = self.last = (volts, amperes)
        step = abs(volts) - abs(self.last[0])
        self.last = (volts, amperes)
        block: Block = (
            float(row), time_s, 1.0, volts, amperes, volts + 0.0, volts + 0.0, max(0.0, -step), max(0.0, step),
            *(x if isfinite(x) else nan for x in others),
        )  # fmt: skip
        while self.rest and self.rest[-1][2] == block[2]:
            block = joined(self.rest.pop(), block)
        (self.whole if block[2] == self.width else self.rest).append(block)

    def told(self) -> bytes:
        """As `RowBlocks.look`."""
        blocks, rest = list(self.whole), list(self.rest)
        while len(rest) > 1:
            last = rest.pop()
            rest.append(joined(rest.pop(), last))
        blocks += rest
        known = any(isfinite(x) for block in blocks for x in block[9:])
        columns = list(zip(*blocks, strict=True))[: 11 if known else 9]
        numbers = [len(blocks), *(self.first or ()), *self.last, *(x for column in columns for x in column)]
        return struct.pack(f"={len(numbers)}d", *numbers)


def joined(a: Block, b: Block) -> Block:
    """One block of two neighbours."""
    known = (x if isfinite(x) else y for x, y in zip(a[9:], b[9:], strict=True))
    return (
        a[0], a[1], a[2] + b[2], a[3] + b[3], a[4] + b[4], b[5] if b[5] < a[5] else a[5],
        *(y if y > x else x for x, y in zip(a[6:9], b[6:9], strict=True)), *known,
    )  # fmt: skip


class Summary:
    """What is asked of a segment time and again: of its record, and of `told`, what `RowBlocks` told of it."""

    __slots__ = (
        *_summary.SUMMARY_FIELDS, "first_row", "last_row", "count", "start_s", "end_s", "sign", "current_A", "charge_C",
        "noise_V", "after_gap",
    )  # fmt: skip

    def __init__(self, record: Sequence[float], told: bytes) -> None:
        numbers = struct.unpack(f"={len(told) // 8}d", told)
        n = int(numbers[0]) if numbers else 0
        fields, left = divmod(len(numbers) - HEAD, n or 1)
        if not 1 <= n <= MOST_BLOCKS or left or fields < 9:
            raise ValueError("not what RowBlocks told of a segment")
        found = [0.0] * len(_summary.SUMMARY_FIELDS)
        _summary.of_blocks(numbers[HEAD:], n, fields, [0.0] * n, [0.0] * n, found)
        for name, value in zip(_summary.SUMMARY_FIELDS, found, strict=True):
            setattr(self, name, value)
        self.first_row, self.last_row, self.sign = (int(record[k]) for k in (0, 1, 5))
        self.count = self.last_row - self.first_row + 1
        self.start_s, self.end_s, self.current_A, self.charge_C = record[3], record[4], record[6], record[7]
        self.noise_V, self.after_gap = record[11], record[15] != 0


class RowBlocks:
    """The rows of each segment in blocks; `segments` and `running` are what the stream tells of the same rows."""

    def __init__(self) -> None:
        self._known = Segment()
        self._behind: list[
            tuple[int, float, float, float, tuple[float, float]]
        ] = []  # the running segment's last row
        self._rows = 0
        self._first = -1

    def feed(
        self,
        time_s: Column,
        voltage_V: Column,
        current_A: Column,
        temperature_degC: Column | None,
        pressure_Pa: Column | None,
        segments: Sequence[Sequence[float]],
        running: tuple[int, int] | None,
    ) -> list[bytes]:
        """Take rows. Returns the blocks of each completed segment."""
        columns = [[float(x) for x in column] for column in (time_s, voltage_V, current_A)]
        count = len(columns[0])
        columns += [
            [nan] * count if column is None else [float(x) for x in column]
            for column in (temperature_degC, pressure_Pa)
        ]
        if any(len(column) != count for column in columns):
            raise ValueError("all columns must have the same length")
        for row, (t, v, i, degC, Pa) in enumerate(zip(*columns, strict=True), self._rows):
            if isfinite(v) and isfinite(i):
                self._behind.append((row, t, v, i, (degC, Pa)))
        self._rows += count
        done = list(self._completed(segments))
        if running is not None:
            self._take(*running)
        return done

    def _completed(self, segments: Sequence[Sequence[float]]) -> Iterator[bytes]:
        for segment in segments:
            self._take(int(segment[0]), int(segment[1]))
            yield self._known.told()

    def _take(self, first: int, last: int) -> None:
        """Rows `first` to `last` of the test belong to one segment: those of them that are not there yet."""
        if first != self._first:
            self._known, self._first = Segment(), first
        for row in self._behind:
            if first <= row[0] <= last:
                self._known.add(*row)
        self._behind = [row for row in self._behind if row[0] > last]

    def look(self) -> bytes:
        """The blocks of the running segment so far; nothing before the first row."""
        return self._known.told() if self._known.first is not None else b""
