"""The rows of one table, a block of lines at a time: the columns asked for, as numbers where they are numbers.

A block goes the quick way where it can (pyarrow parses it) and the slow way where anything is out of the ordinary: the
labels again, lines of text between the rows, an outer level of a nested table, a torn line. The slow way says what is
wrong and where.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

from ccdmon.errors import InputError
from ccdmon.formats.arrow_floats import floats_of
from ccdmon.formats.tables.layout import BLANKS, EMPTY, Layout, is_value, split_line
from ccdmon.formats.tables.numbers import Marks, NotANumberError, number, numbers
from ccdmon.model.trace import FloatArray

IntArray = npt.NDArray[np.int32]
MOST_ROWS_SLOWLY = 12_000_000
MOST_HELD = 100_000  # rows that leave the decimal mark open
_NULLS = [text for word in EMPTY for text in {word, word.upper(), word.capitalize(), word.title()}] + ["NaN"]


@dataclass
class Part:
    """Rows from `row` on stand below the labels of line `line`."""

    row: int
    line: int


@dataclass
class Rows:
    """What was read: `floats` and `texts` by column, all of the same length; where parts begin; what was left out."""

    floats: dict[str, FloatArray] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    lines: IntArray = field(default_factory=lambda: np.zeros(0, np.int32))  # of each row, from 1
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)


class RowReader:
    """Reads the columns `numeric` and `textual` (name: place) of the table of `layout`; `needed` must not be torn off.

    `outer`: the place of a word in the lines of an outer level (a textual column at -1 is given it); `above`: lines
    between the labels and the first row, which come again with the labels.

    Feed blocks of lines in order, from the layout's first row on; `finish` gives the whole. Raises `InputError`.
    """

    def __init__(
        self,
        layout: Layout,
        numeric: Mapping[str, int],
        textual: Mapping[str, int],
        name: str,
        *,
        needed: Iterable[str] = (),
        outer: int | None = None,
        above: Iterable[str] = (),
        row_begin: str = "",
        decimal: str | None = None,
        salvage: bool = False,
    ) -> None:
        self._layout, self._name, self._salvage, self._row_begin = layout, name, salvage, row_begin
        self._numeric, self._textual, self._outer = dict(numeric), dict(textual), outer
        self._needed = [{**self._numeric, **self._textual}[column] for column in needed]
        self.marks = Marks(decimal or ("." if layout.separator == "," else None))
        self._floats: dict[str, list[FloatArray]] = {column: [] for column in self._numeric}
        self._texts: dict[str, list[str]] = {column: [] for column in self._textual}
        self._line = layout.first  # index of the next line
        self.rows = 0
        self._parts, self._outer_value = [Part(0, layout.at + 1)], ""
        self._between: list[tuple[int, str]] = []  # lines of text since the last row
        self._text_lines = self._left_out = self._outer_lines = 0
        self._first_left_out = ""
        self._held: list[tuple[int, list[str], str]] = []  # rows read before a cell showed the decimal mark
        self._outer_from = next((k for k, label in enumerate(layout.outer) if label.text), 0)
        self._width = len(layout.labels)
        self._lines: list[IntArray] = []
        self._above = frozenset(above)
        self._seen = 0  # rows, those not settled yet included

    # -- blocks

    def feed(self, blocks: Iterable[bytes]) -> Iterator[None]:
        """Read the next blocks of whole lines, parsed ahead on all cores; yields after each, in their order."""
        workers = os.cpu_count() or 1
        with ThreadPoolExecutor(workers) as pool:
            coming: deque[tuple[bytes, str | None, Future[pa.Table | None] | None]] = deque()
            for block in blocks:
                mark = self._quick_mark()
                coming.append((block, mark, pool.submit(self._parsed, block, mark) if mark else None))
                while len(coming) > workers + 1:
                    self._take(*coming.popleft())
                    yield
            while coming:
                self._take(*coming.popleft())
                yield

    def _quick_mark(self) -> str | None:
        """The decimal mark for the quick way; None where the table is not for it."""
        separator, mark = self._layout.separator, self.marks.mark
        special = self._layout.nested or self._row_begin or self._outer is not None or self._salvage
        if special or separator in BLANKS or self._held or (mark == "," and separator == ","):
            return None
        return mark

    def _take(self, block: bytes, mark: str | None, future: "Future[pa.Table | None] | None") -> None:
        table = future.result() if future is not None else None
        if table is not None and mark == self._quick_mark() and self._accept(table, block, mark):
            self._line += block.count(b"\n")
            return
        lines = lines_of(block)
        if self.rows + len(lines) > MOST_ROWS_SLOWLY:
            raise InputError(
                f"{self._name}: more than {MOST_ROWS_SLOWLY // 1_000_000} million rows with text, dates or gaps in "
                f"them; split the file"
            )
        kept = [row for line in lines if (row := self._row(line)) is not None]
        self._held += kept
        self.marks.see(cells[at] for _, cells, _ in kept for at in self._numeric.values() if at < len(cells))
        if self.marks.shown or len(self._held) > MOST_HELD:
            self._settle()

    def _parsed(self, block: bytes, mark: str) -> pa.Table | None:
        """The block at once; None where anything in it is out of the ordinary."""
        names = [str(at) for at in range(self._width)]
        wanted = {names[at]: pa.float64() for at in self._numeric.values()}
        wanted |= {names[at]: pa.string() for at in self._textual.values()}
        try:
            return pa_csv.read_csv(
                pa.BufferReader(block),
                pa_csv.ReadOptions(
                    column_names=names, use_threads=False, block_size=max(2 * len(block), 1 << 16)
                ),
                pa_csv.ParseOptions(delimiter=self._layout.separator, newlines_in_values=False),
                pa_csv.ConvertOptions(
                    include_columns=list(wanted), column_types=wanted, decimal_point=mark, null_values=_NULLS
                ),
            )
        except (pa.ArrowInvalid, pa.ArrowKeyError):
            return None

    def _accept(self, table: pa.Table, block: bytes, mark: str | None) -> bool:
        """Take a block that was parsed at once; False where it holds an infinity, which is no number."""
        names = {column: str(at) for column, at in (self._numeric | self._textual).items()}
        floats = {column: floats_of(table[names[column]]) for column in self._numeric}
        if any(np.isinf(values).any() for values in floats.values()):
            return False
        if mark == "." and not self.marks.shown:
            self._look_at(lines_of(block[:20_000]))
        for column, values in floats.items():
            self._floats[column].append(values)
        for column in self._textual:
            self._texts[column] += [cell or "" for cell in table[names[column]].to_pylist()]
        self._lines.append(np.arange(self._line + 1, self._line + 1 + len(table), dtype=np.int32))
        self.rows += len(table)
        self._seen += len(table)
        return True

    def _look_at(self, lines: Sequence[str]) -> None:
        """What these rows say of the decimal mark, for one later that leaves it open."""
        rows = [split_line(line, self._layout.separator) for line in lines]
        self.marks.see(row[at] for row in rows for at in self._numeric.values() if at < len(row))

    # -- a line

    def _row(self, line: str) -> tuple[int, list[str], str] | None:
        """(line number from 1, cells, value of the outer level), None for a line that is no row. Raises
        `InputError`."""
        self._line += 1
        if not line.strip():
            return None
        cells = split_line(line, self._layout.separator)
        if not any(cell.strip() for cell in cells):
            return None
        if line.strip() in self._above and self._seen:
            return None  # the units once more
        if self._row_begin and not line.startswith(self._row_begin):
            self._note_text(line)
            return None
        if any(cell.strip() for cell in cells[: self._layout.nested]):
            self._outer_lines += 1
            if self._outer is not None and self._outer < len(cells) and not any(cells[: self._outer_from]):
                self._outer_value = cells[self._outer].strip()
            return None
        if self._again(cells):
            return None
        if not self._has_values(cells):
            self._note_text(line)
            return None
        if self._between:
            self._text_lines += len(self._between)
            self._between = []
        return self._checked(line, cells)

    def _again(self, cells: Sequence[str]) -> bool:
        """The labels once more (the rows of another part follow), or the units below them."""
        labels = [label.text.strip() for label in self._layout.labels]
        here = [cell.strip().strip('"').strip() for cell in cells[: self._width]]
        while here and not here[-1]:
            here.pop()
        if here == labels:
            if self._parts[-1].row == self._seen:
                self._parts.pop()
            self._parts.append(Part(self._seen, self._line))
            self._between = []
            return True
        return False

    def _has_values(self, cells: Sequence[str]) -> bool:
        """Whether it may be a row at all: a value in a column asked for, or numbers in half of the others."""
        places = list(self._numeric.values()) + list(self._textual.values())
        asked = [cells[at] for at in places if at < len(cells)]
        return any(is_value(cell) for cell in asked) or sum(map(is_value, cells)) * 2 > max(self._width, 2)

    def _note_text(self, line: str) -> None:
        self._between.append((self._line, " ".join(line.split())[:60]))
        if len(self._between) > 100_000:
            raise InputError(f"{self._name}: line {self._line}: text where rows should be; split the file")
        if not self._first_left_out:
            self._first_left_out = f"line {self._line}: {' '.join(line.split())[:60]}"

    def _checked(self, line: str, cells: list[str]) -> tuple[int, list[str], str] | None:
        """The row, if it is whole. Raises `InputError`, or leaves it out for `salvage`."""
        at = next((at for at in self._needed if at >= len(cells)), None)
        if at is None and len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            what = f"has {len(cells)} fields, the labels {self._width}"
            if self._layout.separator == "," and "," in line:
                what += " (is a comma the decimal mark?)"
            self._refused(what)
            return None
        if at is not None:
            self._refused(f"column '{self._layout.labels[at].text}': '' is not a number")
            return None
        self._seen += 1
        return self._line, cells, self._outer_value

    def _refused(self, what: str, number_from_1: int | None = None) -> None:
        line = f"line {number_from_1 or self._line}"
        told = f"{line} {what}" if what.startswith("has") else f"{line}, {what}"
        if not self._salvage:
            raise InputError(f"{self._name}: {told}; mend it, or keep the readable rows with --salvage")
        self._left_out += 1
        if self._left_out == 1:
            self._first_left_out_row = told

    # -- what was held back

    def _settle(self) -> None:
        """The rows held back, as numbers."""
        if not self._held:
            return
        mark = self.marks.mark
        if mark is None:  # or the cells contradict one another
            raise InputError(f"{self._name}: {self.marks.doubt}")
        held = self._readable(mark) if self._salvage else self._held
        for column, at in self._numeric.items():
            cells = [row[1][at] if at < len(row[1]) else "" for row in held]
            try:
                self._floats[column].append(numbers(cells, mark))
            except NotANumberError as error:
                text = " ".join(error.text.split())[:40]
                label = self._layout.labels[at].text
                self._refused(f"column '{label}': {text!r} is not a number", held[error.place][0])
        for column, at in self._textual.items():
            if at < 0:
                self._texts[column] += [row[2] for row in held]
            else:
                self._texts[column] += [row[1][at].strip() if at < len(row[1]) else "" for row in held]
        self._lines.append(np.array([row[0] for row in held], dtype=np.int32))
        self.rows += len(held)
        self._held = []

    def _readable(self, mark: str) -> list[tuple[int, list[str], str]]:
        """The rows held back of which every number is one, and what is needed is there; the others are left out."""
        return [row for row in self._held if not self._is_bad(row, mark)]

    def _is_bad(self, row: tuple[int, list[str], str], mark: str) -> bool:
        line, cells, _ = row
        for at in self._numeric.values():
            cell = cells[at] if at < len(cells) else ""
            try:
                value = number(cell, mark)
                bad = at in self._needed and not np.isfinite(value)
            except ValueError:
                bad = True
            if bad:
                self._refused(f"column '{self._layout.labels[at].text}': {cell[:40]!r} is not a number", line)
                return True
        return False

    def taken(self) -> Rows:
        """The rows read so far, which are forgotten here; what was left out is not told."""
        return Rows(*self._joined())

    def finish(self) -> Rows:
        """Everything, joined, and what was left out."""
        self._settle()
        if not self.rows:
            raise InputError(f"{self._name}: no rows below line {self._layout.at + 1}; nothing to read")
        return Rows(*self._joined(), [part for part in self._parts if part.row < self.rows], self.notes())

    def notes(self) -> list[str]:
        """What was left out so far."""
        notes = []
        if self._left_out:
            notes.append(f"left out {self._left_out} unreadable lines, the first: {self._first_left_out_row}")
        if self._outer_lines:
            notes.append(
                f"left out {self._outer_lines} lines of sums over cycles and steps: they are no samples"
            )
        if text := self._text_lines + len(self._between):
            notes.append(f"left out {text} lines of text, the first: {self._first_left_out}")
        return notes

    def _joined(self) -> tuple[dict[str, FloatArray], dict[str, list[str]], IntArray]:
        floats = {c: np.concatenate(parts) if parts else np.zeros(0) for c, parts in self._floats.items()}
        lines = np.concatenate(self._lines) if self._lines else np.zeros(0, np.int32)
        texts, self._texts = self._texts, {column: [] for column in self._textual}
        self._floats, self._lines = {column: [] for column in self._numeric}, []
        return floats, texts, lines


def lines_of(block: bytes) -> list[str]:
    """The lines of a block; not splitlines(), which would also split at an ellipsis of a Western code page."""
    return block.decode("utf-8", "replace").removesuffix("\n").split("\n")


def block_of(lines: Sequence[str]) -> bytes:
    """The lines as one block."""
    return ("\n".join(lines) + "\n").encode("utf-8", "replace") if lines else b""
