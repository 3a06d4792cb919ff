"""Battery Data Format (BDF) traces: `.bdf.csv`, `.bdf.csv.gz`, `.bdf.parquet`, each with a metadata sidecar.

Reading is strict about what would make an analysis wrong (a missing required column, text in a number, time
that runs backwards, no rows) and lenient about what is normal in the field (empty cells, gaps, repeated
timestamps, columns in any order, unknown columns). The kind of file is told by its content, not by its name.
`bdf_write` writes them.
"""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ccdmon.errors import InputError
from ccdmon.formats.arrow_floats import floats_of
from ccdmon.formats.bdf.csv import gunzip, is_number, iter_csv, not_a_number, one_line, parse_csv
from ccdmon.formats.bdf.labels import COLUMN_NAMES, KNOWN, REQUIRED, column_of
from ccdmon.formats.bdf.sidecar import read_cell
from ccdmon.formats.opening import GZIP_MAGIC
from ccdmon.formats.tables.units import Scale
from ccdmon.model.trace import COLUMN_FIELDS, FloatArray, Trace


def has_standard_columns(path: str | Path) -> bool:
    """Whether the columns that BDF requires are labelled as it says, in its units."""
    names = set(read_table(path).column_names)
    return all(names & set(COLUMN_NAMES[field]) for field in REQUIRED)


_PARQUET_MAGIC = b"PAR1"


def read_bdf(path: str | Path, data: bytes | None = None) -> Trace:
    """Read one trace; `-` is CSV on stdin, or in `data` where it has been read already.

    Columns are float64 of shape (rows,), NaN where a cell was empty. An empty time cell is filled linearly from its
    neighbours, so that row numbers stay those of the file.
    Raises `InputError`, naming file, data row (from 0) and column, for anything that cannot be used.
    """
    name = str(path)
    trace = trace_of_table(read_table(path, data=data), name, first_row=0)
    source = None if name == "-" else Path(path)
    return replace(with_checked_time(trace, name, 0, None), cell=read_cell(source), source=source)


def iter_bdf(path: str | Path, chunk_rows: int = 1 << 18) -> Iterator[Trace]:
    """The rows of `read_bdf` in pieces of about `chunk_rows`, at constant memory (only stdin is read whole).

    Raises `InputError` as `read_bdf` does, but only when the iteration reaches the row at fault.
    """
    if str(path) == "-":
        whole = read_bdf(path)
        yield from (whole.rows(start, start + chunk_rows) for start in range(0, len(whole), chunk_rows))
        return
    cell = read_cell(Path(path))
    for piece in with_whole_times(_pieces(Path(path), chunk_rows), str(path)):
        yield replace(piece, cell=cell, source=Path(path))


def read_ahead(chunks: Iterator[Trace]) -> Iterator[Trace]:
    """The same chunks, the next one read in a second thread while the caller works on one."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, chunks, None)
        while (chunk := following.result()) is not None:
            following = reader.submit(next, chunks, None)
            yield chunk


def _pieces(path: Path, chunk_rows: int) -> Iterator[Trace]:
    """The file's rows as they stand in it, times unchecked; at least one piece, perhaps empty."""
    row = 0
    for table in _tables(path, chunk_rows):
        for start in range(0, max(len(table), 1), chunk_rows):
            trace = trace_of_table(table.slice(start, chunk_rows), str(path), row)
            row += len(trace)
            yield trace


def _tables(path: Path, chunk_rows: int) -> Iterator[pa.Table]:
    if _magic(path) != _PARQUET_MAGIC:
        yield from iter_csv(path, str(path), KNOWN)
        return
    from ccdmon.formats.bdf.parquet import iter_parquet  # its library is imported where there is such a file

    yield from iter_parquet(path, KNOWN, chunk_rows)


def with_whole_times(pieces: Iterator[Trace], name: str) -> Iterator[Trace]:
    """Each piece with its times checked and filled as in the whole file.

    The last row that has a time is kept, with those behind it that have none: where times are missing at the end of a
    piece or at the start of the next, the two are joined.
    """
    kept: Trace | None = None
    row, last_s = 0, None  # of the first kept row
    for piece in pieces:
        if kept is None or (len(kept) == 1 and len(piece) and np.isfinite(piece.test_time_s[0])):
            row, joined, old = row + (0 if kept is None else 1), piece, 0
        else:
            joined, old = _joined(kept, piece), 1
        last = len(joined) - 1
        if len(joined) and not np.isfinite(joined.test_time_s[last]):
            known = np.flatnonzero(np.isfinite(joined.test_time_s))
            last = int(known[-1]) if known.size else last  # none known: refused now
        checked = with_checked_time(joined.rows(0, last + 1), name, row, last_s)
        if len(checked) > old:
            yield checked.rows(old, None)
        row, last_s, kept = row + last, float(checked.test_time_s[-1]), joined.rows(last, None)
    if kept is not None and len(kept) > 1:
        yield with_checked_time(kept, name, row, last_s).rows(1, None)


def _joined(first: Trace, second: Trace) -> Trace:
    pairs = {name: (getattr(first, name), getattr(second, name)) for name in COLUMN_FIELDS}
    columns: dict[str, Any] = {
        name: None if a is None else np.concatenate((a, b)) for name, (a, b) in pairs.items()
    }
    return Trace(**columns, cell=first.cell, source=first.source, notes=first.notes)


