"""Rig `board`: a real board on a serial port, with the rows injected below the detector.

No stimulus drives the board's converters. Instead a script runs from the board's memory, on top of the firmware on its
flash, whose `read` takes rows that this side sends ahead over the wire (`data/injected_board.py`). Everything above it
is the very firmware; a reset of the board brings it back untouched. **No cell may be connected**: the gate's pin really
closes, and nobody watches the real converters.

The gate is read at the chip's own pad by that script, in the instant after each move: outside the
firmware, but not outside the chip.

Time is the board's own clock. It is `real` only where that clock keeps pace with this machine's and the port is no
pseudo-terminal; an emulated board's is `virtual`.
"""

import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ccdmon.errors import DeviceError, InputError
from ccdmon.link.device import Device
from ccdmon.link.flash import prompt
from ccdmon.link.port import Port, is_pseudo_terminal
from ccdmon_fw import wire
from ccdmon_hil.rigs.board_clock import before_us, keeps_pace
from ccdmon_hil.rigs.session import EMULATOR_PATIENCE
from ccdmon_hil.rigs.stimulus import bench_wire
from ccdmon_hil.rigs.stimulus.bench_wire import (
    BATCH_ROWS,
    BENCH_ASK,
    BENCH_ENDED,
    BENCH_IDLE,
    BENCH_INSTANT,
    BENCH_ROWS,
    BENCH_STATE,
    CAPACITY_ROWS,
)
from ccdmon_hil.rigs.target import Codes, Edge, Source
from ccdmon_hil.rigs.wiring import Wiring

REPEAT_S = 2.0  # while nothing that was sent arrived
ANSWER_LIMIT_S = 120.0  # an emulated board on a busy machine is that slow
# First of all: a byte 3 in a frame that comes while the script imports is no Ctrl-C.
NO_CTRL_C = "import micropython; micropython.kbd_intr(-1)"
SCRIPT = Path(__file__).parent.parent / "data" / "injected_board.py"


