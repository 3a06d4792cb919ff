"""What every board built on a Raspberry Pi Pico shares: gate, timer, console, watchdog, external trip.

A board's description takes all of it and adds its converters; `ccdmon_fw/board.py` tells what a board offers. Like the
descriptions, this file touches hardware; registers are those of the chip, in `chips/`.

Wiring: GP22 gate (a relay driver with a pull-down), GP14 external trip (pulled up; held to ground as long as all is
well), GP13 pump (toggles in each tick while the gate is closed, if set so), GP12 feedback contact (to ground, pulled
up), GP11 button that acknowledges (to ground, pulled up), GP25 the LED, lit while the gate is closed. Not GP15:
MicroPython takes it away for a millisecond at each reset of the USB on an RP2040 of revision B0 or B1 (erratum
RP2040-E5), and an armed gate would open and close again by itself.
"""

import select
import sys
import time
from array import array
from binascii import hexlify

import machine
import micropython
import rp2
from micropython import const

from ccdmon_fw.chips import known, selfchecks
from ccdmon_fw.chips.march import march
from ccdmon_fw.wire import NO_TEMPERATURE

if known.require() == "RP2040":  # before anything is touched
    from ccdmon_fw.chips import rp2040 as registers
    from ccdmon_fw.chips.rp2040 import *  # noqa: F403 - what the tick does with this chip's registers
else:
    from ccdmon_fw.chips import rp2350 as registers
    from ccdmon_fw.chips.rp2350 import *  # noqa: F403

if sys.implementation.version < (1, 26):
    raise RuntimeError("ccdmon needs MicroPython 1.26 or newer: Timer(hard=True)")

STORE = "/ccdmon"
_RECEIVE_BYTES = const(
    256
)  # in one round, so that a host that never stops talking does not hold the main loop
_PACKET_BYTES = const(64)  # of USB at full speed

