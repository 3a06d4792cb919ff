"""Text files of cyclers: what a dialect declares, and the one reader that follows the declaration.

A dialect says how its file is recognised, in which line the column labels stand and what its columns are called; units
come from the labels, the field separator and the decimal mark from the rows. A file without the columns, or with text
where a number belongs, is refused by line and column; `salvage` keeps the rows that can be read.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.clock import column_seconds, seconds_of
from ccdmon.formats.cyclers.headers import separator_of
from ccdmon.formats.cyclers.labels import split_label, unit_factor
from ccdmon.formats.cyclers.plain_numbers import read_numbers, with_point
from ccdmon.model.trace import FloatArray

REQUIRED = ("test_time_s", "voltage_V", "current_A")
Names = Mapping[str, tuple[str, ...]]  # trace field -> labels without unit, in small letters, best first
IMPEDANCE_LINE = "impedance, not a test in time; give it to analyze with --eis-before or --eis-after"
HEAD_LINES = 2000  # a header is not longer


@dataclass(frozen=True)
class Dialect:
    """One kind of text file. `header_line` returns the index of the line with the labels, None: not such a file."""

    kind: str
    header_line: Callable[[Sequence[str]], int | None]
    names: Names
    units: Mapping[str, str] = field(default_factory=dict)  # where a label tells none
    units_win: bool = False  # ... or over what the label tells
    rows_after: int = 1  # the rows begin so many lines below the labels
    row_begin: str = ""  # the table ends at the first line that begins otherwise
    scan: str | None = None  # column above zero in the rows of an impedance scan, which are left out
    state: tuple[str, ...] = ()  # column that tells charge from discharge where currents carry no sign
    discharging: tuple[str, ...] = ("d", "discharge")  # what that column begins with


@dataclass
class Columns:
    """What was read: columns by trace field, all of shape (rows,), and what had to be left out."""

    values: dict[str, FloatArray]
    notes: list[str]


@dataclass(frozen=True)
class _Place:
    """Where a trace's column stands in the file."""

    at: int
    label: str
    factor: float
    is_time: bool
    needed: bool


def read_dialect(dialect: Dialect, lines: Sequence[str], name: str, *, salvage: bool = False) -> Columns:
    """Columns of a whole file. Raises `InputError`: file, line and column, what to do."""
    at = dialect.header_line(lines[:HEAD_LINES])
    assert at is not None, "the dialect was recognised by this line"
    separator = separator_of(lines[at])
    labels = next(csv.reader([lines[at]], delimiter=separator))
    units_row = _units_row(lines, at, separator) if dialect.rows_after > 1 else []
    notes: list[str] = []
    places = _places(dialect, labels, units_row, name, at, notes)
    first = at + dialect.rows_after
    table = _table(lines[first:], dialect.row_begin)
    mark = "" if separator == "," else ","  # what else than a point may be a decimal mark
    plain = not salvage and _find(labels, (dialect.scan, *dialect.state)) is None
    if plain and (quick := _quick(table, len(labels), places, separator, mark)) is not None:
        return Columns(quick, notes)
    rows, numbers = _rows(table, first, separator)
    if not rows:
        raise InputError(f"{name}: {dialect.kind}: no rows below line {first}; nothing to read")
    if (scan_at := _find(labels, (dialect.scan,))) is not None:
        rows, numbers = _without_scans(rows, numbers, scan_at, notes)
    values, kept = _values(rows, numbers, places, mark, name, salvage, notes)
    if (state_at := _find(labels, dialect.state)) is not None:
        values["current_A"] = _signed(values["current_A"], [rows[k] for k in kept], state_at, dialect)
    return Columns(values, notes)


def _quick(
    lines: Sequence[str], width: int, places: Mapping[str, "_Place"], separator: str, mark: str
) -> dict[str, FloatArray] | None:
    """All columns at once, None where anything is out of the ordinary."""
    fields = {column: place.at for column, place in places.items()}
    values = read_numbers(lines, width, fields, separator, mark or ".")
    if values is None or not len(values["test_time_s"]) or np.isnan(values["test_time_s"]).any():
        return None
    return {column: values[column] * place.factor for column, place in places.items()}


def _find(labels: Sequence[str], names: Sequence[str | None]) -> int | None:
    return next((k for k, label in enumerate(labels) if split_label(label)[0] in names), None)


def _without_scans(
    rows: list[list[str]], numbers: list[int], at: int, notes: list[str]
) -> tuple[list[list[str]], list[int]]:
    """Without the rows of impedance scans: they hold means over a sine, not the test."""
    kept = [k for k, row in enumerate(rows) if at >= len(row) or row[at].strip(" 0.,eE+-") == ""]
    if len(kept) < len(rows):
        notes.append(f"left out {len(rows) - len(kept)} rows of impedance scans")
    return [rows[k] for k in kept], [numbers[k] for k in kept]


def _units_row(lines: Sequence[str], at: int, separator: str) -> list[str]:
    return [cell.strip() for cell in lines[at + 1].split(separator)] if at + 1 < len(lines) else []


