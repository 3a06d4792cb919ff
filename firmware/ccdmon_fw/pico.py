"""What every board built on a Raspberry Pi Pico shares: gate, timer, console, watchdog, external trip.

A board's description takes all of it and adds its converters; `ccdmon_fw/board.py` tells what a board offers. Like the
descriptions, this file touches hardware.

Wiring: GP15 gate (a relay driver with a pull-down), GP14 an external comparator's trip (active low, pulled up),
GP13 pump (toggles in each tick while the gate is closed, if set so), GP12 feedback contact (to ground, pulled up),
GP25 the LED, lit while the gate is closed.
"""

import select
import sys
import time
from binascii import hexlify

import machine
import micropython
from micropython import const

from ccdmon_fw.wire import NO_TEMPERATURE

if sys.implementation.version < (1, 26):
    raise RuntimeError("ccdmon needs MicroPython 1.26 or newer: Timer(hard=True)")

STORE = "/ccdmon"
FEEDBACK_PIN = const(12)
PUMP_PIN = const(13)
EXTERNAL_TRIP_PIN = const(14)
GATE_PIN = const(15)
LED_PIN = const(25)
_RECEIVE_BYTES = const(
    256
)  # in one round, so that a host that never stops talking does not hold the main loop
_PACKET_BYTES = const(64)  # of USB at full speed

_period_us = 0
_uptime_ms = 0
_ticks_ms = time.ticks_ms()
_watchdog = None
_watchdog_ms = 0
_external = None
_timer = None  # an unreferenced Timer is collected, and stops
_poll = select.poll()
_poll.register(sys.stdin, select.POLLIN)
_stdin = sys.stdin.buffer
_received = bytearray(_RECEIVE_BYTES)
_received_byte = bytearray(1)
_packet = bytearray(_PACKET_BYTES)
_poll_out = select.poll()
_poll_out.register(sys.stdout, select.POLLOUT)
_gate_pin = machine.Pin(GATE_PIN, machine.Pin.OUT, value=0)
_pump_pin = machine.Pin(PUMP_PIN, machine.Pin.OUT, value=0)
_led_pin = machine.Pin(LED_PIN, machine.Pin.OUT, value=0)
_feedback_pin = machine.Pin(FEEDBACK_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
feedback = _feedback_pin.value
machine.ADC(machine.ADC.CORE_TEMP)  # switches the chip's converter and its temperature sensor on


@micropython.viper
def gate(level: int):
    """Pin and LED through the SIO (RP2040 datasheet 2.3.1.7: GPIO_OUT_SET at 0x14, GPIO_OUT_CLR at 0x18)."""
    sio = ptr32(-0x30000000)  # 0xD0000000, written so that it fits a small integer
    if level:
        sio[5] = (1 << 15) | (1 << 25)
    else:
        sio[6] = (1 << 13) | (1 << 15) | (1 << 25)


@micropython.viper
def gate_level() -> int:
    """The gate's pin as it is, not as it was set (GPIO_IN at 0x04)."""
    return (ptr32(-0x30000000)[1] >> 15) & 1


@micropython.viper
def pump():
    """Toggle the pump pin while the gate is closed (GPIO_OUT at 0x10, GPIO_OUT_XOR at 0x1C)."""
    sio = ptr32(-0x30000000)
    if sio[4] & (1 << 15):
        sio[7] = 1 << 13


@micropython.viper
def stamp(memory: ptr32):
    """Time of a sample into detector memory: TIMERAWL (RP2040 datasheet 4.6.5) modulo 2**30, as `now_us`."""
    timer = ptr32(0x10015000 << 2)  # 0x40054000
    memory[3] = timer[10] & 0x3FFFFFFF


now_us = time.ticks_us


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


@micropython.viper
def _sensor_code() -> int:
    """One conversion of the chip's temperature sensor, 12 bits; the tick selects its own channel each time."""
    adc = ptr32(0x10013000 << 2)  # 0x4004C000: CS, RESULT
    held = lock()
    adc[0] = (4 << 12) | 7  # AINSEL, START_ONCE, TS_EN, EN
    while adc[0] & 0x100 == 0:  # READY, after 2 us
        pass
    code = adc[1] & 0xFFF
    unlock(held)
    return code


def temperature_dC():
    """T = 27 - (V - 0.706 V) / 1.721 mV (RP2040 datasheet 4.9.5), of the chip on its board, in steps of 0.5 degC.

    V by the 3.3 V supply: 1 % of it is 4 degC. Beyond what the chip is made for it is no temperature.
    """
    tenths = (43_722_661 - 46_814 * _sensor_code()) // 10_000
    return tenths if -400 <= tenths <= 1250 else NO_TEMPERATURE


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
    return machine.mem32[0x4005800C] == 0x61726D64


def feed_watchdog(armed, timeout_ms):
    global _watchdog, _watchdog_ms
    if _watchdog is None and not armed:
        return
    if timeout_ms != _watchdog_ms:
        _watchdog_ms = timeout_ms
        _watchdog = machine.WDT(timeout=timeout_ms)  # sets the one there is anew
    machine.mem32[0x4005800C] = 0x61726D64 if armed else 0
    if _watchdog is not None:
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
