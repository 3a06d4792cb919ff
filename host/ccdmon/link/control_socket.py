"""How another process reaches the recorder that owns the port: a socket in the run folder, one JSON line each way.

    {"do": "state"}                                  -> {"ok": true, "state": {...}}
    {"do": "trip" | "arm" | "disarm"}                -> {"ok": true} or {"ok": false, "error": "one line"}
    {"do": "reset_trip", "trip_id": 3}               -> the same

Who may write to the folder may command the rig: the socket belongs to the recorder's user alone.
"""

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccdmon.errors import DeviceError

SOCKET_FILE = "control.sock"
ACTIONS = ("trip", "arm", "disarm", "reset_trip")
ANSWER_LIMIT_S = 35.0  # longer than the recorder waits for the board
_MOST_BYTES = 4096
MOST_CLIENTS = 32  # one that has not asked is closed for a newer one
IDLE_LIMIT_S = 5.0
SEND_LIMIT_S = 0.2  # of an answer: the loop that records waits for it


def ask(folder: Path, request: Mapping[str, Any], timeout_s: float = ANSWER_LIMIT_S) -> dict[str, Any]:
    """Ask the recorder of a folder. Raises `DeviceError` where none runs or it refuses."""
    try:
        with _address(folder) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout_s)
            client.connect(address)
            client.sendall(json.dumps(request).encode() + b"\n")
            line = client.makefile("rb").readline()
    except TimeoutError as error:
        raise DeviceError(f"{folder}: its recorder does not answer; look at its process") from error
    except OSError as error:
        raise DeviceError(
            f"{folder}: no recorder answers here; start one with `ccdmon record --out {folder}`"
        ) from error
    answer = _document(line) or {"ok": False, "error": "the recorder ended"}
    if not answer.get("ok"):
        raise DeviceError(f"{folder}: {answer.get('error', 'refused')}")
    return dict(answer)


@contextmanager
def _address(folder: Path) -> Iterator[str]:
    """A path to the socket that is short enough for the kernel (107 bytes), however deep the folder lies."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_FILE}"
    finally:
        os.close(descriptor)


class Request:
    """One question of another process; answer it once, at any time."""

    def __init__(self, document: Mapping[str, Any], connection: socket.socket) -> None:
        self.document = document
        self._connection = connection

    def answer(self, **fields: Any) -> None:
        """Answer `{"ok": true, **fields}`."""
        self._send({"ok": True, **fields})

    def refuse(self, error: str) -> None:
        """Answer `{"ok": false, "error": ...}`."""
        self._send({"ok": False, "error": error})

    def _send(self, document: Mapping[str, Any]) -> None:
        with suppress(OSError):  # whoever asked may be gone
            self._connection.sendall(json.dumps(document).encode() + b"\n")
        self._connection.close()


@dataclass
class _Client:
    until_s: float  # monotonic; closed if it has not asked by then
    data: bytes = b""


class ControlServer:
    """The recorder's end; `poll` never waits and never raises. The folder is the caller's alone (`run.lock`)."""

    def __init__(self, folder: Path) -> None:
        """Raises `OSError` where the file system has no sockets."""
        self._path = folder / SOCKET_FILE
        self._clients: dict[socket.socket, _Client] = {}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _address(folder) as address:
                self._path.unlink(missing_ok=True)
                self._listener.bind(address)
            self._path.chmod(0o600)
            self._listener.listen(16)
            self._listener.setblocking(False)
        except OSError:
            self._listener.close()
            raise

    def poll(self) -> list[Request]:
        """The requests that are complete by now."""
        with suppress(OSError):  # nobody waits, or no descriptor is left: then those who wait do so
            while True:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                self._clients[connection] = _Client(time.monotonic() + IDLE_LIMIT_S)
        requests = [request for connection in list(self._clients) for request in self._read(connection)]
        self._drop_idle()
        return requests

    def close(self) -> None:
        """Stop answering and take the socket away."""
        for connection in self._clients:
            connection.close()
        self._listener.close()
        with suppress(OSError):  # the folder may be gone
            self._path.unlink(missing_ok=True)

    def _drop_idle(self) -> None:
        """Who connects and asks nothing must not take the descriptors that the recording needs."""
        now_s, spare = time.monotonic(), len(self._clients) - MOST_CLIENTS
        for place, (connection, client) in enumerate(list(self._clients.items())):  # the oldest first
            if place < spare or now_s > client.until_s:
                del self._clients[connection]
                connection.close()

    def _read(self, connection: socket.socket) -> Iterator[Request]:
        client = self._clients[connection]
        try:
            data = connection.recv(_MOST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        client.data += data
        line, end, _ = client.data.partition(b"\n")
        if not end and data and len(line) < _MOST_BYTES:
            return
        del self._clients[connection]
        document = _document(line) if end else None
        if document is not None:
            connection.setblocking(True)
            connection.settimeout(SEND_LIMIT_S)
            yield Request(document, connection)
        else:
            connection.close()


def _document(line: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def answers(folder: Path) -> bool:
    """Whether a recorder takes connections in that folder."""
    try:
        with _address(folder) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            probe.connect(address)
    except OSError:
        return False
    return True
