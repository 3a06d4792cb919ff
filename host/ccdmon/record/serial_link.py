"""The serial port of a recording: read in a thread of its own, and opened again whenever it has gone away.

Nothing that the recorder does (a slow disk, a long analysis) may keep the board's bytes waiting in the operating
system, whose buffer holds a fraction of a second.
"""

import errno
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from ccdmon.errors import DeviceError, describe
from ccdmon.link.port import Port, name_of, usb_identity

if TYPE_CHECKING:
    from ccdmon.record.port_reader import PortReader

REOPEN_S = 0.5
REFUSED_S = 5.0  # a port with another board on it is left to others so long
MOST_BYTES_WAITING = 8 << 20  # eight minutes; then the board is left to wait, and counts what it drops
MOST_BYTES_TAKEN = 1 << 20  # at once: memory must not depend on how far behind the recorder is
_PAUSE_S = 0.05


class OpenPort(Protocol):
    """What the link needs of `ccdmon.link.port.Port`."""

    name: str

    def read(self) -> bytes: ...
    def take(self) -> bytes: ...
    def fileno(self) -> int | None: ...
    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class SerialLink:
    """Bytes of one board. `up` tells whether the port is open; `broke` why it last was not."""

    def __init__(
        self, name: str, open_port: Callable[[str], OpenPort] = Port, reader: "PortReader | None" = None
    ) -> None:
        """Opens the port; raises `DeviceError` where that fails. `reader` reads it with others, else a thread alone."""
        self.name = name
        self.broke = ""
        self.opening = 1  # how often the port was opened
        self.taken = 0  # the opening of what was taken last
        self._not_before_s = 0.0
        self._open_port = open_port
        # The board comes back under another name when the old one is still held.
        self._usb = usb_identity(name)
        self._port: OpenPort | None = open_port(name)
        self._received: SimpleQueue[tuple[int, bytes]] = SimpleQueue()
        self._left: tuple[int, bytes] | None = None  # the first of another opening
        self._bytes_received = 0  # counted by the thread alone
        self._bytes_taken = 0  # and this by the others
        self._stop = threading.Event()
        shared = reader is not None and self._port is not None and self._port.fileno() is not None
        self._reader = reader if shared else None
        # What reads, or alone waits for the port where a reader has many.
        self._thread = threading.Thread(target=self._read_on, name="serial link", daemon=True)
        if self._reader is None:
            self._thread.start()
        else:
            self._reader.add(self)

    @property
    def up(self) -> bool:
        """Whether the port is open."""
        return self._port is not None

    def take(self, timeout_s: float) -> bytes:
        """What has arrived in one opening of the port, a megabyte or so at most, after waiting `timeout_s` at most."""
        pieces: list[bytes] = []
        size = 0
        with suppress(Empty):
            while size < MOST_BYTES_TAKEN:
                found = self._left or self._received.get(timeout=0.0 if pieces else timeout_s)
                self._left = None
                if pieces and found[0] != self.taken:
                    self._left = found
                    break
                self.taken = found[0]
                pieces.append(found[1])
                size += len(found[1])
        data = b"".join(pieces)
        self._bytes_taken += len(data)
        return data

    def send(self, data: bytes) -> None:
        """Send; what a broken link does not take is lost, as is the answer that the sender waits for."""
        port = self._port
        if port is None or not data:
            return
        try:
            port.write(data)
        except Exception as error:  # noqa: BLE001  see `_read`
            self._lose(port, error)

    def refuse(self, why: str) -> None:
        """Let go of the port, whose board is another, and open it later again."""
        port = self._port
        self._not_before_s = time.monotonic() + REFUSED_S
        if port is not None:
            self._lose(port, DeviceError(why))

    def close(self) -> None:
        """End the thread and give the port back."""
        self._stop.set()
        if self._reader is not None:
            self._reader.remove(self)
        if self._thread.ident is not None:
            self._thread.join(timeout=2.0)
        if self._port is not None:
            self._port.close()

    def _read_on(self) -> None:
        while not self._stop.is_set():
            port = self._port
            if port is None:
                self._reopen()
            elif self.behind:
                time.sleep(_PAUSE_S)
            else:
                self._read(port)

    @property
    def behind(self) -> bool:
        """Whether so much waits to be taken that the board is left to wait."""
        return self._bytes_received - self._bytes_taken > MOST_BYTES_WAITING

    @property
    def port(self) -> OpenPort | None:
        """The port, for a reader of many; None: `reopen`."""
        return self._port

    def reopen(self) -> None:
        """For a reader of many: have the port opened again by a thread, which may take long."""
        if not self._thread.is_alive() and not self._stop.is_set():
            self._thread = threading.Thread(target=self._reopen_on, name="serial link", daemon=True)
            self._thread.start()

    def receive(self, port: OpenPort) -> None:
        """For a reader of many: something has arrived."""
        self._read(port, port.take)

    def _reopen_on(self) -> None:
        while self._port is None and not self._stop.is_set():
            self._reopen()

    def _read(self, port: OpenPort, read: Callable[[], bytes] | None = None) -> None:
        opening = self.opening
        try:
            data = (read or port.read)()
        except Exception as error:  # noqa: BLE001  whatever a driver raises: a thread that ended would read nothing more
            self._lose(port, error)
            return
        if data:
            self._bytes_received += len(data)
            self._received.put((opening, data))

    def _lose(self, port: OpenPort, error: Exception) -> None:
        if self._port is port:
            self.broke = _said(error)
            self._port = None
            if self._reader is not None:
                self._reader.discard(port)  # it may be asking for it right now
                return
            with suppress(Exception):  # it is of no use any more
                port.close()

    def _reopen(self) -> None:
        if (wait_s := self._not_before_s - time.monotonic()) > 0.0 and self._stop.wait(wait_s):
            return
        try:
            name = self.name if self._usb is None else name_of(self._usb) or self.name
            port = self._open_port(name)
            self.opening += 1
            self._port = port
        except Exception as error:  # noqa: BLE001  no descriptor left, for example: tried again
            self.broke = f"port {self.name}: {_why_closed(error)}"
            self._stop.wait(REOPEN_S)


def _why_closed(error: Exception) -> str:
    """Why a port does not open again, in a few words: a recorder that runs cannot be told another."""
    cause = error.__cause__ or error
    if getattr(cause, "errno", None) in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO):
        return "the board is away"
    return str(error).partition(": ")[2] if isinstance(error, DeviceError) else describe(error)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, DeviceError) else describe(error)
