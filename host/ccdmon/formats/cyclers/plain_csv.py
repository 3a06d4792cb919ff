"""Any other table with labels: the columns are guessed from common names, or named with `--columns`.

`time=Zeit[h],voltage=U/mV,current=I/A` says which label is what; a unit in the map wins over the label's.
"""

import re
from collections.abc import Iterator

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.dialect import HEAD_LINES, REQUIRED, Dialect
from ccdmon.formats.cyclers.headers import header_with, separator_of
from ccdmon.formats.cyclers.labels import split_label, unit_factor

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
        "绝对时间",
        "系统时间",
        "日期时间",
        "时间",  # often that of the step: where nothing else is there
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
    "temperature_degC": (
        "temperature",
        "temp",
        "ambient temperature",
        "surface temperature",
        "temperatur",
        "温度",
    ),
    "cycle_count": ("cycle count", "cycle", "cycle number", "cycle index", "循环号", "循环序号"),
    "step_count": ("step count", "step", "step index", "工步号", "工步序号"),
}
_STATES = ("工步类型", "工步状态", "状态")
_DISCHARGING = ("恒流放电", "恒流恒压放电", "放电", "恒功率放电", "恒阻放电")
KIND = "plain table"


def guess_dialect(lines: list[str]) -> Dialect | None:
    """A dialect made of common names, where one of the first lines holds a time, a voltage and a current."""
    for at, line in enumerate(lines[:40]):
        labels = {split_label(label)[0] for label in line.split(separator_of(line))}
        if all(labels & set(_GUESSES[column]) for column in REQUIRED):
            return Dialect(KIND, lambda _lines, at=at: at, _GUESSES, state=_STATES, discharging=_DISCHARGING)  # type: ignore[misc]
    return None


def spaced(lines: list[str]) -> Iterator[list[str]]:
    """The lines of a table whose fields are set apart by blanks alone, with tabs instead: by several, by any."""
    if not any(mark in line for line in lines[:40] for mark in "\t;"):
        for blanks in (r"\s{2,}", r"\s+"):
            yield [re.sub(blanks, "\t", line.strip(" #")) for line in lines]


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
