"""Battery Data Format (BDF) traces: `.bdf.csv`, `.bdf.csv.gz`, `.bdf.parquet`, each with a metadata sidecar.

Reading is strict about what would make an analysis wrong (a missing required column, text in a number, time that
runs backwards, no rows) and lenient about what is normal in the field (empty cells, gaps, repeated timestamps,
columns in any order, unknown columns). pyarrow does the parsing; only when it refuses a file are its rows walked
in Python, to name the row and column at fault.
"""

import csv
import gzip
import io
import sys
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from ccdmon.errors import InputError
from ccdmon.formats.sidecar import read_cell, write_cell
from ccdmon.trace import COLUMN_FIELDS, FloatArray, Trace

# Preferred label and machine name of each column, per the BDF's column table (batterydf 0.1.0); the first
# label is the one written.
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "test_time_s": ("Test Time / s", "test_time_second"),
    "voltage_V": ("Voltage / V", "voltage_volt"),
    "current_A": ("Current / A", "current_ampere"),
    "pressure_Pa": (
        "Surface Pressure / Pa", "surface_pressure_pascal", "surface_pressure_pa",
        "Applied Pressure / Pa", "applied_pressure_pascal", "applied_pressure_pa",
    ),
    "temperature_degC": (
        "Ambient Temperature / degC", "ambient_temperature_celsius", "ambient_temperature_celcius",
        "Surface Temperature / degC", "surface_temperature_celsius", "surface_temperature_celcius",
    ),
    "unix_time_s": ("Unix Time / s", "unix_time_second"),
    "cycle_count": ("Cycle Count / 1", "cycle_count"),
    "step_count": ("Step Count / 1", "step_count"),
}
REQUIRED = ("test_time_s", "voltage_V", "current_A")
_NULLS = ["", "NaN", "nan", "NAN", "null", "NA", "N/A"]


def read_bdf(path: str | Path) -> Trace:
    """Read one trace; `-` is CSV on stdin. Columns are float64 of shape (rows,), NaN where a cell was empty.

    Raises `InputError`, naming file, data row (from 0) and column, for anything that cannot be used.
    """
    name = str(path)
    table = _read_table(path)
    columns = _select_columns(table, name)
    trace = Trace(
        **columns,
        cell=read_cell(Path(path)) if name != "-" else read_cell(None),
        source=None if name == "-" else Path(path),
    )
    _check_rows(trace, name)
    return trace


def write_bdf(trace: Trace, path: str | Path) -> None:
    """Write a trace and its sidecar; the ending decides the format, `-` is CSV on stdout.

    Raises `InputError` for an ending that is none of `.csv`, `.csv.gz`, `.parquet`, or a folder one cannot write to.
    """
    arrays = {name: getattr(trace, name) for name in COLUMN_FIELDS if getattr(trace, name) is not None}
    table = pa.table({COLUMN_NAMES[name][0]: pa.array(column) for name, column in arrays.items()})
    name = str(path)
    try:
        if name == "-":
            sys.stdout.buffer.write(_csv_bytes(table))
            return
        _write_table(table, Path(path))
        write_cell(trace.cell, Path(path))
    except OSError as error:
        raise InputError(f"{name}: cannot write: {error.strerror or error}; choose another folder") from error


def _write_table(table: pa.Table, path: Path) -> None:
    if path.name.endswith(".parquet"):
        pa_parquet.write_table(table, path)
    elif path.name.endswith(".csv.gz"):
        path.write_bytes(gzip.compress(_csv_bytes(table), mtime=0))
    elif path.name.endswith(".csv"):
        path.write_bytes(_csv_bytes(table))
    else:
        raise InputError(f"{path}: unknown ending; use .bdf.csv, .bdf.csv.gz or .bdf.parquet")


def _csv_bytes(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    sink.write((",".join(table.column_names) + "\n").encode())
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(include_header=False, quoting_style="none"))
    return sink.getvalue()


def _read_table(path: str | Path) -> pa.Table:
    name = str(path)
    try:
        if name == "-":
            return _parse_csv(sys.stdin.buffer.read(), "stdin")
        if Path(path).is_dir():
            raise InputError(f"{name}: is a folder; name a .bdf.csv or .bdf.parquet file")
        data = Path(path).read_bytes() if not name.endswith(".parquet") else b""
        if name.endswith(".parquet"):
            return pa_parquet.read_table(path)
        return _parse_csv(_gunzip(data, name) if data[:2] == b"\x1f\x8b" else data, name)
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}; check the path") from error
    except pa.ArrowInvalid as error:
        raise InputError(f"{name}: not a Parquet file ({_one_line(error)}); export it again") from error


