"""What `--columns` and `--eis-columns` say: which column is what, by its label or its number, and in which unit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ccdmon.errors import InputError
from ccdmon.formats.tables.labels import Label, split_label
from ccdmon.formats.tables.units import CLOCK, scale_of
from ccdmon.formats.tables.vocabulary import QUANTITY, key_of

_NAMED = re.compile(r"^(?P<label>.*?)\s*\[(?P<unit>[^\]]*)\]$")


@dataclass(frozen=True)
class MapEntry:
    """One `NAME=LABEL[UNIT]` of a map."""

    role: str
    label: str
    unit: str | None

    @property
    def number(self) -> int | None:
        """The column's place from 0, where it is named by '#3'."""
        found = re.fullmatch(r"#(\d+)", self.label)
        return int(found[1]) - 1 if found else None


@dataclass(frozen=True)
class ColumnMap:
    """What `--columns` or `--eis-columns` said, which `option` is named in messages."""

    entries: tuple[MapEntry, ...]
    option: str = "--columns"
    decimal: str | None = None
    no_current: bool = False


def parse_map(text: str, roles: Mapping[str, str], option: str = "--columns") -> ColumnMap:
    """`time=t[h],voltage=#2[mV],current=0,decimal=comma`; `roles`: role by the name of the map. Raises `InputError`."""
    entries, decimal, no_current = [], None, False
    for entry in text.split(","):
        key, equals, label = (part.strip() for part in entry.partition("="))
        if key == "decimal" and label in ("comma", "point"):
            decimal = "," if label == "comma" else "."
            continue
        if key == "current" and label == "0":
            no_current = True
            continue
        if key not in roles or not equals or not label:
            raise InputError(
                f"{option}: '{entry.strip()}' should read NAME=LABEL with NAME one of {', '.join(roles)}"
            )
        named = _NAMED.match(label)
        unit = named["unit"].strip() if named else None
        role = roles[key]
        if (
            unit is not None
            and role in QUANTITY
            and not CLOCK.search(unit)
            and scale_of(QUANTITY[role], unit) is None
        ):
            raise InputError(f"{option}: the unit '{unit}' of '{label}' is not known for {key}")
        entries.append(MapEntry(role, named["label"].strip() if named else label, unit))
    return ColumnMap(tuple(entries), option, decimal, no_current)


def find_entry(entry: MapEntry, labels: Sequence[Label]) -> tuple[int, str | None] | None:
    """(place, unit that the map tells) of an entry's column; None where no label is called so."""
    if entry.number is not None:
        return (entry.number, entry.unit) if entry.number < len(labels) else None
    for same in (
        lambda label: label.text == entry.label,
        lambda label: key_of(label.text) == key_of(entry.label),
    ):
        found = next((at for at, label in enumerate(labels) if same(label)), None)
        if found is not None:
            return found, entry.unit
    split = split_label(entry.label)
    unit, names = entry.unit or split.unit, [key_of(split.name), key_of(entry.label)]
    found = next((at for at, label in enumerate(labels) if key_of(label.name) in names and label.text), None)
    if found is None and (cut := re.match(r"^(.*?)\s*/\s*(.+)$", entry.label)):
        names, unit = [key_of(cut[1])], entry.unit or cut[2]
        found = next(
            (at for at, label in enumerate(labels) if key_of(label.name) in names and label.text), None
        )
    return None if found is None else (found, unit)