class BoardTarget:
    """See `ccdmon_hil.rigs.target.Target`."""

    name = "board"

    def __init__(self, wiring: Wiring, now_s: Callable[[], float] | None = None) -> None:
        """`now_s`: the board's own clock, where that is at hand."""
        self.wiring = wiring
        self.now_s = now_s
        self._waited_s = now_s or time.monotonic
        self.clock = "virtual" if is_pseudo_terminal(wiring.port) else "real"
        self._repeat_s = REPEAT_S * (EMULATOR_PATIENCE if self.clock == "virtual" and not now_s else 1)
        self.edges: list[Edge] = []
        self._port: Port | None = None
        self._unframer = wire.Unframer()
        self._numbers = 0
        self._kept = b""  # read while something was waited for, not yet handed out
        self._instants: dict[int, float | None] = {}
        self._state = {"received": 0, "played": 0, "starved": 0, "closed": 0, "playing": 0}
        self._source: Source | None = None
        self._closed_loop = False
        self._rows: list[Codes] = []  # taken from the source so far
        self._ended = False  # the source has no more
        self._sent = 0
        self._moved_s = 0.0  # when rows were sent, or arrived
        self._told_end = False
        self._stood = False  # since it was told what to be idle with

    def start(self) -> None:
        """Leave the firmware that runs, start it again on top of injected rows, and see whether its clock is real."""
        port, console = prompt(self.wiring.port, lambda _line: None)
        with console:
            console.start(
                "\n".join(
                    [NO_CTRL_C, Path(bench_wire.__file__).read_text(encoding="utf-8"), SCRIPT.read_text()]
                )
            )
        self._port = Port(port)
        device = Device(self._port.write, self._port.read, f"port {self.wiring.port}")
        self._ask(0, "anything")
        if self.clock == "real" and not keeps_pace(lambda: int(device.clock()["time_us"])):
            self.clock = "virtual"

    def play(self, source: Source, closed_loop: bool = False) -> None:
        """Send the first rows; they play once the gate closes."""
        self._source, self._closed_loop = source, closed_loop
        self._rows, self._ended, self._sent, self._told_end = [], False, 0, False
        self.edges = []
        self._instants = {}
        self._state["received"] = -1
        self._wait(lambda: self._state["received"] == 0, self._begin, "no rows")
        self._send_rows()

    def stand_idle(self, codes: Sequence[Codes]) -> None:
        """Send what the converters read while nothing plays, 64 samples at most."""
        if len(codes) > bench_wire.IDLE_ROWS:
            raise InputError(f"rig board: at most {bench_wire.IDLE_ROWS} idle samples, not {len(codes)}")
        body = bench_wire.pack(BENCH_IDLE, len(codes)) + b"".join(struct.pack("<3H", *row) for row in codes)
        self._stood = False
        ask = wire.encode(BENCH_IDLE, self._number(), body)
        self._wait(lambda: self._stood, lambda: self.send(ask), "that it stands idle")

    def await_pins(self) -> None:
        """Ask for something: the board answers in turn, so what its gate did before has been told when this returns."""
        self._instants.pop(0, None)
        self._ask(0, "what its gate did")

    def sampled_us(self, row: int) -> float | None:
        """When the row was sampled on the board's clock, us; counted as `Edge.at_us`."""
        self._ask(row, "when a row was sampled")
        time_us, edge = self._instants[row], self.edges[-1]
        if time_us is None or edge.at_us is None:
            return None
        return before_us(edge.at_us, time_us)

    def send(self, data: bytes) -> None:
        """Write to the port."""
        assert self._port
        self._port.write(data)

    def receive(self) -> bytes:
        """What came, after waiting a moment; rows go out meanwhile."""
        data, self._kept = self._kept, b""
        data += self._read()
        if self._source:
            self._send_rows()
        return data

    def close(self) -> None:
        """Reset the board to its plain firmware."""
        if self._port:
            for kind in (wire.DISARM, wire.EXIT):
                self.send(wire.encode(kind, self._number()))
            self._port.close()
            self._port = None

    # -- rows out

    def _begin(self) -> None:
        flags = bench_wire.FIRST | (bench_wire.LOCK_STEP if self._closed_loop else 0)
        self.send(wire.encode(BENCH_ROWS, self._number(), bench_wire.pack(BENCH_ROWS, 0, flags, 0)))

    def _send_rows(self) -> None:
        """Send as many rows as the board has room for; again, where one did not arrive for a while."""
        state = self._state
        quiet_s = self._waited_s() - self._moved_s
        if (self._sent > state["received"] or self._told_end) and quiet_s > self._repeat_s:
            self._sent, self._told_end = state["received"], False
        while not (self._told_end or state["playing"] & bench_wire.KNOWS_END) and self._may_send():
            stop = self._sent + (1 if self._closed_loop else BATCH_ROWS - self._sent % BATCH_ROWS)
            self._take_rows(stop)
            self._send_batch(self._rows[self._sent : stop])

    def _send_batch(self, batch: list[Codes]) -> None:
        self._told_end = self._ended and self._sent + len(batch) == len(self._rows)
        head = bench_wire.pack(BENCH_ROWS, self._sent, bench_wire.LAST if self._told_end else 0, len(batch))
        codes = b"".join(struct.pack("<3H", *row) for row in batch)
        self.send(wire.encode(BENCH_ROWS, self._number(), head + codes))
        self._sent += len(batch)
        self._moved_s = self._waited_s()

    def _may_send(self) -> bool:
        if self._closed_loop:
            played = self._state["played"]
            return (
                bool(self._state["playing"] & bench_wire.PLAYING)
                and played == self._state["received"] == self._sent
            )
        return self._sent < self._state["played"] + CAPACITY_ROWS - BATCH_ROWS

    def _take_rows(self, stop: int) -> None:
        assert self._source
        while not self._ended and len(self._rows) < stop:
            codes = self._source(len(self._rows), bool(self._state["closed"]))
            if codes is None:
                self._ended = True
            else:
                self._rows.append(codes)

    # -- answers in

    def _ask(self, row: int, what: str) -> None:
        ask = wire.encode(BENCH_ASK, 0, bench_wire.pack(BENCH_ASK, row))
        self._wait(lambda: row in self._instants, lambda: self.send(ask), what)

    def _wait(self, done: Callable[[], bool], ask: Callable[[], None], what: str) -> None:
        begin_s, asked_s = self._waited_s(), -self._repeat_s
        while not done():
            now_s = self._waited_s()
            if now_s - begin_s > ANSWER_LIMIT_S:
                raise DeviceError(
                    f"port {self.wiring.port}: the bench script on the board does not say {what}"
                )
            if now_s - asked_s > self._repeat_s:
                asked_s = now_s
                ask()
            self._kept += self._read()

    def _read(self) -> bytes:
        assert self._port
        data = self._port.read()
        for kind, _, body in self._unframer.feed(data):
            if kind == BENCH_STATE:
                self._stood = True
                self._take_state(bytes(body))
            elif kind == BENCH_INSTANT:
                instant = bench_wire.unpack(BENCH_INSTANT, bytes(body))[0]
                self._instants[instant["row"]] = float(instant["time_us"]) if instant["known"] else None
            elif kind == BENCH_ENDED:
                said = bytes(body).decode("utf-8", "replace")
                raise DeviceError(f"port {self.wiring.port}: the firmware on the board has ended: {said}")
        return data

    def _take_state(self, body: bytes) -> None:
        received = self._state["received"]
        self._state, moves = bench_wire.unpack(BENCH_STATE, body)
        if self._state["received"] != received:
            self._moved_s = self._waited_s()
        edges = struct.iter_unpack(bench_wire.BENCH_MESSAGES[BENCH_STATE][3], moves)
        self.edges = [Edge(bool(closed), rows, float(at_us)) for closed, rows, at_us in edges]

    def _number(self) -> int:
        self._numbers = (self._numbers + 1) & 0xFFFF
        return self._numbers
