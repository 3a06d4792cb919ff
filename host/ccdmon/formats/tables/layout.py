"""Where the table is in a text: the line of labels, what separates labels and rows, units below, the first row.

A line is one of labels if the names in it have the roles asked for. Labels and rows are told apart by looking: the
labels of ZPlot stand in one pair of quotes, set apart by blanks, above rows with commas.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ccdmon.formats.tables.labels import Label, split_label
from ccdmon.formats.tables.units import plain_unit, scale_of
from ccdmon.formats.tables.vocabulary import QUANTITY

HEAD_LINES = 2000  # a header is not longer
MOST_LABELS_TOLD = 12
MOST_COLUMNS = 4096
MOST_TABLES = 100  # that are looked at: of thousands each would be compared with hundreds of lines
BLANKS = ("  ", " ")  # set apart by several blanks, by any
SEPARATORS = ("\t", ";", ",", "|", *BLANKS)
_NUMBER = re.compile(r"^[+\-−]?[\d.,'’   ]*\d[\d.,'’   ]*(?:[eEdD][+\-−]?\d+)?$")
_TIME = re.compile(r"^\s*(?:\d+\s*[d-]\s*)?\d+:\d")
_DATE = re.compile(r"^\s*\d{1,4}\s*[-/.年]\s*\w+\s*[-/.月]\s*\d{1,4}")
EMPTY = frozenset(
    ("", "nan", "null", "na", "n/a", "#n/a", "xxx", "-", "--", "---", "none", "nil", "#nv", "?")
)  # what instruments and spreadsheets write where they have no value


@dataclass(frozen=True)
class Layout:
    """One table of a text. `at`: index of its line of labels; `first`: of its first row; `nested`: how many empty
    labels stand before the first, where the lines of an outer level begin further left."""

    at: int
    labels: tuple[Label, ...]
    separator: str
    first: int
    nested: int = 0
    outer: tuple[Label, ...] = ()

    @property
    def shown(self) -> str:
        """The labels, for a message."""
        return ", ".join(label.text for label in self.labels if label.text)[:120]


def split_line(line: str, separator: str) -> list[str]:
    """The cells of one line."""
    if separator in BLANKS:
        line = line.strip(' \t#"')
        return re.split(r"\s{2,}|\t" if separator == "  " else r"\s+", line) if line else []
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return line.split(separator)


def is_empty(cell: str) -> bool:
    """Whether a cell holds nothing."""
    return cell.strip().lower() in EMPTY


def is_value(cell: str) -> bool:
    """Whether a cell may be a number, a span of time or a date."""
    cell = cell.strip()
    return bool(_NUMBER.match(cell) or _TIME.match(cell) or _DATE.match(cell))


def find_layouts(lines: Sequence[str], wanted: Callable[[frozenset[str]], bool]) -> Iterator[Layout]:
    """Every table among the first lines whose labels have roles that satisfy `wanted`, from the top."""
    tables = 0
    for at, line in enumerate(lines[:HEAD_LINES]):
        if not line.strip() or len(line) > 1 << 17:
            continue
        found = max(_readings(line), key=lambda reading: _score(reading, wanted), default=None)
        if found is None or not _score(found, wanted)[0]:
            continue
        if found[0] in BLANKS and _is_set_apart(lines, at):
            continue
        yield _completed(lines, at, *found)
        tables += 1
        if tables == MOST_TABLES:
            return


def _is_set_apart(lines: Sequence[str], at: int) -> bool:
    """Whether something else than blanks sets apart as many cells in this line as in a row below: blanks are no
    separators then, they stand within the labels."""
    below = [line for line in lines[at + 1 : at + 6] if line.strip()]
    for separator in SEPARATORS:
        width = len(split_line(lines[at], separator))
        if (
            separator not in BLANKS
            and width > 2
            and any(width == len(split_line(b, separator)) for b in below)
        ):
            return True
    return False


def labels_found(lines: Sequence[str]) -> str:
    """The labels of the line that has most, quoted, for a message; "" where no line has two."""
    for separators in ([mark for mark in SEPARATORS if mark not in BLANKS], BLANKS):  # labels may hold blanks
        rows = [split_line(line, mark) for line in lines[:HEAD_LINES] for mark in separators]
        named = [[cell.strip() for cell in row if any(map(str.isalpha, cell))] for row in rows]
        best = max(named, key=len, default=[])
        if len(best) > 1:
            return ", ".join(f"'{label}'" for label in best[:MOST_LABELS_TOLD])
    return ""


def layout_at(lines: Sequence[str], at: int) -> Layout:
    """The table whose labels stand in a known line."""
    alone = ("\t", (split_label(lines[at]),))  # a line that is none of labels: nothing will be found in it
    separator, labels = max(_readings(lines[at]), key=lambda reading: _score(reading, bool), default=alone)
    return _completed(lines, at, separator, labels)


def roles_in(labels: Sequence[Label]) -> frozenset[str]:
    """The roles that columns of these labels may have."""
    return frozenset(role for label in labels for role in label.roles)


def _score(
    reading: tuple[str, tuple[Label, ...]], wanted: Callable[[frozenset[str]], bool]
) -> tuple[bool, bool, int, int]:
    separator, labels = reading
    roles = roles_in(labels)
    return wanted(roles), separator not in BLANKS, len(roles), -SEPARATORS.index(separator)


def _readings(line: str) -> Iterator[tuple[str, tuple[Label, ...]]]:
    for separator in SEPARATORS:
        if separator.strip(" ") and separator not in line:
            continue
        cells = split_line(line, separator)
        if 1 < len(cells) <= MOST_COLUMNS and not any(
            _NUMBER.match(cell) for cell in cells[:3] if cell.strip()
        ):
            yield separator, tuple(split_label(cell) for cell in cells)


def _completed(lines: Sequence[str], at: int, separator: str, labels: tuple[Label, ...]) -> Layout:
    while labels and not labels[-1].text:
        labels = labels[:-1]
    nested = next((k for k, label in enumerate(labels) if label.text), 0)
    outer = tuple(split_label(cell) for cell in split_line(lines[at - 1], separator)) if nested and at else ()
    if not (roles_in(outer) and _leading(outer) < nested):
        nested, outer = 0, ()
    labels, rows_separator, first = _rows(lines, at, separator, labels)
    return Layout(at, labels, rows_separator, first, nested, outer)


def _leading(labels: Sequence[Label]) -> int:
    return next((k for k, label in enumerate(labels) if label.text), len(labels))


def _rows(
    lines: Sequence[str], at: int, separator: str, labels: tuple[Label, ...]
) -> tuple[tuple[Label, ...], str, int]:
    """Labels with the units of a row below them, what separates the rows, and the index of the first."""
    for k in range(at + 1, min(at + 400, len(lines))):
        line = lines[k]
        if line == lines[at] or not line.strip():  # the labels once more say nothing
            continue
        units = split_line(line, separator)
        if (with_units := _with_units(labels, units)) is not None:
            labels = with_units
            continue
        named = tuple(label for label in labels if label.text)  # of labels set apart by two tabs, rows by one
        for row_separator in dict.fromkeys((separator, *SEPARATORS)):
            cells = split_line(line, row_separator)
            if _is_row(cells, labels):
                return labels, row_separator, k
            if (
                labels
                and labels[0].text
                and len(cells) == len(named)
                and all(cells)
                and _is_row(cells, named)
            ):
                return named, row_separator, k
        if (any(character.isdigit() for character in line) and k > at + 1) or _is_torn_row(units, labels):
            return labels, separator, k
    return labels, separator, at + 1


def _is_row(cells: Sequence[str], labels: Sequence[Label]) -> bool:
    """As many cells as labels, and where a number belongs there is one."""
    while len(cells) > len(labels) and not cells[-1].strip():
        cells = cells[:-1]
    last = max((k for k, label in enumerate(labels) if set(label.roles) & set(QUANTITY)), default=0)
    if not last < len(cells) <= len(labels):
        return False
    known = [cells[k] for k, label in enumerate(labels[: len(cells)]) if set(label.roles) & set(QUANTITY)]
    return any(is_value(cell) for cell in known) and all(is_value(cell) or is_empty(cell) for cell in known)


def _is_torn_row(cells: Sequence[str], labels: Sequence[Label]) -> bool:
    return len(cells) >= len(labels) // 2 and any(_NUMBER.match(cell.strip()) for cell in cells)


def _with_units(labels: tuple[Label, ...], cells: Sequence[str]) -> tuple[Label, ...] | None:
    """The labels with the units of this row, None where it is no row of units."""
    if any(is_value(cell) for cell in cells if plain_unit(cell) not in ("1", "-")) or len(cells) < 2:
        return None
    fitting = 0
    with_units = []
    for label, cell in zip(labels, [*cells, *[""] * (len(labels) - len(cells))], strict=False):
        unit = plain_unit(cell)
        fits = bool(unit) and any(_fits(role, unit) for role in label.roles)
        fitting += fits
        if label.roles and unit and (label.unit is None or label.loose):
            label = replace(label, unit=unit, loose=False)
        elif fits and label.unit is not None and not _same(label, unit):
            label = replace(label, unit=f"{label.unit}, and {unit} below")
        with_units.append(label)
    return tuple(with_units) if fitting else None


def _same(label: Label, unit: str) -> bool:
    """Whether the unit below says what the label says."""
    quantities = {QUANTITY[role] for role in label.roles if role in QUANTITY}
    return any(scale_of(one, label.unit or "") == scale_of(one, unit) is not None for one in quantities)


def _fits(role: str, unit: str) -> bool:
    return role in QUANTITY and (scale_of(QUANTITY[role], unit) is not None or ":" in unit)
