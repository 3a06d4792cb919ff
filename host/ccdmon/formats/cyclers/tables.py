"""Text tables of cyclers: recognised, read in blocks, and made into the columns of a trace.

`recognise` finds the table and its dialect in the first lines; `read_text` reads the rest. What a file does not tell is
refused in one line, or assumed and noted.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.columns import (
    Chosen,
    Column,
    ColumnMap,
    advice,
    choose,
    find_entry,
    mapped,
    parse_map,
)
from ccdmon.formats.cyclers.dialect import IMPEDANCE_LINE, Columns, Dialect
from ccdmon.formats.cyclers.dialects import DIALECTS, PLAIN
from ccdmon.formats.cyclers.electrodes import cell_voltage
from ccdmon.formats.cyclers.signs import all_rest, signed
from ccdmon.formats.cyclers.time_axis import DATES_FROM, BadTimeError, choose_time, remarks, seconds_of
from ccdmon.formats.opening import text_blocks
from ccdmon.formats.tables.layout import (
    HEAD_LINES,
    SEPARATORS,
    Layout,
    find_layouts,
    is_empty,
    is_value,
    layout_at,
    split_line,
)
from ccdmon.formats.tables.labels import Label, split_label
from ccdmon.formats.tables.numbers import number
from ccdmon.formats.tables.rows import RowReader, Rows
from ccdmon.formats.tables.units import scale_of
from ccdmon.formats.tables.vocabulary import key_of
from ccdmon.model.trace import FloatArray

ROLES = ("time", "step_time", "date", "voltage", "counter_voltage", "current", "set_current", "pressure", "temperature",
         "cycle", "step", "state", "frequency")  # fmt: skip
TIMES = ("time", "step_time", "date")
OPTIONAL = frozenset(
    (
        "counter_voltage",
        "pressure",
        "temperature",
        "cycle",
        "step",
        "step_time",
        "date",
        "set_current",
        "frequency",
    )
)
FIELDS = {
    "pressure": "pressure_Pa",
    "temperature": "temperature_degC",
    "cycle": "cycle_count",
    "step": "step_count",
}
MAP_ROLES = {"time": "time", "voltage": "voltage", "current": "current", "pressure": "pressure",
             "temperature": "temperature", "cycle": "cycle", "step": "step", "state": "state"}  # fmt: skip
IMPLAUSIBLE_V = 200.0
LEAST_TEST = 0.05  # of the rows: fewer, between impedance scans, are the wait before each of them


def is_test(roles: frozenset[str]) -> bool:
    """Whether columns of these roles make a test in time."""
    return bool(roles & set(TIMES)) and "voltage" in roles


def is_impedance(layout: Layout) -> bool:
    """Whether the table has a frequency that is one: with its unit, or beside an impedance."""
    roles = {role for label in layout.labels for role in label.roles}
    sure = any(
        "frequency" in label.roles and label.unit and scale_of("frequency", label.unit)
        for label in layout.labels
    )
    return "frequency" in roles and (sure or {"real", "magnitude"} & roles != set())


def lines_of(block: bytes) -> list[str]:
    """The lines of a block; not splitlines(), which would also split at an ellipsis of a Western code page."""
    return block.decode("utf-8", "replace").removesuffix("\n").split("\n")


def read_text(source: Path | bytes, name: str, columns: str | None, *, salvage: bool) -> tuple[str, Columns]:
    """(kind, columns) of a text file. Raises `InputError`: file, line and column, what to do."""
    blocks = text_blocks(source, name)
    head = lines_of(next(blocks, b""))
    return read_lines(head, (lines_of(block) for block in blocks), name, columns, salvage=salvage)


def read_lines(
    head: list[str], more: Iterable[list[str]], name: str, columns: str | None, *, salvage: bool = False
) -> tuple[str, Columns]:
    """As `read_text`, for lines: the first of them, and the blocks that follow."""
    map_ = parse_map(columns, MAP_ROLES) if columns else None
    dialect, layout = recognise(head, name, map_)
    return dialect.kind, read_layout(dialect, layout, head, more, name, map_, salvage)


def recognise(lines: Sequence[str], name: str, map_: ColumnMap | None = None) -> tuple[Dialect, Layout]:
    """The dialect and the table of a file's first lines. Raises `InputError` where there is none."""
    for dialect in DIALECTS:
        if dialect.only_impedance(lines[:HEAD_LINES]):
            raise InputError(f"{name}: {IMPEDANCE_LINE}")
        at = dialect.header_line(lines[:HEAD_LINES]) if dialect.header_line else None
        if at is not None:
            return dialect, layout_at(lines, at)
    layouts = _mapped_layouts(lines, map_, name) if map_ else list(find_layouts(lines, is_test))
    if not layouts:
        impedance = any(
            is_impedance(layout) for layout in find_layouts(lines, lambda roles: "frequency" in roles)
        )
        if impedance:
            raise InputError(f"{name}: {IMPEDANCE_LINE}")
        raise _unknown(lines, name)
    layout = _best(layouts, name)
    dialect = next(
        (d for d in DIALECTS if d.header_line is None and d.fits(lines[:HEAD_LINES], layout)), PLAIN
    )
    return dialect, layout


