"""What the Battery Data Format calls its columns: in its own units under fixed labels, and in any other unit."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ccdmon.formats.tables.labels import Label, split_label
from ccdmon.formats.tables.units import Scale, scale_of
from ccdmon.formats.tables.vocabulary import key_of

# Preferred label and machine name of each column, per the BDF's column table (batterydf 0.1.0); the first
# label is the one written.
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "test_time_s": ("Test Time / s", "test_time_second"),
    "voltage_V": ("Voltage / V", "voltage_volt"),
    "current_A": ("Current / A", "current_ampere"),
    "pressure_Pa": (
        "Surface Pressure / Pa",
        "surface_pressure_pascal",
        "surface_pressure_pa",
        "Applied Pressure / Pa",
        "applied_pressure_pascal",
        "applied_pressure_pa",
    ),
    "temperature_degC": (
        "Ambient Temperature / degC",
        "ambient_temperature_celsius",
        "ambient_temperature_celcius",
        "Surface Temperature / degC",
        "surface_temperature_celsius",
        "surface_temperature_celcius",
    ),
    "unix_time_s": ("Unix Time / s", "unix_time_second"),
    "cycle_count": ("Cycle Count / 1", "cycle_count"),
    "step_count": ("Step Count / 1", "step_count"),
}
REQUIRED = ("test_time_s", "voltage_V", "current_A")
FIELD_OF = {label: field for field, labels in COLUMN_NAMES.items() for label in labels}
_QUANTITIES = {"test_time_s": "time", "voltage_V": "voltage", "current_A": "current", "pressure_Pa": "pressure",
               "temperature_degC": "temperature", "unix_time_s": "time"}  # fmt: skip
_FIELD_OF_NAME = {
    key_of(split_label(names[0]).name): field for field, names in COLUMN_NAMES.items() if field in _QUANTITIES
}
_FIELD_OF_NAME |= {key_of(name): "pressure_Pa" for name in ("Applied Pressure",)}
_FIELD_OF_NAME |= {key_of(name): "temperature_degC" for name in ("Surface Temperature",)}


@lru_cache(maxsize=1024)
def column_of(label: str) -> tuple[str, Scale] | None:
    """(field of the trace, how to turn it into the field's unit) of a BDF label in whatever unit; None for another."""
    if label in FIELD_OF:
        return FIELD_OF[label], Scale(1.0)
    split = next((Label(label, *parts) for parts in _parts_of(label)), None)
    field = _FIELD_OF_NAME.get(key_of(split.name)) if split is not None else None
    if split is None or field is None or split.unit is None:
        return None
    scale = scale_of(_QUANTITIES[field], split.unit)
    return None if scale is None else (field, scale)


def _parts_of(label: str) -> Iterator[tuple[str, str]]:
    if " / " in label:
        name, _, unit = label.partition(" / ")
        yield name, unit
    elif label == label.lower() and "_" in label:  # machine names end in the unit, spelled out
        name, _, unit = label.rpartition("_")
        if len(unit) > 3:
            yield name.replace("_", " "), unit


class _Known:
    """Contains every label of a BDF column, in whatever unit."""

    def __contains__(self, label: object) -> bool:
        return isinstance(label, str) and column_of(label) is not None


KNOWN = _Known()


def has_bdf_columns(labels: Sequence[str]) -> bool:
    """Whether these are labels of the Battery Data Format: all that it requires in any units, or two of them as
    written."""
    fields = {found[0] for label in labels if (found := column_of(label)) is not None}
    exact = {FIELD_OF[label] for label in labels if label in FIELD_OF}
    return fields >= set(REQUIRED) or len(exact & set(REQUIRED)) > 1
