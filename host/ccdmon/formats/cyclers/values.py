"""The columns of a trace from what a table's rows hold: units, times, signs, rests, and what of it had to be
assumed."""

import re
from dataclasses import replace

import numpy as np

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.columns import Chosen, Column, advice
from ccdmon.formats.cyclers.dialect import IMPEDANCE_LINE, Columns, Dialect
from ccdmon.formats.cyclers.electrodes import cell_voltage
from ccdmon.formats.cyclers.recognise import TIMES
from ccdmon.formats.cyclers.signs import all_rest, signed
from ccdmon.formats.cyclers.time_axis import (
    DATES_FROM,
    BadTimeError,
    Kind,
    are_days,
    choose_time,
    remarks,
    seconds_of,
    with_time_of_day,
)
from ccdmon.formats.tables.layout import Layout
from ccdmon.formats.tables.lines import notes_of_parts
from ccdmon.formats.tables.rows import Rows
from ccdmon.formats.tables.vocabulary import key_of
from ccdmon.model.trace import FloatArray

FIELDS = {
    "pressure": "pressure_Pa",
    "temperature": "temperature_degC",
    "cycle": "cycle_count",
    "step": "step_count",
}
IMPLAUSIBLE_V = 200.0
MOST_DATES = 2_000_000  # rows whose dates are read where there is a time, too: text takes memory
LEAST_TEST = 0.05  # of the rows: fewer, between impedance scans, are the wait before each of them


def assembled(
    rows: Rows, chosen: Chosen, dialect: Dialect, layout: Layout, head: list[str], where: str, salvage: bool
) -> Columns:
    notes = chosen.notes + rows.notes
    rows, scans = _without_scans(rows, where)
    notes += scans
    values: dict[str, FloatArray] = {
        FIELDS[role]: _scaled(rows.floats[role], chosen.columns[role])
        for role in FIELDS
        if role in rows.floats
    }
    values = {field: column for field, column in values.items() if np.isfinite(column).any()}
    values["voltage_V"], told = _voltage(rows, chosen, dialect.controlled_on(head[: layout.first]))
    notes += told
    _refuse_implausible(values["voltage_V"], chosen, where)
    times, date_s, told = _times(rows, chosen, where, salvage)
    values["test_time_s"] = times
    if date_s is not None:
        values["unix_time_s"] = date_s
    notes += told
    values["current_A"], told = _current(rows, chosen, dialect, layout, head, where)
    notes += told + _joined_parts(rows, times, where)
    return Columns(values, notes)


def _scaled(values: FloatArray, column: Column) -> FloatArray:
    scale = column.scale
    values = values if scale.factor == 1.0 else values * scale.factor
    return values + scale.zero if scale.zero else values


def _without_scans(rows: Rows, where: str) -> tuple[Rows, list[str]]:
    """Without the rows of impedance scans: they hold means over a sine, not the test."""
    if "frequency" not in rows.floats:
        return rows, []
    test = ~(rows.floats["frequency"] > 0)
    if test.mean() < LEAST_TEST:
        raise InputError(f"{where}: {IMPEDANCE_LINE}")
    if test.all():
        return rows, []
    kept = Rows(
        {column: values[test] for column, values in rows.floats.items()},
        {
            column: [cell for cell, good in zip(cells, test, strict=True) if good]
            for column, cells in rows.texts.items()
        },
        rows.lines[test],
    )
    return kept, [f"left out {int((~test).sum())} rows of impedance scans"]


def _voltage(rows: Rows, chosen: Chosen, told: str | None) -> tuple[FloatArray, list[str]]:
    voltage_V = _scaled(rows.floats["voltage"], chosen.columns["voltage"])
    if "minus" in rows.floats:  # asked for as a difference
        return voltage_V - _scaled(rows.floats["minus"], chosen.columns["minus"]), []
    if "counter_voltage" not in rows.floats or key_of(chosen.columns["voltage"].label.name) not in (
        "ewe",
        "<ewe>",
    ):
        return voltage_V, []
    counter_V = _scaled(rows.floats["counter_voltage"], chosen.columns["counter_voltage"])
    return cell_voltage(voltage_V, counter_V, told, rows.floats.get("asked"))