def _gunzip(data: bytes, name: str) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{name}: damaged gzip file ({_one_line(error)}); copy or export it again") from error


def _parse_csv(data: bytes, name: str) -> pa.Table:
    """Parse CSV text; every known column as float64, the rest dropped."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\x00" in data[:4096]:
        raise InputError(f"{name}: binary data, not CSV; export it as .bdf.csv")
    header = _header(data, name)
    wanted = [label for label in header if any(label.strip() in names for names in COLUMN_NAMES.values())]
    try:
        return pa_csv.read_csv(
            pa.BufferReader(data),
            pa_csv.ReadOptions(column_names=header, skip_rows=1),
            pa_csv.ParseOptions(newlines_in_values=False),
            pa_csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.float64()),
                null_values=_NULLS,
            ),
        ).rename_columns([label.strip() for label in wanted])
    except pa.ArrowInvalid as error:
        _locate_csv_fault(data, wanted, header, name, error)


def _header(data: bytes, name: str) -> list[str]:
    first = data.split(b"\n", 1)[0].decode("utf-8", "replace").strip("\r")
    if not first.strip():
        raise InputError(f"{name}: the file is empty; a trace needs a header line and rows")
    header = next(csv.reader([first]))
    if len(header) == 1 and ";" in first:
        raise InputError(f"{name}: fields are separated by ';'; BDF uses ',' and a decimal point")
    doubled = [label for label in dict.fromkeys(header) if label and header.count(label) > 1]
    if doubled:
        raise InputError(f"{name}: column '{doubled[0]}' stands in the header twice; keep one of them")
    return header


def _locate_csv_fault(
    data: bytes, wanted: list[str], header: list[str], name: str, error: Exception
) -> NoReturn:
    """Walk the rows to name the one that pyarrow refused."""
    rows = csv.reader(io.StringIO(data.decode("utf-8", "replace")))
    next(rows)
    row = -1
    for fields in rows:
        if not fields:
            continue
        row += 1
        if len(fields) != len(header):
            raise InputError(
                f"{name}: data row {row} has {len(fields)} fields, the header has {len(header)}; mend or cut the row"
            )
        for label in wanted:
            text = fields[header.index(label)].strip()
            if text not in _NULLS and not _is_number(text):
                raise InputError(
                    f"{name}: data row {row}, column '{label.strip()}': '{text[:40]}' is not a number; "
                    "mend the cell or leave it empty"
                )
    if row < 0:
        raise InputError(f"{name}: no rows after the header; nothing to read")
    raise InputError(f"{name}: not a readable CSV file ({_one_line(error)})")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text  # Python reads 1_000, CSV readers do not


def _select_columns(table: pa.Table, name: str) -> dict[str, FloatArray | None]:
    columns: dict[str, FloatArray | None] = {}
    for field_name, labels in COLUMN_NAMES.items():
        label = next((label for label in labels if label in table.column_names), None)
        if label is not None:
            columns[field_name] = _as_float(table[label], name, label)
        elif field_name in REQUIRED:
            found = ", ".join(table.column_names[:8]) or "none that ccdmon knows"
            raise InputError(f"{name}: column '{labels[0]}' is missing (found: {found}); add or rename it")
        else:
            columns[field_name] = None
    return columns


def _as_float(column: pa.ChunkedArray, name: str, label: str) -> FloatArray:
    try:
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        for row, value in enumerate(column.to_pylist()):
            if value is not None and not _is_number(str(value)):
                raise InputError(
                    f"{name}: data row {row}, column '{label}': '{str(value)[:40]}' is not a number; mend the cell"
                ) from error
        raise InputError(f"{name}: column '{label}' holds no numbers ({_one_line(error)})") from error
    return np.ascontiguousarray(values, dtype=np.float64)


def _check_rows(trace: Trace, name: str) -> None:
    if len(trace) == 0:
        raise InputError(f"{name}: no rows after the header; nothing to read")
    time_s = trace.test_time_s
    missing = np.flatnonzero(~np.isfinite(time_s))
    label = COLUMN_NAMES["test_time_s"][0]
    if missing.size:
        raise InputError(f"{name}: data row {missing[0]}, column '{label}' is empty; every row needs its time")
    backwards = np.flatnonzero(np.diff(time_s) < 0)
    if backwards.size:
        row = int(backwards[0]) + 1
        raise InputError(
            f"{name}: data row {row}, column '{label}': time runs backwards "
            f"({time_s[row - 1]:g} s, then {time_s[row]:g} s); sort or split the file"
        )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
