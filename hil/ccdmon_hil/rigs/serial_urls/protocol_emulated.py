"""Serial ports `emulated://N`: emulated Picos of this process, for whatever speaks to a board through pyserial.

    with emulated_board(image) as (url, now_s):
        Port(url)           # mpremote takes it, too

A chip runs while somebody reads, and for as long as the read takes on its own clock: what is said and done is the same
in every run, however slow the machine is. One reader at a time; a reset of the chip leaves the port where it is.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import serial
from serial.serialutil import SerialBase, SerialException

from ccdmon.link.firmware import compiled_files, firmware_files
from ccdmon.link.port import EMULATED_URL
from ccdmon_hil.rigs.pico import ARCHITECTURE, PicoTarget

LOOK_S = 0.01  # virtual: so long somebody who only asks whether bytes have come lets the chip run
LINGER_S = 0.02  # virtual, after the port was closed: the chip sees that nobody is there
MAIN = "main.py"

_boards: dict[str, PicoTarget] = {}
_numbers = itertools.count(1)


@contextmanager
def emulated_board(image: Path) -> Iterator[tuple[str, Callable[[], float]]]:
    """(URL of its port, its clock in s): a Pico with ccdmon's files, at MicroPython's prompt."""
    if __package__ not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(__package__)
    files = compiled_files(ARCHITECTURE) or firmware_files()
    board = PicoTarget(image)
    board.power_on({name: content for name, content in files.items() if name != MAIN})
    url = f"{EMULATED_URL}{next(_numbers)}"
    _boards[url] = board
    try:
        yield url, board.now_s
    finally:
        del _boards[url]


class Serial(SerialBase):
    """What pyserial wants of a port."""

    def __init__(self, *options: Any, **named: Any) -> None:
        self._unread = b""
        super().__init__(*options, **named)

    def open(self) -> None:
        """Connect to the board; DTR goes high."""
        if self.port not in _boards:
            raise SerialException(f"no emulated board at {self.port}")
        self._board = _boards[self.port]
        self._unread = b""
        self.is_open = True

    def close(self) -> None:
        """DTR goes low."""
        if not self.is_open:
            return
        self.is_open = False
        self._board.open_console(False)
        self._run_until(self._board.now_s() + LINGER_S)

    @property
    def in_waiting(self) -> int:
        """Bytes that have come; lets the chip run for a moment where there are none."""
        self._await(1, LOOK_S)
        return len(self._unread)

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes, fewer after the time-out."""
        self._await(size, float("inf") if self.timeout is None else self.timeout)
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def write(self, data: Any) -> int:
        """Queue bytes for the chip."""
        self._board.send(bytes(data))
        return len(data)

    def _await(self, size: int, limit_s: float) -> None:
        until_s = self._board.now_s() + limit_s
        while len(self._unread) < size and self._board.now_s() < until_s:
            self._board.open_console(True)  # nothing comes of it before the chip is known on its bus
            self._unread += self._board.receive()

    def _run_until(self, virtual_s: float) -> None:
        while self._board.now_s() < virtual_s:
            self._board.receive()

    def _reconfigure_port(self) -> None:
        """Baud rate and the like: a USB console ignores them."""

    _update_rts_state = _update_dtr_state = _reconfigure_port
