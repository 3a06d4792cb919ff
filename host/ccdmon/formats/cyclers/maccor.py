"""Maccor text exports: a few lines about the test, then 'Rec', 'Cycle C', 'Step', 'Test Time (sec)', ...

Currents carry no sign in the older exports; the column MD (or State) tells: C charge, D discharge, R rest.
"""

from collections.abc import Sequence

from ccdmon.formats.cyclers.dialect import Dialect
from ccdmon.formats.cyclers.headers import separator_of
from ccdmon.formats.cyclers.labels import split_label


def _header_line(lines: Sequence[str]) -> int | None:
    for at, line in enumerate(lines):
        names = {split_label(label)[0] for label in line.split(separator_of(line))}
        if names & {"rec", "rec#"} and names & {"test time", "testtime", "test"} and "step" in names:
            return at
    return None


DIALECT = Dialect(
    kind="Maccor text export",
    header_line=_header_line,
    names={
        "test_time_s": ("test time", "testtime", "test"),
        "voltage_V": ("voltage", "volts"),
        "current_A": ("current", "amps"),
        "cycle_count": ("cycle c", "cycle p", "cyc#", "cycle"),
        "step_count": ("step",),
        "temperature_degC": ("temp 1", "evtemp"),
    },
    units={"test_time_s": "s", "voltage_V": "V", "current_A": "A"},
    state=("md", "state"),
    discharging=("d",),
)
