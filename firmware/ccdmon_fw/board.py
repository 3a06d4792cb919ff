"""The Raspberry Pi Pico with its own converter, and what a board is. Only boards touch hardware.

What a board offers to `app.App`; another board (or a rig that plays a recorded trace) offers the same names:

    NAME                     for the identity
    gate(level)              1 lets current flow, 0 does not; safe in an interrupt, allocates nothing
    read(memory)             converters into detector memory: voltage, current, pressure code, time in us (< 2**30);
                             `memory` is its address: for viper's `ptr32`, to which an array costs 2 us more
    start_timer(period_us, callback)   call `callback(timer)` every period in a hard interrupt
    sample_period_us()       the period in force
    lock() / unlock(held)    hold the timer's interrupt off for a moment
    service()                called in every round of the main loop; a rig without interrupts samples here
    receive()                bytes from the host that are there now, or b""
    send(buffer, size)       bytes to the host, never blocking; how many it took (None: all)
    time_us()                now, on the clock of `read`
    uptime_ms()              since power-up, never wrapping
    unique_id()
and may offer:
    STORE                    folder on flash for settings and black boxes; without it they live in memory
    watchdog_bit()           True if the watchdog caused the last reset
    gate_level()             the gate's pin read back: 1 or 0
    feedback()               level of the gate's feedback contact
    pump()                   called at the end of each good tick, if set so: toggles its pin while the gate is closed
    feed_watchdog(closed, timeout_ms)   called when samples have advanced and all self-checks hold (`watch.py`); starts
                             with the first arming. Needs `gate_level`
    unsafe()                 1 while the external trip's input is not held safe; `read` then returns the same
    on_external_trip(callback)   call `callback(pin)` in a hard interrupt when that begins
    SELF_CHECKS              (value of the trip, object) of each; its `holds()` is called in the main loop, one of them
                             in each round, and says whether what it looks at does (`chips/selfchecks.py`)
    temperature_dC()         of the board, in tenths of a degree Celsius, or `wire.NO_TEMPERATURE`; called when the host
                             asks for the status, once a second, and never in an interrupt
    led(level)               of the board: lit by `gate`, too, while it is closed (`drivers/panel.py`)
    button()                 level of the button that acknowledges a trip: 0 while it is pressed
    leave()                  called before the program ends on the host's wish
    SAMPLE_PERIOD_FLOOR_US   the shortest period its converters allow; the firmware samples no faster
    FAULT                    why a converter did not start, for the identity; such a board trips as soon as it is armed
    ZERO_CODES               codes by which the zeros of voltage and current may be off (without it 2 % of full scale)
    OPEN_VOLTAGE_CODE        where the voltage stands when its wire is off, if that is no code of a short
    FRONT_END                full scales for the identity: what the codes 0 and 65536 stand for at the cell (None: not
                             known to the board), {"voltage_full_scale_V", "current_full_scale_A",
                             "pressure_full_scale_Pa"}

Wiring: GP26 voltage, GP27 current, GP28 pressure (0..3.3 V); the rest as in `pico.py`.
"""

import machine
from micropython import const

from ccdmon_fw.pico import *  # noqa: F403 - all that a Pico offers, whatever its converters

NAME = "rpi_pico"
# With the voltage divider of firmware/README.md; shunt, amplifier and load cell are yours.
FRONT_END = {"voltage_full_scale_V": 5.27, "current_full_scale_A": None, "pressure_full_scale_Pa": None}
OPEN_VOLTAGE_CODE = 65536 * 27 // 37  # 27 k to ground and 10 k to 3.3 V are left of that divider
VOLTAGE_CHANNEL = const(0)
CURRENT_CHANNEL = const(1)
PRESSURE_CHANNEL = const(2)
# Configure the pads and switch the converter on; the tick itself goes to the registers: `convert` of chips/rp2040.py.
_inputs = [machine.ADC(26 + channel) for channel in (VOLTAGE_CHANNEL, CURRENT_CHANNEL, PRESSURE_CHANNEL)]
read = convert  # noqa: F405 - of the chip
