"""Impedance spectra as CSV: the contract's form with Im(Z), and exports with the negative of it."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ccdmon.errors import InputError
from ccdmon.trace import FloatArray

HEADER = ("Frequency / Hz", "Real Impedance / ohm", "Imaginary Impedance / ohm")


def write_eis_csv(frequency_Hz: FloatArray, impedance_ohm: npt.NDArray[np.complex128], path: Path) -> None:
    """One spectrum in the contract's form; the imaginary part is Im(Z) itself, negative for a capacitor."""
    rows = zip(frequency_Hz.tolist(), impedance_ohm.real.tolist(), impedance_ohm.imag.tolist(), strict=True)
    lines = [",".join(HEADER), *(f"{f:.8g},{re:.8g},{im:.8g}" for f, re, im in rows)]
    try:
        path.write_text("\n".join(lines) + "\n")
    except OSError as error:
        raise InputError(f"{path}: cannot write: {error.strerror or error}; choose another folder") from error
