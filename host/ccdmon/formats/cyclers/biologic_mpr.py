"""BioLogic .mpr, the binary of EC-Lab: a reader of its own for the data module, of versions 2, 3 and 10 up.

There is no public specification. The layout below was worked out from recorded files and their text exports; the known
Python readers are under the GPL and can be installed as plugins (see `importer.PLUGIN_GROUP`). Known columns are those
in `COLUMNS`; a file with another one is refused by its number, for the width of a record is then not known.

File: a label, then modules: `MODULE`, short name (10), long name (25), length (u32), version (u32), date (8), content.
A length of 0xFFFFFFFF means that length, version and another version follow (EC-Lab 11.50 and later). The content of
`VMP data`: number of records (u32), number of columns (u8, from version 10 on u16), a u16 for each column, and at
a fixed place the records, packed, little-endian. The columns in `_FLAGS` share the record's first byte.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.dialect import IMPEDANCE_LINE, Columns
from ccdmon.model.spectrum import Spectrum, make_spectrum
from ccdmon.model.trace import FloatArray

KIND = "BioLogic .mpr"
MAGIC = b"BIO-LOGIC MODULAR FILE"
_FIRST_MODULE = 0x34
_RECORDS_AT = {2: 405, 3: 406, 10: 1007, 11: 1007}  # by version of the data module
_FLAGS = (1, 2, 3, 21, 31, 65)
# number: (name, type). Names as EC-Lab's text export writes them.
COLUMNS: dict[int, tuple[str, str]] = {
    4: ("time/s", "<f8"),
    5: ("control/V/mA", "<f4"),
    6: ("Ewe/V", "<f4"),
    7: ("dq/mA.h", "<f8"),
    8: ("I/mA", "<f4"),
    9: ("Ece/V", "<f4"),
    13: ("(Q-Qo)/mA.h", "<f8"),
    16: ("Analog IN 1/V", "<f4"),
    17: ("Analog IN 2/V", "<f4"),
    19: ("control/V", "<f4"),
    20: ("control/mA", "<f4"),
    24: ("cycle number", "<f8"),
    32: ("freq/Hz", "<f4"),
    33: ("|Ewe|/V", "<f4"),
    34: ("|I|/A", "<f4"),
    35: ("Phase(Z)/deg", "<f4"),
    36: ("|Z|/Ohm", "<f4"),
    37: ("Re(Z)/Ohm", "<f4"),
    38: ("-Im(Z)/Ohm", "<f4"),
    39: ("I Range", "<u2"),
    70: ("P/W", "<f4"),
    74: ("|Energy|/W.h", "<f8"),
    123: ("Energy charge/W.h", "<f8"),
    124: ("Energy discharge/W.h", "<f8"),
    125: ("Capacitance charge/uF", "<f8"),
    126: ("Capacitance discharge/uF", "<f8"),
    131: ("Ns", "<u2"),
    169: ("Cs/uF", "<f4"),
    172: ("Cp/uF", "<f4"),
    467: ("Q charge/discharge/mA.h", "<f8"),
    468: ("half cycle", "<u4"),
    469: ("z cycle", "<u4"),
}
Records = npt.NDArray[np.void]


@dataclass(frozen=True)
class _Module:
    name: bytes
    version: int
    content: bytes
    whole: bool


def read_mpr(data: bytes, name: str, *, salvage: bool = False) -> Columns:
    """Time, voltage and current of one file. Raises `InputError`; `salvage` reads the records of a cut-off file."""
    records, notes = _records(data, name, salvage)
    fields = records.dtype.names or ()
    for wanted in ("time/s", "Ewe/V"):
        if wanted not in fields:
            raise InputError(f"{name}: {KIND}: no column {wanted}; export another technique, or as .mpt")
    if "freq/Hz" in fields:  # rows of an impedance scan hold means over a sine, not the test
        test = records["freq/Hz"] == 0
        if not test.any():
            raise InputError(f"{name}: {IMPEDANCE_LINE}")
        if not test.all():
            notes.append(f"left out {int((~test).sum())} rows of impedance scans")
        records = records[test]
    values = {"test_time_s": _floats(records["time/s"]), "voltage_V": _floats(records["Ewe/V"])}
    values["current_A"], note = _current_A(records)
    if "Ns" in fields:
        values["step_count"] = _floats(records["Ns"])
    if "cycle number" in fields:
        values["cycle_count"] = _floats(records["cycle number"])
    return Columns(values, notes + ([note] if note else []))


def read_mpr_spectra(data: bytes, name: str) -> list[Spectrum]:
    """Impedance spectra of one file, one for each value of `cycle number`. Raises `InputError`."""
    records, _ = _records(data, name, salvage=False)
    fields = records.dtype.names or ()
    if not {"freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm"} <= set(fields):
        raise InputError(f"{name}: {KIND}: no impedance in it; name the file of a PEIS or GEIS")
    cycles = records["cycle number"] if "cycle number" in fields else np.zeros(len(records))
    return [
        make_spectrum(
            _floats(part["freq/Hz"]), part["Re(Z)/Ohm"] - 1j * part["-Im(Z)/Ohm"], f"{name} #{cycle:g}"
        )
        for cycle in dict.fromkeys(cycles.tolist())
        for part in [records[cycles == cycle]]
    ]


def _current_A(records: Records) -> tuple[FloatArray, str | None]:
    """The measured current; else the current asked for; else the charge of each row over its time."""
    fields = records.dtype.names or ()
    if "I/mA" in fields:
        return _floats(records["I/mA"]) * 1e-3, None
    if "dq/mA.h" in fields:
        seconds = np.diff(_floats(records["time/s"]), prepend=np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            current = _floats(records["dq/mA.h"]) * 3.6 / seconds
        current[~np.isfinite(current)] = np.nan
        return current, "no measured current in the file: it is the charge of each row over its time"
    if "control/mA" in fields:
        return _floats(
            records["control/mA"]
        ) * 1e-3, "no measured current in the file: the one asked for is taken"
    return np.zeros(len(records)), "no current in the file (open circuit): taken as zero"


def _floats(column: npt.NDArray[np.generic]) -> FloatArray:
    with np.errstate(invalid="ignore"):  # a damaged file holds any bytes
        return np.ascontiguousarray(column, dtype=np.float64)


def _records(data: bytes, name: str, salvage: bool) -> tuple[Records, list[str]]:
    module = next((m for m in _modules(data) if m.name == b"VMP data"), None)
    if module is None:
        raise InputError(
            f"{name}: {KIND}: no data in it; the measurement was never started or the file is cut off"
        )
    if module.version not in _RECORDS_AT:
        raise InputError(
            f"{name}: {KIND}: data module of version {module.version} is not known; export as .mpt"
        )
    count, dtype = _layout(module, name)
    at = _RECORDS_AT[module.version]
    there = max(0, len(module.content) - at) // dtype.itemsize
    if module.whole and (len(module.content) - at) != count * dtype.itemsize:
        raise InputError(
            f"{name}: {KIND}: a record should take {dtype.itemsize} bytes and takes "
            f"{(len(module.content) - at) / max(count, 1):g}; a column means something else here, export as .mpt"
        )
    if there < count and not salvage:
        raise InputError(
            f"{name}: {KIND}: cut off after {there} of {count} records; copy it again, or keep them with --salvage"
        )
    records = np.frombuffer(module.content, dtype, min(there, count), at) if there else np.zeros(0, dtype)
    return records, [f"cut off after {there} of {count} records"] if there < count else []


def _layout(module: _Module, name: str) -> tuple[int, np.dtype[np.void]]:
    """Number of records and the type of one."""
    wide = module.version >= 10
    try:
        count, columns = struct.unpack_from("<IH" if wide else "<IB", module.content)
        numbers = struct.unpack_from(f"<{columns}H", module.content, 6 if wide else 5)
    except struct.error:
        raise InputError(f"{name}: {KIND}: cut off before its first record; copy it again") from None
    fields: list[tuple[str, str]] = [("flags", "u1")] if set(numbers) & set(_FLAGS) else []
    for number in numbers:
        if number in _FLAGS:
            continue
        if number not in COLUMNS:
            raise InputError(
                f"{name}: {KIND}: column number {number} is not known; export as .mpt, or install a reader as plugin"
            )
        fields.append(COLUMNS[number])
    return count, np.dtype(fields)


def _modules(data: bytes) -> Iterator[_Module]:
    at = _FIRST_MODULE
    while data[at : at + 6] == b"MODULE" and len(data) >= at + 65:
        name = data[at + 6 : at + 16].strip()
        length, version = struct.unpack_from("<II", data, at + 41)
        start = at + 57
        if length == 0xFFFFFFFF:
            length, _, version = struct.unpack_from("<III", data, at + 45)
            start = at + 65
        yield _Module(name, version, data[start : start + length], start + length <= len(data))
        at = start + length
