"""Maccor text exports: a few lines about the test, then 'Rec', 'Cycle C', 'Step', 'Test Time (sec)', ...

Currents carry no sign in the older exports; the column MD (or State) tells: C charge, D discharge, R rest. Exports in
milliamperes may hold millivolts under 'Volts'.
"""

from ccdmon.formats.cyclers.dialect import Dialect, has_names

DIALECT = Dialect(
    kind="Maccor text export",
    fits=has_names("rec|rec#", "testtime|test", "step"),
    units={"time": "s", "step_time": "s", "voltage": "V", "current": "A"},
    names={"state": ("state", "md"), "cycle": ("cycle c", "cyc#", "cycle p")},
)
