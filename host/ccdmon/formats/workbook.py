"""Workbooks (.xlsx, .xls, .xlsb, .ods), read by python-calamine (MIT; the extra `ccdmon[import]`): sheets as lines
of text.

A sheet becomes lines with tabs, so that one reader serves tables from anywhere. Dates of cells become text that is
read back.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from ccdmon.errors import InputError
from ccdmon.extras import how_to_install
from ccdmon.formats.opening import read_whole

KIND = "workbook"
ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MOST_UNPACKED_BYTES = 1 << 29
LARGEST_RATIO = 200
MOST_CELLS = 30_000_000


def is_workbook(head: bytes) -> bool:
    """Whether the first bytes are those of a workbook, new or old."""
    return head.startswith(OLE_MAGIC) or (
        head.startswith(ZIP_MAGIC)
        and any(mark in head for mark in (b"[Content_Types].xml", b"xl/", b"mimetype"))
    )


def sheets(source: Path | bytes, name: str) -> Iterator[tuple[str, list[str]]]:
    """(name, lines) of each sheet that has cells. Raises `InputError`."""
    try:
        from python_calamine import CalamineWorkbook
    except ImportError:
        raise InputError(
            f"{name}: a workbook: its reader is missing; {how_to_install('import')}, or export the sheet as CSV"
        ) from None
    data = source if isinstance(source, bytes) else read_whole(source)
    check_archive(data, name)
    try:
        book = CalamineWorkbook.from_object(io.BytesIO(data))
        for title in book.sheet_names:
            sheet = book.get_sheet_by_name(title)
            if sheet.height * sheet.width > MOST_CELLS:
                raise InputError(
                    f"{name}: sheet '{title}' has {sheet.height} x {sheet.width} cells; export it as CSV"
                )
            yield title, [_line(row) for row in sheet.to_python(skip_empty_area=False)]
    except InputError:
        raise
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001  a panic of the library is no Exception
        said = " ".join(f"{error}".split())[:100] or type(error).__name__
        raise InputError(
            f"{name}: a workbook that cannot be read ({said}); save it again, or export it as CSV"
        ) from None


def check_archive(data: bytes, name: str) -> None:
    """Raise `InputError` for an archive that would unpack to more than is sane."""
    if not data.startswith(ZIP_MAGIC):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sizes = [(entry.file_size, entry.compress_size) for entry in archive.infolist()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
        raise InputError(f"{name}: a damaged archive ({error}); copy or export it again") from None
    total = sum(size for size, _ in sizes)
    if total > MOST_UNPACKED_BYTES or (total > 1 << 26 and total > LARGEST_RATIO * max(len(data), 1)):
        raise InputError(f"{name}: unpacks to {total >> 20} MB out of {len(data) >> 10} kB; export it as CSV")


def _line(row: Sequence[object]) -> str:
    return "\t".join(_cell(cell) for cell in row)


def _cell(cell: object) -> str:
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float):
        return repr(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(cell, timedelta):
        seconds = cell.total_seconds()
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{seconds % 60:09.6f}"
    if isinstance(cell, date | time):
        return cell.isoformat()
    return " ".join(str(cell).split()) if cell else ""
