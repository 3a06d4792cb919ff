"""The Raspberry Pi Pico with its own converter: the only file that touches hardware.

What a board offers to `app.App`; another board (or a rig that plays a recorded trace) offers the same names:

    NAME                     for the identity
    gate(level)              1 lets current flow, 0 does not; safe in an interrupt, allocates nothing
    read(memory)             converters into detector memory: voltage, current, pressure code, time in us (< 2**30)
    start_timer(period_us, callback)   call `callback(timer)` every period in a hard interrupt
    sample_period_us()       the period in force
    lock() / unlock(held)    hold the timer's interrupt off for a moment
    service()                called in every round of the main loop; a rig without interrupts samples here
    receive()                bytes from the host that are there now, or b""
    send(buffer, size)       bytes to the host, never blocking; how many it took (None: all)
    uptime_ms(), unique_id()
and may offer:
    STORE                    folder on flash for settings and black boxes; without it they live in memory
    watchdog_bit()           True if the watchdog caused the last reset
    feed_watchdog(armed)     called when samples have advanced; the watchdog starts with the first arming
    on_external_trip(callback)   call `callback(pin)` in a hard interrupt when an external comparator trips
    leave()                  called before the program ends on the host's wish

Wiring: GP26 voltage, GP27 current, GP28 pressure (0..3.3 V), GP15 gate (a relay driver with a pull-down),
GP14 an external comparator's trip (active low, pulled up), GP25 the LED, lit while the gate is closed.
"""

import select
import sys
import time
from binascii import hexlify

import machine
import micropython
from micropython import const

if sys.implementation.version < (1, 26):
    raise RuntimeError("ccdmon needs MicroPython 1.26 or newer: Timer(hard=True)")

NAME = "rpi_pico"
STORE = "/ccdmon"
WATCHDOG_MS = 4_000
EXTERNAL_TRIP_PIN = const(14)
GATE_PIN = const(15)
LED_PIN = const(25)
VOLTAGE_CHANNEL = const(0)
CURRENT_CHANNEL = const(1)
PRESSURE_CHANNEL = const(2)
_SEND_BYTES = const(64)  # one USB packet: the console is polled before each, so that a write never waits

_period_us = 0
_watchdog = None
_external = None
_timer = None  # an unreferenced Timer is collected, and stops
_poll = select.poll()
_poll.register(sys.stdin, select.POLLIN)
_poll_out = select.poll()
_poll_out.register(sys.stdout, select.POLLOUT)
_gate_pin = machine.Pin(GATE_PIN, machine.Pin.OUT, value=0)
_led_pin = machine.Pin(LED_PIN, machine.Pin.OUT, value=0)
# Configure the pads and switch the converter on; the tick itself goes to the registers.
_inputs = [machine.ADC(26 + channel) for channel in (VOLTAGE_CHANNEL, CURRENT_CHANNEL, PRESSURE_CHANNEL)]


@micropython.viper
def gate(level: int):
    """Pin and LED through the SIO (RP2040 datasheet 2.3.1.7: GPIO_OUT_SET at 0x14, GPIO_OUT_CLR at 0x18)."""
    sio = ptr32(-0x30000000)  # 0xD0000000, written so that it fits a small integer
    mask = (1 << 15) | (1 << 25)
    if level:
        sio[5] = mask
    else:
        sio[6] = mask


@micropython.viper
def read(memory: ptr32):
    """Three conversions, one after the other (RP2040 datasheet 4.9: 2 us each), as 16-bit codes."""
    adc = ptr32(0x10013000 << 2)  # 0x4004C000: CS, RESULT
    timer = ptr32(0x10015000 << 2)  # 0x40054000
    memory[3] = timer[10] & 0x3FFFFFFF  # TIMERAWL, modulo 2**30 as time.ticks_us
    channel = 0
    while channel < 3:
        adc[0] = (channel << 12) | 5  # AINSEL, START_ONCE, EN
        while adc[0] & 0x100 == 0:  # READY
            pass
        memory[channel] = (adc[1] & 0xFFF) << 4
        channel += 1


def start_timer(period_us, callback):
    global _timer, _period_us
    micropython.kbd_intr(-1)  # the console carries binary frames from now on
    micropython.alloc_emergency_exception_buf(100)
    _period_us = period_us
    _timer = machine.Timer(  # type: ignore[call-overload] # the stubs lack period with tick_hz, which gives microseconds
        period=period_us, tick_hz=1_000_000, mode=machine.Timer.PERIODIC, hard=True, callback=callback
    )


def sample_period_us():
    return _period_us


lock = machine.disable_irq
unlock = machine.enable_irq


def service():
    """Nothing to do: the timer samples."""


def receive():
    data = b""
    while _poll.poll(0):
        data += sys.stdin.buffer.read(1)
    return data


def send(buffer, size):
    sent = 0
    while sent < size and _poll_out.poll(0):
        end = min(size, sent + _SEND_BYTES)
        sys.stdout.buffer.write(buffer[sent:end])
        sent = end
    return sent


uptime_ms = time.ticks_ms


def unique_id():
    return hexlify(machine.unique_id()).decode()


def watchdog_bit():
    return machine.reset_cause() == machine.WDT_RESET and _was_armed()


def _was_armed():
    """SCRATCH0 of the watchdog survives its reset (RP2040 datasheet 4.7.6): set while it guards an armed gate."""
    return machine.mem32[0x4005800C] == 0x61726D64


def feed_watchdog(armed):
    global _watchdog
    if _watchdog is None and not armed:
        return
    if _watchdog is None:
        _watchdog = machine.WDT(timeout=WATCHDOG_MS)
    machine.mem32[0x4005800C] = 0x61726D64 if armed else 0
    _watchdog.feed()


def on_external_trip(callback):
    global _external
    _external = machine.Pin(EXTERNAL_TRIP_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
    _external.irq(callback, machine.Pin.IRQ_FALLING, hard=True)


def leave():
    """A watchdog cannot be stopped: start afresh without it. The host then asks for the console once more."""
    if _watchdog is not None:
        machine.mem32[0x4005800C] = 0
        machine.reset()
    if _timer is not None:
        _timer.deinit()
