"""Raspberry Pi Pico on a BioLogic potentiostat's auxiliary connector: no relay in the cell's path. Deployed as
`board.py`; edit to fit.

From the manual of the SP-240 (others: compare yours): E monitor is inverted, the I monitor's volts per ampere go with
the I range, OPEN In is active low (below 0.8 V; released above 3.5 V), opens the cell and ends the experiment; its
ground is earth. So the gate's output must hold OPEN In high for the experiment to run, and everything that dies lets
it fall: wiring in `firmware/README.md`. Fix the I range: a range that changes by itself changes the scale.
"""

from ccdmon_fw.board import *  # noqa: F403 - a Pico with its own converter: GP26 E monitor, GP27 I monitor
from ccdmon_fw.board import read as _read
from ccdmon_fw.drivers.monitors import DIVIDER_3V, DIVIDER_5V, full_scale_V, mirrored, off_code

NAME = "rpi_pico_biologic"
# Your experiment's I range, and the volts of the I monitor at that current: from your instrument's manual, or measured
# with a resistor for a cell. Nothing is assumed: without it the board cannot be armed.
I_RANGE_A = 1e-3
I_MONITOR_V = None
INVERT_E = True

FRONT_END = {
    "voltage_full_scale_V": full_scale_V(DIVIDER_5V),
    "current_full_scale_A": I_MONITOR_V and full_scale_V(DIVIDER_3V) / I_MONITOR_V * I_RANGE_A,
    "pressure_full_scale_Pa": None,
}
_OFF = off_code(DIVIDER_5V)
OPEN_VOLTAGE_CODE = 65536 - _OFF if INVERT_E else _OFF
FAULT = None if I_MONITOR_V else "I_MONITOR_V is not set in board.py"
read = mirrored(_read) if INVERT_E else _read
