"""What can be analysed: a trace in memory, a file that is too long for that, a run folder.

Each gives its rows in pieces, from the beginning, as often as asked: once for the analysis, and once more for the rows
that figures need. What reads a run folder is imported where there is one: it takes longer than a file does to analyse.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ccdmon.errors import InputError
from ccdmon.formats.bdf.read import read_ahead
from ccdmon.formats.importer import is_long, iter_trace, read_trace
from ccdmon.model.trace import Trace

if TYPE_CHECKING:
    from ccdmon.run.stored_rows import RunRows
    from ccdmon.run.trip_place import TripPlace


class Source(ABC):
    """`run`, `place`: of a run folder, and where its firmware tripped, after a pass over the rows.

    `origin`: the file or run folder that the rows are of; None where there is none.
    """

    origin: Path | None = None
    run: "RunRows | None" = None
    place: "TripPlace | None" = None

    @abstractmethod
    def traces(self) -> Iterator[Trace]:
        """All rows once; at least one, or `InputError`."""


class TraceRows(Source):
    """A trace that is held whole; nobody watched it."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.origin = trace, trace.source

    def traces(self) -> Iterator[Trace]:
        """In one piece."""
        yield self.trace


class FileRows(Source):
    """A long table, read piece by piece. `columns`: see `formats.importer.read_trace`."""

    def __init__(self, path: Path, columns: str | None = None) -> None:
        self.path, self.columns, self.origin = path, columns, path

    def traces(self) -> Iterator[Trace]:
        """The next piece is read while the caller works on one."""
        return read_ahead(iter_trace(self.path, self.columns))


class FolderRows(Source):
    """A run folder, and what the firmware tripped on."""

    def __init__(self, run: "RunRows") -> None:
        self.run: RunRows = run
        self.origin = run.folder

    def traces(self) -> Iterator[Trace]:
        """Decoded from its frames."""
        from ccdmon.run.trip_place import TripPlace

        place = TripPlace(self.run.trip)
        for piece in self.run.pieces():
            place.feed(piece)
            self.place = place
            yield piece.trace


def source_of(name: str, *, columns: str | None = None, salvage: bool = False) -> Source:
    """The source of that name: a file of any kind that ccdmon reads, `-`, or a run folder. Raises `InputError`.

    `columns`, `salvage`: see `formats.importer.read_trace`.
    """
    run = run_folder(name)
    if run is not None:
        return FolderRows(run)
    if name != "-" and not salvage and is_long(Path(name)):
        return FileRows(Path(name), columns)
    return TraceRows(read_trace(name, columns=columns, salvage=salvage))


def run_folder(name: str) -> "RunRows | None":
    """The run folder of that name; None where it is no folder. Raises `InputError` for a folder of something else."""
    path = Path(name)
    try:
        if name == "-" or not path.is_dir():
            return None
    except OSError as error:  # a name too long, links in a circle
        raise InputError(f"{name:.80}: {error.strerror}; check the path") from error
    from ccdmon.run.folder import is_run_folder
    from ccdmon.run.stored_rows import RunRows

    if not is_run_folder(path):
        raise InputError(
            f"{name}: a folder without frames.bin; name a trace file or a run folder, or judge all that lies there "
            "with `ccdmon analyze FOLDER --catalogue DIR`"
        )
    return RunRows(path)
