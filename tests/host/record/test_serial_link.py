"""The port of a long recording: a board that comes back, under another name too; none is lost for good."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ccdmon.errors import DeviceError
from ccdmon.link.port import Port
from ccdmon.record import serial_link
from ccdmon.record.serial_link import SerialLink


class Bus:
    """Ports by name; a port that is unplugged fails, and opens only where it is plugged in."""

    def __init__(self, name: str) -> None:
        self.plugged: str | None = name
        self.opened: list[str] = []
        self.sent: list[bytes] = []

    def open(self, name: str) -> "BusPort":
        if name != self.plugged:
            raise DeviceError(f"port {name}: cannot be opened")
        self.opened.append(name)
        return BusPort(self, name)


class BusPort:
    def __init__(self, bus: Bus, name: str) -> None:
        self._bus, self.name = bus, name
        self._closed = threading.Event()

    def read(self) -> bytes:
        time.sleep(0.001)
        if self._bus.plugged != self.name:
            raise DeviceError(f"port {self.name}: the link broke")
        return self.name.encode() + b"\0"

    def write(self, data: bytes) -> None:
        if self._bus.plugged != self.name:
            raise DeviceError(f"port {self.name}: the link broke")
        self._bus.sent.append(data)

    def close(self) -> None:
        self._closed.set()


def wait_for(done: Callable[[], object]) -> None:
    until_s = time.monotonic() + 10.0
    while not done():
        assert time.monotonic() < until_s
        time.sleep(0.005)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    """A board with a serial number, at first on port A."""
    bus = Bus("A")
    monkeypatch.setattr(serial_link, "REOPEN_S", 0.01)
    monkeypatch.setattr(serial_link, "usb_identity", lambda name: (0x2E8A, 5, "E66"))
    monkeypatch.setattr(serial_link, "name_of", lambda identity: bus.plugged)
    return bus


def test_a_board_that_is_enumerated_anew_is_found_by_its_serial_number(bus: Bus) -> None:
    link = SerialLink("A", bus.open)
    try:
        wait_for(lambda: b"A\0" in link.take(0.1))
        bus.plugged = None
        wait_for(lambda: not link.up)
        assert link.broke.startswith("port A: ")
        link.send(b"lost, as is its answer")
        bus.plugged = "B"
        wait_for(lambda: b"B\0" in link.take(0.1))
        link.send(b"hello")
        assert (bus.opened, bus.sent) == (["A", "B"], [b"hello"])
    finally:
        link.close()


def test_without_a_serial_number_the_old_name_is_tried_again(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_link, "usb_identity", lambda name: None)
    link = SerialLink("A", bus.open)
    try:
        bus.plugged = None
        wait_for(lambda: not link.up)
        bus.plugged = "A"
        wait_for(lambda: link.up)
        assert bus.opened == ["A", "A"]
    finally:
        link.close()


def test_a_port_with_another_board_is_let_go_and_opened_later(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_link, "REFUSED_S", 0.05)
    link = SerialLink("A", bus.open)
    try:
        wait_for(lambda: link.take(0.1))
        refused_s = time.monotonic()
        link.refuse("port A: another board")
        assert not link.up and link.broke == "port A: another board"
        wait_for(lambda: link.up)
        assert time.monotonic() - refused_s >= 0.05
        while link.taken == 1:  # what lay in the queue is of the first opening
            assert link.take(0.1)
        assert link.taken == link.opening == 2
    finally:
        link.close()


def test_a_port_that_is_gone_is_told_in_a_few_words(tmp_path: Path) -> None:
    name = str(tmp_path / "ttyX")
    assert serial_link._why_closed(_opening(name)) == "the board is away"
    assert serial_link._why_closed(DeviceError(f"port {name}: no right")) == "no right"


def _opening(name: str) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        Port(name)
    return caught.value


class Endless:
    """A port that always has more."""

    name = "endless"

    def read(self) -> bytes:
        return b"\1" * 4096

    def write(self, data: bytes) -> None:
        raise OSError(5, "a driver's own")

    def close(self) -> None:
        raise RuntimeError("closing fails, too")


def test_what_nobody_takes_stays_within_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it the board is left to wait: it counts what it drops, and the host keeps its memory."""
    assert serial_link.MOST_BYTES_WAITING == 8 << 20
    monkeypatch.setattr(serial_link, "MOST_BYTES_WAITING", 1 << 20)
    link = SerialLink("endless", lambda _: Endless())
    wait_for(lambda: link._bytes_received > 1 << 20)
    time.sleep(3 * serial_link._PAUSE_S)
    assert link._bytes_received <= (1 << 20) + 2 * 4096
    taken = len(link.take(0.1))
    assert serial_link.MOST_BYTES_TAKEN <= taken <= serial_link.MOST_BYTES_TAKEN + 4096
    wait_for(lambda: link._bytes_received > (1 << 20) + taken // 2)
    link.send(b"x")
    assert "OSError" in link.broke, "whatever a driver raises is a link that broke"
    link._stop.set()
