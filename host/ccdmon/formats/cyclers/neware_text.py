"""Neware BTS text exports with one row for each record: 'Record ID', 'Time', 'Current(mA)', 'Voltage(V)'.

Newer exports write a total time; older ones only the time within the step and the date, which then serves.
"""

from collections.abc import Sequence

from ccdmon.formats.cyclers.dialect import Dialect
from ccdmon.formats.cyclers.headers import separator_of
from ccdmon.formats.cyclers.labels import split_label

_RECORDS = {"record id", "record index", "datapoint", "record number"}


def _header_line(lines: Sequence[str]) -> int | None:
    for at, line in enumerate(lines):
        names = {split_label(label)[0] for label in line.split(separator_of(line))}
        if names & _RECORDS and names & {"current", "cur"} and names & {"voltage", "vol"}:
            return at
    return None


DIALECT = Dialect(
    kind="Neware text export",
    header_line=_header_line,
    names={
        "test_time_s": ("total time", "test time", "date", "realtime", "absolute time"),
        "voltage_V": ("voltage", "vol"),
        "current_A": ("current", "cur"),
        "cycle_count": ("cycle index", "cycle id", "cycle"),
        "step_count": ("step number", "step index", "step id", "step"),
        "temperature_degC": ("t1", "temperature"),
    },
    units={"test_time_s": "s", "voltage_V": "V", "current_A": "mA"},
    state=("step type", "status", "state"),
    discharging=("d", "cc dchg", "cc_dchg", "dchg", "cc dch"),
)
