"""Landt (LANHE) text exports: 'Record', 'Cycle-Index', 'Step-Index', 'TestTime/Sec', 'Current/mA', 'Voltage/V'.

No recorded file was at hand: written from the column names that other open readers declare.
"""

from ccdmon.formats.cyclers.dialect import Dialect, has_names

DIALECT = Dialect(kind="Landt text export", fits=has_names("record", "testtime|test", "current", "voltage"))
