"""Which column of a table is what, in which unit: from its label, the row below it, the dialect or `--columns`.

Where none of them tells, the file is refused with the `--columns` that would do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.column_map import ColumnMap, find_entry
from ccdmon.formats.tables.labels import Label
from ccdmon.formats.tables.layout import Layout
from ccdmon.formats.tables.units import CLOCK, Scale, plain_unit, scale_of
from ccdmon.formats.tables.vocabulary import QUANTITY, key_of

SI = {"time": "s", "step_time": "s", "voltage": "V", "current": "A", "set_current": "A", "pressure": "Pa",
      "temperature": "degC", "frequency": "Hz", "real": "ohm", "imaginary": "ohm", "minus_imaginary": "ohm",
      "magnitude": "ohm", "phase": "deg", "minus_phase": "deg"}  # fmt: skip
_IN_MAP = {"step_time": "time", "date": "time", "set_current": "current", "frequency": "f", "real": "re",
           "imaginary": "im", "minus_imaginary": "-im", "magnitude": "mag", "minus_phase": "-phase"}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column of the table (`at` from 0) and how its cells turn into the trace's unit."""

    at: int
    label: Label
    scale: Scale
    clock: bool = False  # the unit says how a time is written
    unitless: bool = False  # nothing tells a unit: only cells that need none will do


@dataclass
class Chosen:
    """Columns by role, what was assumed about them, and what of `--columns` is no column."""

    columns: dict[str, Column] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    no_current: bool = False  # `current=0` was given
    decimal: str | None = None


def mapped(map_: ColumnMap, layout: Layout, name: str) -> Chosen:
    """The columns that a map names. Raises `InputError` for one that does not fit the table."""
    chosen = Chosen(no_current=map_.no_current, decimal=map_.decimal)
    for entry in map_.entries:
        found = find_entry(entry, layout.labels)
        if found is None and entry.role == "voltage" and "-" in entry.label:  # a difference of two
            first, _, second = entry.label.partition("-")
            found = find_entry(replace(entry, label=first.strip()), layout.labels)
            other = find_entry(replace(entry, label=second.strip()), layout.labels)
            if found is not None and other is not None:
                label = layout.labels[other[0]]
                label = replace(label, unit=other[1] or label.unit)
                chosen.columns["minus"] = _column(other[0], label, "voltage", name, layout, map_.option)
        if found is None:
            raise InputError(
                f"{name}: {map_.option}: no column is called '{entry.label}' (found: {layout.shown}); mend the map"
            )
        at, unit = found
        label = layout.labels[at]
        if unit is not None and label.unit is not None and _differ(entry.role, unit, label.unit):
            if entry.number is None and not label.loose:
                raise InputError(
                    f"{name}: {map_.option}: the label '{label.text}' says {label.unit}, the map {unit}; leave the "
                    f"unit out, or name the column by its number if the label is wrong ({entry.role}=#{at + 1}[{unit}])"
                )
            chosen.notes.append(f"column '{label.text}' is taken in {unit}, as {map_.option} says")
        label = replace(label, unit=unit or label.unit)
        chosen.columns[entry.role] = _column(at, label, entry.role, name, layout, map_.option)
    return chosen


def choose(
    layout: Layout, roles: Sequence[str], name: str, units: Mapping[str, str], preferred: Mapping[str, Sequence[str]],
    maker: str, taken: Mapping[str, Column] | None = None, optional: frozenset[str] = frozenset(),
    option: str = "--columns",
) -> Chosen:  # fmt: skip
    """A column for each role that a label names, the best name first. Raises `InputError` where a unit is missing."""
    chosen = Chosen(dict(taken or {}))
    for role in roles:
        if role in chosen.columns:
            continue
        if role == "set_current" and "current" in chosen.columns:
            continue
        used = {column.at for column in chosen.columns.values()}
        at = _best(layout, role, preferred.get(role, ()), used, name, option)
        if at is None:
            continue
        label = layout.labels[at]
        chosen.notes += _not_read(layout, at, role)
        if label.unit is None and role in units and QUANTITY.get(role) != "count":
            label = replace(label, unit=units[role])
            if role not in ("step_time", "date"):
                chosen.notes.append(
                    f"column '{label.text}' tells no unit: taken in {label.unit}, the habit of a {maker}"
                )
        try:
            chosen.columns[role] = _column(at, label, role, name, layout, option)
        except InputError as error:
            if role not in optional:
                raise
            chosen.notes.append(f"{str(error).removeprefix(name + ': ').split(';')[0]}: left out")
    return chosen


