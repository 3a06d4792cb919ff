"""Neware BTS text exports with one row for each record: 'Record ID', 'Time', 'Current(mA)', 'Voltage(V)'.

Newer exports write a total time; older ones only the time within the step and the date, which then serves. A nested
export has lines of cycles and steps between the records.
"""

from ccdmon.formats.cyclers.dialect import Dialect, has_names

DIALECT = Dialect(
    kind="Neware text export",
    fits=has_names("recordid|recordindex|datapoint|recordnumber", "current|cur", "voltage|vol"),
    names={"state": ("step type", "status", "state"), "step": ("step number", "step index", "step id")},
)
