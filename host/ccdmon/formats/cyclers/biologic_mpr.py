"""BioLogic .mpr, the binary of EC-Lab: a reader of its own for the data module, of versions 0, 2, 3 and 10 up.

There is no public specification. The layout below was worked out from recorded files and their text exports; the known
Python readers are under the GPL and can be installed as plugins (see `importer.PLUGIN_GROUP`). `biologic_columns` has
the columns that are known. One of another number is passed over where its width follows from the size of a record:
where
all such stand together, or where what is needed lies before the first or behind the last of them.

File: a label, then modules: `MODULE`, short name (10), long name (25), length (u32), version (u32), date (8), content.
A length of 0xFFFFFFFF means that length, version and another version follow (EC-Lab 11.50 and later). The content of
`VMP data`: number of records (u32), number of columns (u8, from version 10 on u16), a u16 for each column (u8 in
version
0), and at a fixed place the records, packed, little-endian. The columns in `FLAGS` share one byte of the record,
where the
first of them stands.
"""

import mmap
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.arrays import read_arrays
from ccdmon.formats.cyclers.biologic_columns import COLUMNS, FLAGS, MODE_MASK
from ccdmon.formats.cyclers.column_map import parse_map
from ccdmon.formats.cyclers.dialect import Columns, Dialect
from ccdmon.formats.cyclers.tables import MAP_ROLES
from ccdmon.formats.opening import checked
from ccdmon.formats.tables.labels import split_label
from ccdmon.model.trace import FloatArray

KIND = "BioLogic .mpr"
MAGIC = b"BIO-LOGIC MODULAR FILE"
_FIRST_MODULE = 0x34
_RECORDS_AT = {0: 100, 2: 405, 3: 406, 10: 1007, 11: 1007}  # by version of the data module
_WIDEST = 8
Records = npt.NDArray[np.void]
DIALECT = Dialect(KIND, names={"cycle": ("cycle number",), "step": ("ns",)}, resting=lambda _lines: True)


@dataclass(frozen=True)
class _Module:
    name: bytes
    version: int
    content: memoryview
    whole: bool


def read_mpr(
    data: "bytes | Path", name: str, *, columns: str | None = None, salvage: bool = False
) -> Columns:
    """Time, voltage and current of one file. Raises `InputError`; `salvage` reads the records of a cut-off file."""
    records, notes = read_records(data, name, salvage)
    fields = records.dtype.names or ()
    if "time/s" not in fields:
        raise InputError(f"{name}: {KIND}: no column time/s; export another technique, or as .mpt")
    arrays = {
        field: records[field]
        for field in fields
        if field not in ("flags", "unknown") and not field.startswith("#")
    }
    if not any(field in arrays for field in ("I/mA", "<I>/mA")):
        current_mA, note = _current_mA(records)
        if current_mA is not None:
            arrays["I/mA"] = current_mA
            notes.append(note)
    map_ = parse_map(columns, MAP_ROLES) if columns else None
    asked = _asked_V(records)
    dialect = DIALECT if _rests(records) else replace(DIALECT, resting=lambda _lines: False)
    read = read_arrays(
        dialect, list(map(split_label, arrays)), list(arrays.values()), name, map_, asked_V=asked
    )
    return Columns(read.values, notes + read.notes)


def _current_mA(records: Records) -> tuple[FloatArray | None, str]:
    """Where none was measured: the charge of each row over its time; else the current asked for."""
    fields = records.dtype.names or ()
    for label, to_mAs in (("dq/mA.h", 3600.0), ("dQ/mA.h", 3600.0), ("dQ/C", 1e3)):
        if label in fields:
            seconds = np.diff(_floats(records["time/s"]), prepend=np.nan)
            with np.errstate(divide="ignore", invalid="ignore"):
                current = _floats(records[label]) * to_mAs / seconds
            current[~np.isfinite(current)] = np.nan
            return current, "no measured current in the file: it is the charge of each row over its time"
    if "control/V/mA" in fields and "flags" in fields:
        mode = records["flags"] & MODE_MASK
        if (mode == 1).any() and not (mode == 2).any():
            asked = np.where(mode == 1, _floats(records["control/V/mA"]), 0.0)
            return asked, "no measured current in the file: the one asked for is taken"
    return None, ""


def _rests(records: Records) -> bool:
    """Whether every row is one of an open circuit."""
    if "flags" not in (records.dtype.names or ()):
        return True
    first, rest = records["flags"][:1], records["flags"]
    return bool((first & MODE_MASK == 3).all() and (rest & MODE_MASK == 3).all())


def _asked_V(records: Records) -> FloatArray | None:
    """The voltage asked for, NaN where the current was controlled."""
    fields = records.dtype.names or ()
    label = next((one for one in ("control/V", "control/V/mA") if one in fields), None)
    if label is None or "flags" not in fields:
        return None
    return np.where((records["flags"] & MODE_MASK) == 2, _floats(records[label]), np.nan)


def _floats(column: npt.NDArray[np.generic]) -> FloatArray:
    with np.errstate(invalid="ignore"):  # a damaged file holds any bytes
        return np.ascontiguousarray(column, dtype=np.float64)