def _places(
    dialect: Dialect, labels: Sequence[str], units_row: Sequence[str], name: str, at: int, notes: list[str]
) -> dict[str, _Place]:
    places = {}
    split = [split_label(label) for label in labels]
    for column, names in dialect.names.items():
        found = next((k for wanted in names for k, (label, _) in enumerate(split) if label == wanted), None)
        if found is not None:
            told = split[found][1] or (units_row[found] if found < len(units_row) else None)
            place = _place(column, found, labels[found].strip(), told, dialect)
            if isinstance(place, _Place):
                places[column] = place
            elif column in REQUIRED:
                raise InputError(f"{name}: {dialect.kind}: line {at + 1}, {place}; say it with --columns")
            else:
                notes.append(f"{place}: left out")
    for column in REQUIRED:
        if column not in places:
            shown = ", ".join(label.strip() for label in labels if label.strip())[:120]
            what = column.rsplit("_", 1)[0].replace("_", " ")
            raise InputError(
                f"{name}: {dialect.kind}: line {at + 1} names no column for the {what} (found: {shown}); "
                f"say which with --columns"
            )
    return places


def _place(column: str, at: int, label: str, unit: str | None, dialect: Dialect) -> _Place | str:
    """The place, or what is wrong with it."""
    declared = dialect.units.get(column)
    unit = declared if declared and dialect.units_win else unit or declared
    is_time = column.endswith("time_s")
    factor = 1.0 if unit is None or (is_time and ":" in unit) else unit_factor(column, unit)
    return (
        f"column '{label}': the unit '{unit}' is not known"
        if factor is None
        else _Place(at, label, factor, is_time, column in REQUIRED)
    )


def _table(lines: Sequence[str], begin: str) -> Sequence[str]:
    end = next((k for k, line in enumerate(lines) if not line.startswith(begin)), len(lines))
    return lines[:end]


def _rows(lines: Sequence[str], first: int, separator: str) -> tuple[list[list[str]], list[int]]:
    """Fields of each line that holds any, and its line number from 1."""
    rows, numbers = [], []
    for number, cells in enumerate(csv.reader(lines, delimiter=separator), first + 1):
        if any(cell.strip() for cell in cells):
            rows.append(cells)
            numbers.append(number)
    return rows, numbers


def _values(
    rows: list[list[str]],
    numbers: list[int],
    places: dict[str, _Place],
    mark: str,
    name: str,
    salvage: bool,
    notes: list[str],
) -> tuple[dict[str, FloatArray], list[int]]:
    """Columns, and the indices of the rows they were made of."""
    kept = list(range(len(rows)))
    while True:
        try:
            return {c: _column([rows[k] for k in kept], p, mark) for c, p in places.items()}, kept
        except _CellError as error:
            row = kept[error.row]
            line = f"line {numbers[row]}, column '{error.label}': {error.text!r} is not a number"
            if not salvage:
                raise InputError(
                    f"{name}: {line}; mend it, or keep the readable rows with --salvage"
                ) from None
            bad = {k for k in kept if not _readable(rows[k], places, mark)}
            kept = [k for k in kept if k not in bad]
            notes.append(f"left out {len(bad)} unreadable lines, the first: {line}")


class _CellError(Exception):
    def __init__(self, row: int, label: str, text: str) -> None:
        self.row, self.label, self.text = row, label, " ".join(text.split())[:40]


def _column(rows: list[list[str]], place: _Place, mark: str) -> FloatArray:
    torn = next((k for k, row in enumerate(rows) if place.needed and place.at >= len(row)), None)
    if torn is not None:
        raise _CellError(torn, place.label, "")
    texts = [row[place.at].strip() if place.at < len(row) else "" for row in rows]
    texts = [with_point(text, mark) for text in texts]
    try:
        values = np.array([text or "nan" for text in texts], dtype=np.float64)
    except ValueError:
        values = _slow_column(texts, place)
    return values * place.factor


def _slow_column(texts: list[str], place: _Place) -> FloatArray:
    if place.is_time and any(":" in text for text in texts):
        try:
            return np.array(column_seconds(texts), dtype=np.float64)
        except ValueError:
            pass  # the row at fault is found below
    return np.array([_cell(text, row, place) for row, text in enumerate(texts)], dtype=np.float64)


def _cell(text: str, row: int, place: _Place) -> float:
    try:
        return seconds_of(text) if place.is_time and text else float(text or "nan")
    except ValueError:
        raise _CellError(row, place.label, text) from None


def _readable(row: list[str], places: Mapping[str, _Place], mark: str) -> bool:
    try:
        for column, place in places.items():
            value = _column([row], place, mark)[0]
            if column in REQUIRED and not np.isfinite(value):
                return False
    except _CellError:
        return False
    return True


def _signed(current: FloatArray, rows: list[list[str]], at: int, dialect: Dialect) -> FloatArray:
    """Currents without sign get that of their state: charge positive, discharge negative."""
    if (current < 0).any():
        return current
    states = [row[at].strip().lower() if at < len(row) else "" for row in rows]
    down = np.array([state.startswith(dialect.discharging) for state in states])
    return np.where(down, -current, current)
