"""The socket of a recorder: one line each way, nobody waits long, nobody takes its descriptors."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ccdmon.errors import DeviceError
from ccdmon.link import control_socket
from ccdmon.link.control_socket import (
    CONTROL_FILE,
    IDLE_LIMIT_S,
    MOST_CLIENTS,
    ControlServer,
    Request,
    answers,
    ask,
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ControlServer]:
    made = ControlServer(tmp_path)
    yield made
    made.close()


def client(folder: Path, text: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", door(folder)["port"]), 5.0)
    made.sendall(text)
    return made


def door(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / CONTROL_FILE).read_text())
    return document


def state_asked(folder: Path) -> bytes:
    return json.dumps({"do": "state", "token": door(folder)["token"]}).encode() + b"\n"


def line(of: socket.socket) -> Any:
    """What comes back; None where it was closed without a word."""
    text = of.makefile("rb").readline()
    return json.loads(text) if text else None


def asked(server: ControlServer, folder: Path, request: dict[str, Any], answer: Any) -> Any:
    """What `ask` gives where `answer(request)` is called for each request."""
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(ask(folder, request, timeout_s=5.0))
        except DeviceError as error:
            found.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        for one in server.poll():
            answer(one)
        time.sleep(0.005)
    return found[0]


def test_a_request_and_its_answer(server: ControlServer, tmp_path: Path) -> None:
    seen: list[Any] = []

    def answer(request: Request) -> None:
        seen.append(request.document)
        request.answer(state={"a": 1})

    assert asked(server, tmp_path, {"do": "state"}, answer) == {"ok": True, "state": {"a": 1}}
    assert seen == [{"do": "state"}]
    assert (
        asked(server, tmp_path, {"do": "x"}, lambda r: r.refuse("no such thing"))
        == f"{tmp_path}: no such thing"
    )
    assert (
        asked(server, tmp_path, {"do": "x"}, lambda r: r._connection.close())
        == f"{tmp_path}: the recorder ended"
    )
    assert asked(server, tmp_path, {"do": "x"}, lambda r: r._send({"ok": False})) == f"{tmp_path}: refused"


def test_only_its_user_may_ask_and_it_goes_when_it_is_closed(tmp_path: Path) -> None:
    (tmp_path / CONTROL_FILE).write_text("of a recorder that was killed")
    server = ControlServer(tmp_path)
    waiting = client(tmp_path)
    assert server.poll() == []
    server.close()
    assert line(waiting) is None, "who waits is told by the end"
    assert not (tmp_path / CONTROL_FILE).exists() and not answers(tmp_path)
    with pytest.raises(DeviceError, match=r"no recorder answers here; start one with `ccdmon record --out"):
        ask(tmp_path, {"do": "state"})
    with pytest.raises(DeviceError, match="no recorder answers here"):
        ask(tmp_path / "nowhere", {"do": "state"})
    server.close()  # a second time does no harm


def test_a_folder_however_deep_has_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    before = len(list(Path("/proc/self/fd").iterdir()))
    server = ControlServer(deep)
    assert asked(server, deep, {"do": "state"}, lambda r: r.answer()) == {"ok": True}
    server.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before, "no descriptor is left"


def test_a_recorder_that_hangs_is_told_from_none(server: ControlServer, tmp_path: Path) -> None:
    began_s = time.monotonic()
    with pytest.raises(DeviceError, match=r"its recorder does not answer; look at its process$"):
        ask(tmp_path, {"do": "state"}, timeout_s=0.2)
    assert 0.1 < time.monotonic() - began_s < 3.0


@pytest.mark.parametrize(
    "text", [b"\n", b"[]\n", b"3\n", b"{\n", b"\xff\n", b"[" * 4000 + b"\n", b"x" * 5000]
)
def test_what_is_no_request_is_closed_without_a_word(
    server: ControlServer, tmp_path: Path, text: bytes
) -> None:
    odd = client(tmp_path, text)
    until_s = time.monotonic() + 1.0
    while time.monotonic() < until_s and (
        server._clients or odd.fileno() < 0 or until_s - time.monotonic() > 0.8
    ):
        assert server.poll() == []
        time.sleep(0.01)
    assert not server._clients
    with suppress(ConnectionResetError):
        assert line(odd) is None


def test_a_request_may_come_in_pieces_and_a_client_that_goes_away_is_nobody(
    server: ControlServer, tmp_path: Path
) -> None:
    text = state_asked(tmp_path)
    slow, gone = client(tmp_path, text[:-9]), client(tmp_path, text[:9])
    assert server.poll() == []
    gone.close()
    assert server.poll() == [] and len(server._clients) == 1
    slow.sendall(text[-9:])
    (request,) = server.poll()
    assert request.document == {"do": "state"}
    request.answer()
    assert line(slow) == {"ok": True} and not server._clients


def test_who_asks_nothing_is_closed_the_oldest_first(
    server: ControlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 100.0
    monkeypatch.setattr(control_socket.time, "monotonic", lambda: now_s)
    idle = []
    for _ in range(MOST_CLIENTS + 3):
        idle.append(client(tmp_path))
        server.poll()
    assert len(server._clients) == MOST_CLIENTS
    for closed in idle[:3]:
        assert line(closed) is None
    idle[3].setblocking(False)
    with pytest.raises(BlockingIOError):
        idle[3].recv(1)  # still open
    now_s += IDLE_LIMIT_S
    server.poll()
    assert len(server._clients) == MOST_CLIENTS, "a moment to ask"
    now_s += 0.1
    server.poll()
    assert not server._clients


def test_an_answer_that_nobody_reads_does_not_hold_the_recorder(
    server: ControlServer, tmp_path: Path
) -> None:
    stuck = client(tmp_path, state_asked(tmp_path))
    (request,) = server.poll()
    began_s = time.monotonic()
    request.answer(text="x" * (8 << 20))
    assert time.monotonic() - began_s < 2.0
    stuck.close()
    client(tmp_path, state_asked(tmp_path)).close()
    for request in server.poll():
        request.answer()  # to somebody who is gone


def test_a_request_has_its_bound(server: ControlServer, tmp_path: Path) -> None:
    head, longest = b'{"do": "', 4096
    for size, taken in ((longest - 1, True), (longest, False)):
        asking = client(tmp_path, head + b"x" * (size - len(head)))
        assert server.poll() == []
        assert bool(server._clients) is taken, "what is too long is not waited for"
        asking.close()
        server.poll()


def test_a_file_is_no_folder_of_a_recorder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not answers(tmp_path / "file")
    with pytest.raises(DeviceError, match="no recorder answers here"):
        ask(tmp_path / "file", {"do": "state"})
    with pytest.raises(NotADirectoryError):
        ControlServer(tmp_path / "file")


@pytest.mark.parametrize("port", [0, 1 << 16, -1, True, "80", None, 3.0])
def test_a_door_that_cannot_be_is_none(tmp_path: Path, port: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def connected(*_: object) -> None:
        raise AssertionError("nobody is asked")

    monkeypatch.setattr(control_socket.socket, "create_connection", connected)
    (tmp_path / CONTROL_FILE).write_text(json.dumps({"port": port, "token": "t"}))
    with pytest.raises(DeviceError, match="no recorder answers here"):
        ask(tmp_path, {"do": "state"})
    (tmp_path / CONTROL_FILE).write_text(json.dumps({"port": 65535, "token": "t"}))
    with pytest.raises(AssertionError, match="nobody is asked"):
        ask(tmp_path, {"do": "state"})
