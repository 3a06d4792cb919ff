"""Rig `model`: the firmware's own files on CPython, in this process, on a board in memory that plays rows.

Nothing is compiled for MicroPython and no flash is kept; what judges is the same `detector.py`, with stand-ins for
viper's types (`ccdmon_fw/cpython.py`). There is no timer: each round of the main loop takes one sample, and the board's
clock advances by one period with it, as on the rig `unix`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ccdmon.errors import DeviceError
from ccdmon_fw import app
from ccdmon_hil.rigs.target import IDLE, OPEN_VOLTAGE_CODE, Codes, Edge, Source

ROUNDS = 64  # of the main loop, each time that the host asks for bytes
CLOCK = 0x3FFFFFFF  # where the board's clock wraps


class MemoryBoard:
    """What `ccdmon_fw.board` describes. `level` is the gate's pin; `moved` is called with each change of it."""

    NAME = "model"
    OPEN_VOLTAGE_CODE = OPEN_VOLTAGE_CODE

    def __init__(self, moved: Callable[[bool], None]) -> None:
        self.level = 0
        self.inbox, self.outbox = b"", bytearray()
        self.idle: Sequence[Codes] = (IDLE,)
        self.next_row: Callable[[], Codes | None] | None = None  # None: nothing plays
        self._moved = moved
        self._period_us, self._ticks = 0, 0
        self._callback: Callable[[None], None] | None = None

    def gate(self, level: int) -> None:
        """Move the pin."""
        if level != self.level:
            self.level = level
            self._moved(bool(level))

    def gate_level(self) -> int:
        """Read it back."""
        return self.level

    def read(self, memory: Any) -> None:
        """The next row's codes, or what stands there while nothing plays."""
        codes = self.next_row() if self.next_row else None
        memory[0], memory[1], memory[2] = codes or self.idle[self._ticks % len(self.idle)]
        memory[3] = self.time_us()

    def start_timer(self, period_us: int, callback: Callable[[None], None]) -> None:
        """Sample so often from now on."""
        self._period_us, self._callback = period_us, callback

    def sample_period_us(self) -> int:
        """As set."""
        return self._period_us

    def lock(self) -> int:
        """Nothing interrupts here."""
        return 0

    def unlock(self, _held: int) -> None:
        """See `lock`."""

    def service(self) -> None:
        """One sample: what the timer does on a board."""
        self._ticks += 1
        if self._callback:
            self._callback(None)

    def receive(self) -> bytes:
        """What the host sent."""
        data, self.inbox = self.inbox, b""
        return data

    def send(self, buffer: Any, size: int) -> int:
        """Bytes to the host, who takes them all."""
        self.outbox += memoryview(buffer)[:size]
        return size

    def time_us(self) -> int:
        """As `read` tells it."""
        return self._ticks * self._period_us & CLOCK

    def uptime_ms(self) -> int:
        """Since the start."""
        return self._ticks * self._period_us // 1000

    def unique_id(self) -> str:
        """There is one."""
        return "model"


class ModelTarget:
    """See `ccdmon_hil.rigs.target.Target`."""

    name = "model"
    clock = "none"

    def __init__(self) -> None:
        self.edges: list[Edge] = []
        self._board = MemoryBoard(self._on_gate)
        self._source: Source | None = None
        self._rows = 0
        self._app: Any = None

    def start(self) -> None:
        """The firmware runs whenever bytes are asked for."""
        self._app = app.App(self._board)
        self._app.start()

    def play(self, source: Source, closed_loop: bool = False) -> None:  # noqa: ARG002 - each row is asked for in its turn
        """Take rows from `source` once the gate closes."""
        if self._board.next_row is not None:
            raise DeviceError("rig model: the run before has not ended")
        self._source, self._rows, self.edges = source, 0, []

    def stand_idle(self, codes: Sequence[Codes]) -> None:
        """The board takes them while nothing plays."""
        self._board.idle = tuple(codes)

    def sampled_us(self, row: int) -> float | None:  # noqa: ARG002 - there is no timer
        """None: samples follow each other as fast as the machine goes."""
        return None

    def send(self, data: bytes) -> None:
        """Wire bytes to the firmware."""
        self._board.inbox += data

    def receive(self) -> bytes:
        """Let the main loop go round for a while; what it sent."""
        try:
            for _ in range(ROUNDS):
                self._app.step()
        except Exception as error:
            self._app.fail()
            raise DeviceError(f"rig model: the firmware ended: {type(error).__name__}: {error}") from error
        data = bytes(self._board.outbox)
        self._board.outbox.clear()
        return data

    def close(self) -> None:
        """Nothing is open."""

    def _on_gate(self, closed: bool) -> None:
        if closed and self._source is not None:
            self._board.next_row = self._next_row
        self.edges.append(Edge(closed, self._rows, None))

    def _next_row(self) -> Codes | None:
        assert self._source is not None
        codes = self._source(self._rows, bool(self._board.level))
        if codes is None:
            self._source = self._board.next_row = None
        else:
            self._rows += 1
        return codes