def _best(
    layout: Layout, role: str, preferred: Sequence[str], used: set[int], name: str, option: str
) -> int | None:  # fmt: skip
    keys = [key_of(one) for one in preferred]

    def rank(at: int) -> tuple[bool, int, int]:
        label = layout.labels[at]
        wish = min(
            (keys.index(key) for key in (key_of(label.name), key_of(label.text)) if key in keys),
            default=len(keys),
        )
        return not label.unit_fits(role), wish, label.roles.get(role, 1000)

    having = [
        at for at, label in enumerate(layout.labels)
        if at not in used and (role in label.roles or key_of(label.name) in keys or key_of(label.text) in keys)
    ]  # fmt: skip
    having = [at for at in having if len(layout.labels[at].roles) < 2 or layout.labels[at].unit_fits(role)]
    if not having:
        return None
    best = min(having, key=lambda at: (*rank(at), at))
    twin = next(
        (at for at in having if at != best and layout.labels[at].text == layout.labels[best].text), None
    )
    if twin is not None and role in ("time", "voltage", "current", "frequency"):
        raise InputError(
            f"{name}: line {layout.at + 1}: column '{layout.labels[best].text}' stands there twice (columns {best + 1} "
            f"and {twin + 1}); name those of one cell with {option}, e.g. {_name_in_map(role)}=#{best + 1}"
        )
    return best


def _not_read(layout: Layout, at: int, role: str) -> list[str]:
    """That another column of the same name holds the quantity, too, in another unit or spelling."""
    taken = layout.labels[at]
    others = [
        label.text
        for label in layout.labels
        if label is not taken and role in label.roles and key_of(label.name) == key_of(taken.name)
    ]
    return [f"column '{taken.text}' is read; '{other}' is the same quantity: not read" for other in others]


def _column(at: int, label: Label, role: str, name: str, layout: Layout, option: str) -> Column:
    quantity = QUANTITY.get(role)
    if quantity is None or label.unit is None:
        return Column(at, label, Scale(1.0), unitless=quantity not in (None, "count"))
    if quantity == "time" and CLOCK.search(label.unit):
        return Column(at, label, Scale(1.0), clock=True)
    scale = scale_of(quantity, label.unit)
    if scale is None and role == "date":
        return Column(at, label, Scale(1.0), clock=True)
    if scale is None and quantity == "count":
        return Column(at, label, Scale(1.0))
    if scale is None:
        told = f"{name}: line {layout.at + 1}, column '{label.text}': the unit '{label.unit}' is not known"
        raise InputError(
            f"{told}; say it with {option} (here {_name_in_map(role)}=#{at + 1}[{SI.get(role, '1')}] if it is that)"
        )
    return Column(at, label, scale)


def _differ(role: str, one: str, other: str) -> bool:
    quantity = QUANTITY.get(role)
    if quantity is None or quantity == "count":
        return False
    return plain_unit(one) != plain_unit(other) and scale_of(quantity, one) != scale_of(quantity, other)


def _name_in_map(role: str) -> str:
    return _IN_MAP.get(role, role)


def advice(chosen: Mapping[str, Column], roles: Sequence[str], missing: Mapping[str, str]) -> str:
    """The map that would do: what is known, and for the others what it may be."""
    parts = []
    for role in roles:
        column = chosen.get(role)
        if column is None:
            parts.append(f"{_name_in_map(role)}={missing.get(role, '#...')}")
        elif column.unitless and role in SI:
            parts.append(f"{_name_in_map(role)}=#{column.at + 1}[{SI[role]}]")
        else:
            unit = column.label.unit
            parts.append(
                f"{_name_in_map(role)}=#{column.at + 1}" + (f"[{unit}]" if unit and not column.clock else "")
            )
    return ",".join(parts)