def _best(layouts: list[Layout], name: str) -> Layout:
    """The fullest table; two with different labels are two tests."""

    def fullness(layout: Layout) -> int:
        return len(
            {role for label in layout.labels for role in label.roles} & {"time", "voltage", "current", "date"}
        )

    best = max(layouts, key=fullness)
    texts = [label.text for label in best.labels]
    for other in layouts:
        if (
            other.at != best.at
            and fullness(other) == fullness(best)
            and [label.text for label in other.labels] != texts
        ):
            raise InputError(
                f"{name}: two tables with different columns (lines {best.at + 1} and {other.at + 1}); split the file"
            )
    return best


def _mapped_layouts(lines: Sequence[str], map_: ColumnMap, name: str) -> list[Layout]:
    """The table whose labels include those of the map; without any label in the map, the first rows of numbers."""
    named = [entry for entry in map_.entries if entry.number is None]
    if not named:
        found = list(find_layouts(lines, is_test))[:1]
        return found or [unlabelled(lines, name)]
    for at, line in enumerate(lines[:HEAD_LINES]):
        for separator in SEPARATORS:
            labels = [Label(cell.strip(), cell.strip()) for cell in split_line(line, separator)]
            if len(labels) > 1 and all(find_entry(entry, layout_labels(line, separator)) for entry in named):
                return [layout_at(lines, at)]
    wanted = ", ".join(entry.label for entry in named)
    raise InputError(f"{name}: no line holds all the labels of {map_.option} ({wanted}); mend the map")


def layout_labels(line: str, separator: str) -> list[Label]:
    """The labels of a line."""
    return [split_label(cell) for cell in split_line(line, separator)]


def unlabelled(lines: Sequence[str], name: str) -> Layout:
    """The table of a text without labels: its first two lines of as many numbers each. Raises `InputError`."""
    for at, line in enumerate(lines[:HEAD_LINES]):
        for separator in SEPARATORS:
            cells = split_line(line, separator)
            if len(cells) > 1 and all(is_value(cell) for cell in cells):
                return Layout(
                    at - 1, tuple(Label(f"#{k + 1}", f"#{k + 1}") for k in range(len(cells))), separator, at
                )
    raise InputError(f"{name}: no rows of numbers in it; nothing to read")


def _unknown(lines: Sequence[str], name: str) -> InputError:
    shown = " ".join(next((line for line in lines if line.strip()), "nothing").split())[:60]
    return InputError(
        f"{name}: not a file that ccdmon knows (it begins: {shown}); name its columns with --columns "
        f"time=...,voltage=...,current=..."
    )


# -- columns


