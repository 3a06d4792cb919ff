"""Raspberry Pi Pico on a Gamry potentiostat's monitor and user I/O connectors: no relay in the cell's path. Deployed as
`board.py`; edit to fit.

From the manuals of Interface 1010 and 5000 (others: compare yours): the I monitor gives 3 V at the I range's full scale
behind 1 kilohm, positive for cathodic current; the E monitor is the voltage between the white and the blue lead. Taken
as white against blue their signs agree: see it on a resistor. Their ground is the instrument's floating one: a USB
isolator keeps it so. No input stops by itself: a digital input is read by the experiment's script, which must run only
while it is high.
"""

from ccdmon_fw.board import *  # noqa: F403 - a Pico with its own converter: GP26 E monitor, GP27 I monitor
from ccdmon_fw.board import read as _read
from ccdmon_fw.drivers.monitors import DIVIDER_5V, full_scale_V, mirrored, off_code

NAME = "rpi_pico_gamry"
I_RANGE_A = 1e-3  # your experiment's, fixed: a range that changes by itself changes the scale
I_MONITOR_V = 3.0
INVERT_E = False
I_DIVIDER = (
    9.1e3 + 1e3,
    10e3,
    None,
)  # its own kilohm is part of it, or zero would be off by more than a board may be

FRONT_END = {
    "voltage_full_scale_V": full_scale_V(DIVIDER_5V),
    "current_full_scale_A": full_scale_V(I_DIVIDER) / I_MONITOR_V * I_RANGE_A,
    "pressure_full_scale_Pa": None,
}
_OFF = off_code(DIVIDER_5V)
OPEN_VOLTAGE_CODE = 65536 - _OFF if INVERT_E else _OFF
read = mirrored(_read) if INVERT_E else _read
