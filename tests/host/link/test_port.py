"""The serial port against a pseudo-terminal: bytes pass unchanged, every failure is one line."""

import os
import tty
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ccdmon.errors import DeviceError
from ccdmon.link import port as port_module
from ccdmon.link.port import (
    EMULATOR_PATIENCE,
    RASPBERRY_PI,
    Port,
    find_board,
    is_pseudo_terminal,
    name_of,
    patience,
    usb_identity,
)


@pytest.fixture
def board() -> Iterator[tuple[int, str]]:
    """(the board's end as a file descriptor, name of the host's end)."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    yield ours, os.ttyname(theirs)
    for descriptor in (ours, theirs):
        try:
            os.close(descriptor)
        except OSError:
            continue


def test_every_byte_passes_both_ways(board: tuple[int, str]) -> None:
    everything = bytes(range(256))
    with Port(board[1]) as port:
        os.write(board[0], everything)
        received = b""
        while len(received) < 256:
            received += port.read()
        assert received == everything
        port.write(everything)
        assert os.read(board[0], 1000) == everything


def test_silence_is_empty(board: tuple[int, str]) -> None:
    with Port(board[1]) as port:
        assert port.read() == b""


def test_a_board_that_goes_away(board: tuple[int, str]) -> None:
    with Port(board[1]) as port:
        os.close(board[0])
        with pytest.raises(DeviceError, match="the link broke"):
            for _ in range(20):
                port.read()


def test_a_port_is_not_shared(board: tuple[int, str]) -> None:
    with Port(board[1]), pytest.raises(DeviceError, match="cannot be opened"):
        Port(board[1])


@pytest.mark.parametrize("name", ["/dev/no-such-port", "/dev/null", "nonsense://x", ""])
def test_no_such_port_is_one_line(name: str) -> None:
    with pytest.raises(DeviceError) as caught:
        Port(name)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def plugged(monkeypatch: pytest.MonkeyPatch, *ports: tuple[str, int | None, str | None]) -> None:
    """What is plugged in: (device, vendor, serial number)."""
    made = [SimpleNamespace(device=name, vid=vid, pid=5, serial_number=number) for name, vid, number in ports]
    monkeypatch.setattr(port_module.list_ports, "comports", lambda: made)


def test_the_only_board_is_found_and_none_or_several_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_board("/dev/x") == "/dev/x"
    assert RASPBERRY_PI == 0x2E8A, "as the USB vendors' list has it"
    other = (
        ("/dev/ttyS0", RASPBERRY_PI - 1, "o"),
        ("/dev/ttyS1", RASPBERRY_PI + 1, "p"),
        ("/dev/ttyS2", None, None),
    )
    for name in (None, "auto"):
        plugged(monkeypatch, *other, ("/dev/ttyACM3", RASPBERRY_PI, "a"))
        assert find_board(name) == "/dev/ttyACM3"
        plugged(monkeypatch, *other)
        with pytest.raises(
            DeviceError, match="no Raspberry Pi board is plugged in; name the port with --port"
        ):
            find_board(name)
        plugged(monkeypatch, ("/dev/ttyACM1", RASPBERRY_PI, "b"), *other, ("/dev/ttyACM0", RASPBERRY_PI, "a"))
        with pytest.raises(
            DeviceError, match=r"several boards are plugged in \(/dev/ttyACM0, /dev/ttyACM1\); name"
        ):
            find_board(name)


def test_a_board_is_known_again_under_another_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to("/dev/ttyACM1")
    plugged(monkeypatch, ("/dev/ttyACM0", 7, "a"), ("/dev/ttyACM1", 7, "b"), ("/dev/ttyACM2", 7, "c"),
            ("/dev/ttyS0", None, "x"), ("/dev/ttyS1", 7, None))  # fmt: skip
    assert usb_identity(str(link)) == (7, 5, "b")
    assert [usb_identity(name) for name in ("/dev/ttyS0", "/dev/ttyS1", "/dev/nowhere")] == [None] * 3
    assert name_of((7, 5, "c")) == "/dev/ttyACM2"
    assert [name_of(other) for other in ((8, 5, "c"), (7, 6, "c"), (7, 5, "d"))] == [None] * 3


def test_an_emulated_board_is_given_more_time() -> None:
    assert [is_pseudo_terminal(name) for name in ("/dev/pts/3", "emulated://x", "/dev/ttyACM0")] == [
        True,
        True,
        False,
    ]
    assert (patience("/dev/pts/3"), patience("/dev/ttyACM0")) == (EMULATOR_PATIENCE, 1)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(16, "Device or resource busy"), "another program has it"),
        (OSError(13, "Permission denied"), "join the group"),
        (OSError(2, "No such file or directory"), "plug the board in"),
        (ValueError("Could not exclusively lock port x"), "another program has it"),
        (ValueError("x" * 300), "plug the board in"),
    ],
)
def test_why_a_port_does_not_open_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: Exception, advice: str
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(port_module.serial, "serial_for_url", refused)
    with pytest.raises(DeviceError, match=advice) as caught:
        Port("/dev/x")
    assert str(caught.value).startswith("port /dev/x: cannot be opened (") and len(str(caught.value)) < 250


def test_a_board_that_takes_nothing_is_a_link_that_broke(board: tuple[int, str]) -> None:
    with Port(board[1]) as port:
        os.close(board[0])
        with pytest.raises(DeviceError, match="the link broke"):
            for _ in range(20):
                port.write(b"x" * 1000)