def read_layout(
    dialect: Dialect, layout: Layout, head: list[str], more: Iterable[list[str]], name: str, map_: ColumnMap | None,
    salvage: bool,
) -> Columns:  # fmt: skip
    """The columns of a trace from the table. Raises `InputError`."""
    chosen = _chosen(dialect, layout, head, name, map_)
    textual = {
        role
        for role in (*TIMES, "state")
        if role in chosen.columns and _is_text(chosen.columns[role], layout, head)
    }
    _refuse_unitless(chosen, textual, dialect, name, layout)
    places = {role: column.at for role, column in chosen.columns.items()}
    outer = next((k for k, label in enumerate(layout.outer) if "state" in label.roles), None)
    if outer is not None and "state" not in places:
        places["state"] = -1
        textual.add("state")
    reader = RowReader(
        layout,
        {role: at for role, at in places.items() if role not in textual},
        {role: at for role, at in places.items() if role in textual},
        f"{name}: {dialect.kind}",
        needed=[role for role in ("voltage", "current") if role in places] + _time_needed(places),
        outer=outer,
        above=[line.strip() for line in head[layout.at + 1 : layout.first] if line.strip()],
        row_begin=dialect.row_begin,
        decimal=chosen.decimal,
        salvage=salvage,
    )
    for lines in chain([head[layout.first :]], more):
        reader.feed(lines)
    return _assembled(reader.finish(), chosen, dialect, layout, head, f"{name}: {dialect.kind}", salvage)


def read_arrays(
    dialect: Dialect, labels: Sequence[str], arrays: Sequence[np.ndarray], name: str, map_: ColumnMap | None = None,
    *, asked_V: FloatArray | None = None,
) -> Columns:  # fmt: skip
    """The columns of a trace from labelled columns in memory (a binary, Parquet, a data frame). Raises `InputError`."""
    layout = Layout(0, tuple(split_label(label) for label in labels), ",", 0)
    chosen = _chosen(dialect, layout, [], name, map_)
    textual = {r for r, column in chosen.columns.items() if arrays[column.at].dtype.kind in "OUS"}
    _refuse_unitless(chosen, textual | {"date"}, dialect, name, layout)
    rows = Rows(lines=np.arange(1, len(arrays[0]) + 1, dtype=np.int32))
    for role, column in chosen.columns.items():
        values = arrays[column.at]
        if role in textual:
            rows.texts[role] = ["" if cell is None else str(cell) for cell in values.tolist()]
        else:
            with np.errstate(invalid="ignore"):
                rows.floats[role] = np.ascontiguousarray(values, dtype=np.float64)
    if asked_V is not None:
        rows.floats["asked"] = asked_V
    _refuse_infinite(rows, chosen, f"{name}: {dialect.kind}")
    return _assembled(rows, chosen, dialect, layout, [], f"{name}: {dialect.kind}", salvage=False)


def _refuse_infinite(rows: Rows, chosen: Chosen, where: str) -> None:
    for role, values in rows.floats.items():
        if role in chosen.columns and (bad := np.flatnonzero(np.isinf(values))).size:
            label = chosen.columns[role].label.text
            raise InputError(
                f"{where}: data row {bad[0]}, column '{label}': infinite, and no number; mend it"
            )


def _time_needed(places: dict[str, int]) -> list[str]:
    return [role for role in TIMES if role in places][:1]


def _chosen(dialect: Dialect, layout: Layout, head: list[str], name: str, map_: ColumnMap | None) -> Chosen:
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


def _refuse_unitless(chosen: Chosen, textual: set[str], dialect: Dialect, name: str, layout: Layout) -> None:
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


# -- values


