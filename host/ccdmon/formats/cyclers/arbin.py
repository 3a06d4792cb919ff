"""Arbin: MITS exports ('Data Point', 'Test Time (s)', 'Current (A)'), Channel sheets, tables with underscores and
no units."""

from ccdmon.formats.cyclers.dialect import Dialect, has_names

DIALECT = Dialect(
    kind="Arbin text export",
    fits=has_names("datapoint|datetime", "testtime", "current", "voltage", "stepindex"),
    units={"time": "s", "step_time": "s", "voltage": "V", "current": "A"},
    names={"temperature": ("aux temperature 1", "temperature")},
)
