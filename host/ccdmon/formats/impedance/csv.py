"""Impedance spectra as CSV: the contract's form with Im(Z), and exports with the negative of it."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ccdmon.errors import InputError
from ccdmon.model.spectrum import Spectrum, make_spectrum

HEADER = ("Frequency / Hz", "Real Impedance / ohm", "Imaginary Impedance / ohm")
# Other names of the three columns; True: the column holds -Im(Z).
_FREQUENCY = ("frequency / hz", "frequency_hertz", "freq_hz", "freq/hz", "frequency_hz")
_REAL = ("real impedance / ohm", "real_impedance_ohm", "rez_ohm", "re(z)/ohm", "z_real_ohm")
_IMAGINARY = {
    "imaginary impedance / ohm": False,
    "imaginary_impedance_ohm": False,
    "imz_ohm": False,
    "im(z)/ohm": False,
    "negimz_ohm": True,
    "-im(z)/ohm": True,
    "-imaginary impedance / ohm": True,
}
_GROUP = ("spectrum", "cycle", "cycle number")


def write_eis_csv(spectrum: Spectrum, path: Path) -> None:
    """One spectrum in the contract's form; the imaginary part is Im(Z) itself, negative for a capacitor."""
    z = spectrum.impedance_ohm
    rows = zip(spectrum.frequency_Hz.tolist(), z.real.tolist(), z.imag.tolist(), strict=True)
    lines = [",".join(HEADER), *(f"{f:.8g},{re:.8g},{im:.8g}" for f, re, im in rows)]
    try:
        path.write_text("\n".join(lines) + "\n")
    except OSError as error:
        raise InputError(f"{path}: cannot write: {error.strerror or error}; choose another folder") from error


def parse_eis_csv(text: str, name: str) -> list[Spectrum]:
    """The spectra of one CSV file; a column `spectrum` or `cycle` tells several apart. Raises InputError."""
    lines = [line for line in csv.reader(text.splitlines()) if line]
    header = [cell.strip().lower() for cell in lines[0]]
    where = [
        _find(header, known, label, name)
        for known, label in ((_FREQUENCY, HEADER[0]), (_REAL, HEADER[1]), (tuple(_IMAGINARY), HEADER[2]))
    ]
    sign = -1 if _IMAGINARY[header[where[2]]] else 1
    group = next((header.index(known) for known in _GROUP if known in header), None)
    columns = [*where, group] if group is not None else where
    labels = [lines[0][at].strip() for at in columns]
    rows = [
        [_number(line, at, label, row, name) for at, label in zip(columns, labels, strict=True)]
        for row, line in enumerate(lines[1:])
    ]
    if not rows:
        raise InputError(f"{name}: no rows after the header; nothing to read")
    return _grouped(np.array(rows, dtype=np.float64), sign, name)


def _grouped(table: np.ndarray, sign: int, name: str) -> list[Spectrum]:
    groups = table[:, 3] if table.shape[1] == 4 else np.zeros(len(table))
    return [
        make_spectrum(part[:, 0].copy(), part[:, 1] + sign * 1j * part[:, 2], f"{name} #{key:g}")
        for key in dict.fromkeys(groups.tolist())
        for part in [table[groups == key]]
    ]


def _find(header: Sequence[str], known: Sequence[str], label: str, name: str) -> int:
    for at, cell in enumerate(header):
        if cell in known:
            return at
    raise InputError(
        f"{name}: column '{label}' is missing (found: {', '.join(header)[:120]}); add or rename it"
    )


def _number(line: Sequence[str], at: int, label: str, row: int, name: str) -> float:
    cell = line[at].strip() if at < len(line) else ""
    try:
        return float(cell) if cell else math.nan
    except ValueError:
        raise InputError(
            f"{name}: data row {row}, column '{label}': {cell!r} is not a number; mend it"
        ) from None
