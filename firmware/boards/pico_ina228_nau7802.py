"""Raspberry Pi Pico, INA228 for voltage and current, NAU7802 for the load cell. Deployed as `board.py`; edit to fit.

Wiring: I2C0 GP4 SDA, GP5 SCL for the INA228, which the interrupt reads; I2C1 GP6 SDA, GP7 SCL for the NAU7802, which
the main loop reads; pull-ups on both. Its ALERT may go to GP14, the external trip: it pulls low as long as all is well.
Gate and the rest as in `ccdmon_fw/pico.py`. The INA228 measures no voltage below its own ground: lift the negative side
of a symmetric cell (BUS_ZERO_V).
"""

import time

import machine
import micropython

from ccdmon_fw.drivers.common import SlowChannel, dead, first_fault, put_pressure
from ccdmon_fw.drivers.ina228 import Ina228, SHUNT_FULL_SCALE_uV, VBUS_LSB_uV
from ccdmon_fw.drivers.nau7802 import Nau7802
from ccdmon_fw.pico import *  # noqa: F403 - all that a Pico offers, whatever its converters
from ccdmon_fw.pico import now_us, stamp

NAME = "rpi_pico_ina228_nau7802"
# Three transfers of 400 us in all at 400 kHz: half of the time is left to the rest.
SAMPLE_PERIOD_FLOOR_US = 1_000

# Your front end: bus voltage at zero cell voltage, and the shunt.
BUS_ZERO_V = 6.4
SHUNT_OHM = 0.1
FINE_RANGE = False  # True: +-40.96 mV at the shunt instead of +-163.84 mV
ALERT_A = 1.5  # ALERT lets go beyond that current, by itself
# Your load cell: rated load and output, piston, reading without load.
RATED_N, RATED_mV_V, PISTON_CM2, TARE = 2000.0, 2.0, 1.0, 0
LOAD_GAIN, LOAD_SHIFT = 128, 7

BUS_ZERO = int(BUS_ZERO_V * 1e6 / VBUS_LSB_uV + 0.5)
FRONT_END = {
    "voltage_full_scale_V": 32768 * VBUS_LSB_uV * 1e-6,
    "current_full_scale_A": SHUNT_FULL_SCALE_uV[FINE_RANGE] * 1e-6 / SHUNT_OHM,
    # code 65536 is half of the supply over the gain, and the bridge's output goes with the supply: it cancels
    "pressure_full_scale_Pa": 500
    / LOAD_GAIN
    / RATED_mV_V
    * RATED_N
    / PISTON_CM2
    * 1e4
    / (1 << (7 - LOAD_SHIFT)),
}

_i2c = machine.I2C(0, sda=machine.Pin(4), scl=machine.Pin(5), freq=400_000, timeout=500)
_load_i2c = machine.I2C(1, sda=machine.Pin(6), scl=machine.Pin(7), freq=400_000, timeout=2_000)
_monitor = Ina228(_i2c, time.sleep_ms, bus_zero=BUS_ZERO)
_bridge = Nau7802(_load_i2c, time.sleep_ms)
_load = SlowChannel(_bridge.reading, TARE, LOAD_SHIFT, poll_us=2_000, stale_us=200_000)
_load_state = _load.state
FAULT = first_fault(
    ("ina228", lambda: _monitor.configure(150, FINE_RANGE)),
    ("ina228", lambda: _monitor.alert_above(ALERT_A * SHUNT_OHM * 1e6, FINE_RANGE)),
    ("nau7802", lambda: _bridge.configure(LOAD_GAIN, 3.0, 80)),
)


# Bound once: binding allocates. What does not answer is not waited for again and again.
_read_monitor = _monitor.read if FAULT is None else dead


@micropython.native
def read(memory):
    unsafe = stamp(memory)
    _read_monitor(memory)
    put_pressure(memory, _load_state)
    return unsafe


def service():
    if FAULT is None:
        _load.poll(now_us())
