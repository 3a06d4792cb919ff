"""Reads a trace from any file that ccdmon knows, told by its content and never by its name.

Battery Data Format goes to `bdf`; cyclers' binaries and texts each have a file of their own. What a file lacks is said
in one line; `salvage` keeps what can be read of a broken one, and the trace's metadata says what was left out.
"""

import gzip
import io
import sys
import zlib
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np

from ccdmon.errors import InputError
from ccdmon.formats.bdf.csv import GZIP_MAGIC
from ccdmon.formats.bdf.read import KNOWN, read_bdf
from ccdmon.formats.bdf.sidecar import read_cell
from ccdmon.formats.cyclers import (
    arbin,
    basytec,
    biologic_mpr,
    biologic_mpt,
    gamry,
    landt,
    maccor,
    neware,
    neware_text,
    novonix,
    plain_csv,
)
from ccdmon.formats.cyclers.dialect import HEAD_LINES, IMPEDANCE_LINE, Columns, Dialect, read_dialect
from ccdmon.model.trace import Trace

DIALECTS: tuple[Dialect, ...] = (
    biologic_mpt.DIALECT,
    gamry.DIALECT,
    basytec.DIALECT,
    novonix.DIALECT,
    maccor.DIALECT,
    arbin.DIALECT,
    landt.DIALECT,
    neware_text.DIALECT,
)
# An installed plugin under this group, named like a file's ending without its dot, is called with the path and
# returns a `Trace`; it wins over the readers here. (yadg and galvani read .mpr files and are under the GPL.)
PLUGIN_GROUP = "ccdmon.trace_readers"
# What only files of impedance say.
_IMPEDANCE_ONLY = (
    "\nzcurve",
    "zplot2 ascii",
    "electrochemical impedance spectroscopy\n",
    "frequency / hz,",
    "freq_hz,",
)
# Any bytes are text in a Western code page, many in the Chinese one: what only a Chinese table says.
_CHINESE = ("电压", "电流")
_HEAD_BYTES = 1 << 16
LONG_BYTES = 1 << 26  # in memory the trace takes up to ten times as much


def read_trace(path: str | Path, *, columns: str | None = None, salvage: bool = False) -> Trace:
    """One trace from any known file; `-` is text on stdin. `columns`: the map of `plain_csv`.

    `trace.cell.metadata["import"]` says what the file was and what was left out. Raises `InputError`.
    """
    name = str(path)
    plugin = next(iter(entry_points(group=PLUGIN_GROUP, name=Path(name).suffix.lower().lstrip("."))), None)
    if plugin is not None and name != "-":
        trace: Trace = plugin.load()(Path(path))
        return trace
    data = sys.stdin.buffer.read() if name == "-" else None
    if columns is None and _is_bdf(_head(Path(path)) if data is None else data[:_HEAD_BYTES], salvage):
        return read_bdf(path, data)
    return _foreign(_bytes(Path(path)) if data is None else data, name, columns, salvage)


def is_long(path: Path) -> bool:
    """Whether the file is in the Battery Data Format and too long to be held whole: `iter_bdf` reads it in pieces."""
    return path.is_file() and path.stat().st_size > LONG_BYTES and _is_bdf(_head(path), salvage=False)


def notes_of(trace: Trace) -> list[str]:
    """What was left out or assumed when the trace was imported."""
    notes: list[str] = trace.cell.metadata.get("import", {}).get("notes", [])
    return notes


def _is_bdf(head: bytes, salvage: bool) -> bool:
    """Whether `bdf` shall read it (and word what is wrong with it): Parquet, or text whose header has a BDF column."""
    if head.startswith(b"PAR1"):
        return True
    if head.startswith(GZIP_MAGIC):
        head = _gunzip_part(head)
    first = head.split(b"\n", 1)[0].decode("utf-8", "replace")
    labels = {label.strip().strip('"') for label in first.lstrip("\ufeff").split(",")}
    return not salvage and (not head or bool(labels & (KNOWN - {"cycle_count", "step_count"})))


def _head(path: Path) -> bytes:
    try:
        if (path / "frames.bin").is_file():
            raise InputError(
                f"{path}: is a run folder; 'ccdmon convert {path} NAME.bdf.parquet' makes a trace of it"
            )
        if path.is_dir():
            raise InputError(f"{path}: is a folder; name a trace file or a run folder")
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; check the path") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; check the path") from error


def _foreign(data: bytes, name: str, columns: str | None, salvage: bool) -> Trace:
    notes: list[str] = []
    if data.startswith(GZIP_MAGIC):
        data, notes = _gunzipped(data, name, salvage)
    kind, read = _columns(data, name, columns, salvage)
    return _trace(Columns(read.values, notes + read.notes), kind, name, salvage)


