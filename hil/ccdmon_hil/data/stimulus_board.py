"""Runs on the second board of a bench, from memory: rows to the tested board's converters through an MCP4728.

`player.py` sends this over mpremote to stock MicroPython, behind the pins (`GATE`, `PUMP`, `LDAC`, `ADDRESS`) and how
many samples of a run are at rest (`LEAD`), and calls its functions at the prompt; interrupts play meanwhile. Nothing is
written to the flash.

The tested firmware toggles its pump pin at the end of each tick while its gate is closed: the sample's strobe. At each,
LDAC puts the next row on all outputs at once, and the row behind it goes into the DAC's input registers: seven bytes of
nine bits at 400 kHz, 158 us, sent by the bus block alone. Once the gate is open there is no strobe: this board's own
timer goes on. In lock-step rows are not ahead: the host puts one at a time.

Times are the board's microseconds modulo 2**30, taken in the pins' interrupt: late by its entry, never early.
MCP4728 (DS22187E): fast write, figure 5-7, two bytes for each of the channels A, B, C from 0000 and 12 bits; 0x80
takes the supply as all references, figure 5-12; the falling LDAC moves all outputs, 4.8.
"""

# The pins stand before it:
# mypy: ignore-errors
# ruff: noqa: F821
import sys
import time
from array import array
from binascii import a2b_base64

import machine
import micropython
from micropython import const

if sys.implementation.version < (1, 26) or "RP2040" not in sys.implementation._machine:
    raise RuntimeError("the stimulus needs a Raspberry Pi Pico with MicroPython 1.26 or newer")

_SLOTS = const(8192)  # rows, and behind them the one at rest
_MASK = const(0x3FFFFFFF)
_BUS_LIMIT_US = const(400)  # for one row
# From the outputs' move to the strobe: they settle in 6 us, from conversion to strobe a tick takes up to 65.
_SETTLED_US = const(85)
_SAMPLED = const(0)  # rows
_ROWS = const(1)  # there are
_LOCK_STEP = const(2)
_PLAYS = const(3)
_PERIOD_US = const(4)
_STROBE_US = const(5)
_GATE_LEVEL = const(6)
_PUMP_LEVEL = const(7)
_SHOWN_US = const(8)
_MOVES = const(9)
_LATE = const(10)
_WAITS = const(1)  # of _PLAYS; 0: at rest
_STROBED = const(2)
_TIMED = const(3)
_EDGES = const(8)

control = array("I", [0] * 11)
rows = bytearray(6 * (_SLOTS + 1))
rows[6 * _SLOTS :] = b"\x08\x00" * 3
instants_us = array("I", bytes(4 * _SLOTS))
edges = array("I", [0] * (3 * _EDGES))
pins = array("I", [GATE, PUMP, 1 << LDAC, LEAD])
gate_pin = machine.Pin(GATE, machine.Pin.IN, machine.Pin.PULL_DOWN)
pump_pin = machine.Pin(PUMP, machine.Pin.IN, machine.Pin.PULL_DOWN)
ldac_pin = machine.Pin(LDAC, machine.Pin.OUT, value=1)
bus = machine.I2C(0, sda=machine.Pin(4), scl=machine.Pin(5), freq=400_000)
timer = machine.Timer()
period_us = 0


@micropython.viper
def busy() -> int:
    """Whether the bus still sends (I2C0 at 0x40044000, IC_STATUS: MST_ACTIVITY)."""
    return ptr32(0x10011000 << 2)[28] & 0x20


@micropython.viper
def load(slot: int):
    """Begin to send a row to the DAC's input registers (IC_DATA_CMD; with STOP at the last byte)."""
    i2c = ptr32(0x10011000 << 2)
    data = ptr8(rows)
    at = 6 * slot
    last = at + 5
    while at < last:
        i2c[4] = data[at]
        at += 1
    i2c[4] = data[at] | 0x200


@micropython.viper
def show(row: int):
    """Put what is in the input registers on the outputs: LDAC falls, for at least 0.21 us; noted is when."""
    timer = ptr32(0x10015000 << 2)  # 0x40054000: TIMERAWL
    begin_us = timer[10]
    while int(busy()) and (timer[10] - begin_us) & _MASK < _BUS_LIMIT_US:
        pass
    sio = ptr32(-0x30000000)  # 0xD0000000, written so that it fits a small integer
    ldac = ptr32(pins)[2]
    sio[6] = ldac
    time_us = timer[10] & _MASK
    ptr32(control)[_SHOWN_US] = time_us
    ptr32(instants_us)[row & (_SLOTS - 1)] = time_us
    sio[5] = ldac


@micropython.viper
def load_row(row: int):
    """A row, or rest behind the last."""
    load(row if row < ptr32(control)[_ROWS] else _SLOTS)


@micropython.viper
def advance():
    """A row was sampled."""
    c = ptr32(control)
    row = c[_SAMPLED] + 1
    c[_SAMPLED] = row
    if c[_LOCK_STEP]:
        return
    show(row)
    if row < c[_ROWS]:
        load_row(row + 1)
    else:
        c[_PLAYS] = 0


