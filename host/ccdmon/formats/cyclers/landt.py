"""Landt (LANHE) text exports: 'Record', 'Cycle-Index', 'Step-Index', 'TestTime/Sec', 'Current/mA', 'Voltage/V'.

No recorded file was at hand: written from the column names that other open readers declare. Currents without sign take
that of the state column ('C_CC', 'D_CC', 'R').
"""

from collections.abc import Sequence

from ccdmon.formats.cyclers.dialect import Dialect
from ccdmon.formats.cyclers.headers import separator_of
from ccdmon.formats.cyclers.labels import split_label

_TIMES = ("testtime", "test time", "test")


def _header_line(lines: Sequence[str]) -> int | None:
    for at, line in enumerate(lines):
        names = {split_label(label)[0] for label in line.split(separator_of(line))}
        if "record" in names and names & set(_TIMES) and {"current", "voltage"} <= names:
            return at
    return None


DIALECT = Dialect(
    kind="Landt text export",
    header_line=_header_line,
    names={
        "test_time_s": _TIMES,
        "voltage_V": ("voltage",),
        "current_A": ("current",),
        "cycle_count": ("cycle index", "cycle"),
        "step_count": ("step index", "step"),
        "temperature_degC": ("temperature", "aux temp"),
    },
    units={"test_time_s": "s", "voltage_V": "V", "current_A": "mA"},
    state=("state", "mode", "step state", "workmode"),
    discharging=("d",),
)
