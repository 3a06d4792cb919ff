"""The test in a workbook: the sheet that holds one, or several that go on with one another."""

from pathlib import Path

import numpy as np

from ccdmon.errors import InputError
from ccdmon.formats.cyclers import tables
from ccdmon.formats.cyclers.dialect import Columns
from ccdmon.formats.workbook import sheets


def read_workbook(source: Path | bytes, name: str, columns: str | None, salvage: bool) -> Columns:
    """The sheet with a test in it; sheets with the same labels are one test, one after the other."""
    read: list[tuple[str, Columns]] = []
    refused: InputError | None = None
    for title, lines in sheets(source, name):
        try:
            if not any(line.strip() for line in lines):
                continue
            _, made = tables.read_lines(lines, (), f"{name}, sheet '{title}'", columns, salvage=salvage)
            read.append((title, made))
        except InputError as error:
            better = refused is None or "not a file that ccdmon knows" in str(refused)
            refused = error if better else refused
    if not read:
        raise refused or InputError(f"{name}: a workbook without cells; nothing to read")
    return _one_test(read, name)


def _one_test(read: list[tuple[str, Columns]], name: str) -> Columns:
    whole = max(read, key=lambda sheet: sheet[1].values["test_time_s"].size)
    extracts = [sheet[0] for sheet in read if sheet is not whole and _is_extract(sheet[1], whole[1])]
    read = [sheet for sheet in read if sheet[0] not in extracts]
    title, first = read[0]
    notes = list(first.notes)
    notes += [f"sheet '{extract}' repeats rows of '{whole[0]}': not read" for extract in extracts]
    values = first.values
    for other, more in read[1:]:
        last, begin = values["test_time_s"], more.values["test_time_s"]
        if more.values.keys() != values.keys() or not begin[0] >= last[-1]:
            raise InputError(
                f"{name}: sheets '{title}' and '{other}' each hold a test; save one of them alone, or export it as CSV"
            )
        values = {column: np.concatenate((values[column], more.values[column])) for column in values}
        notes += [note for note in more.notes if note not in notes]
    if len(read) > 1:
        notes.append(f"sheets {', '.join(title for title, _ in read)} are read as one test")
    return Columns(values, notes)


def _is_extract(some: Columns, whole: Columns) -> bool:
    """Whether each row has the time and voltage of one of the whole's: a summary, the last rows of cycles or steps."""
    own, rows = (sheet.values["test_time_s"] + 1j * sheet.values["voltage_V"] for sheet in (some, whole))
    return own.size < np.unique(rows).size and bool(np.isin(own, rows).all())
