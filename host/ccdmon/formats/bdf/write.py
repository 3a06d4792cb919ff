"""Writes Battery Data Format traces, whole or piece by piece; the ending of the name decides the format.

A file appears under its name when it is whole: it is written beside it and renamed.
"""

import gzip
import io
import itertools
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from ccdmon.errors import InputError
from ccdmon.formats.arrow_floats import column_of
from ccdmon.formats.bdf.labels import COLUMN_NAMES
from ccdmon.formats.bdf.sidecar import write_cell
from ccdmon.model.trace import COLUMN_FIELDS, Trace

_TIMES = COLUMN_NAMES["test_time_s"] + COLUMN_NAMES["unix_time_s"]


def write_bdf(trace: Trace, path: str | Path) -> None:
    """Write a trace and its sidecar; the ending decides the format, `-` is CSV on stdout.

    Raises `InputError` for an ending that is none of `.csv`, `.csv.gz`, `.parquet`, or a folder not writable.
    """
    write_pieces([trace], path)


def write_pieces(pieces: Iterable[Trace], path: str | Path) -> int:
    """As `write_bdf`, for a trace that comes in pieces with the same columns, at least one; returns its rows.

    One piece is in memory at a time. Whatever the pieces raise leaves no file behind.
    """
    pieces = iter(pieces)
    first = next(pieces)
    notes = dict.fromkeys(first.notes)

    def tables() -> Iterator[pa.Table]:
        for piece in itertools.chain([first], pieces):
            notes.update(dict.fromkeys(piece.notes))
            yield table_of(piece)

    rows = write_tables(tables(), path)
    if str(path) != "-":
        write_cell(first.cell, Path(path), list(notes))
    return rows


def table_of(trace: Trace) -> pa.Table:
    """A trace's columns under their preferred labels; NaN is an empty cell."""
    arrays = {name: getattr(trace, name) for name in COLUMN_FIELDS if getattr(trace, name) is not None}
    return pa.table({COLUMN_NAMES[name][0]: column_of(column) for name, column in arrays.items()})


def parquet_writer(path: Path, schema: pa.Schema) -> pa_parquet.ParquetWriter:
    """A Parquet file to write tables to, encoded for traces: half the bytes and a third of the time to read them.

    Times ascend, so the bytes of one significance resemble each other (byte stream split); a converter has few codes,
    so values repeat (dictionary; where they do not, the library leaves it). Both need Parquet 2.8, of 2020.
    """
    times = [
        label for label in schema.names if label in _TIMES and pa.types.is_floating(schema.field(label).type)
    ]
    return pa_parquet.ParquetWriter(
        path,
        schema,
        compression="lz4",
        use_dictionary=[label for label in schema.names if label not in times],
        use_byte_stream_split=times,
    )


def write_table(table: pa.Table, path: str | Path) -> None:
    """Write labelled columns in the format of the ending; `-` is CSV on stdout. Raises as `write_bdf`."""
    write_tables([table], path)


def write_tables(tables: Iterable[pa.Table], path: str | Path) -> int:
    """As `write_table`, for tables with the same columns, one after the other; returns the number of rows."""
    name = str(path)
    try:
        if name == "-":
            return _write_csv(tables, sys.stdout.buffer)
        with _renamed(Path(path)) as unfinished:
            if name.endswith(".parquet"):
                return _write_parquet(tables, unfinished)
            if name.endswith(".csv.gz"):
                with unfinished.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
                    return _write_csv(tables, file)
            if name.endswith(".csv"):
                with unfinished.open("wb") as file:
                    return _write_csv(tables, file)
            raise InputError(f"{name}: unknown ending; use .bdf.csv, .bdf.csv.gz or .bdf.parquet")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{name}: cannot write: {error.strerror or error}; choose another folder") from error


@contextmanager
def _renamed(path: Path) -> Iterator[Path]:
    """A name beside `path` that becomes it in the end; what is no ordinary file is written in place."""
    if path.exists() and not path.is_file():
        yield path
        return
    path = path.resolve()  # of a link, what it points to
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_parquet(tables: Iterable[pa.Table], path: Path) -> int:
    tables = iter(tables)
    first = next(tables)
    rows = 0
    with parquet_writer(path, first.schema) as writer:
        for table in itertools.chain([first], tables):
            writer.write_table(table)
            rows += len(table)
    return rows


def _write_csv(tables: Iterable[pa.Table], file: IO[bytes] | gzip.GzipFile) -> int:
    rows = 0
    for number, table in enumerate(tables):
        if number == 0:
            file.write((",".join(_quoted(label) for label in table.column_names) + "\n").encode())
        sink = io.BytesIO()
        pa_csv.write_csv(table, sink, pa_csv.WriteOptions(include_header=False, quoting_style="needed"))
        file.write(sink.getbuffer())
        rows += len(table)
    return rows


def _quoted(label: str) -> str:
    return '"' + label.replace('"', '""') + '"' if any(c in label for c in ',"\n') else label
