"""Impedance spectra in potentiostats' own text files: BioLogic .mpt, Gamry .DTA, ZPlot .z.

Formats as seen in files users share; each reader takes the text and returns the spectra in it. All raise
InputError with file and line for what cannot be read; lines after an abort that are cut short end the
spectrum.
"""

import re

import numpy as np

from ccdmon.errors import InputError
from ccdmon.model.spectrum import Spectrum, make_spectrum


def parse_biologic_mpt(text: str, name: str) -> list[Spectrum]:
    """EC-Lab ASCII: the header tells its own number of lines; columns freq/Hz, Re(Z)/Ohm, -Im(Z)/Ohm."""
    lines = text.splitlines()
    told = re.search(r"Nb header lines\s*:\s*(\d+)", "\n".join(lines[:5]))
    if not told or int(told[1]) > len(lines):
        raise InputError(f"{name}: line 2 should say 'Nb header lines : N'; export the file again")
    first = int(told[1])
    header = [cell.strip() for cell in lines[first - 1].split("\t")]
    wanted = ("freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm")
    for label in wanted:
        if label not in header:
            raise InputError(f"{name}: line {first}: column '{label}' is missing; export a PEIS or GEIS")
    at = [header.index(label) for label in wanted]
    cycle_at = header.index("cycle number") if "cycle number" in header else None
    rows, cycles = [], []
    for number, line in enumerate(lines[first:], first + 1):
        cells = line.split("\t")
        if line.strip():
            rows.append([_float(cells, k, name, number) for k in at])
            cycles.append(_float(cells, cycle_at, name, number) if cycle_at is not None else 0.0)
    table, of = _table(rows, name), np.array(cycles)
    return [_spectrum(table[of == cycle], -1, f"{name} #{cycle:g}") for cycle in dict.fromkeys(cycles)]


def parse_gamry_dta(text: str, name: str) -> list[Spectrum]:
    """Gamry: every table ZCURVE is one spectrum; columns Freq, Zreal, Zimag (Im(Z) itself)."""
    lines = text.splitlines()
    starts = [k for k, line in enumerate(lines) if line.startswith("ZCURVE")]
    if not starts:
        raise InputError(f"{name}: no ZCURVE table; export an impedance experiment")
    return [_gamry_table(lines, start, name) for start in starts]


def _gamry_table(lines: list[str], start: int, name: str) -> Spectrum:
    header = lines[start + 1].split() if start + 1 < len(lines) else []
    if not {"Freq", "Zreal", "Zimag"} <= set(header):
        raise InputError(f"{name}: line {start + 2}: columns Freq, Zreal, Zimag are missing; export it again")
    at = [header.index(label) for label in ("Freq", "Zreal", "Zimag")]
    rows = []
    for number, line in enumerate(lines[start + 3 :], start + 4):
        if not line[:1].isspace():
            if line.startswith("EXPERIMENTABORTED"):  # a note inside the table; the points go on
                continue
            break
        cells = [cell.replace(",", ".") for cell in line.split()]
        rows.append([_float(cells, k, name, number) for k in at])
    return _spectrum(_table(rows, name), 1, name)


def parse_zplot_z(text: str, name: str) -> list[Spectrum]:
    """ZPlot/ZView: after 'End Comments' Freq, Ampl, Bias, Time, Z'(a), Z''(b), ... (Im(Z) itself)."""
    lines = text.splitlines()
    end = next((k for k, line in enumerate(lines) if line.strip().startswith("End Comments")), None)
    if end is None:
        raise InputError(f"{name}: no line 'End Comments'; save the file again from ZPlot")
    heads = [
        k for k, line in enumerate(lines[: end + 1]) if "Freq" in line and ("Z'" in line or "Real" in line)
    ]
    at = _zplot_columns(lines[heads[-1]]) if heads else (0, 4, 5)
    rows = []
    for number, line in enumerate(lines[end + 1 :], end + 2):
        if line.strip():
            cells = line.replace("\t", ",").split(",")
            rows.append([_float(cells, k, name, number) for k in at])
    return [_spectrum(_table(rows, name), 1, name)]


def _zplot_columns(header: str) -> tuple[int, int, int]:
    cells = [cell.strip() for cell in re.split(r"\t|,|\s{2,}", header.strip()) if cell.strip()]
    freq = next(k for k, cell in enumerate(cells) if "Freq" in cell)
    real = next((k for k, cell in enumerate(cells) if cell.startswith(("Z'(", "Real"))), 4)
    imag = next((k for k, cell in enumerate(cells) if cell.startswith(("Z''(", "Imag"))), 5)
    return freq, real, imag


def _float(cells: list[str], at: int, name: str, line: int) -> float:
    try:
        return float(cells[at].strip().replace(",", "."))
    except (ValueError, IndexError):
        found = cells[at].strip() if at < len(cells) else "nothing"
        raise InputError(f"{name}: line {line}: {found!r} is not a number; mend or export it again") from None


def _table(rows: list[list[float]], name: str) -> np.ndarray:
    if not rows:
        raise InputError(f"{name}: no points in the spectrum; nothing to read")
    return np.array(rows, dtype=np.float64)


def _spectrum(table: np.ndarray, sign: int, name: str) -> Spectrum:
    return make_spectrum(table[:, 0].copy(), table[:, 1] + sign * 1j * table[:, 2], name)
