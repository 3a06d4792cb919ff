"""Only the own board gets into a recording: whoever opens the port anew is asked who he is first."""

from pathlib import Path
from typing import Any

import pytest

from ccdmon.record import own_link
from ccdmon.record.own_link import OwnLink
from ccdmon.run.folder import read_config
from ccdmon_fw import wire
from tests.host.record.memory_link import MemoryLink, recording
from tests.host.wire_stream import Device


class Port(MemoryLink):
    """A port at which boards come and go."""

    def plug_in(self, *frames: bytes) -> None:
        self.opening += 1
        self.up, self.pending = True, list(frames)

    def take(self, timeout_s: float) -> bytes:
        if self.pending:
            self.taken = self.opening
        return super().take(timeout_s)

    def asked(self) -> list[int]:
        kinds = [kind for kind, _, _ in wire.Unframer().feed(self.sent)]
        self.sent.clear()
        return kinds


@pytest.fixture
def port() -> Port:
    return Port()


def link_to(port: Port, own: str | None) -> tuple[OwnLink, list[str]]:
    told: list[str] = []
    return OwnLink(port, lambda: own, lambda _id, line: told.append(line)), told


def test_a_run_that_knows_no_board_takes_the_first(port: Port) -> None:
    link, told = link_to(port, None)
    assert link.up
    port.plug_in(b"anything")
    assert link.take(0.0) == b"anything" and not told and not port.asked()


def test_the_own_board_is_asked_who_it_is_and_all_it_sent_is_taken(port: Port) -> None:
    link, told = link_to(port, "own")
    device = Device()
    frames = [device.samples(0, 32), device.identity(id="own"), device.samples(32, 32)]
    port.plug_in(*frames)
    assert link.take(0.0) == b"" and not link.up, "held until it says who it is"
    link.send(wire.encode(wire.ARM, 1, b""))
    assert port.asked() == [wire.IDENTIFY], "no order before that"
    assert link.take(0.0) == frames[0] + frames[1] and link.up
    assert link.take(0.0) == frames[2] and not told
    link.send(wire.encode(wire.ARM, 1, b""))
    assert port.asked() == [wire.ARM]


def test_another_board_is_refused_in_one_line_once_and_gets_no_order(port: Port) -> None:
    link, told = link_to(port, "own")
    for _ in range(2):
        device = Device()
        port.plug_in(device.samples(0, 32), device.identity(id="other"), device.samples(32, 32))
        assert [link.take(0.0) for _ in range(4)] == [b""] * 4
        link.send(wire.encode(wire.ARM, 1, b""))
        assert port.asked() == [wire.IDENTIFY] and not link.up
    assert len(port.refused) == 2
    (line,) = told
    assert "refused board other (test): this recording is of board own" in line and "\n" not in line
    device = Device()
    port.plug_in(device.identity(id="own"), device.samples(0, 32))
    assert link.take(0.0) and link.take(0.0) and link.up


def test_what_a_refused_board_had_sent_is_not_taken_later(port: Port) -> None:
    link, _ = link_to(port, "own")
    device = Device()
    port.plug_in(device.identity(id="other"))
    assert link.take(0.0) == b""
    port.pending = [device.samples(0, 32)]  # it lay in the queue
    assert link.take(0.0) == b""


@pytest.mark.parametrize("own", ["own", None])
def test_nothing_is_lost_where_the_port_is_opened_while_it_is_waited_for(own: str | None) -> None:
    device = Device()
    frames = [device.identity(id="own"), device.samples(0, 32)]

    class Opens(Port):
        def take(self, timeout_s: float) -> bytes:
            if self.opening == 1:
                self.plug_in(*frames)
            return super().take(timeout_s)

    link, _ = link_to(Opens(), own)
    assert link.take(0.0) + link.take(0.0) == b"".join(frames) and link.up


@pytest.mark.parametrize("bound", ["HELD_S", "MOST_BYTES_HELD"])
def test_a_board_that_never_says_who_it_is_is_taken_in_the_end(
    port: Port, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, told = link_to(port, "own")
    device = Device()
    frames = [device.samples(0, 32), device.samples(32, 32)]
    port.plug_in(*frames)
    assert link.take(0.0) == b""
    monkeypatch.setattr(own_link, bound, -1)
    assert link.take(0.0) == frames[0] + frames[1] and link.up and not told


def test_a_recording_takes_nothing_of_another_board(tmp_path: Path) -> None:
    said: list[str] = []
    own = Device()
    made = recording(tmp_path / "run", [own.identity(id="own"), own.samples(0, 32)], said)
    port: Any = made.link._link
    made.begin()

    def rounds() -> None:
        for _ in range(6):
            made.round(0.0)

    rounds()
    before = read_config(made.folder)["firmware"]
    assert before["id"] == "own"
    port.up = False
    rounds()
    port.up, port.opening, port.taken = True, 2, 2
    other = Device()
    port.pending = [other.identity(id="other"), other.samples(0, 32, run=9)]
    rounds()
    assert made.state()["link"] == "lost" and "refused board other" in made.state()["link_reason"]
    assert (
        not [line for line in said if "is back" in line]
        and len([line for line in said if "refused" in line]) == 1
    )
    port.up, port.opening, port.taken = True, 3, 3
    own = Device()
    port.pending = [own.identity(id="own"), own.samples(64, 32)]
    rounds()
    assert made.state()["link"] == "up" and [line for line in said if "the board is back" in line]
    assert made.state()["samples"] == 64 and made.recorder.rows.segment == 0
    made.finish()
    assert read_config(made.folder)["firmware"] == before
