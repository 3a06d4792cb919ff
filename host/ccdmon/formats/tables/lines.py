"""The lines of one table, one at a time: which is a row, and what the others are.

The labels again, lines of text between the rows, an outer level of a nested table, a torn line: what is wrong is said,
and where.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ccdmon.errors import InputError
from ccdmon.formats.tables.layout import Layout, is_value, split_line


@dataclass
class Part:
    """Rows from `row` on stand below the labels of line `line`."""

    row: int
    line: int


def notes_of_parts(parts: Sequence[Part]) -> list[str]:
    """What is told of tables with the same labels one below the other."""
    return [f"{len(parts)} tables one below the other are read as one test"] if len(parts) > 1 else []


class Row(NamedTuple):
    """A line that is a row: its number from 1, its cells, and the word of the outer level it stands in."""

    line: int
    cells: list[str]
    outer: str


class LineReader:
    """Reads the lines of the table of `layout` in order; see `rows.RowReader` for what the others are.

    `places`: the columns asked for, of which the `needed` must not be torn off.
    """

    def __init__(
        self, layout: Layout, places: Sequence[int], needed: Sequence[int], name: str, outer: int | None,
        above: frozenset[str], row_begin: str, salvage: bool,
    ) -> None:  # fmt: skip
        self._layout, self._places, self._needed, self._name = layout, places, needed, name
        self._outer, self._above, self._row_begin, self._salvage = outer, above, row_begin, salvage
        self._width = len(layout.labels)
        self._line = layout.first  # index of the next line
        self._seen = 0  # rows, those not settled yet included
        self._parts, self._outer_value = [Part(0, layout.at + 1)], ""
        self._between: list[tuple[int, str]] = []  # lines of text since the last row
        self._text_lines = self._left_out = self._outer_lines = 0
        self._first_left_out = self._first_left_out_row = ""
        self._outer_from = next((k for k, label in enumerate(layout.outer) if label.text), 0)

    def passed(self, lines: int, rows: int) -> int:
        """So many lines were read elsewhere, so many of them rows; the number of the first from 1."""
        first = self._line + 1
        self._line += lines
        self._seen += rows
        return first

    def parts_before(self, rows: int) -> list[Part]:
        """Where parts begin, as far as rows follow."""
        return [part for part in self._parts if part.row < rows]

    def row(self, line: str) -> Row | None:
        """The row of the next line, None where it is none. Raises `InputError`."""
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
        asked = [cells[at] for at in self._places if at < len(cells)]
        return any(is_value(cell) for cell in asked) or sum(map(is_value, cells)) * 2 > max(self._width, 2)

    def _note_text(self, line: str) -> None:
        self._between.append((self._line, " ".join(line.split())[:60]))
        if len(self._between) > 100_000:
            raise InputError(f"{self._name}: line {self._line}: text where rows should be; split the file")
        if not self._first_left_out:
            self._first_left_out = f"line {self._line}: {' '.join(line.split())[:60]}"

    def _checked(self, line: str, cells: list[str]) -> Row | None:
        """The row, if it is whole. Raises `InputError`, or leaves it out for `salvage`."""
        at = next((at for at in self._needed if at >= len(cells)), None)
        if at is None and len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            what = f"has {len(cells)} fields, the labels {self._width}"
            if self._layout.separator == "," and "," in line:
                what += " (is a comma the decimal mark?)"
            self.refused(what)
            return None
        if at is not None:
            self.refused(f"column '{self._layout.labels[at].text}': '' is not a number")
            return None
        self._seen += 1
        return Row(self._line, cells, self._outer_value)

    def refused(self, what: str, number_from_1: int | None = None) -> None:
        """Raises `InputError` with the line; for `salvage` the line is counted as left out."""
        line = f"line {number_from_1 or self._line}"
        told = f"{line} {what}" if what.startswith("has") else f"{line}, {what}"
        if not self._salvage:
            raise InputError(f"{self._name}: {told}; mend it, or keep the readable rows with --salvage")
        self._left_out += 1
        if self._left_out == 1:
            self._first_left_out_row = told

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
