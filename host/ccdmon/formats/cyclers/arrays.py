"""Labelled columns in memory (a binary's, a Parquet file's) as those of a trace."""

from collections.abc import Sequence

import numpy as np

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.column_map import ColumnMap
from ccdmon.formats.cyclers.columns import Chosen
from ccdmon.formats.cyclers.dialect import Columns, Dialect
from ccdmon.formats.cyclers.recognise import TIMES
from ccdmon.formats.cyclers.tables import chosen_columns, refuse_unitless
from ccdmon.formats.cyclers.values import assembled
from ccdmon.formats.tables.labels import Label
from ccdmon.formats.tables.layout import Layout, is_empty, is_value
from ccdmon.formats.tables.numbers import Marks, NotANumberError, numbers
from ccdmon.formats.tables.rows import Rows
from ccdmon.model.trace import FloatArray


def read_arrays(
    dialect: Dialect, labels: Sequence[Label], arrays: Sequence[np.ndarray], name: str, map_: ColumnMap | None = None,
    *, asked_V: FloatArray | None = None,
) -> Columns:  # fmt: skip
    """The columns of a trace from labelled columns in memory (a binary, Parquet, a data frame). Raises `InputError`."""
    layout = Layout(0, tuple(labels), ",", 0)
    chosen = chosen_columns(dialect, layout, [], name, map_)
    arrays = [_numbers_of_text(values, chosen.decimal) for values in arrays]
    textual = {r for r, column in chosen.columns.items() if arrays[column.at].dtype.kind in "OUS"}
    _refuse_text(textual - {*TIMES, "state"}, chosen, arrays, f"{name}: {dialect.kind}")
    refuse_unitless(chosen, textual | {"date"}, dialect, name, layout)
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
    return assembled(rows, chosen, dialect, layout, [], f"{name}: {dialect.kind}", salvage=False)


def _numbers_of_text(values: np.ndarray, decimal: str | None) -> np.ndarray:
    """A column of texts that are all numbers as such; any other as it is."""
    if values.dtype.kind not in "OUS":
        return values
    cells = ["" if cell is None else str(cell) for cell in values.tolist()]
    marks = Marks(decimal)
    if decimal is None:
        marks.see(cells)
    try:
        return numbers(cells, marks.mark or "") if any(map(str.strip, cells)) else values
    except (NotANumberError, KeyError):
        return values


def _refuse_text(roles: set[str], chosen: Chosen, arrays: Sequence[np.ndarray], where: str) -> None:
    """Text where numbers belong: the first cell that is none."""
    for role in roles:
        column = chosen.columns[role]
        cells = [str(cell) for cell in arrays[column.at].tolist()]
        row = next((row for row, cell in enumerate(cells) if not is_empty(cell) and not is_value(cell)), None)
        if row is None:
            marks = Marks()
            marks.see(cells)
            raise InputError(f"{where}: column '{column.label.text}': {marks.doubt}")
        raise InputError(
            f"{where}: data row {row}, column '{column.label.text}': {cells[row][:40]!r} is not a number; mend it"
        )


def _refuse_infinite(rows: Rows, chosen: Chosen, where: str) -> None:
    for role, values in rows.floats.items():
        if role in chosen.columns and (bad := np.flatnonzero(np.isinf(values))).size:
            label = chosen.columns[role].label.text
            raise InputError(
                f"{where}: data row {bad[0]}, column '{label}': infinite, and no number; mend it"
            )
