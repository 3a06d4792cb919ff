"""Labels of columns: 'Test Time (s)', 'Current/mA', 'U[V]', 'Voltage_mV', 'mAmps' into a name and a unit."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ccdmon.formats.tables.units import CLOCK, scale_of
from ccdmon.formats.tables.vocabulary import QUANTITY, alike, roles_of

_BRACKETS = re.compile(r"^(?P<name>.*?)\s*(?P<open>[(\[{])(?P<unit>[^()\[\]{}]*(?:\([^()]*\))?)[)\]}]\s*$")
_SLASH = re.compile(r"^(?P<name>[^/]*?)\s*/\s*(?P<unit>.+)$")
_COMMA = re.compile(r"^(?P<name>[^,]*?)\s*,\s*(?P<unit>[^,]+)$")
_IN = re.compile(r"^(?P<name>.*?)\s+(?:in|en)\s+(?P<unit>\S+)$")
_TAIL = re.compile(r"^(?P<name>.+?)[\s_]+(?P<unit>[^\s_]+)$")
_WORD = re.compile(r"^(?P<prefix>m|u|µ|n|k)?(?P<word>amps?|volts?)$", re.IGNORECASE)
_ALONE = {"mV": "voltage", "mA": "current", "µA": "current", "uA": "current"}


@dataclass(frozen=True)
class Label:
    """One label: as it stands, and taken apart. `unit` None: it tells none; `loose`: a mere word tells it."""

    text: str
    name: str
    unit: str | None = None
    loose: bool = False

    @property
    def roles(self) -> dict[str, int]:
        """What the column may hold by its name, and how good a name for it that is (0 is best)."""
        return roles_of(self.name)

    def unit_fits(self, role: str) -> bool:
        """Whether the unit is one of what the role measures, or says how a time is written."""
        quantity = QUANTITY.get(role)
        if self.unit is None or quantity is None:
            return True
        return (
            bool(quantity == "time" and CLOCK.search(self.unit)) or scale_of(quantity, self.unit) is not None
        )


def split_label(text: str) -> Label:
    """The label taken apart. A unit after a mere blank or underscore counts only where the name goes with it."""
    plain = _plain(text)
    if plain in _ALONE:
        return Label(text.strip(), _ALONE[plain], plain)
    word = _WORD.match(plain)
    if word:
        quantity, unit = ("current", "A") if word["word"].lower().startswith("a") else ("voltage", "V")
        return Label(text.strip(), quantity, (word["prefix"] or "") + unit, loose=True)
    if roles_of(plain):
        return Label(text.strip(), plain)
    splits = list(_splits(plain))
    for name, unit in splits:
        if any(Label("", name, unit).unit_fits(role) for role in roles_of(name)):
            return Label(text.strip(), name, unit)
    known = next(((name, unit) for name, unit in splits if roles_of(name)), splits[0] if splits else None)
    if known is None or (known == splits[-1] and not _sure(plain)):
        return Label(text.strip(), plain)
    return Label(text.strip(), *known)


def _sure(plain: str) -> bool:
    """Whether something else than a blank sets the unit apart."""
    return any(pattern.match(plain) for pattern in (_BRACKETS, _SLASH, _COMMA))


def _splits(plain: str) -> Iterator[tuple[str, str]]:
    for pattern in (_BRACKETS, _SLASH, _COMMA, _IN, _TAIL):
        found = pattern.match(plain)
        if found and found["name"].strip(" <"):
            yield found["name"].strip(), found["unit"].strip().strip(">").strip()


def _plain(text: str) -> str:
    """Without quotes, marks of comment lines, and the brackets of a mean around all of it ('<Ewe/V>')."""
    plain = alike(text.strip().strip("\ufeff").strip().strip('"').strip()).lstrip("~#*").strip()
    plain = plain.removesuffix("''") if plain.count("''") == 1 and "z" not in plain.lower() else plain
    if plain.startswith("<") and plain.endswith(">") and plain.count("<") == 1:
        plain = plain[1:-1].strip()
    return " ".join(plain.split())
