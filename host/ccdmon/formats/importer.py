"""Reads a trace from any file that ccdmon knows, told by its content and never by its name.

Battery Data Format goes to `bdf`; cyclers' binaries, workbooks and texts each have a file of their own. What a file
lacks
is said in one line; `salvage` keeps what can be read of a broken one. What was left out or assumed is in
`trace.notes` and
in the metadata, from where it goes to stderr, the sidecar and the report.
"""

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import entry_points
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.errors import InputError
from ccdmon.formats.bdf.labels import has_bdf_columns
from ccdmon.formats.bdf.read import iter_bdf, read_bdf, with_whole_times
from ccdmon.formats.bdf.sidecar import read_cell
from ccdmon.formats.cyclers import biologic_mpr, neware, text_salvage
from ccdmon.formats.cyclers.dialect import IMPEDANCE_LINE, Columns
from ccdmon.formats.cyclers.sheets import read_workbook
from ccdmon.formats.cyclers.time_axis import DATES_FROM, ascends
from ccdmon.formats.opening import (
    GZIP_MAGIC,
    checked,
    gunzipped_part,
    read_head,
    read_stdin,
    read_whole,
    unpacked_size,
)
from ccdmon.formats.workbook import KIND as WORKBOOK
from ccdmon.formats.workbook import ZIP_MAGIC, check_archive, is_workbook
from ccdmon.model.trace import FloatArray, Trace

# An installed plugin under this group, named like a file's ending without its dot, is called with the path and
# returns a `Trace`; it wins over the readers here. (yadg and galvani read .mpr files and are under the GPL.)
PLUGIN_GROUP = "ccdmon.trace_readers"
PARQUET_MAGIC = b"PAR1"
LONG_BYTES = 1 << 26  # in memory the trace takes up to ten times as much
# What only files of impedance say.
_IMPEDANCE_ONLY = (b"ZPLOT2 ASCII", b"ZPlotW Data File", b"Z60W Data File", b"ZView Calculated Data File")
_REFUSED = {
    b"\x00\x01\x00\x00Standard Jet DB": "an Arbin .res file (a database); export it from MITS Pro as CSV or workbook",
    b"\x00\x01\x00\x00Standard ACE DB": "an Arbin .res file (a database); export it from MITS Pro as CSV or workbook",
    b"\x89HDF": "an HDF5 file; export the table in it as CSV or Parquet",
    b"%PDF": "a PDF; export the numbers as CSV",
    b"SQLite format 3": "a database; export the table in it as CSV",
    b"7z\xbc\xaf": "an archive; unpack it",
    b"Rar!": "an archive; unpack it",
    b"BZh": "an archive; unpack it",
    b"\xfd7zXZ": "an archive; unpack it",
}


def read_trace(path: str | Path, *, columns: str | None = None, salvage: bool = False) -> Trace:
    """One trace from any known file; `-` is stdin. `columns`: the map of `--columns`.

    `trace.notes` say what was left out or assumed, `trace.cell.metadata["import"]` also what the file was. Raises
    `InputError`.
    """
    name = str(path)
    plugin = next(iter(entry_points(group=PLUGIN_GROUP, name=Path(name).suffix.lower().lstrip("."))), None)
    if plugin is not None and name != "-":
        trace: Trace = plugin.load()(Path(path))
        return trace
    source: Path | bytes = read_stdin() if name == "-" else checked(Path(path))
    if columns is None and is_bdf(source, salvage):
        return read_bdf(path, source if isinstance(source, bytes) else None)
    kind, read = _columns(source, name, columns, salvage)
    return _trace(read, kind, name, salvage)


def is_long(path: Path) -> bool:
    """Whether the file is a table, or in the Battery Data Format, and too long to be held whole."""
    if not path.is_file():
        return False
    head = read_head(path)
    if (_unpacked_parquet(path) if head.startswith(PARQUET_MAGIC) else unpacked_size(path)) <= LONG_BYTES:
        return False
    return is_bdf(path, salvage=False) or not (b"\0" in head[:4096] or head.startswith(ZIP_MAGIC))


def _unpacked_parquet(path: Path) -> int:
    from ccdmon.formats.bdf.parquet import unpacked_parquet_size

    return unpacked_parquet_size(path)


def iter_trace(path: Path, columns: str | None = None) -> Iterator[Trace]:
    """The rows of `read_trace` in pieces, at constant memory where the table allows it. Raises `InputError` as it
    goes."""
    if columns is None and is_bdf(path, salvage=False):
        yield from iter_bdf(path)
        return
    pieces = (
        _piece(read, kind, str(path)) for kind, read in text_salvage.iter_text(path, str(path), columns)
    )
    first = next(pieces)
    begin_s = float(first.test_time_s[0]) if first.test_time_s[0] > DATES_FROM else 0.0
    yield from with_whole_times((_begun(piece, begin_s) for piece in chain([first], pieces)), str(path))


def _begun(piece: Trace, begin_s: float) -> Trace:
    return (
        piece
        if not begin_s
        else replace(piece, test_time_s=piece.test_time_s - begin_s, unix_time_s=piece.test_time_s)
    )


