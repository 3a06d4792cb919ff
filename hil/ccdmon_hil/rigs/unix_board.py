"""The board of the rig `unix`, run by MicroPython's unix port: plays rows instead of converting voltages.

Offers the names that `ccdmon_fw.board` describes. There is no timer: each round of the main loop takes one
sample, and the clock advances by one period with it, so a run is reproducible. The pipes and their records:
`ccdmon_hil/rigs/unix.py`.

The last two arguments of the process are the pipes' file descriptors.
"""

# MicroPython has no typing module, so a callback cannot be declared:
# mypy: ignore-errors
import select
import struct
import sys

import micropython

NAME = "unix"
OPEN_VOLTAGE_CODE = 65536 * 27 // 37  # as `ccdmon_fw.board` says of the divider of `firmware/README.md`
GATE_OPENED, GATE_CLOSED, WANTS_ROW = 0, 1, 2
FIRST_IDLE = 2
ROW_FORMAT = "<B3H"
ROW_BYTES = 7
PIN_FORMAT = "<BI"
IDLE_CODE = 32768
# While nothing plays the rig waits so long each time that so much of its clock has passed, and does not spin.
IDLE_WAIT_MS, IDLE_RUN_MS = 1, 4

_rows_file = open(int(sys.argv[-2]), "rb")  # noqa: SIM115, PTH123 - MicroPython, open as long as the process
_pins_file = open(int(sys.argv[-1]), "wb")  # noqa: SIM115, PTH123
_poll = select.poll()
_poll.register(sys.stdin, select.POLLIN)
_rows_poll = select.poll()
_rows_poll.register(_rows_file, select.POLLIN)
_codes = [IDLE_CODE] * 3
_idle = [(IDLE_CODE, IDLE_CODE, IDLE_CODE)]
_period_us = 0
_callback = None
_ticks = 0
_rows = 0
_playing = False
_gate_level = 0
_waited_ms = 0


def gate(level: int) -> None:
    """Move the pin; rows play from its closing on."""
    global _gate_level, _playing, _rows
    if level == _gate_level:
        return
    _gate_level = level
    if level and not _playing:
        _playing = True
        _rows = 0
    _report(GATE_CLOSED if level else GATE_OPENED)


def _report(kind: int) -> None:
    _pins_file.write(struct.pack(PIN_FORMAT, kind, _rows))


def read(memory: int) -> None:
    """The next row's codes into the detector's memory, idle ones where nothing plays."""
    if _playing:
        _next_row()
    else:
        _stand_idle()
    _put(memory, _codes[0] | _codes[1] << 16, _codes[2], (_ticks * _period_us) & 0x3FFFFFFF)


@micropython.viper
def _put(memory: ptr32, voltage_current: int, pressure: int, time_us: int):
    memory[0] = voltage_current & 0xFFFF
    memory[1] = voltage_current >> 16
    memory[2] = pressure
    memory[3] = time_us


def _stand_idle() -> None:
    while _rows_poll.poll(0):
        kind, voltage, current, pressure = _record()
        if kind == FIRST_IDLE:
            _idle.clear()
        _idle.append((voltage, current, pressure))
    _codes[:] = _idle[_ticks % len(_idle)]


def _next_row() -> None:
    global _rows, _playing
    _report(WANTS_ROW)
    more_rows, voltage, current, pressure = _record()
    _codes[:] = (voltage, current, pressure) if more_rows else _idle[_ticks % len(_idle)]
    _playing = bool(more_rows)
    _rows += _playing


def _record() -> tuple[int, int, int, int]:
    data = b""
    while len(data) < ROW_BYTES:
        more = _rows_file.read(ROW_BYTES - len(data))
        if not more:
            sys.exit(0)  # the harness went away
        data += more
    return struct.unpack(ROW_FORMAT, data)


def start_timer(period_us: int, callback) -> None:
    global _period_us, _callback
    _period_us = period_us
    _callback = callback


def sample_period_us() -> int:
    return _period_us


def lock() -> int:
    return 0


def unlock(_held: int) -> None:
    pass


def service() -> None:
    """One sample: what the timer does on a board."""
    global _ticks
    _ticks += 1
    if _callback is not None:
        _callback(None)


def receive() -> bytes:
    """Bytes from the host; waits a moment for them now and then while nothing plays."""
    global _waited_ms
    data = b""
    wait_ms = 0
    if not _playing and uptime_ms() - _waited_ms >= IDLE_RUN_MS:
        _waited_ms = uptime_ms()
        wait_ms = IDLE_WAIT_MS
    while _poll.poll(wait_ms):
        byte = sys.stdin.buffer.read(1)
        if not byte:
            sys.exit(0)
        data += byte
        wait_ms = 0
    return data


def send(buffer: bytes, size: int) -> None:
    sys.stdout.buffer.write(memoryview(buffer)[:size])


def uptime_ms() -> int:
    return _ticks * _period_us // 1000


def time_us() -> int:
    return (_ticks * _period_us) & 0x3FFFFFFF


def unique_id() -> str:
    return "unix"
