"""The serial port against a pseudo-terminal: bytes pass unchanged, every failure is one line."""

import os
import tty
from collections.abc import Iterator

import pytest

from ccdmon.errors import DeviceError
from ccdmon.link.port import Port


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