@micropython.viper
def note_edge(level: int, time_us: int):
    c = ptr32(control)
    moves = c[_MOVES]
    c[_MOVES] = moves + 1
    if moves < _EDGES:
        e = ptr32(edges)
        e[3 * moves] = level
        e[3 * moves + 1] = c[_SAMPLED]
        e[3 * moves + 2] = time_us


@micropython.viper
def take_edge() -> int:
    """The gate or the pump moved; 1: the own timer must go on.

    The tick that opens the gate does not toggle the pump: a gate that opens when a sample is due was opened by it.
    """
    time_us = ptr32(0x10015000 << 2)[10] & _MASK
    level = ptr32(-0x30000000)[1]
    gate = (level >> ptr32(pins)[0]) & 1
    pump = (level >> ptr32(pins)[1]) & 1
    c = ptr32(control)
    strobe = pump ^ c[_PUMP_LEVEL]
    shown_us = (time_us - c[_SHOWN_US]) & _MASK
    c[_PUMP_LEVEL] = pump
    if gate == c[_GATE_LEVEL]:
        if strobe and c[_PLAYS] == _STROBED:
            c[_STROBE_US] = time_us
            if shown_us < _SETTLED_US and c[_SAMPLED] >= ptr32(pins)[3]:
                c[_LATE] += 1
            advance()
        return 0
    c[_GATE_LEVEL] = gate
    opens = 0
    if gate == 1 and c[_PLAYS] == _WAITS:
        c[_PLAYS] = _STROBED
        c[_STROBE_US] = (time_us - c[_PERIOD_US]) & _MASK  # the first sample is due at once
    elif gate == 0 and c[_PLAYS] == _STROBED:
        opens = 1
        c[_PLAYS] = _TIMED
        if (time_us - c[_STROBE_US]) & _MASK > (3 * c[_PERIOD_US]) >> 2:
            advance()
    note_edge(gate, time_us)
    return opens


@micropython.native
def on_edge(_pin):
    if take_edge():
        timer.init(
            period=period_us, tick_hz=1_000_000, mode=machine.Timer.PERIODIC, hard=True, callback=on_timer
        )


@micropython.viper
def on_timer(_timer):
    if ptr32(control)[_PLAYS] == _TIMED:
        advance()


def take(first, data):
    """Rows from `first` on, in base64; in order, the first of all ends what plays."""
    if first == 0:
        rest()
    data = a2b_base64(data)
    rows[6 * first : 6 * first + len(data)] = data
    control[_ROWS] = first + len(data) // 6


def begin(sample_period_us, lock_step):
    """Show what comes first and wait for the gate to close."""
    global period_us
    period_us = sample_period_us
    control[_PERIOD_US], control[_LOCK_STEP] = sample_period_us, lock_step
    control[_SAMPLED] = control[_MOVES] = control[_LATE] = 0
    _show_now(0, 0)
    if not lock_step:
        load_row(1)
    control[_PLAYS] = _WAITS


def put(row, data, wait_ms):
    """In lock-step: show a row, and wait for its sample."""
    slot = row % _SLOTS
    rows[6 * slot : 6 * slot + 6] = a2b_base64(data)
    _show_now(slot, row)
    if control[_SAMPLED] > row:
        control[_LATE] += 1  # it was due before it came
    return wait(row, wait_ms)


def wait(row, wait_ms):
    """The state, when a row was sampled or the time is over."""
    begin_ms = time.ticks_ms()
    while control[_SAMPLED] <= row and time.ticks_diff(time.ticks_ms(), begin_ms) < wait_ms:
        machine.idle()
    return state()


def state():
    """(rows sampled, gate's level, plays, late, does the DAC not answer, us without a strobe, edges)."""
    # The time last: a strobe between the two would lie ahead of it, and 2**30 us of silence behind.
    strobed, strobe_us = control[_PLAYS] == _STROBED, control[_STROBE_US]
    silent_us = (time.ticks_us() - strobe_us) & _MASK if strobed else 0
    found = list(edges[: 3 * min(control[_MOVES], _EDGES)])
    refused = bool(machine.mem32[0x40044080])  # IC_TX_ABRT_SOURCE
    return control[_SAMPLED], control[_GATE_LEVEL], control[_PLAYS], control[_LATE], refused, silent_us, found


def stand_idle(data):
    """What rest is from now on, in base64."""
    rows[6 * _SLOTS : 6 * _SLOTS + 6] = a2b_base64(data)
    if control[_PLAYS] == 0:
        rest()


def rest():
    """Zero volts and amperes, or what it was told to be."""
    control[_PLAYS] = 0
    timer.deinit()
    _show_now(_SLOTS, 0)


def _show_now(slot, row):
    while busy():
        pass
    load(slot)
    while busy():
        pass
    show(row)


bus.writeto(ADDRESS, b"\x80")
rest()
for _pin in (gate_pin, pump_pin):
    _pin.irq(on_edge, machine.Pin.IRQ_RISING | machine.Pin.IRQ_FALLING, hard=True)
