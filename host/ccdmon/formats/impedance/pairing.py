"""Which spectra of a file or a folder are those before and after a test: the first and the last that were measured."""

import re
from pathlib import Path
from typing import NamedTuple

from ccdmon.errors import InputError
from ccdmon.formats.impedance.files import read_eis

ENDINGS = (".csv", ".dta", ".eis", ".gz", ".mpr", ".mpt", ".txt", ".xlsx", ".z", ".z60")
_BEFORE = re.compile(r"(?<![a-z])(before|initial|pre|vor)(?![a-z])", re.IGNORECASE)
_AFTER = re.compile(r"(?<![a-z])(after|final|post|nach)(?![a-z])", re.IGNORECASE)


class Paired(NamedTuple):
    """Files for `read_pair`; `after` None: there is one spectrum only, and it counts as the one before.

    `between`: those measured in between, in their order.
    """

    before: Path
    after: Path | None
    notes: tuple[str, ...]
    between: tuple[Path, ...] = ()


def paired(source: Path, trace: Path | None = None, columns: str | None = None) -> Paired:
    """The pair of one file with several spectra, or of a folder's files.

    Of a folder with files of several cells only those count whose names begin as the trace's does. Their order is that
    of the words in their names (before, after; initial, final; pre, post), then of the names, numbers by their value:
    cyclers number the techniques of an experiment. `columns`: the map of `--eis-columns`. Raises `InputError` where
    nothing holds a spectrum.
    """
    if not source.is_dir():
        return _of_one(source, columns)
    files = _files_of(source, trace)
    counts = {file: count for file in files if (count := _spectra_in(file, columns))}
    if not counts:
        raise InputError(
            f"{source}: no file with an impedance spectrum; name one with --eis-before, --eis-after"
        )
    ordered = sorted(counts, key=lambda file: _place(file.name))
    if len(ordered) == 1:
        return _of_one(ordered[0], columns)
    first, last = ordered[0], ordered[-1]
    note = f"{source}: before is {first.name}, after {last.name}, of {len(ordered)} files with spectra"
    return Paired(first, last, (note,), tuple(ordered[1:-1]))


def _of_one(path: Path, columns: str | None) -> Paired:
    if len(read_eis(path, columns).spectra) > 1:
        return Paired(path, path, ())
    return Paired(path, None, (f"{path}: one spectrum, taken as the one before the test",))


def _files_of(folder: Path, trace: Path | None) -> list[Path]:
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and file.suffix.lower() in ENDINGS]
    if trace is not None:
        stem = trace.name.split(".")[0]
        own = [file for file in files if file.name.startswith(stem) and file.resolve() != trace.resolve()]
        return own or [file for file in files if file.resolve() != trace.resolve()]
    return files


def _spectra_in(path: Path, columns: str | None) -> int:
    """How many; 0 for a file that is no impedance, which a folder may hold."""
    try:
        return len(read_eis(path, columns).spectra)
    except InputError:
        return 0


def _place(name: str) -> tuple[int, list[tuple[int, str]]]:
    word = -1 if _BEFORE.search(name) else 1 if _AFTER.search(name) else 0
    parts = re.split(r"(\d+)", name.lower())
    return word, [(int(part), "") if part.isdigit() else (0, part) for part in parts]
