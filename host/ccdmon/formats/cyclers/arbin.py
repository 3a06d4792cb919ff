"""Arbin: MITS exports ('Data Point', 'Test Time (s)', 'Current (A)') and tables with underscores and no units."""

from ccdmon.formats.cyclers.dialect import Dialect
from ccdmon.formats.cyclers.headers import header_with

DIALECT = Dialect(
    kind="Arbin text export",
    header_line=header_with("data point", "test time", "current", "voltage"),
    names={
        "test_time_s": ("test time",),
        "voltage_V": ("voltage",),
        "current_A": ("current",),
        "cycle_count": ("cycle index",),
        "step_count": ("step index",),
        "temperature_degC": ("aux temperature 1", "temperature"),
    },
    units={"test_time_s": "s", "voltage_V": "V", "current_A": "A"},
)
