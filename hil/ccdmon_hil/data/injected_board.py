"""Runs on the board, from memory: the firmware as it lies on the flash, with the host's rows in place of converters.

`board.py` sends `bench_wire.py` and this file as one script over mpremote; nothing is written to the flash, and a reset
brings the plain firmware back. Replaced are, in the board's module: `read` (rows from a buffer), `start_timer` (a tick
that finds no row does not count as a sample), `gate` (the pad is read back after each move), and the folder on flash.
Detector, gate, ring, telemetry, commands and the timer's interrupt are the firmware's own.

The gate closes the real pin while nobody watches the real converters: a cell must not be connected.

The pad is read through the input buffer (GPIO_IN at 0xD0000004, RP2040 datasheet 2.3.1.7), not from the latch that
drives it. Time while ticks wait for a row is no time of the firmware's: it is taken out of the samples' clock and, with
the gate closed, out of the main loop's, or a late host would pass for samples that stopped. The watchdog is fed
meanwhile, for its time goes on.
"""

# MicroPython, and the constants of bench_wire.py stand before it:
# mypy: ignore-errors
# ruff: noqa: E402, F821
import gc
import struct
import sys
import time
from array import array

import machine
import micropython

ROW_BYTES = 6
gc.collect()  # what was needed to compile this
rows = bytearray(ROW_BYTES * CAPACITY_ROWS)  # in one piece: before modules lie about
gc.threshold(16_384)  # as `main.py` does, and why
try:
    import board
except ImportError:
    from ccdmon_fw import board
from ccdmon_fw import app, commands, wire

EDGES = 8
STATE_PERIOD_MS = 250  # a state goes before samples: more of them would hold these up
# control: places of what interrupt and main loop share
RECEIVED, PLAYED, LAST_ROW, PLAYS, READY, STARVED, WAITED_US, PAD, MOVES, TICK_US, IDLES, IDLED = range(12)
NO_LAST_ROW = 0x3FFFFFFF
KINDS = (bytes([BENCH_ROWS]), bytes([BENCH_ASK]), bytes([BENCH_IDLE]))  # second byte of a frame of ours
LONGEST_BYTES = 2 * ROW_BYTES * BATCH_ROWS  # of a message of the bench, and more; what is longer is none
control = array("I", [0, 0, NO_LAST_ROW, 0, 0, 0, 0, 0, 0, 0, 1, 0])
idle = bytearray(b"\x00\x80" * 3 * IDLE_ROWS)  # zero volts and amperes
instants_us = array("I", [0] * CAPACITY_ROWS)
edges = array("I", [0] * (3 * EDGES))
drive_gate = board.gate
unsafe = board.unsafe
start_board_timer = board.start_timer
board_uptime_ms = board.uptime_ms
now_us = time.ticks_us


@micropython.viper
def read(memory: ptr32) -> int:
    """The next row, or what is idle where none plays; whether the board's external trip is not safe."""
    c = ptr32(control)
    time_us = int(now_us())
    row = c[1]
    if c[3] and row == c[2]:
        c[3] = 0
    if c[3]:
        codes = ptr16(rows)
        at = (row & 1023) * 3
        memory[0] = codes[at]
        memory[1] = codes[at + 1]
        memory[2] = codes[at + 2]
        ptr32(instants_us)[row & 1023] = time_us
        c[1] = row + 1
    else:
        codes = ptr16(idle)
        at = c[11]
        memory[0] = codes[3 * at]
        memory[1] = codes[3 * at + 1]
        memory[2] = codes[3 * at + 2]
        at += 1
        c[11] = 0 if at >= c[10] else at
    memory[3] = (time_us - c[6]) & 0x3FFFFFFF
    return int(unsafe())


@micropython.viper
def waits_for_a_row() -> int:
    """Whether this tick cannot be a sample, for the next row has not come; counted, with the time since the last."""
    c = ptr32(control)
    tick_us = int(now_us())
    passed_us = (tick_us - c[9]) & 0x3FFFFFFF
    c[9] = tick_us
    if c[3] == 0 or c[1] != c[0] or c[1] == c[2]:
        return 0
    c[5] += 1
    c[6] = (c[6] + passed_us) & 0x3FFFFFFF
    return 1


@micropython.viper
def gate(level: int):
    """Move the pin, then note where its pad is."""
    drive_gate(level)
    sio = ptr32(-0x30000000)  # 0xD0000000, written so that it fits a small integer
    pad = (sio[1] >> 22) & 1
    c = ptr32(control)
    if pad == c[7]:
        return
    c[7] = pad
    moves = c[8]
    if moves < 8:
        e = ptr32(edges)
        e[3 * moves] = pad
        e[3 * moves + 1] = c[1]
        e[3 * moves + 2] = int(now_us())
    c[8] = moves + 1
    if pad and c[4]:
        c[4] = 0
        c[3] = 1


def start_timer(period_us, callback):
    """Start the board's timer, with ticks that wait."""
    waits = waits_for_a_row

    @micropython.native
    def tick(timer):
        if not waits():
            callback(timer)

    start_board_timer(period_us, tick)


def time_us():
    """Now, on the clock of `read`."""
    return (now_us() - control[WAITED_US]) & 0x3FFFFFFF


