"""What a verb is given to read: a trace or cycler's file, `-`, or a run folder."""

import argparse
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from ccdmon.formats.importer import read_trace
from ccdmon.model.trace import Trace
from ccdmon.run.sources import FileRows, Source, TraceRows, source_of


def open_rows(name: str, args: argparse.Namespace) -> Source:
    """A trace or cycler's file, `-` or a run folder; what was left out is noted on stderr. Raises `InputError`."""
    source = source_of(name, columns=args.columns, salvage=args.salvage)
    if isinstance(source, TraceRows):
        _note(name, source.trace.notes)
    return _Telling(name, source) if isinstance(source, FileRows) else source


def told_of(source: Source) -> Collection[str]:
    """What of a source from `open_rows` is noted on stderr already."""
    if isinstance(source, TraceRows):
        return source.trace.notes
    return source.told if isinstance(source, _Telling) else ()


class _Telling(Source):
    """The rows of a long file; what is assumed or left out is noted on stderr once, when it is known."""

    def __init__(self, name: str, file: FileRows) -> None:
        self._name, self._file, self.origin = name, file, file.origin
        self.told: set[str] = set()

    def traces(self) -> Iterator[Trace]:
        """As the file's."""
        for piece in self._file.traces():
            _note(self._name, [note for note in piece.notes if note not in self.told])
            self.told.update(piece.notes)
            yield piece


def open_file(name: str, args: argparse.Namespace) -> Trace:
    """A trace or cycler's file or `-`, whole; what was left out is noted on stderr. Raises `InputError`."""
    trace = with_area(read_trace(name, columns=args.columns, salvage=args.salvage), args)
    _note(name, trace.notes)
    return trace


def _note(name: str, notes: Iterable[str]) -> None:
    for note in notes:
        print(f"{name}: note: {note}", file=sys.stderr)


def pieces_of(name: str, args: argparse.Namespace) -> Iterator[Trace]:
    """The rows of anything in pieces with the same columns: a short file in one, a long one or a run folder in many."""
    for piece in open_rows(name, args).traces():
        yield with_area(piece, args)


def with_area(trace: Trace, args: argparse.Namespace) -> Trace:
    """The trace with the electrode area of the command line, where one was given."""
    area_cm2 = getattr(args, "area_cm2", None)
    if area_cm2 is None:
        return trace
    return replace(trace, cell=replace(trace.cell, electrode_area_cm2=area_cm2))
