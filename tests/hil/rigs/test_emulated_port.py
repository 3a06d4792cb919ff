"""Rig `board` on an emulated Pico of this process: its time is the chip's, so two runs are the same."""

from pathlib import Path

import pytest

from ccdmon.errors import DeviceError
from ccdmon.link import flash
from ccdmon.link.console import Console
from ccdmon.link.port import Port, is_pseudo_terminal
from ccdmon.simulation.simulate import simulate
from ccdmon_hil.play.replay import open_session, replay_on

pytestmark = pytest.mark.pico
emulated = pytest.importorskip(
    "ccdmon_hil.rigs.serial_urls.protocol_emulated",
    reason="the emulated Pico is not installed: pip install '.[pico]'",
)
BEFORE, AFTER = 24, 6  # rows around the short


def test_two_runs_of_a_replay_give_the_same_bytes(pico_image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated = simulate("hard_short", 3)
    short = simulated.truth["first_faulty_row"]
    runs = []
    for _ in range(2):
        monkeypatch.setattr(flash, "_questions", flash._status_requests())  # as in a process of its own
        received = bytearray()
        with open_session("board", image=pico_image, port="emulated", on_bytes=received.extend) as session:
            played = replay_on(session, simulated.trace, start=short - BEFORE, stop=short + AFTER)
        runs.append((bytes(received), played.document()))
    assert runs[0] == runs[1]
    assert runs[0][1]["reason"] == "hard_short"
    assert runs[0][1]["latency"]["virtual_us"] > 0
    assert runs[0][1]["latency"]["real_us"] is None


def test_mpremote_and_pyserial_reach_it_one_after_the_other(pico_image: Path) -> None:
    with emulated.emulated_board(pico_image) as (url, now_s):
        with Console(url) as console:
            assert console.evaluate("6 * 7") == 42
        with Port(url) as port:
            port.write(b"\r\x02print(40 + 3)\r")
            said = b"".join(port.read() for _ in range(200))
            assert b"43" in said
            before_s = now_s()
            assert port.read() == b""
            assert now_s() - before_s == pytest.approx(0.1, abs=0.02), (
                "silence takes the time-out of the chip's time"
            )
        assert is_pseudo_terminal(url)
    with pytest.raises(DeviceError, match="no emulated board"):
        Port(url)
