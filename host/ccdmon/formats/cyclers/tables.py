"""Tables of cyclers: read in blocks, and made into the columns of a trace.

`recognise` finds the table and its dialect in the first lines, `columns` what is what, `values` makes numbers a
trace. What
a file does not tell is refused in one line, or assumed and noted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.column_map import ColumnMap, parse_map
from ccdmon.formats.cyclers.columns import Chosen, Column, advice, choose, mapped
from ccdmon.formats.cyclers.dialect import Columns, Dialect
from ccdmon.formats.cyclers.recognise import TIMES, is_impedance, recognise
from ccdmon.formats.cyclers.values import assembled
from ccdmon.formats.opening import text_blocks
from ccdmon.formats.tables.layout import Layout, is_empty, split_line
from ccdmon.formats.tables.lines import notes_of_parts
from ccdmon.formats.tables.numbers import number
from ccdmon.formats.tables.rows import RowReader, Rows, block_of, lines_of

ROLES = ("time", "step_time", "date", "voltage", "counter_voltage", "current", "set_current", "pressure", "temperature",
         "cycle", "step", "state", "frequency")  # fmt: skip
OPTIONAL = frozenset(ROLES) - {"time", "voltage", "current", "state"}  # may be in a unit that nobody knows
MAP_ROLES = {"time": "time", "voltage": "voltage", "current": "current", "pressure": "pressure",
             "temperature": "temperature", "cycle": "cycle", "step": "step", "state": "state"}  # fmt: skip


@dataclass
class TextTable:
    """A table of a text on its way: what it is, what its columns are, and the reader of its rows."""

    dialect: Dialect
    layout: Layout
    head: list[str]
    chosen: Chosen
    reader: RowReader
    textual: set[str]
    where: str
    salvage: bool

    @classmethod
    def begin(cls, head: list[str], name: str, columns: str | None, *, salvage: bool = False) -> "TextTable":
        """From the first lines of the text. Raises `InputError`: file, line and column, what to do."""
        map_ = parse_map(columns, MAP_ROLES) if columns else None
        dialect, layout = recognise(head, name, map_)
        chosen = chosen_columns(dialect, layout, head, name, map_)
        textual = {
            role
            for role in (*TIMES, "state")
            if role in chosen.columns and _is_text(chosen.columns[role], layout, head)
        }
        refuse_unitless(chosen, textual, dialect, name, layout)
        reader = _reader(dialect, layout, head, chosen, textual, f"{name}: {dialect.kind}", salvage)
        return cls(dialect, layout, head, chosen, reader, textual, f"{name}: {dialect.kind}", salvage)

    @property
    def is_simple(self) -> bool:
        """Whether each row stands for itself: numbers, a time since the start, no word for a step or a sign."""
        has = self.chosen.columns.keys()
        return not self.textual and {"time", "voltage", "current"} <= has and "frequency" not in has

    def blocks(self, more: Iterable[bytes]) -> Iterator[bytes]:
        """The rows: those among the first lines, and the blocks that follow."""
        return chain([block_of(self.head[self.layout.first :])], more)

    def columns(self, rows: Rows) -> Columns:
        """What a trace takes of these rows."""
        chosen = replace(self.chosen, notes=list(self.chosen.notes))
        return assembled(rows, chosen, self.dialect, self.layout, self.head, self.where, self.salvage)


def read_text(source: Path | bytes, name: str, columns: str | None, *, salvage: bool) -> tuple[str, Columns]:
    """(kind, columns) of a text file. Raises `InputError`: file, line and column, what to do."""
    blocks = text_blocks(source, name)
    head = lines_of(next(blocks, b""))
    return read_lines(head, blocks, name, columns, salvage=salvage)


def read_lines(
    head: list[str], more: Iterable[bytes], name: str, columns: str | None, *, salvage: bool = False
) -> tuple[str, Columns]:
    """As `read_text`, for the first lines and the blocks that follow."""
    table = TextTable.begin(head, name, columns, salvage=salvage)
    for _ in table.reader.feed(table.blocks(more)):
        pass
    return table.dialect.kind, table.columns(table.reader.finish())


def iter_text(source: Path, name: str, columns: str | None) -> Iterator[tuple[str, Columns]]:
    """(kind, columns) in pieces, at constant memory where each row stands for itself; else in one."""
    blocks = text_blocks(source, name)
    table = TextTable.begin(lines_of(next(blocks, b"")), name, columns)
    if not table.is_simple:
        yield read_text(source, name, columns, salvage=False)
        return
    kind, held = table.dialect.kind, Rows()  # the last piece tells what was left out in all of them
    for _ in table.reader.feed(table.blocks(blocks)):
        rows = table.reader.taken()
        if len(rows) and len(held):
            yield kind, table.columns(held)
        held = rows if len(rows) else held
    rest = table.reader.finish()
    if len(rest) and len(held):
        yield kind, table.columns(held)
    last = rest if len(rest) else held
    yield kind, table.columns(replace(last, parts=[], notes=rest.notes + notes_of_parts(rest.parts)))


def _reader(
    dialect: Dialect, layout: Layout, head: list[str], chosen: Chosen, textual: set[str], where: str, salvage: bool
) -> RowReader:  # fmt: skip
    places = {role: column.at for role, column in chosen.columns.items()}
    outer = next((k for k, label in enumerate(layout.outer) if "state" in label.roles), None)
    if outer is not None and "state" not in places:
        places["state"] = -1
        textual.add("state")
    return RowReader(
        layout,
        {role: at for role, at in places.items() if role not in textual},
        {role: at for role, at in places.items() if role in textual},
        where,
        needed=[role for role in ("voltage", "current", *_time_needed(places)) if role in places],
        outer=outer,
        above=[line.strip() for line in head[layout.at + 1 : layout.first] if line.strip()],
        row_begin=dialect.row_begin,
        decimal=chosen.decimal,
        salvage=salvage,
    )


def _time_needed(places: dict[str, int]) -> list[str]:
    return [role for role in TIMES if role in places][:1]


def chosen_columns(
    dialect: Dialect, layout: Layout, head: list[str], name: str, map_: ColumnMap | None
) -> Chosen:
    where = f"{name}: {dialect.kind}"
    preferred = dict(dialect.names)
    notes: list[str] = []
    taken: Chosen = mapped(map_, layout, where) if map_ else Chosen()
    if dialect.controlled_on(head[: layout.first]) == "Ewe":
        preferred["voltage"] = ("ewe", "<ewe>", *preferred.get("voltage", ()))
    roles = [role for role in ROLES if not (map_ and role in TIMES and "time" in taken.columns)]
    if taken.no_current or (map_ and "current" in taken.columns):
        roles = [role for role in roles if role not in ("current", "set_current")]
    chosen = choose(layout, roles, where, dialect.units, preferred, dialect.kind, taken.columns, OPTIONAL)
    if "current" in chosen.columns and "set_current" in chosen.columns:
        del chosen.columns["set_current"]
    if "frequency" in chosen.columns and not is_impedance(layout):
        del chosen.columns["frequency"]
    chosen.notes = notes + taken.notes + chosen.notes
    chosen.no_current, chosen.decimal = taken.no_current, taken.decimal
    for role in ("voltage",):
        if role not in chosen.columns:
            raise InputError(
                f"{where}: line {layout.at + 1} names no column for the {role} (found: {layout.shown}); say which with "
                f"--columns"
            )
    return chosen


def _sample(column: Column, layout: Layout, head: list[str]) -> str:
    """The first cell of the column that is not empty."""
    for line in head[layout.first : layout.first + 500]:
        cells = split_line(line, layout.separator)
        if layout.nested and any(cell.strip() for cell in cells[: layout.nested]):
            continue
        if column.at < len(cells) and not is_empty(cells[column.at]):
            return cells[column.at].strip()
    return ""


def _is_text(column: Column, layout: Layout, head: list[str]) -> bool:
    if "state" in column.label.roles:
        return True
    cell = _sample(column, layout, head)
    try:
        number(cell, "." if "," not in cell else ",")
    except ValueError:
        return True
    return False


def refuse_unitless(chosen: Chosen, textual: set[str], dialect: Dialect, name: str, layout: Layout) -> None:
    """What nothing tells a unit for is refused; a temperature is taken in degC, and that is said."""
    for role in [role for role, column in chosen.columns.items() if column.unitless]:
        label = chosen.columns[role].label.text
        if role in textual:
            continue
        if role == "temperature":
            chosen.notes.append(f"column '{label}' tells no unit: taken in degC")
        elif role in ("time", "voltage", "current") and not (role == "time" and chosen.columns[role].clock):
            known = {
                role: column
                for role, column in chosen.columns.items()
                if role in ("time", "voltage", "current")
            }
            told = advice(known, tuple(known) if "current" in known else ("time", "voltage", "current"), {})
            raise InputError(
                f"{name}: {dialect.kind}: line {layout.at + 1}, column '{label}': nothing tells its unit; say it, as "
                f"--columns {told}"
            )
        elif role != "date":
            del chosen.columns[role]
            if role in ("pressure",):
                chosen.notes.append(f"column '{label}' tells no unit: left out")