def _piece(read: Columns, kind: str, name: str) -> Trace:
    cell = read_cell(Path(name).with_suffix(".bdf.csv"))
    about: dict[str, Any] = {"format": kind, "file": Path(name).name, "notes": read.notes}
    values: dict[str, Any] = dict(read.values)
    return Trace(
        **values,
        cell=replace(cell, metadata={**cell.metadata, "import": about}),
        source=Path(name),
        notes=tuple(read.notes),
    )


def is_bdf(source: Path | bytes, salvage: bool) -> bool:
    """Whether `bdf` shall read it (and word what is wrong with it): Parquet, or text whose header has BDF columns."""
    head = _head_of(source)
    if head.startswith(PARQUET_MAGIC):
        from ccdmon.formats.bdf.parquet import (
            parquet_labels,  # its library is imported where there is such a file
        )

        return isinstance(source, Path) and has_bdf_columns(parquet_labels(source))
    first = head.lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0].split(b"\r", 1)[0].decode("utf-8", "replace")
    labels = [label.strip().strip('"') for label in first.split(",")]
    return not salvage and (not head or has_bdf_columns(labels))


def _head_of(source: Path | bytes) -> bytes:
    if isinstance(source, Path):
        return read_head(source)
    return gunzipped_part(source) if source.startswith(GZIP_MAGIC) else source[: 1 << 20]


def _columns(source: Path | bytes, name: str, columns: str | None, salvage: bool) -> tuple[str, Columns]:
    head = _head_of(source)
    for magic, what in _REFUSED.items():
        if head.startswith(magic):
            raise InputError(f"{name}: {what}")
    if any(mark in head[:4096] for mark in _IMPEDANCE_ONLY) and columns is None:
        raise InputError(f"{name}: {IMPEDANCE_LINE}")
    if head.startswith(PARQUET_MAGIC):
        from ccdmon.formats.parquet_table import read_parquet_columns

        return "Parquet", read_parquet_columns(source, name, columns)
    if head.startswith(biologic_mpr.MAGIC):
        return biologic_mpr.KIND, biologic_mpr.read_mpr(source, name, columns=columns, salvage=salvage)
    if head.startswith(b"NEWARE") or _is_ndax(source, head):
        if isinstance(source, bytes):
            raise InputError(f"{name}: a Neware binary on stdin; give it as a file")
        check_archive(read_whole(source), name)
        return neware.KIND, neware.read_neware(source, salvage=salvage)
    if is_workbook(head):
        return WORKBOOK, read_workbook(source, name, columns, salvage)
    if head.startswith(ZIP_MAGIC):
        raise InputError(
            f"{name}: an archive or a damaged workbook, not a table; unpack it, or export it as CSV"
        )
    return text_salvage.read_text(source, name, columns, salvage=salvage)


def _is_ndax(source: Path | bytes, head: bytes) -> bool:
    if not head.startswith(ZIP_MAGIC):
        return False
    data = source if isinstance(source, bytes) else read_whole(source)
    return b"data.ndc" in data or b"VersionInfo.xml" in data[:200]


def _forward(time_s: FloatArray) -> npt.NDArray[np.bool_] | None:
    """Which rows have a time that none before is behind; None where all have."""
    if ascends(time_s):
        return None
    times_s = np.where(np.isfinite(time_s), time_s, -np.inf)
    return np.isfinite(time_s) & (times_s >= np.maximum.accumulate(times_s))


def _trace(read: Columns, kind: str, name: str, salvage: bool) -> Trace:
    """Sorted out: times that begin at 0 where they were dates, no step back in time."""
    values: dict[str, Any] = dict(read.values)
    notes = list(read.notes)
    time_s = values["test_time_s"]
    known = (
        np.flatnonzero(np.isfinite(time_s[:1])) if ascends(time_s) else np.flatnonzero(np.isfinite(time_s))
    )
    if not known.size:
        raise InputError(f"{name}: {kind}: no row has a time; nothing to read")
    if time_s[known].min() > 3e8:  # dates
        values.setdefault("unix_time_s", time_s)
        values["test_time_s"] = time_s = time_s - time_s[known[0]]
    forward = _forward(time_s)
    if forward is not None:
        row = int(np.flatnonzero(~forward)[0])
        line = f"data row {row}: " + (
            f"time runs backwards to {time_s[row]:g} s" if np.isfinite(time_s[row]) else "no time"
        )
        if not salvage:
            raise InputError(f"{name}: {kind}: {line}; split the file, or leave such rows out with --salvage")
        notes.append(f"left out {int((~forward).sum())} rows out of order, the first: {line}")
        values = {column: array[forward] for column, array in values.items()}
    cell = read_cell(None if name == "-" else Path(name).with_suffix(".bdf.csv"))
    about: dict[str, Any] = {"format": kind, "file": Path(name).name, "notes": notes}
    metadata = {**cell.metadata, "import": about}
    source = None if name == "-" else Path(name)
    return Trace(**values, cell=replace(cell, metadata=metadata), source=source, notes=tuple(notes))
