"""Reads impedance spectra from any file ccdmon knows; the kind is told by the content."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.biologic_mpr import KIND, MAGIC, read_records
from ccdmon.formats.cyclers.column_map import ColumnMap, parse_map
from ccdmon.formats.impedance.sweeps import sign_is_wrong
from ccdmon.formats.impedance.tables import MAP_ROLES, OPTION, SpectraRead, read_arrays, read_lines
from ccdmon.formats.opening import checked, read_head, text_blocks
from ccdmon.formats.tables.rows import lines_of
from ccdmon.formats.workbook import ZIP_MAGIC, is_workbook, sheets
from ccdmon.model.spectrum import Spectrum

# Binary formats come from installed plugins: an entry point of this group, named like the ending without its
# dot, is called with the path and returns a list of `Spectrum`. (The known readers of .mpr are under the
# GPL.)
PLUGIN_GROUP = "ccdmon.eis_readers"
FEWEST_POINTS = 6  # of a spectrum that can be judged: a shorter one beside longer ones was broken off
_EXPORT = (
    (b"PalmSens", "a PalmSens session; export the curve from PSTrace as CSV"),
    (b'\xff\xfe{\x00"\x00', "a PalmSens session; export the curve from PSTrace as CSV"),
    (b"Ivium", "an Ivium data file; export the data from IviumSoft as text (File, Export)"),
    (b"\x04Version", "an Ivium data file; export the data from IviumSoft as text (File, Export)"),
    (b"SQLite format 3", "a database; export the spectrum in it as text"),
    (b"\xd0\xcf\x11\xe0", ""),
)


@dataclass
class EisFile:
    """The spectra of one file in its order; `notes`: what was assumed."""

    name: str
    spectra: list[Spectrum]
    notes: list[str] = field(default_factory=list)


def read_spectra(path: str | Path, columns: str | None = None) -> list[Spectrum]:
    """All spectra of one file, at least one. `columns`: the map of `--eis-columns`. Raises InputError."""
    return read_eis(path, columns).spectra


def read_eis(path: str | Path, columns: str | None = None) -> EisFile:
    """As `read_spectra`, with what was assumed."""
    name = str(path)
    ending = Path(path).suffix.lower().lstrip(".")
    plugins = entry_points(group=PLUGIN_GROUP, name=ending)
    if plugins:
        made = SpectraRead(next(iter(plugins)).load()(Path(path)), [])
    else:
        made = _read(checked(Path(path)), name, parse_map(columns, MAP_ROLES, OPTION) if columns else None)
    spectra = [spectrum for spectrum in made.spectra if len(spectrum)]
    if not spectra:
        raise InputError(f"{name}: no usable impedance point; export the file again")
    if all(sign_is_wrong(spectrum) for spectrum in spectra):
        raise InputError(
            f"{name}: the imaginary part is positive, as of a coil; a cell's is negative: if the file holds -Im(Z), "
            f"name "
            f"its column '-Imaginary Impedance / ohm', or say which it is with {OPTION} f=LABEL,re=LABEL,-im=LABEL"
        )
    return EisFile(name, spectra, made.notes)


class Pair(NamedTuple):
    """The spectra before and after a test, None where no file was named; `series`: all of the files, in order."""

    before: Spectrum | None
    after: Spectrum | None
    notes: tuple[str, ...] = ()
    series: tuple[Spectrum, ...] = ()


def read_pair(
    before: str | Path | None,
    after: str | Path | None,
    columns: str | None = None,
    select: str | None = None,
    between: Sequence[Path] = (),
) -> Pair:
    """The spectra before and after a test; of several in one file, the first of `before` and the last of `after`.

    `select`: 'B,A', their numbers instead (from 1, from the end below 0). `between`: files of the same test, in order,
    for its series. Raises InputError for a file that cannot be read, or whose imaginary part has the wrong sign.
    """
    numbers = _selected(select)
    first, notes, known = _one_of(before, columns, numbers[0], 0)
    last, more, later = _one_of(after, columns, numbers[1], -1)
    inner = [(path, read_eis(path, columns)) for path in between]
    told = [f"{path}: {note}" for path, read in inner for note in read.notes]
    series = later if before == after else [*known, *(s for _, read in inner for s in read.spectra), *later]
    return Pair(first, last, tuple(dict.fromkeys(notes + told + more)), tuple(series))


def _selected(select: str | None) -> tuple[int | None, int | None]:
    if select is None:
        return None, None
    try:
        first, _, last = select.partition(",")
        numbers = int(first), int(last or first)
    except ValueError:
        raise InputError(
            f"--eis-select {select}: one number or two, as 1,3 (from 1; -1 is the last)"
        ) from None
    if 0 in numbers:
        raise InputError(f"--eis-select {select}: spectra are numbered from 1; -1 is the last")
    return numbers


def _one_of(
    path: str | Path | None, columns: str | None, number: int | None, which: int
) -> tuple[Spectrum | None, list[str], list[Spectrum]]:
    """(spectrum, notes, all) of a file: of that number, else the first or the last that is not broken off."""
    if not path:
        return None, [], []
    read = read_eis(path, columns)
    spectra, notes = read.spectra, [f"{path}: {note}" for note in read.notes]
    if number is not None:
        if not -len(spectra) <= number <= len(spectra):
            raise InputError(f"--eis-select {number}: {path} holds {len(spectra)} spectra; name one of them")
        return spectra[number - 1 if number > 0 else number], notes, spectra
    if len(spectra) > 1:
        word = "first" if which == 0 else "last"
        notes.append(
            f"{path}: {len(spectra)} spectra, of which the {word} is taken (others with --eis-select)"
        )
    whole = [spectrum for spectrum in spectra if len(spectrum) >= FEWEST_POINTS]
    return (whole or spectra)[which], notes, spectra


def _read(path: Path, name: str, map_: ColumnMap | None) -> SpectraRead:
    head = read_head(path)
    if head.startswith(MAGIC):
        return _read_mpr(path, name, map_)
    if is_workbook(head):
        return _read_workbook(path, name, map_)
    for mark, what in _EXPORT:
        if what and (head.startswith(mark) or (b"\0" in head[:4096] and mark in head[:4096])):
            raise InputError(f"{name}: {what}")
    if head.startswith(ZIP_MAGIC):
        raise InputError(f"{name}: an archive, not a table; unpack it")
    try:
        blocks = text_blocks(path, name)
        first = lines_of(next(blocks, b""))
        return read_lines(first, blocks, name, map_)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(f"{name}: damaged gzip file; copy it again") from None


def _read_mpr(path: Path, name: str, map_: ColumnMap | None) -> SpectraRead:
    records, notes = read_records(path, name, salvage=False)
    labels = [
        label
        for label in records.dtype.names or ()
        if label not in ("flags", "unknown") and not label.startswith("#")
    ]
    if "freq/Hz" not in labels or not {"Re(Z)/Ohm", "|Z|/Ohm"} & set(labels):
        raise InputError(f"{name}: {KIND}: no impedance in it; name the file of a PEIS or GEIS")
    read = read_arrays(labels, [records[label] for label in labels], name, map_)
    return SpectraRead(read.spectra, notes + read.notes)


def _read_workbook(path: Path, name: str, map_: ColumnMap | None) -> SpectraRead:
    """Every sheet that holds spectra, in order."""
    spectra: list[Spectrum] = []
    notes: list[str] = []
    refused: InputError | None = None
    for title, lines in sheets(path, name):
        try:
            read = read_lines(lines, (), f"{name}, sheet '{title}'", map_)
        except InputError as error:
            refused = refused or error
            continue
        spectra += read.spectra
        notes += read.notes
    if not spectra:
        raise refused or InputError(f"{name}: a workbook without cells; nothing to read")
    return SpectraRead(spectra, list(dict.fromkeys(notes)))
