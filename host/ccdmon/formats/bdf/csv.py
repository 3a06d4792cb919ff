"""CSV files of the Battery Data Format: pyarrow parses; what it refuses, Python names by row and column."""

import csv
import gzip
import io
import os
import re
import zlib
from collections import deque
from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from ccdmon.errors import InputError
from ccdmon.formats.arrow_floats import column_of
from ccdmon.formats.opening import LONGEST_LINE_BYTES, WHOLE_BYTES, opened
from ccdmon.formats.tables.layout import MOST_COLUMNS

_NULLS = ["", "NaN", "nan", "NAN", "null", "NA", "N/A"]
_BLOCK_BYTES = 1 << 20  # of text: some 30 000 rows, which with their columns fit a core's cache


def gunzip(data: bytes, name: str) -> bytes:
    """Unpack one gzip file; raises `InputError` naming `name` where it is cut off, damaged or a bomb."""
    try:
        with opened(data, name) as file:
            out = file.read(WHOLE_BYTES + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise _damaged_gzip(name, error) from error
    if len(out) > WHOLE_BYTES:
        raise InputError(f"{name}: unpacks to more than {WHOLE_BYTES >> 20} MB; split it")
    return out


def _damaged_gzip(name: str, error: Exception) -> InputError:
    return InputError(f"{name}: damaged gzip file ({one_line(error)}); copy or export it again")


def parse_csv(data: bytes, name: str, numeric: Container[str], *, keep_unknown: bool = False) -> pa.Table:
    """CSV text as a table: columns labelled in `numeric` as float64, others dropped or kept as they come.

    Raises `InputError` naming `name`, the data row (from 0) and the column.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\x00" in data[:4096]:
        raise InputError(f"{name}: binary data, not CSV; export it as .bdf.csv")
    header = _header(data, name)
    wanted = [label for label in header if label.strip() in numeric]
    refuse_doubled(wanted, name)
    kept = header if keep_unknown else wanted
    if not kept:
        return pa.table({})
    try:
        table = pa_csv.read_csv(pa.BufferReader(data), **_options(header, kept, wanted))
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        _locate_fault(io.StringIO(data.decode("utf-8", "replace")), wanted, header, name, error)
    return table.rename_columns([label.strip() for label in kept])


def iter_csv(path: Path, name: str, numeric: Container[str]) -> Iterator[pa.Table]:
    """The tables of `parse_csv`, block by block of a file, plain or gzipped; raises as `parse_csv` and `gunzip`."""
    try:
        with opened(path, name) as file:
            if b"\x00" in file.peek(4096)[:4096]:
                raise InputError(f"{name}: binary data, not CSV; export it as .bdf.csv")
            header = _header(file.readline().removeprefix(b"\xef\xbb\xbf"), name)
        wanted = [label for label in header if label.strip() in numeric]
        refuse_doubled(wanted, name)
        yield from _blocks(path, header, wanted, name) if wanted else [pa.table({})]
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged_gzip(name, error) from error


def _blocks(path: Path, header: list[str], wanted: list[str], name: str) -> Iterator[pa.Table]:
    """At least one table, perhaps empty."""
    labels, rows = [label.strip() for label in wanted], 0
    try:
        with opened(path, name) as file:
            for table in _parsed_by_all(file, header, wanted):
                rows += len(table)
                yield table.rename_columns(labels)
        if rows == 0:
            yield pa.table({label: column_of(np.zeros(0)) for label in labels})
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        with opened(path, name) as file:
            text = io.TextIOWrapper(file, "utf-8-sig", "replace", newline="")
            _locate_fault(text, wanted, header, name, error)


def _parsed_by_all(file: io.BufferedReader, header: list[str], wanted: list[str]) -> Iterator[pa.Table]:
    """The rows below the header, in blocks that end with a line, parsed on all cores, a few at a time."""
    options = _options(header, wanted, wanted, _BLOCK_BYTES * 2)
    options["read_options"] = pa_csv.ReadOptions(
        column_names=header, block_size=_BLOCK_BYTES * 2, use_threads=False
    )

    unquoted = options | {"parse_options": pa_csv.ParseOptions(newlines_in_values=False, quote_char=False)}

    def parse(block: bytes) -> pa.Table:
        # Looking for quotes costs a sixth of the time.
        return pa_csv.read_csv(pa.BufferReader(block), **(options if b'"' in block else unquoted))

    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        coming: deque[Future[pa.Table]] = deque()
        for block in _whole_lines(file):
            coming.append(pool.submit(parse, block))
            if len(coming) > workers + 1:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def _whole_lines(file: io.BufferedReader) -> Iterator[bytes]:
    """Blocks of whole lines, without the header."""
    header = file.readline(LONGEST_LINE_BYTES)
    if b"\r" in header[:-2]:  # ends of lines as on an old Macintosh
        yield (header + file.read(WHOLE_BYTES)).replace(b"\r", b"\n").split(b"\n", 1)[1]
        return
    while block := file.read(_BLOCK_BYTES):
        rest = file.readline(LONGEST_LINE_BYTES)
        block = block + rest if rest else block
        if not block.isspace():
            yield block


def _options(
    header: list[str], kept: list[str], wanted: list[str], block_bytes: int | None = None
) -> dict[str, Any]:
    return {
        # No threads of Arrow's: one that starts while a short process ends aborts it (apache/arrow issue 34314).
        "read_options": pa_csv.ReadOptions(
            column_names=header, skip_rows=1, block_size=block_bytes, use_threads=False
        ),
        "parse_options": pa_csv.ParseOptions(newlines_in_values=False),
        "convert_options": pa_csv.ConvertOptions(
            include_columns=kept,
            column_types=dict.fromkeys(wanted, pa.float64()),
            null_values=_NULLS,
            quoted_strings_can_be_null=True,
        ),
    }


def _header(data: bytes, name: str) -> list[str]:
    first = re.split(b"[\r\n]", data, maxsplit=1)[0].decode("utf-8", "replace")
    if not first.strip():
        raise InputError(f"{name}: the file is empty; a trace needs a header line and rows")
    header = next(csv.reader([first]))
    if len(header) > MOST_COLUMNS:
        raise InputError(f"{name}: {len(header)} columns; a trace has a few")
    if len(header) == 1 and ";" in first:
        raise InputError(f"{name}: fields are separated by ';'; BDF uses ',' and a decimal point")
    return header


def refuse_doubled(labels: Sequence[str], name: str) -> None:
    """Raises `InputError` where a label is there twice: nothing tells which of the columns counts."""
    stripped = [label.strip() for label in labels]
    doubled = next((label for label in stripped if stripped.count(label) > 1), None)
    if doubled:
        raise InputError(f"{name}: column '{doubled}' stands in the header twice; keep one of them")


def _locate_fault(
    lines: Iterable[str], wanted: list[str], header: list[str], name: str, error: Exception
) -> NoReturn:
    rows = csv.reader(lines)
    row = -1
    try:
        next(rows)
        for fields in rows:
            if not fields:
                continue
            row += 1
            _check_fields(fields, row, wanted, header, name)
    except csv.Error as odd:
        raise InputError(
            f"{name}: data row {row + 1}: not readable as CSV ({one_line(odd)}); mend it"
        ) from None
    if row < 0:
        raise InputError(f"{name}: no rows after the header; nothing to read")
    raise InputError(f"{name}: not a readable CSV file ({one_line(error)})")


def _check_fields(fields: list[str], row: int, wanted: list[str], header: list[str], name: str) -> None:
    if len(fields) != len(header):
        raise InputError(
            f"{name}: data row {row} has {len(fields)} fields, the header {len(header)}; mend or cut it"
        )
    for label in wanted:
        text = fields[header.index(label)].strip()
        if text not in _NULLS and not is_number(text):
            raise InputError(not_a_number(name, row, label.strip(), text))


def not_a_number(name: str, row: int, label: str, text: str) -> str:
    """The one line about text where a number belongs."""
    shown = "".join(c if c.isprintable() else "?" for c in text[:40])
    return f"{name}: data row {row}, column '{label}': '{shown}' is not a number; mend the cell or empty it"


def is_number(text: str) -> bool:
    """Whether a CSV reader takes this text for a number (Python's float() is laxer: it reads 1_000)."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def one_line(error: Exception) -> str:
    """An exception's text fit for a one-line message."""
    return " ".join(str(error).split())[:120]
