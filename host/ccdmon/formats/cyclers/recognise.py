"""Which table of a text is the test, and whose habits it has: told by the first lines."""

from collections.abc import Sequence

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.column_map import ColumnMap, find_entry
from ccdmon.formats.cyclers.dialect import IMPEDANCE_LINE, Dialect
from ccdmon.formats.cyclers.dialects import DIALECTS, PLAIN
from ccdmon.formats.tables.labels import Label, split_label
from ccdmon.formats.tables.layout import (
    HEAD_LINES,
    SEPARATORS,
    Layout,
    find_layouts,
    is_value,
    labels_found,
    layout_at,
    split_line,
)
from ccdmon.formats.tables.units import scale_of

TIMES = ("time", "step_time", "date")


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
    there = labels_found(lines)
    has = f"; it has {there}" if there else ""
    raise InputError(f"{name}: no line holds all the labels of {map_.option} ({wanted}){has}; mend the map")


def layout_labels(line: str, separator: str) -> list[Label]:
    """The labels of a line."""
    return [split_label(cell) for cell in split_line(line, separator)]


def unlabelled(lines: Sequence[str], name: str) -> Layout:
    """The table of a text without labels: its first two lines of as many numbers each, else its first of numbers.

    Raises `InputError` where there is none.
    """
    alone = None
    for at, line in enumerate(lines[:HEAD_LINES]):
        for separator in SEPARATORS:
            if not (width := _width_of_numbers(line, separator)):
                continue
            labels = tuple(Label(f"#{k + 1}", f"#{k + 1}") for k in range(width))
            found = Layout(at - 1, labels, separator, at)
            if at + 1 < len(lines) and width == _width_of_numbers(lines[at + 1], separator):
                return found
            alone = alone or found
    if alone is None:
        raise InputError(f"{name}: no rows of numbers in it; nothing to read")
    return alone


def _width_of_numbers(line: str, separator: str) -> int:
    """How many cells the line has, 0 where it has one, or one that is no number."""
    cells = split_line(line, separator)
    while cells and not cells[-1].strip():
        cells.pop()
    return len(cells) if len(cells) > 1 and all(map(is_value, cells)) else 0


def _unknown(lines: Sequence[str], name: str) -> InputError:
    shown = " ".join(next((line for line in lines if line.strip()), "nothing").split())[:60]
    return InputError(
        f"{name}: not a file that ccdmon knows (it begins: {shown}); name its columns with --columns "
        f"time=...,voltage=...,current=..."
    )