def _assembled(
    rows: Rows, chosen: Chosen, dialect: Dialect, layout: Layout, head: list[str], where: str, salvage: bool
) -> Columns:
    notes = chosen.notes + rows.notes
    rows, scans = _without_scans(rows, where)
    notes += scans
    values: dict[str, FloatArray] = {
        FIELDS[role]: _scaled(rows.floats[role], chosen.columns[role])
        for role in FIELDS
        if role in rows.floats
    }
    values = {field: column for field, column in values.items() if np.isfinite(column).any()}
    values["voltage_V"], told = _voltage(rows, chosen, dialect.controlled_on(head[: layout.first]))
    notes += told
    _refuse_implausible(values["voltage_V"], chosen, where)
    times, date_s, told = _times(rows, chosen, where, salvage)
    values["test_time_s"] = times
    if date_s is not None:
        values["unix_time_s"] = date_s
    notes += told
    values["current_A"], told = _current(rows, chosen, dialect, layout, head, where)
    notes += told + _joined_parts(rows, times, where)
    return Columns(values, notes)


def _scaled(values: FloatArray, column: Column) -> FloatArray:
    return (
        values * column.scale.factor + column.scale.zero
        if column.scale.zero
        else values * column.scale.factor
    )


def _without_scans(rows: Rows, where: str) -> tuple[Rows, list[str]]:
    """Without the rows of impedance scans: they hold means over a sine, not the test."""
    if "frequency" not in rows.floats:
        return rows, []
    test = ~(rows.floats["frequency"] > 0)
    if test.mean() < LEAST_TEST:
        raise InputError(f"{where}: {IMPEDANCE_LINE}")
    if test.all():
        return rows, []
    kept = Rows(
        {column: values[test] for column, values in rows.floats.items()},
        {
            column: [cell for cell, good in zip(cells, test, strict=True) if good]
            for column, cells in rows.texts.items()
        },
        rows.lines[test],
    )
    return kept, [f"left out {int((~test).sum())} rows of impedance scans"]


def _voltage(rows: Rows, chosen: Chosen, told: str | None) -> tuple[FloatArray, list[str]]:
    voltage_V = _scaled(rows.floats["voltage"], chosen.columns["voltage"])
    if "minus" in rows.floats:  # asked for as a difference
        return voltage_V - _scaled(rows.floats["minus"], chosen.columns["minus"]), []
    if "counter_voltage" not in rows.floats or key_of(chosen.columns["voltage"].label.name) not in (
        "ewe",
        "<ewe>",
    ):
        return voltage_V, []
    counter_V = _scaled(rows.floats["counter_voltage"], chosen.columns["counter_voltage"])
    return cell_voltage(voltage_V, counter_V, told, rows.floats.get("asked"))


def _refuse_implausible(voltage_V: FloatArray, chosen: Chosen, where: str) -> None:
    known = np.abs(voltage_V[np.isfinite(voltage_V)])
    column = chosen.columns["voltage"]
    if (
        known.size
        and float(np.median(known)) > IMPLAUSIBLE_V
        and not (column.label.unit or "").startswith("k")
    ):
        raise InputError(
            f"{where}: column '{column.label.text}': {float(np.median(known)):.4g} V is no voltage of a cell; if the "
            f"column is in mV, say --columns {advice({**chosen.columns, 'voltage': _in_mV(column)}, _in_map(chosen), {})}"
        )


def _in_mV(column: Column) -> Column:
    from dataclasses import replace

    return replace(column, label=replace(column.label, unit="mV"))


def _in_map(chosen: Chosen) -> tuple[str, ...]:
    return tuple(role for role in ("time", "date", "voltage", "current") if role in chosen.columns and not (
        role == "date" and "time" in chosen.columns))  # fmt: skip


