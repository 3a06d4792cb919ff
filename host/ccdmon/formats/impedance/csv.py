"""Impedance spectra as CSV, in the contract's form: one line for each point, Im(Z) itself, the spectrum's number
first."""

from collections.abc import Sequence
from pathlib import Path

from ccdmon.errors import InputError
from ccdmon.model.spectrum import Spectrum

HEADER = ("Frequency / Hz", "Real Impedance / ohm", "Imaginary Impedance / ohm")
SPECTRUM = "Spectrum / 1"


def write_eis_csv(spectra: Spectrum | Sequence[Spectrum], path: Path) -> None:
    """Write spectra; the imaginary part is negative for a capacitor. A single `Spectrum` is written without a
    number."""
    try:
        path.write_text(eis_csv(spectra), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot write: {error.strerror or error}; choose another folder") from error


def eis_csv(spectra: Spectrum | Sequence[Spectrum]) -> str:
    """The text of such a file."""
    if isinstance(spectra, Spectrum):
        return "\n".join([",".join(HEADER), *_lines(spectra)]) + "\n"
    lines = [f"{number},{line}" for number, one in enumerate(spectra, 1) for line in _lines(one)]
    return "\n".join([",".join((SPECTRUM, *HEADER)), *lines]) + "\n"


def _lines(spectrum: Spectrum) -> list[str]:
    z = spectrum.impedance_ohm
    rows = zip(spectrum.frequency_Hz.tolist(), z.real.tolist(), z.imag.tolist(), strict=True)
    return [f"{f:.8g},{re:.8g},{im:.8g}" for f, re, im in rows]