def _columns(data: bytes, name: str, columns: str | None, salvage: bool) -> tuple[str, Columns]:
    if data.startswith(biologic_mpr.MAGIC):
        return biologic_mpr.KIND, biologic_mpr.read_mpr(data, name, salvage=salvage)
    if data.startswith(b"NEWARE") or _is_ndax(data):
        return neware.KIND, neware.read_neware(Path(name), salvage=salvage)
    if data.startswith(b"PK\x03\x04"):
        raise InputError(f"{name}: a workbook or archive, not a table; export it as CSV or unpack it")
    # Not splitlines(): in a Western code page it would also split at the character for an ellipsis.
    lines = _text(data, name).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    dialect, lines = _mapped(columns, lines, name) if columns else _recognised(lines, name)
    return dialect.kind, read_dialect(dialect, lines, name, salvage=salvage)


def _mapped(columns: str, lines: list[str], name: str) -> tuple[Dialect, list[str]]:
    for apart in plain_csv.spaced(lines):
        with suppress(InputError):
            return plain_csv.mapped_dialect(columns, apart, name), apart
    return plain_csv.mapped_dialect(columns, lines, name), lines


def _recognised(lines: list[str], name: str) -> tuple[Dialect, list[str]]:
    """The dialect, and the lines as it reads them."""
    small = "\n".join(lines[:HEAD_LINES]).lower()
    if any(mark in small for mark in _IMPEDANCE_ONLY):
        raise InputError(f"{name}: {IMPEDANCE_LINE}")
    for dialect in DIALECTS:
        if dialect.header_line(lines[:HEAD_LINES]) is not None:
            return dialect, lines
    for read in (lines, *plain_csv.spaced(lines)):
        guess = plain_csv.guess_dialect(read)
        if guess is not None:
            return guess, read
    shown = " ".join(next((line for line in lines if line.strip()), "nothing").split())[:60]
    raise InputError(
        f"{name}: not a file that ccdmon knows (it begins: {shown}); name its columns with --columns "
        f"time=...,voltage=...,current=..."
    )


def _trace(read: Columns, kind: str, name: str, salvage: bool) -> Trace:
    """Sorted out: times that begin at 0 where they were dates, no step back in time."""
    values: dict[str, Any] = dict(read.values)
    notes = list(read.notes)
    time_s = values["test_time_s"]
    if not np.isfinite(time_s).any():
        raise InputError(f"{name}: {kind}: no row has a time; nothing to read")
    if np.nanmin(time_s) > 3e8:  # dates
        values.setdefault("unix_time_s", time_s)
        values["test_time_s"] = time_s = time_s - time_s[np.isfinite(time_s)][0]
    known = np.isfinite(time_s)
    forward = known & (
        np.where(known, time_s, -np.inf) >= np.maximum.accumulate(np.where(known, time_s, -np.inf))
    )
    if not forward.all():
        row = int(np.flatnonzero(~forward)[0])
        line = f"data row {row}: " + (
            "no time" if not known[row] else f"time runs backwards to {time_s[row]:g} s"
        )
        if not salvage:
            raise InputError(f"{name}: {kind}: {line}; split the file, or leave such rows out with --salvage")
        notes.append(f"left out {int((~forward).sum())} rows out of order, the first: {line}")
        values = {column: array[forward] for column, array in values.items()}
    cell = read_cell(None if name == "-" else Path(name).with_suffix(".bdf.csv"))
    about: dict[str, Any] = {"format": kind, "file": Path(name).name, "notes": notes}
    metadata = {**cell.metadata, "import": about}
    source = None if name == "-" else Path(name)
    return Trace(**values, cell=replace(cell, metadata=metadata), source=source)


def _is_ndax(data: bytes) -> bool:
    return data.startswith(b"PK\x03\x04") and (b"data.ndc" in data or b"VersionInfo.xml" in data[:200])


def _text(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:4096]:
        raise InputError(f"{name}: a binary file that ccdmon does not know; export it as text")
    if not data.strip():
        raise InputError(f"{name}: the file is empty; nothing to read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if any(label.encode("gb18030") in data[:_HEAD_BYTES] for label in _CHINESE):
            return data.decode("gb18030", "replace")
        return data.decode("latin-1")  # instruments write the degree sign in their own code page


def _gunzipped(data: bytes, name: str, salvage: bool) -> tuple[bytes, list[str]]:
    try:
        return gzip.decompress(data), []
    except (OSError, EOFError, zlib.error):
        part = _gunzip_part(data)
        if not salvage or not part:
            raise InputError(
                f"{name}: damaged gzip file; copy it again, or keep its beginning with --salvage"
            ) from None
        return part[: part.rfind(b"\n") + 1], [
            "the compressed file is cut off or damaged; its beginning was read"
        ]


def _gunzip_part(data: bytes) -> bytes:
    """As much as can be unpacked."""
    out, file = io.BytesIO(), gzip.GzipFile(fileobj=io.BytesIO(data))
    try:
        while block := file.read(1 << 14):
            out.write(block)
    except (OSError, EOFError, zlib.error):
        pass
    return out.getvalue()
