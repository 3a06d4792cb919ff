"""Gamry .DTA files of a test in time (chronoamperometry, -potentiometry, charge-discharge): the table CURVE.

Below the labels stands a line of units; rows begin with a tab; a decimal comma is read where the computer wrote one.
The current is as the instrument signs it.
"""

from collections.abc import Sequence

from ccdmon.formats.cyclers.dialect import Dialect


def _header_line(lines: Sequence[str]) -> int | None:
    if not lines or lines[0].strip() != "EXPLAIN":
        return None
    return next((at + 1 for at, line in enumerate(lines[:-2]) if line.startswith("CURVE")), None)


DIALECT = Dialect(
    kind="Gamry file",
    header_line=_header_line,
    names={
        "test_time_s": ("t", "time"),
        "voltage_V": ("vf", "vm"),
        "current_A": ("im",),
        "temperature_degC": ("temp",),
    },
    units={"test_time_s": "s", "voltage_V": "V", "current_A": "A"},
    rows_after=2,
    row_begin="\t",
)
