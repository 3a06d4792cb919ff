"""Any other table with labels: the columns are guessed from common names, or named with `--columns`.

`time=Zeit[h],voltage=U/mV,current=I/A` says which label is what; a unit in the map wins over the label's.
"""

from ccdmon.errors import InputError
from ccdmon.formats.dialect import HEAD_LINES, Dialect
from ccdmon.formats.headers import header_with
from ccdmon.formats.labels import split_label, unit_factor

FIELDS = {
    "time": "test_time_s",
    "voltage": "voltage_V",
    "current": "current_A",
    "pressure": "pressure_Pa",
    "temperature": "temperature_degC",
    "cycle": "cycle_count",
    "step": "step_count",
}
_GUESSES: dict[str, tuple[str, ...]] = {
    "test_time_s": (
        "test time",
        "time",
        "t",
        "zeit",
        "elapsed time",
        "run time",
        "total time",
        "testzeit",
        "test time second",
        "temps",
        "测试时间",
        "总时间",
    ),
    "voltage_V": (
        "voltage",
        "u",
        "v",
        "ewe",
        "potential",
        "cell voltage",
        "spannung",
        "ecell",
        "e",
        "voltage volt",
        "tension",
        "电压",
    ),
    "current_A": ("current", "i", "strom", "cell current", "current ampere", "courant", "电流"),
    "pressure_Pa": ("pressure", "stack pressure", "surface pressure", "applied pressure", "druck"),
    "temperature_degC": ("temperature", "temp", "ambient temperature", "surface temperature", "temperatur"),
    "cycle_count": ("cycle count", "cycle", "cycle number", "cycle index"),
    "step_count": ("step count", "step", "step index"),
}
KIND = "plain table"


def guess_dialect(lines: list[str]) -> Dialect | None:
    """A dialect made of common names, where one of the first lines holds a time, a voltage and a current."""
    from itertools import product

    required = [_GUESSES[column] for column in ("test_time_s", "voltage_V", "current_A")]
    for wanted in product(*required):
        find = header_with(*wanted)
        at = find(lines[:40])
        if at is not None:
            return Dialect(KIND, lambda _lines, at=at: at, _GUESSES)  # type: ignore[misc]
    return None


def mapped_dialect(columns: str, lines: list[str], name: str) -> Dialect:
    """A dialect from the text of `--columns`. Raises `InputError` for a map that does not fit the file."""
    names: dict[str, tuple[str, ...]] = {}
    units: dict[str, str] = {}
    for entry in columns.split(","):
        key, equals, label = entry.partition("=")
        field = FIELDS.get(key.strip())
        if field is None or not equals or not label.strip():
            raise InputError(
                f"--columns: '{entry.strip()}' should read NAME=LABEL with NAME one of {', '.join(FIELDS)}"
            )
        wanted, unit = split_label(label)
        if unit is not None and unit_factor(field, unit) is None and ":" not in unit:
            raise InputError(
                f"--columns: the unit '{unit}' of '{label.strip()}' is not known for {key.strip()}"
            )
        names[field] = (wanted,)
        if unit is not None:
            units[field] = unit
    find = header_with(*(label for labels in names.values() for label in labels))
    at = find(lines[:HEAD_LINES])
    if at is None:
        wanted_names = ", ".join(label for labels in names.values() for label in labels)
        raise InputError(f"{name}: no line holds all the labels of --columns ({wanted_names}); mend the map")
    return Dialect(KIND, lambda _lines: at, names, units, units_win=True)
