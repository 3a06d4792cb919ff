"""Reads impedance spectra from any file ccdmon knows; the kind is told by the content."""

from importlib.metadata import entry_points
from pathlib import Path

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.biologic_mpr import MAGIC, read_mpr_spectra
from ccdmon.formats.impedance.csv import parse_eis_csv
from ccdmon.formats.impedance.instruments import parse_biologic_mpt, parse_gamry_dta, parse_zplot_z
from ccdmon.model.spectrum import Spectrum

# Binary formats come from installed plugins: an entry point of this group, named like the ending without its
# dot, is called with the path and returns a list of `Spectrum`. (The known readers of .mpr are under the
# GPL.)
PLUGIN_GROUP = "ccdmon.eis_readers"


def read_spectra(path: str | Path) -> list[Spectrum]:
    """All spectra of one file, at least one. Raises InputError for what cannot be read."""
    name = str(path)
    ending = Path(path).suffix.lower().lstrip(".")
    plugins = entry_points(group=PLUGIN_GROUP, name=ending)
    if plugins:
        spectra: list[Spectrum] = next(iter(plugins)).load()(Path(path))
    elif (text := _text(path)).startswith(MAGIC.decode()):
        spectra = read_mpr_spectra(text.encode("latin-1"), name)
    else:
        spectra = _parsed(text, name, ending)
    if not any(len(spectrum) for spectrum in spectra):
        raise InputError(f"{name}: no usable impedance point; export the file again")
    return [spectrum for spectrum in spectra if len(spectrum)]


def _parsed(text: str, name: str, ending: str) -> list[Spectrum]:
    start = text.lstrip("\ufeff \r\n")
    if not start:
        raise InputError(f"{name}: empty; nothing to read")
    if start.startswith("EC-Lab ASCII"):
        return parse_biologic_mpt(text, name)
    if start.startswith("EXPLAIN"):
        return parse_gamry_dta(text, name)
    if start.startswith("ZPLOT"):
        return parse_zplot_z(text, name)
    if "\0" in text[:1000]:
        raise InputError(f"{name}: a binary file (.{ending}); export it as text, or install a reader for it")
    return parse_eis_csv(start, name)


def _text(path: str | Path) -> str:
    try:
        # Latin-1 reads any byte: instruments write units like the degree sign in their own code page.
        return Path(path).read_bytes().decode("latin-1").removeprefix("\xef\xbb\xbf")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; check the path") from error