def read_table(path: str | Path, *, keep_unknown: bool = False, data: bytes | None = None) -> pa.Table:
    """The file's columns as labelled, unchecked but for numbers; `keep_unknown` also those not in BDF."""
    name = str(path)
    if name == "-":
        data = sys.stdin.buffer.read() if data is None else data
        return parse_csv(data, "stdin", KNOWN, keep_unknown=keep_unknown)
    if _magic(path) == _PARQUET_MAGIC:
        from ccdmon.formats.bdf.parquet import read_parquet

        return read_parquet(Path(path), None if keep_unknown else KNOWN)
    data = Path(path).read_bytes()
    data = gunzip(data, name) if data.startswith(GZIP_MAGIC) else data
    return parse_csv(data, name, KNOWN, keep_unknown=keep_unknown)


def _magic(path: str | Path) -> bytes:
    try:
        if Path(path).is_dir():
            raise InputError(f"{path}: is a folder; name a .bdf.csv or .bdf.parquet file")
        with Path(path).open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; check the path") from error


def trace_of_table(table: pa.Table, name: str, first_row: int) -> Trace:
    """The columns that are labelled as in BDF, of rows that begin at `first_row`. Raises `InputError`."""
    columns: dict[str, FloatArray | None] = {}
    for field_name, labels in COLUMN_NAMES.items():
        there = _labels_of(field_name, labels, table.column_names)
        there = there if field_name in REQUIRED else there[:1]
        read = [_in_unit(table, name, label, scale, first_row) for label, scale in there]
        if read:
            columns[field_name] = read[0]
        if field_name in REQUIRED:
            _refuse_two(read, [label for label, _ in there], name)
        if field_name in REQUIRED and not read:
            found = ", ".join(table.column_names[:8]) or "none that ccdmon knows"
            raise InputError(f"{name}: column '{labels[0]}' is missing (found: {found}); add or rename it")
    return Trace(**columns)  # type: ignore[arg-type]  # the required ones are there, or we raised


def _labels_of(field_name: str, labels: Sequence[str], there: Sequence[str]) -> list[tuple[str, Scale]]:
    """All labels of a field that are there, the preferred ones first."""
    preferred = [(label, Scale(1.0)) for label in labels if label in there]
    others = [(label, found) for label in there if label not in labels and (found := column_of(label))]
    return preferred + [(label, scale) for label, (field, scale) in others if field == field_name]


def _in_unit(table: pa.Table, name: str, label: str, scale: Scale, first_row: int) -> FloatArray:
    values = _as_float(table[label], name, label, first_row)
    return values if scale == Scale(1.0) else values * scale.factor + scale.zero


def _refuse_two(columns: Sequence[FloatArray], labels: Sequence[str], name: str) -> None:
    """Raises `InputError` where columns of one quantity contradict one another: nothing tells which one counts."""
    for column, label in zip(columns[1:], labels[1:], strict=True):
        most = np.nanmax(np.abs(columns[0]), initial=0.0)
        if not np.allclose(columns[0], column, rtol=1e-3, atol=1e-3 * most, equal_nan=True):
            raise InputError(
                f"{name}: columns '{labels[0]}' and '{label}' are one quantity and hold different values; keep one"
            )


def _as_float(column: pa.ChunkedArray, name: str, label: str, first_row: int) -> FloatArray:
    if pa.types.is_boolean(column.type):
        raise InputError(f"{name}: column '{label}' holds true and false, no numbers; export it again")
    try:
        values = floats_of(column if pa.types.is_float64(column.type) else column.cast(pa.float64()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        for row, value in enumerate(column.to_pylist(), first_row):
            if value is not None and not is_number(str(value)):
                raise InputError(not_a_number(name, row, label, str(value))) from error
        raise InputError(f"{name}: column '{label}' holds no numbers ({one_line(error)})") from error
    values = np.ascontiguousarray(values, dtype=np.float64)
    if np.isinf(values).any():
        row = first_row + int(np.flatnonzero(np.isinf(values))[0])
        raise InputError(not_a_number(name, row, label, str(values[row - first_row])))
    return values


def _ascends(time_s: FloatArray, previous_s: float | None) -> bool:
    """Whether every time is there and none is before the last: nearly always, so it is asked first."""
    whole = bool(np.isfinite(time_s[[0, -1]]).all() and (time_s[1:] >= time_s[:-1]).all())
    return whole and (previous_s is None or bool(time_s[0] >= previous_s))


def with_checked_time(trace: Trace, name: str, first_row: int, previous_s: float | None) -> Trace:
    """The trace, its empty time cells filled; refuses no rows, no time at all, time that runs backwards."""
    if len(trace) == 0:
        raise InputError(f"{name}: no rows after the header; nothing to read")
    time_s, label = trace.test_time_s, COLUMN_NAMES["test_time_s"][0]
    if _ascends(time_s, previous_s):
        return trace
    known = np.flatnonzero(np.isfinite(time_s))
    if not known.size:
        raise InputError(
            f"{name}: column '{label}' is empty from data row {first_row} on; every row needs its time"
        )
    before_s = time_s[known[0]] if previous_s is None else previous_s
    steps_s = np.diff(time_s[known], prepend=before_s)
    backwards = np.flatnonzero(steps_s < 0)
    if backwards.size:
        at = int(known[backwards[0]])
        raise InputError(
            f"{name}: data row {first_row + at}, column '{label}': time runs backwards "
            f"(by {-steps_s[backwards[0]]:g} s, to {time_s[at]:.10g} s); sort or split the file"
        )
    if known.size == len(trace):
        return trace
    filled = np.interp(np.arange(len(trace)), known, time_s[known])
    return replace(trace, test_time_s=filled)
