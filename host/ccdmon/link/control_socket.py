"""How another process reaches the recorder that owns the port: a socket in the run folder, one JSON line each way.

    {"do": "state"}                                  -> {"ok": true, "state": {...}}
    {"do": "trip" | "arm" | "disarm"}                -> {"ok": true} or {"ok": false, "error": "one line"}
    {"do": "reset_trip", "trip_id": 3}               -> the same

Who may write to the folder may command the rig: the socket belongs to the recorder's user alone.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ccdmon.errors import DeviceError, InputError

SOCKET_FILE = "control.sock"
ACTIONS = ("trip", "arm", "disarm", "reset_trip")
ANSWER_LIMIT_S = 35.0  # longer than the recorder waits for the board
_MOST_BYTES = 4096


def ask(folder: Path, request: Mapping[str, Any], timeout_s: float = ANSWER_LIMIT_S) -> dict[str, Any]:
    """Ask the recorder of a folder. Raises `DeviceError` where none runs or it refuses."""
    try:
        with _address(folder) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout_s)
            client.connect(address)
            client.sendall(json.dumps(request).encode() + b"\n")
            line = client.makefile("rb").readline()
    except OSError as error:
        raise DeviceError(
            f"{folder}: no recorder answers here; start one with `ccdmon record --out {folder}`"
        ) from error
    answer = json.loads(line) if line.strip() else {"ok": False, "error": "the recorder ended"}
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


class ControlServer:
    """The recorder's end; `poll` never waits."""

    def __init__(self, folder: Path) -> None:
        """Raises `InputError` where another recorder owns the folder."""
        self._path = folder / SOCKET_FILE
        self._clients: dict[socket.socket, bytes] = {}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _address(folder) as address:
            if _alive(address):
                raise InputError(
                    f"{folder}: another recorder is writing here; stop it or choose another folder"
                )
            self._path.unlink(missing_ok=True)
            self._listener.bind(address)
        self._path.chmod(0o600)
        self._listener.listen(16)
        self._listener.setblocking(False)

    def poll(self) -> list[Request]:
        """The requests that are complete by now."""
        with suppress(BlockingIOError):
            while True:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                self._clients[connection] = b""
        return [request for connection in list(self._clients) for request in self._read(connection)]

    def close(self) -> None:
        """Stop answering and take the socket away."""
        for connection in self._clients:
            connection.close()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _read(self, connection: socket.socket) -> Iterator[Request]:
        try:
            data = connection.recv(_MOST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._clients[connection] += data
        line, end, _ = self._clients[connection].partition(b"\n")
        if not end and data and len(line) < _MOST_BYTES:
            return
        del self._clients[connection]
        document = _document(line) if end else None
        if document is not None:
            connection.setblocking(True)
            connection.settimeout(1.0)
            yield Request(document, connection)
        else:
            connection.close()


def _document(line: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _alive(address: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(address)
        except OSError:
            return False
    return True
