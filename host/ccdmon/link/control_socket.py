"""How another process reaches the recorder that owns the port: loopback, one JSON line each way.

    {"token": ..., "do": "state"}                                  -> {"ok": true, "state": {...}}
    {"token": ..., "do": "trip" | "arm" | "disarm"}                -> {"ok": true} or {"ok": false, "error": "one line"}
    {"token": ..., "do": "reset_trip", "trip_id": 3}               -> the same

`control.json` in the run folder tells port and token to the recorder's user alone: who may read it commands the rig,
who does not hold the token gets no answer. Loopback, for not every system has sockets in folders.
"""

import json
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccdmon.errors import DeviceError

CONTROL_FILE = "control.json"
LOOPBACK = "127.0.0.1"
ACTIONS = ("trip", "arm", "disarm", "reset_trip")
PROBE_LIMIT_S = 1.0
ANSWER_LIMIT_S = 35.0  # longer than the recorder waits for the board
_MOST_BYTES = 4096
_MOST_ANSWER_BYTES = 1 << 20  # a state takes two thousand
WAITING_CLIENTS = 128  # of those that connected since the last look
MOST_CLIENTS = 32  # one that has not asked is closed for a newer one
IDLE_LIMIT_S = 5.0
SEND_LIMIT_S = 0.2  # of an answer: the loop that records waits for it


def ask(folder: Path, request: Mapping[str, Any], timeout_s: float = ANSWER_LIMIT_S) -> dict[str, Any]:
    """Ask the recorder of a folder. Raises `DeviceError` where none runs or it refuses."""
    try:
        port, token = _door(folder)
        with socket.create_connection((LOOPBACK, port), timeout_s) as client:
            client.sendall(json.dumps({**request, "token": token}).encode() + b"\n")
            line = _line_of(client, time.monotonic() + timeout_s)
    except TimeoutError as error:
        raise DeviceError(f"{folder}: its recorder does not answer; look at its process") from error
    except (OSError, ValueError) as error:
        raise DeviceError(
            f"{folder}: no recorder answers here; start one with `ccdmon record --out {folder}`"
        ) from error
    answer = _document(line) or {"ok": False, "error": "the recorder ended"}
    if not answer.get("ok"):
        raise DeviceError(f"{folder}: {answer.get('error', 'refused')}")
    return dict(answer)


def _line_of(client: socket.socket, until_s: float) -> bytes:
    """A whole line, or what came of it; whoever sends without end, or a byte now and then, is no recorder."""
    data = bytearray()
    while b"\n" not in data and len(data) < _MOST_ANSWER_BYTES:
        client.settimeout(max(0.001, until_s - time.monotonic()))  # 0 would not wait at all
        piece = client.recv(1 << 16)
        if not piece:
            break
        data += piece
    return bytes(data.partition(b"\n")[0])


def _door(folder: Path) -> tuple[int, str]:
    """Port and token of the folder's recorder. Raises `OSError` or `ValueError` where there is none."""
    with (folder / CONTROL_FILE).open("rb") as file:
        document = _document(file.read(_MOST_BYTES))
    port, token = (document or {}).get("port"), (document or {}).get("token")
    if type(port) is not int or not 0 < port < 1 << 16 or not isinstance(token, str):
        raise ValueError(f"{CONTROL_FILE} tells no port and token")
    return port, token


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
        """Raises `OSError` where there is no loopback, or no place for the token."""
        self._path = folder / CONTROL_FILE
        self._token = secrets.token_urlsafe()
        self._clients: dict[socket.socket, _Client] = {}
        self._listener = socket.create_server((LOOPBACK, 0), backlog=WAITING_CLIENTS)
        try:
            self._listener.setblocking(False)
            self._tell_door()
        except OSError:
            self._listener.close()
            raise

    def _tell_door(self) -> None:
        """Write port and token where only this user can read them, whole or not at all."""
        new = self._path.with_suffix(".new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"port": self._listener.getsockname()[1], "token": self._token}, file)
        new.replace(self._path)

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
        """Stop answering, and tell nobody the way any more."""
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
        if document is not None and self._holds(document.pop("token", None)):
            connection.setblocking(True)
            connection.settimeout(SEND_LIMIT_S)
            yield Request(document, connection)
        else:
            connection.close()

    def _holds(self, token: object) -> bool:
        return isinstance(token, str) and secrets.compare_digest(
            token.encode(errors="surrogatepass"), self._token.encode()
        )


def _document(line: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def answers(folder: Path) -> bool:
    """Whether a recorder takes connections for that folder; one that hangs does, too."""
    try:
        ask(folder, {"do": "state"}, PROBE_LIMIT_S)
    except DeviceError as error:
        return isinstance(error.__cause__, TimeoutError)
    return True