_period_us = 0
_uptime_ms = 0
_ticks_ms = time.ticks_ms()
_watchdog = None
_watchdog_ms = 0
_timer = None  # an unreferenced Timer is collected, and stops
_clocks = array("I", [0, 0])
_SYSTICK = 0xE000E010
machine.mem32[_SYSTICK + 4] = 0xFFFFFF  # reload, counter, on with the processor's clock
machine.mem32[_SYSTICK + 8] = 0
machine.mem32[_SYSTICK] = 5
_poll = select.poll()
_poll.register(sys.stdin, select.POLLIN)
_stdin = sys.stdin.buffer
_received = bytearray(_RECEIVE_BYTES)
_received_byte = bytearray(1)
_packet = bytearray(_PACKET_BYTES)
_poll_out = select.poll()
_poll_out.register(sys.stdout, select.POLLOUT)
_gate_pin = machine.Pin(registers.GATE_PIN, machine.Pin.OUT, value=0)
_pump_pin = machine.Pin(registers.PUMP_PIN, machine.Pin.OUT, value=0)
_led_pin = machine.Pin(registers.LED_PIN, machine.Pin.OUT, value=0)
_external_pin = machine.Pin(registers.EXTERNAL_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
_feedback_pin = machine.Pin(registers.FEEDBACK_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
feedback = _feedback_pin.value
led = _led_pin.value
button = machine.Pin(registers.BUTTON_PIN, machine.Pin.IN, machine.Pin.PULL_UP).value
machine.ADC(machine.ADC.CORE_TEMP)  # switches the chip's converter and its temperature sensor on


now_us = time.ticks_us


def _read_flash(at, buffer):
    """256 bytes of flash, past the cache: it is the tick's."""
    selfchecks.copy_words(registers.FLASH_UNCACHED + at, buffer, len(buffer) >> 2)


def _clock_pair():
    registers.clocks(_clocks)
    return _clocks[0], _clocks[1]


def _program_bytes():
    """All that lies before the file system."""
    disk = rp2.Flash()
    return registers.FLASH_BYTES - disk.ioctl(4, 0) * disk.ioctl(5, 0)  # type: ignore[operator]


def start_timer(period_us, callback):
    """Also instead of the timer that runs."""
    global _timer, _period_us
    if _timer is not None:
        _timer.deinit()
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


def temperature_dC():
    """T = 27 - (V - 0.706 V) / 1.721 mV (RP2040 datasheet 4.9.5), of the chip on its board, in steps of 0.5 degC.

    V by the 3.3 V supply: 1 % of it is 4 degC. Beyond what the chip is made for it is no temperature.
    """
    tenths = (43_722_661 - 46_814 * registers.temperature_code()) // 10_000
    return tenths if -400 <= tenths <= 1250 else NO_TEMPERATURE


SELF_CHECKS = (
    (selfchecks.RAM, selfchecks.Ram(march, registers.RAM_BEGIN, registers.RAM_END)),
    (selfchecks.PROGRAM, selfchecks.Program(_read_flash, _program_bytes())),
    (selfchecks.STACK, selfchecks.Stack(machine.mem32, registers.STACK_BOTTOM)),
    (selfchecks.CLOCK, selfchecks.Clock(_clock_pair, machine.freq() // 1_000_000)),
    (selfchecks.REFERENCE, selfchecks.Reference(temperature_dC, lambda: uptime_ms())),
)


def service():
    """Nothing to do: the timer samples."""


def receive():
    # A byte at a time, for the console waits for all that it is asked for; into memory that is kept, for a piece of
    # the heap for each byte would end in a collection every few rounds.
    size = 0
    while size < _RECEIVE_BYTES:
        for _ in _poll.ipoll(0):
            _stdin.readinto(_received_byte)
            _received[size] = _received_byte[0]
            size += 1
            break
        else:
            break
    return bytes(memoryview(_received)[:size])


def send(buffer, size):
    """Bytes taken, and never a wait: only whole packets go, the last filled up with ends of empty frames.

    A write for which the console has some room but not enough waits up to a second for a host that does not read
    (twice MICROPY_HW_USB_CDC_TX_TIMEOUT, shared/tinyusb/mp_usbd_cdc.c of MicroPython 1.26), and the watchdog bites.
    `poll` tells whether there is any room; where all that comes and goes is whole packets, some room is room for one.
    """
    sent = 0
    while sent < size and _poll_out.poll(0):
        end = min(size, sent + _PACKET_BYTES)
        packet = buffer[sent:end]
        if end - sent < _PACKET_BYTES:
            _packet[: end - sent] = packet
            _packet[end - sent :] = bytes(_PACKET_BYTES - (end - sent))
            packet = _packet
        taken = sys.stdout.buffer.write(packet)
        if taken < _PACKET_BYTES:
            return min(size, sent + taken)
        sent = end
    return sent


def uptime_ms():
    """Since power-up; `ticks_ms` itself wraps after 12 days. Called in each round of the main loop."""
    global _uptime_ms, _ticks_ms
    now_ms = time.ticks_ms()
    _uptime_ms += time.ticks_diff(now_ms, _ticks_ms)
    _ticks_ms = now_ms
    return _uptime_ms


time_us = time.ticks_us


def unique_id():
    return hexlify(machine.unique_id()).decode()


def watchdog_bit():
    return machine.reset_cause() == machine.WDT_RESET and _was_armed()


def _was_armed():
    """SCRATCH0 of the watchdog survives its reset (RP2040 datasheet 4.7.6): set while it guards an armed gate."""
    return machine.mem32[registers.WATCHDOG_SCRATCH0] == 0x61726D64


def feed_watchdog(armed, timeout_ms):
    global _watchdog, _watchdog_ms
    if _watchdog is None and not armed:
        return
    if timeout_ms != _watchdog_ms:
        _watchdog_ms = timeout_ms
        _watchdog = machine.WDT(timeout=timeout_ms)  # sets the one there is anew
    machine.mem32[registers.WATCHDOG_SCRATCH0] = 0x61726D64 if armed else 0
    if _watchdog is not None:
        _watchdog.feed()


def on_external_trip(callback):
    _external_pin.irq(callback, machine.Pin.IRQ_RISING, hard=True)


def leave():
    """A watchdog cannot be stopped: start afresh without it. The host then asks for the console once more."""
    if _watchdog is not None:
        machine.mem32[registers.WATCHDOG_SCRATCH0] = 0
        machine.reset()
    if _timer is not None:
        _timer.deinit()