def read_records(data: "bytes | Path", name: str, salvage: bool) -> tuple[Records, list[str]]:
    """The records of the data module, without a copy, and what was left out. Raises `InputError`."""
    view = _mapped(data) if isinstance(data, Path) else memoryview(data)
    module = next((m for m in _modules(view) if m.name == b"VMP data"), None)
    if module is None:
        raise InputError(
            f"{name}: {KIND}: no data in it; the measurement was never started or the file is cut off"
        )
    if module.version not in _RECORDS_AT:
        raise InputError(
            f"{name}: {KIND}: data module of version {module.version} is not known; export as .mpt"
        )
    count, numbers = _header(module, name)
    room = max(0, len(module.content) - _RECORDS_AT[module.version])
    dtype, notes = _layout(numbers, count, room if module.whole else None, name)
    if not dtype.itemsize:
        raise InputError(f"{name}: {KIND}: its records have no columns; copy it again")
    there = room // dtype.itemsize
    if module.whole and room != count * dtype.itemsize:
        raise InputError(
            f"{name}: {KIND}: a record should take {dtype.itemsize} bytes and takes "
            f"{room / max(count, 1):g}; a column means something else here, export as .mpt"
        )
    if there < count and not salvage:
        raise InputError(
            f"{name}: {KIND}: cut off after {there} of {count} records; copy it again, or keep them with --salvage"
        )
    at = _RECORDS_AT[module.version]
    records = np.frombuffer(module.content, dtype, min(there, count), at) if there else np.zeros(0, dtype)
    if not len(records):
        raise InputError(f"{name}: {KIND}: no rows in it; the measurement was never started")
    return records, notes + ([f"cut off after {there} of {count} records"] if there < count else [])


def _mapped(path: Path) -> memoryview:
    with checked(path).open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _header(module: _Module, name: str) -> tuple[int, tuple[int, ...]]:
    """Number of records and the numbers of their columns."""
    wide, narrow = module.version >= 10, module.version == 0
    try:
        count, columns = struct.unpack_from("<IH" if wide else "<IB", module.content)
        numbers = struct.unpack_from(f"<{columns}{'B' if narrow else 'H'}", module.content, 6 if wide else 5)
    except struct.error:
        raise InputError(f"{name}: {KIND}: cut off before its first record; copy it again") from None
    return count, numbers


def _layout(
    numbers: Sequence[int], count: int, room: int | None, name: str
) -> tuple[np.dtype[np.void], list[str]]:
    """The type of a record. Unknown columns become one nameless field, with what lies between them."""
    fields = _fields(numbers)
    unknown = [k for k, (_, kind) in enumerate(fields) if not kind]
    if not unknown:
        return np.dtype(fields), []
    told = ", ".join(fields[k][0].lstrip("#") for k in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
    first, last = unknown[0], unknown[-1]
    record = room / count if room and count else 0.0
    known = sum(np.dtype(kind).itemsize for _, kind in fields if kind)
    between = [field for field in fields[first : last + 1] if field[1]]
    width = int(record) - sum(np.dtype(kind).itemsize for _, kind in fields[:first] + fields[last + 1 :])
    needed = [label for label, _ in between if label not in _SPARE]
    if record != int(record) or not len(unknown) <= int(record) - known <= _WIDEST * len(unknown) or needed:
        raise InputError(
            f"{name}: {KIND}: column number {told} is not known, nor how wide it is; "
            f"export as .mpt, or install a reader as plugin"
        )
    dtype = np.dtype([*fields[:first], ("unknown", f"V{width}"), *fields[last + 1 :]])
    lost = "".join(f", and with it {label}" for label, _ in between)
    return dtype, [f"passed over the column of number {told}, which is not known{lost}"]


# What a trace does without, where an unknown column hides it.
_SPARE = frozenset(
    name for name, _ in COLUMNS.values()
    if name.split("/")[0] not in ("time", "Ewe", "<Ewe>", "<Ewe", "Ece", "<Ece>", "Ewe-Ece", "I", "<I>", "freq",
                                  "Re(Z)", "-Im(Z)", "dq", "dQ", "control", "cycle number", "z cycle")
)  # fmt: skip


def _fields(numbers: Sequence[int]) -> list[tuple[str, str]]:
    """(name, type) of each field; no type for a number that is not known. A name that comes again gets a number."""
    fields: list[tuple[str, str]] = []
    for number in numbers:
        if number in FLAGS:
            if all(name != "flags" for name, _ in fields):
                fields.append(("flags", "u1"))
            continue
        name, kind = COLUMNS.get(number, (f"#{number}", ""))
        again = sum(one == name or one.startswith(f"{name} #") for one, _ in fields)
        fields.append((f"{name} #{again + 1}" if again else name, kind))
    return fields


def _modules(data: memoryview) -> Iterator[_Module]:
    at = _FIRST_MODULE
    while bytes(data[at : at + 6]) == b"MODULE" and len(data) >= at + 65:
        name = bytes(data[at + 6 : at + 16]).strip()
        length, version = struct.unpack_from("<II", data, at + 41)
        start = at + 57
        if length == 0xFFFFFFFF:
            length, _, version = struct.unpack_from("<III", data, at + 45)
            start = at + 65
        yield _Module(name, version, data[start : start + length], start + length <= len(data))
        at = start + length
