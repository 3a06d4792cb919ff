"""Text tables, plain or compressed; of a damaged compressed one `salvage` keeps the beginning."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from ccdmon.errors import InputError
from ccdmon.formats.cyclers import tables
from ccdmon.formats.cyclers.dialect import Columns
from ccdmon.formats.opening import UNPACKED_BYTES


def read_text(source: Path | bytes, name: str, columns: str | None, *, salvage: bool) -> tuple[str, Columns]:
    """As `tables.read_text`. Raises `InputError`."""
    try:
        return tables.read_text(source, name, columns, salvage=salvage)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        part = beginning(source) if salvage else b""
        if not part:
            raise InputError(
                f"{name}: damaged gzip file; copy it again, or keep its beginning with --salvage"
            ) from None
    kind, read = tables.read_text(part, name, columns, salvage=True)
    return kind, Columns(
        read.values, [*read.notes, "the compressed file is cut off or damaged; its beginning was read"]
    )


def iter_text(source: Path, name: str, columns: str | None) -> Iterator[tuple[str, Columns]]:
    """As `tables.iter_text`. Raises `InputError`."""
    try:
        yield from tables.iter_text(source, name, columns)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(
            f"{name}: damaged gzip file; copy it again, or keep its beginning with --salvage"
        ) from None


def beginning(source: Path | bytes) -> bytes:
    """The whole lines that can still be unpacked."""
    out = io.BytesIO()
    file = gzip.GzipFile(fileobj=io.BytesIO(source)) if isinstance(source, bytes) else gzip.GzipFile(source)
    try:
        while (block := file.read(1 << 14)) and out.tell() < min(UNPACKED_BYTES, 1 << 28):
            out.write(block)
    except (OSError, EOFError, zlib.error):
        pass
    part = out.getvalue()
    return part[: part.rfind(b"\n") + 1]
