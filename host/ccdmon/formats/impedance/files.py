"""Reads impedance spectra from any file ccdmon knows; the kind is told by the content."""

from importlib.metadata import entry_points
from pathlib import Path

import numpy as np

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.biologic_mpr import MAGIC, read_mpr_spectra
from ccdmon.formats.impedance.csv import parse_eis_csv
from ccdmon.formats.impedance.instruments import parse_biologic_mpt, parse_gamry_dta, parse_zplot_z
from ccdmon.model.spectrum import Spectrum

# Binary formats come from installed plugins: an entry point of this group, named like the ending without its
# dot, is called with the path and returns a list of `Spectrum`. (The known readers of .mpr are under the
# GPL.)
PLUGIN_GROUP = "ccdmon.eis_readers"
WIRING_Hz = 1e3  # above, the inductance of the leads may outweigh the cell
REACTIVE = 0.05  # |Im(Z)| over |Z|: points that tell its sign


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


def read_pair(before: str | Path | None, after: str | Path | None) -> tuple[Spectrum | None, Spectrum | None]:
    """The spectra before and after a test; of several in one file, the first of `before` and the last of `after`.

    Raises InputError for a file that cannot be read, or whose imaginary part has the wrong sign.
    """
    return _one_of(before, 0), _one_of(after, -1)


def _one_of(path: str | Path | None, which: int) -> Spectrum | None:
    spectrum = read_spectra(path)[which] if path else None
    if spectrum is not None and _sign_is_wrong(spectrum):
        raise InputError(
            f"{path}: the imaginary part is positive, as of a coil; a cell's is negative: "
            "if the file holds -Im(Z), name its column '-Imaginary Impedance / ohm'"
        )
    return spectrum


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


def _sign_is_wrong(spectrum: Spectrum) -> bool:
    """Im(Z) above zero where neither wiring nor a short can make it so: at nearly all reactive points below 1 kHz."""
    z = spectrum.impedance_ohm[spectrum.frequency_Hz < WIRING_Hz]
    reactive = z.imag[np.abs(z.imag) > REACTIVE * np.abs(z)]
    return len(reactive) >= 3 and bool(np.mean(reactive > 0) > 0.9)