class Uptime:
    """`board.uptime_ms` without what the ticks waited while the gate was closed; it never wraps and never goes back."""

    def __init__(self):
        self._waited_us = 0
        self._seen_us = 0
        self._told_ms = 0

    def ms(self):
        waited_us = control[WAITED_US]
        if control[PAD]:
            self._waited_us += (waited_us - self._seen_us) & 0x3FFFFFFF
        self._seen_us = waited_us
        self._told_ms = max(self._told_ms, board_uptime_ms() - self._waited_us // 1000)
        return self._told_ms


class BenchCommands(commands.Commands):
    """Takes the bench's messages out of the stream; every other byte goes its way."""

    def __init__(self, *parts):
        super().__init__(*parts)
        self._partial = b""
        self._lock_step = False
        self._said = ()
        self._said_ms = 0
        self._starved = 0
        board.service = self.service

    def feed(self, data, *more):
        blocks = (self._partial + data).split(b"\0")
        self._partial = blocks.pop()
        others = []
        for block in blocks:
            frame = wire.open_frame(block) if block[1:2] in KINDS else None
            if frame is None:
                others.append(block + b"\0")
            elif frame[0] == BENCH_ROWS:
                self._take(frame[2])
            elif frame[0] == BENCH_IDLE:
                self._stand_idle(frame[2])
            else:
                self._tell_instant(frame[2])
        if len(self._partial) > LONGEST_BYTES:
            others.append(self._partial)
            self._partial = b""
        if others:
            super().feed(b"".join(others), *more)

    def service(self):
        """In every round of the main loop: say what changed, and how far it got from time to time."""
        if control[STARVED] != self._starved:
            self._starved = control[STARVED]
            self._parts.watch.feed()
        now_ms = time.ticks_ms()
        played = control[PLAYED] if self._lock_step else 0
        changed = (control[MOVES], control[PLAYS], played) != self._said
        due = control[PLAYS] and time.ticks_diff(now_ms, self._said_ms) >= STATE_PERIOD_MS
        if (changed or due) and self._tell_state():  # where too many messages wait, in the next round
            self._said = (control[MOVES], control[PLAYS], played)
            self._said_ms = now_ms

    def _take(self, body):
        fields, codes = unpack(BENCH_ROWS, body)
        flags, count = fields["flags"], fields["count"]
        if flags & FIRST:
            self._forget()
            self._lock_step = bool(flags & LOCK_STEP)
        received = control[RECEIVED]
        room = CAPACITY_ROWS - (received - control[PLAYED])
        if fields["first_row"] == received and len(codes) == ROW_BYTES * count and count <= room:
            at = received % CAPACITY_ROWS * ROW_BYTES  # a batch never crosses the end
            rows[at : at + len(codes)] = codes
            if flags & LAST:
                control[LAST_ROW] = received + count
            control[RECEIVED] = received + count
        self._tell_state()

    def _stand_idle(self, body):
        fields, codes = unpack(BENCH_IDLE, body)
        count = fields["count"]
        if 0 < count <= IDLE_ROWS and len(codes) == ROW_BYTES * count:
            held = board.lock()
            control[IDLED] = 0
            control[IDLES] = count
            idle[: len(codes)] = codes
            board.unlock(held)
        self._tell_state()

    def _forget(self):
        held = board.lock()
        control[PLAYS] = control[RECEIVED] = control[PLAYED] = control[MOVES] = control[STARVED] = 0
        control[LAST_ROW] = NO_LAST_ROW
        control[READY] = 1
        board.unlock(held)

    def _tell_state(self):
        moves = min(control[MOVES], EDGES)
        playing = (PLAYING if control[PLAYS] else 0) | (KNOWS_END if control[LAST_ROW] != NO_LAST_ROW else 0)
        body = pack(BENCH_STATE, control[RECEIVED], control[PLAYED], control[STARVED], control[PAD], playing)
        for move in range(moves):
            body += struct.pack("<BII", edges[3 * move], edges[3 * move + 1], edges[3 * move + 2])
        return self._telemetry.message(BENCH_STATE, body)

    def _tell_instant(self, body):
        row = unpack(BENCH_ASK, body)[0]["row"]
        known = row < control[PLAYED] <= row + CAPACITY_ROWS
        self._telemetry.message(
            BENCH_INSTANT, pack(BENCH_INSTANT, row, instants_us[row % CAPACITY_ROWS], known)
        )


board.read, board.gate, board.start_timer, board.time_us = read, gate, start_timer, time_us
board.uptime_ms = Uptime().ms
board.NAME += "+injected"
board.STORE = None
app.RESERVE_BYTES = 0  # the heap's place for keeping a trip on the flash: the script's is as large
board.SAMPLE_PERIOD_FLOOR_US = max(BENCH_PERIOD_US, getattr(board, "SAMPLE_PERIOD_FLOOR_US", 0))
app.Commands = BenchCommands
gc.threshold(-1)
try:
    app.run(board)
except Exception as error:
    sys.stdout.buffer.write(wire.encode(BENCH_ENDED, 0, repr(error).encode()))
    time.sleep_ms(100)  # a reset takes the console with it
    raise
finally:
    machine.reset()
