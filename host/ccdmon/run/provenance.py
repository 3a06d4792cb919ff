"""Where a report comes from: the file, its hash and date, how many rows, which software; the same for the same file."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ccdmon.run.sources import Source
from ccdmon.version import __version__

_PIECE_BYTES = 1 << 20


def provenance(source: Source, rows: int) -> dict[str, Any]:
    """The entry `source` of a report; `file`, `sha256`, `made` are None where the rows came from no file that is there.

    The hash of a run folder is that of its frames, all parts in their order; `made` is when the file was written last.
    """
    name, files = _files(source)
    return {
        "file": name,
        "sha256": _sha256(files),
        "rows": rows,
        "software": f"ccdmon {__version__}",
        "made": _made(files),
    }


def _files(source: Source) -> tuple[str | None, list[Path]]:
    origin = source.origin
    if origin is None:
        return None, []
    if source.run is not None:
        from ccdmon.run.frame_files import parts

        return origin.resolve().name, list(parts(origin))
    return origin.name, [origin]


def _made(files: Iterable[Path]) -> str | None:
    try:
        written_s = [path.stat().st_mtime for path in files]
        return (
            datetime.fromtimestamp(max(written_s), UTC).isoformat(timespec="seconds") if written_s else None
        )
    except (OSError, OverflowError, ValueError):  # gone, or of no year that there is
        return None


def _sha256(files: Iterable[Path]) -> str | None:
    """None without a file, or where one cannot be read any more: the rows are in memory, the report is not lost."""
    digest, some = hashlib.sha256(), False
    for path in files:
        try:
            if not path.is_file():
                return None
            with path.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    digest.update(piece)
        except OSError:
            return None
        some = True
    return digest.hexdigest() if some else None
