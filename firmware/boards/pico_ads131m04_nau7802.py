"""Raspberry Pi Pico, ADS131M04 for voltage and current, NAU7802 for the load cell. Deployed as `board.py`; edit to fit.

Wiring: SPI0 GP18 SCLK, GP19 DIN, GP16 DOUT, GP17 CS, 10 MHz; GP20 CLKIN (not with a crystal); its SYNC/RESET
pin to 3.3 V. I2C0 GP4 SDA, GP5 SCL with pull-ups. Gate and the rest as in `ccdmon_fw/pico.py`.
"""

import time

import machine
import micropython

from ccdmon_fw.drivers.ads131m0x import FULL_SCALE_V, Ads131m0x
from ccdmon_fw.drivers.common import SlowChannel, dead, first_fault, put_pressure
from ccdmon_fw.drivers.nau7802 import Nau7802
from ccdmon_fw.pico import *  # noqa: F403 - all that a Pico offers, whatever its converters
from ccdmon_fw.pico import now_us, stamp

NAME = "rpi_pico_ads131m04_nau7802"
SAMPLE_PERIOD_FLOOR_US = 250

CLOCK_HZ = 8_333_333  # 125 MHz / 15; its converter takes up to 8.4 MHz
# Your front end: channels, gains (1 to 128), what divides the cell's voltage, and the shunt.
VOLTAGE_CHANNEL, CURRENT_CHANNEL = 0, 1
GAINS = (1, 16, 1, 1)
VOLTAGE_DIVIDER = 5.02  # 40.2 k above 10 k
SHUNT_OHM = 1.0
SHIFT = 8  # of 24 bits, as many are left out; one less halves the full scales
# Your load cell: rated load and output, piston, reading without load.
RATED_N, RATED_mV_V, PISTON_CM2, TARE = 2000.0, 2.0, 1.0, 0
LOAD_GAIN, LOAD_SHIFT = 128, 7

_SPAN = FULL_SCALE_V / (1 << (8 - SHIFT))
FRONT_END = {
    "voltage_full_scale_V": _SPAN / GAINS[VOLTAGE_CHANNEL] * VOLTAGE_DIVIDER,
    "current_full_scale_A": _SPAN / GAINS[CURRENT_CHANNEL] / SHUNT_OHM,
    # code 65536 is half of the supply over the gain, and the bridge's output goes with the supply: it cancels
    "pressure_full_scale_Pa": 500
    / LOAD_GAIN
    / RATED_mV_V
    * RATED_N
    / PISTON_CM2
    * 1e4
    / (1 << (7 - LOAD_SHIFT)),
}

_clock = machine.PWM(machine.Pin(20), freq=CLOCK_HZ, duty_u16=32768)
_spi = machine.SPI(0, 10_000_000, phase=1, sck=machine.Pin(18), mosi=machine.Pin(19), miso=machine.Pin(16))
_i2c = machine.I2C(0, sda=machine.Pin(4), scl=machine.Pin(5), freq=400_000, timeout=2_000)
_adc = Ads131m0x(
    _spi,
    machine.Pin(17, machine.Pin.OUT, value=1),
    time.sleep_ms,
    inputs=(VOLTAGE_CHANNEL, CURRENT_CHANNEL),
    shift=SHIFT,
)
_bridge = Nau7802(_i2c, time.sleep_ms)
_load = SlowChannel(_bridge.reading, TARE, LOAD_SHIFT, poll_us=2_000, stale_us=200_000)
_load_state = _load.state
FAULT = first_fault(
    ("ads131m04", lambda: _adc.configure(GAINS, 256)),  # 16 samples/ms: four for each tick
    ("nau7802", lambda: _bridge.configure(LOAD_GAIN, 3.0, 80)),
)


# Bound once: binding allocates. What does not answer is not waited for again and again.
_read_adc = _adc.read if FAULT is None else dead


@micropython.native
def read(memory):
    unsafe = stamp(memory)
    _read_adc(memory)
    put_pressure(memory, _load_state)
    return unsafe


def service():
    if FAULT is None:
        _load.poll(now_us())
