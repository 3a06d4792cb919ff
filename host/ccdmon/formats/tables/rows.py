"""The rows of one table, a block of lines at a time: the columns asked for, as numbers where they are numbers.

A block goes the quick way where it can (pyarrow parses it) and the slow way, line by line (`lines`), where anything is
out of the ordinary.
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
from ccdmon.formats.tables.layout import BLANKS, EMPTY, Layout, split_line
from ccdmon.formats.tables.lines import LineReader, Part, Row
from ccdmon.formats.tables.numbers import Marks, NotANumberError, number, numbers
from ccdmon.model.trace import FloatArray

IntArray = npt.NDArray[np.int32]
MOST_ROWS_SLOWLY = 12_000_000
MOST_HELD = 100_000  # rows that leave the decimal mark open
_NULLS = [text for word in EMPTY for text in {word, word.upper(), word.capitalize(), word.title()}] + ["NaN"]


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
        places = [*self._numeric.values(), *self._textual.values()]
        self._line_reader = LineReader(
            layout, places, self._needed, name, outer, frozenset(above), row_begin, salvage
        )
        self.rows = 0
        self._held: list[Row] = []  # rows read before a cell showed the decimal mark
        self._lines: list[IntArray] = []

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
            return
        lines = lines_of(block)
        if self.rows + len(lines) > MOST_ROWS_SLOWLY:
            raise InputError(
                f"{self._name}: more than {MOST_ROWS_SLOWLY // 1_000_000} million rows with text, dates or gaps in "
                f"them; split the file"
            )
        kept = [row for line in lines if (row := self._line_reader.row(line)) is not None]
        self._held += kept
        self.marks.see(cells[at] for _, cells, _ in kept for at in self._numeric.values() if at < len(cells))
        if self.marks.shown or len(self._held) > MOST_HELD:
            self._settle()

    def _parsed(self, block: bytes, mark: str) -> pa.Table | None:
        """The block at once; None where anything in it is out of the ordinary."""
        names = [str(at) for at in range(len(self._layout.labels))]
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
        first = self._line_reader.passed(block.count(b"\n"), len(table))
        self._lines.append(np.arange(first, first + len(table), dtype=np.int32))
        self.rows += len(table)
        return True

    def _look_at(self, lines: Sequence[str]) -> None:
        """What these rows say of the decimal mark, for one later that leaves it open."""
        rows = [split_line(line, self._layout.separator) for line in lines]
        self.marks.see(row[at] for row in rows for at in self._numeric.values() if at < len(row))

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
                self._line_reader.refused(f"column '{label}': {text!r} is not a number", held[error.place][0])
        for column, at in self._textual.items():
            if at < 0:
                self._texts[column] += [row[2] for row in held]
            else:
                self._texts[column] += [row[1][at].strip() if at < len(row[1]) else "" for row in held]
        self._lines.append(np.array([row[0] for row in held], dtype=np.int32))
        self.rows += len(held)
        self._held = []

    def _readable(self, mark: str) -> list[Row]:
        """The rows held back of which every number is one, and what is needed is there; the others are left out."""
        return [row for row in self._held if not self._is_bad(row, mark)]

    def _is_bad(self, row: Row, mark: str) -> bool:
        line, cells, _ = row
        for at in self._numeric.values():
            cell = cells[at] if at < len(cells) else ""
            try:
                value = number(cell, mark)
                bad = at in self._needed and not np.isfinite(value)
            except ValueError:
                bad = True
            if bad:
                self._line_reader.refused(
                    f"column '{self._layout.labels[at].text}': {cell[:40]!r} is not a number", line
                )
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
        return Rows(*self._joined(), self._line_reader.parts_before(self.rows), self._line_reader.notes())

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
