"""The recorder's door: who holds its token is answered, nobody else; whatever lies in its file is one line."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ccdmon.errors import DeviceError
from ccdmon.link.control_socket import CONTROL_FILE, ControlServer, answers, ask


@contextmanager
def serving(folder: Path) -> Iterator[ControlServer]:
    """A server whose requests are answered with what was asked."""
    server, over = ControlServer(folder), threading.Event()

    def work() -> None:
        while not over.wait(0.005):
            for request in server.poll():
                request.answer(asked=request.document)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield server
    finally:
        over.set()
        thread.join()
        server.close()


def said(folder: Path, line: bytes) -> bytes:
    """What a client gets that sends `line` to the door's port."""
    port = json.loads((folder / CONTROL_FILE).read_text())["port"]
    with socket.create_connection(("127.0.0.1", port), 2.0) as client:
        client.sendall(line)
        return client.makefile("rb").readline()


def test_who_holds_the_token_is_answered_and_the_token_goes_no_further(tmp_path: Path) -> None:
    with serving(tmp_path):
        assert ask(tmp_path, {"do": "state"})["asked"] == {"do": "state"}
        assert answers(tmp_path)
    assert not (tmp_path / CONTROL_FILE).exists()
    assert not answers(tmp_path)


@pytest.mark.parametrize("token", [None, "", "guess", 7, ["x"], "\ud800"])
def test_who_does_not_is_not(tmp_path: Path, token: object) -> None:
    with serving(tmp_path):
        asked = {"do": "trip"} if token is None else {"do": "trip", "token": token}
        assert said(tmp_path, json.dumps(asked).encode() + b"\n") == b""
        assert ask(tmp_path, {"do": "state"})["ok"]


def test_only_its_user_can_read_the_door_and_each_start_has_another_token(tmp_path: Path) -> None:
    tokens = set()
    for _ in range(2):
        with serving(tmp_path):
            door = tmp_path / CONTROL_FILE
            assert door.stat().st_mode & 0o777 == 0o600
            tokens.add(json.loads(door.read_text())["token"])
    assert len(tokens) == 2
    assert min(map(len, tokens)) >= 32


def test_loopback_alone(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert server._listener.getsockname()[0] == "127.0.0.1"


def test_the_door_moves_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with serving(tmp_path / "a"):
        (tmp_path / "a").rename(tmp_path / "b")
        assert ask(tmp_path / "b", {"do": "state"})["ok"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"port": 1}', '{"port": "80", "token": "x"}', '{"port": 70000, "token": "x"}',
     '{"port": 1, "token": "x"}', '{"port": true, "token": "x"}', "[" * 4000, "\x00\xff"],
)  # fmt: skip
def test_whatever_lies_in_the_file_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / CONTROL_FILE).write_text(text, encoding="latin-1")
    assert not answers(tmp_path)
    with pytest.raises(DeviceError, match="no recorder answers here") as caught:
        ask(tmp_path, {"do": "state"})
    assert "\n" not in str(caught.value)


def test_one_that_hangs_counts_as_there(tmp_path: Path) -> None:
    server = ControlServer(tmp_path)
    try:
        assert answers(tmp_path)
        with pytest.raises(DeviceError, match="does not answer"):
            ask(tmp_path, {"do": "state"}, 0.1)
    finally:
        server.close()


@pytest.mark.parametrize("way", ["without end", "a byte now and then", "nothing"])
def test_a_door_that_leads_to_a_liar_costs_neither_memory_nor_time(tmp_path: Path, way: str) -> None:
    """Who may write into a watched folder filled the page's memory: 500 MB in six seconds."""
    listener = socket.create_server(("127.0.0.1", 0))
    sent = [0]

    def lie() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            piece = b"x" * (1 << 16) if way == "without end" else b"x"
            while way != "nothing":
                sent[0] += connection.send(piece)
                if way != "without end":
                    time.sleep(0.02)
            connection.recv(1 << 16)
            connection.recv(1)

    liar = threading.Thread(target=lie, daemon=True)
    liar.start()
    (tmp_path / CONTROL_FILE).write_text(json.dumps({"port": listener.getsockname()[1], "token": "t"}))
    with pytest.raises(DeviceError, match="recorder"):
        ask(tmp_path, {"do": "state"}, 0.3)
    liar.join(5.0)
    listener.close()
    assert not liar.is_alive(), "nobody listens to it any more"
    assert sent[0] < 16 << 20