def _times(
    rows: Rows, chosen: Chosen, where: str, salvage: bool
) -> tuple[FloatArray, FloatArray | None, list[str]]:
    seconds: dict[str, FloatArray] = {}
    notes: list[str] = []
    for role in TIMES:
        column = chosen.columns.get(role)
        if column is None:
            continue
        if role in rows.floats:
            values, dates, told = rows.floats[role], False, []
            if role != "date":
                values = _scaled(values, column)
        elif role == "date" and "time" in seconds and len(rows) > 2_000_000:
            continue
        else:
            try:
                values, dates, told = seconds_of(rows.texts[role], salvage=salvage)
            except BadTimeError as error:
                if role == "date" and len(chosen.columns.keys() & set(TIMES)) > 1:
                    continue  # there is another time
                line = f"line {rows.lines[error.row or 0]}, column '{column.label.text}'"
                raise InputError(
                    f"{where}: {line}: {error.what}; mend it, or keep the readable rows with --salvage"
                ) from None
        if role == "date" and not dates:
            if (scaled := _unix(values)) is None:
                continue
            values, dates = scaled, True
        told = told if role != "date" or "time" not in seconds else []
        seconds["date" if dates and role == "time" and "date" not in chosen.columns else role] = values
        notes += told
    step = next((rows.floats[r] for r in ("step", "cycle") if r in rows.floats), None)
    if step is None and "state" in rows.texts:
        words = {word: k for k, word in enumerate(dict.fromkeys(rows.texts["state"]))}
        step = np.array([words[word] for word in rows.texts["state"]], dtype=np.float64)
    if not seconds:
        raise InputError(f"{where}: no column of it can be read as a time; say which with --columns time=...")
    time_s, date_s, told = choose_time(
        seconds.get("time"), seconds.get("step_time"), seconds.get("date"), step
    )
    return time_s, date_s, notes + told + remarks(time_s)


def _unix(values: FloatArray) -> FloatArray | None:
    """Numbers in a column of dates: seconds or milliseconds since 1970, days of a spreadsheet; None for others."""
    known = values[np.isfinite(values)]
    low = float(known.min()) if known.size else 0.0
    if low > 1e11:
        return values * 1e-3
    if low > DATES_FROM:
        return values
    return (values - 25569.0) * 86400.0 if 20000 < low < 80000 else None


def _current(
    rows: Rows, chosen: Chosen, dialect: Dialect, layout: Layout, head: list[str], where: str
) -> tuple[FloatArray, list[str]]:
    states = rows.texts.get("state", [])
    if "current" in rows.floats:
        current_A = _scaled(rows.floats["current"], chosen.columns["current"])
        notes: list[str] = []
        if states and not all(re.fullmatch(r"[\d.,\s]*", word) for word in set(states)):
            current_A, notes, word = signed(current_A, states)
            if word is not None:
                raise InputError(
                    f"{where}: currents have no sign, and the state '{word}' tells no direction; give the current its sign"
                )
        if not (current_A < 0).any() and (rows.floats["voltage"][current_A > 0] < 0).any():
            notes.append(
                "the current is never negative though the voltage is: if the file leaves its sign out, give it back"
            )
        return current_A, notes
    if chosen.no_current:
        return np.zeros(len(rows)), ["no current: taken as zero, as --columns says"]
    if "set_current" in rows.floats:
        note = "no measured current in the file: the one asked for is taken"
        return _scaled(rows.floats["set_current"], chosen.columns["set_current"]), [note]
    if dialect.resting(head[: layout.first]) or all_rest(states):
        return np.zeros(len(rows)), ["no current in the file, which says that the cell rested: taken as zero"]
    raise InputError(
        f"{where}: line {layout.at + 1} names no column for the current (found: {layout.shown}); say which with --columns, or, "
        f"if the cell rested, --columns {advice(chosen.columns, _in_map(chosen), {})},current=0"
    )


def _joined_parts(rows: Rows, time_s: FloatArray, where: str) -> list[str]:
    """Tables one below the other are one test if time goes on."""
    if len(rows.parts) < 2:
        return []
    for part in rows.parts[1:]:
        if 0 < part.row < len(time_s) and time_s[part.row] < time_s[part.row - 1]:
            raise InputError(
                f"{where}: the table of line {part.line} begins anew at {time_s[part.row]:g} s: several tests in one "
                f"file; split it"
            )
    return [f"{len(rows.parts)} tables one below the other are read as one test"]