def _refuse_implausible(voltage_V: FloatArray, chosen: Chosen, where: str) -> None:
    some = voltage_V[:: max(1, len(voltage_V) // 10_000)]
    known = np.abs(some[np.isfinite(some)])
    column = chosen.columns["voltage"]
    if (
        known.size
        and float(np.median(known)) > IMPLAUSIBLE_V
        and not (column.label.unit or "").startswith("k")
    ):
        raise InputError(
            f"{where}: column '{column.label.text}': {float(np.median(known)):.4g} V is no voltage of a cell; if the "
            f"column is in mV, say --columns "
            f"{advice({**chosen.columns, 'voltage': _in_mV(column)}, in_map(chosen), {})}"
        )


def _in_mV(column: Column) -> Column:
    return replace(column, label=replace(column.label, unit="mV"))


def in_map(chosen: Chosen) -> tuple[str, ...]:
    return tuple(role for role in ("time", "date", "voltage", "current") if role in chosen.columns and not (
        role == "date" and "time" in chosen.columns))  # fmt: skip


def _times(
    rows: Rows, chosen: Chosen, where: str, salvage: bool
) -> tuple[FloatArray, FloatArray | None, list[str]]:
    """(time, date or None, notes)."""
    seconds: dict[str, FloatArray] = {}
    notes: list[str] = []
    sure = True
    for role in (role for role in TIMES if role in chosen.columns):
        found = _one_time(role, rows, chosen, where, salvage)
        if found is None:
            continue
        values, kind, told = found
        if kind != "span" and "date" not in seconds:
            seconds["date"], sure = values, kind == "date"
            notes += told if not seconds.keys() & {"time"} else []
        elif kind == "span":
            seconds[role] = values
    if len(seconds) > 1 and "date" in seconds and are_days(seconds["date"]):
        whole_s = with_time_of_day(seconds.pop("date"), seconds.get("time"))
        if whole_s is not None:
            seconds = {"date": whole_s}
            notes.append("date and time of day are put together")
    if not seconds:
        raise InputError(f"{where}: no column of it can be read as a time; say which with --columns time=...")
    times = choose_time(seconds.get("time"), seconds.get("step_time"), seconds.get("date"), _steps(rows))
    time_s, date_s, told = times
    if not sure:  # good for the time between rows, not for the day
        time_s = time_s - time_s[np.isfinite(time_s)][0] if date_s is time_s else time_s
        date_s = None
    return time_s, date_s, notes + told + remarks(time_s)


def _one_time(
    role: str, rows: Rows, chosen: Chosen, where: str, salvage: bool
) -> tuple[FloatArray, Kind, list[str]] | None:
    """(seconds, what they are, notes) of a column; None for one that is no time beside another that is."""
    column = chosen.columns[role]
    if role in rows.floats:
        if role != "date":
            return _scaled(rows.floats[role], column), "span", []
        date_s = _unix(rows.floats[role])
        return None if date_s is None else (date_s, "date", [])
    if role == "date" and len(rows) > MOST_DATES and chosen.columns.keys() & {"time", "step_time"}:
        return None
    try:
        return seconds_of(rows.texts[role], column.label.unit, salvage=salvage)
    except BadTimeError as error:
        if role == "date" and len(chosen.columns.keys() & set(TIMES)) > 1:
            return None
        line = f"line {rows.lines[error.row or 0]}, column '{column.label.text}'"
        raise InputError(
            f"{where}: {line}: {error.what}; {error.advice.format(place=column.at + 1)}"
        ) from None


def _steps(rows: Rows) -> FloatArray | None:
    """What changes at each new step, where the table has it."""
    numbers = next((rows.floats[role] for role in ("step", "cycle") if role in rows.floats), None)
    if numbers is None and "state" in rows.texts:
        words = {word: k for k, word in enumerate(dict.fromkeys(rows.texts["state"]))}
        numbers = np.array([words[word] for word in rows.texts["state"]], dtype=np.float64)
    return numbers


def _unix(values: FloatArray) -> FloatArray | None:
    """Numbers in a column of dates: seconds or milliseconds since 1970, days of a spreadsheet; None for others."""
    known = values[np.isfinite(values)]
    low = float(known.min()) if known.size else 0.0
    if low > 1e11:
        return values * 1e-3
    if low > DATES_FROM:
        return values
    return (values - 25569.0) * 86400.0 if 20000 < low < 80000 else None


def _current(
    rows: Rows, chosen: Chosen, dialect: Dialect, layout: Layout, head: list[str], where: str
) -> tuple[FloatArray, list[str]]:
    states = rows.texts.get("state", [])
    if "current" in rows.floats:
        current_A = _scaled(rows.floats["current"], chosen.columns["current"])
        notes: list[str] = []
        if states and not all(re.fullmatch(r"[\d.,\s]*", word) for word in set(states)):
            current_A, notes, word = signed(current_A, states)
            if word is not None:
                raise InputError(
                    f"{where}: currents have no sign, and the state '{word}' tells no direction; "
                    f"give the current its sign"
                )
        if not (current_A < 0).any() and (rows.floats["voltage"][current_A > 0] < 0).any():
            notes.append(
                "the current is never negative though the voltage is: if the file leaves its sign out, give it back"
            )
        return current_A, notes
    if chosen.no_current:
        return np.zeros(len(rows)), ["no current: taken as zero, as --columns says"]
    if "set_current" in rows.floats:
        note = "no measured current in the file: the one asked for is taken"
        return _scaled(rows.floats["set_current"], chosen.columns["set_current"]), [note]
    if dialect.resting(head[: layout.first]) or all_rest(states):
        return np.zeros(len(rows)), ["no current in the file, which says that the cell rested: taken as zero"]
    raise InputError(
        f"{where}: line {layout.at + 1} names no column for the current (found: {layout.shown}); "
        f"say which with --columns, or, "
        f"if the cell rested, --columns {advice(chosen.columns, in_map(chosen), {})},current=0"
    )


def _joined_parts(rows: Rows, time_s: FloatArray, where: str) -> list[str]:
    """Tables one below the other are one test if time goes on."""
    if len(rows.parts) < 2:
        return []
    for part in rows.parts[1:]:
        if 0 < part.row < len(time_s) and time_s[part.row] < time_s[part.row - 1]:
            raise InputError(
                f"{where}: the table of line {part.line} begins anew at {time_s[part.row]:g} s: several tests in one "
                f"file; split it"
            )
    return notes_of_parts(rows.parts)
