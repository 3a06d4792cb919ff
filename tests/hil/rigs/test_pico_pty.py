"""The emulated Pico behind a terminal: stock mpremote and pyserial take it for a board."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from ccdmon.link.decoder import Message
from ccdmon.link.device import Device
from ccdmon.link.port import Port
from ccdmon_fw import limits
from ccdmon_hil.rigs.pico import PicoTarget
from ccdmon_hil.rigs.pico_pty import Bridge, PicoPty

pytestmark = pytest.mark.pico
LIMIT_S = 60.0


def _mpremote(pico: PicoPty, *arguments: str) -> str:
    command = [sys.executable, "-m", "mpremote", "connect", pico.port, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Chip:
    """One that only says."""

    edges: tuple[()] = ()

    def open_console(self, opened: bool) -> None: ...
    def stall_console(self, full: bool) -> None: ...
    def send(self, data: bytes) -> None: ...
    def receive(self) -> bytes:
        return b"x" * 8192


def test_a_program_that_does_not_read_ends_no_board(monkeypatch: pytest.MonkeyPatch) -> None:
    read, written = os.pipe()
    with os.fdopen(read) as stdin, os.fdopen(written, "w"):
        monkeypatch.setattr(sys, "stdin", stdin)
        bridge = Bridge(cast(PicoTarget, Chip()))
        port = os.open(bridge.port, os.O_RDWR | os.O_NOCTTY)
        try:
            assert all(bridge.serve() for _ in range(50)), "the terminal is full after a few"
            assert os.read(port, 4096)
            assert bridge.serve()
        finally:
            os.close(port)
        assert not bridge.serve()


def test_mpremote_copies_files_that_outlive_a_power_cycle(blank_pico: PicoPty, tmp_path: Path) -> None:
    script = tmp_path / "told.py"
    script.write_text("words = %r\n" % ("bytes 3 and 4: \x03\x04 " * 60))
    _mpremote(blank_pico, "fs", "cp", str(script), ":told.py")
    blank_pico.order(power_cycle=True)
    said = _mpremote(blank_pico, "exec", "import told, machine; print([told.words, machine.reset_cause()])")
    assert json.loads(said.replace("'", '"').replace("\\x03", "\\u0003").replace("\\x04", "\\u0004")) == [
        "bytes 3 and 4: \x03\x04 " * 60,
        1,
    ]


def test_the_firmware_answers_and_the_pin_is_seen_from_outside(flashed_pico: PicoPty) -> None:
    trips: list[Message] = []

    def take(event: object) -> None:
        if isinstance(event, Message) and event.name == "trip":
            trips.append(event)

    with Port(flashed_pico.port) as port:
        device = Device(port.write, port.read, "pty", on_event=take)
        assert device.identify()["board"] == "rpi_pico"
        device.configure(limits.default_settings())
        assert device.self_test() == "passed_without_current"
        assert [said["gate_closed"] for said in flashed_pico.listen(LIMIT_S)] == [True, False]
        device.arm()
        assert [said["gate_closed"] for said in flashed_pico.listen(LIMIT_S)] == [True]
        flashed_pico.order(converters=[65520, 40000, 32768])
        assert [said["gate_closed"] for said in flashed_pico.listen(LIMIT_S)] == [False]
        device.wait(lambda: bool(trips), "why")
        trip = trips[0]
        assert limits.REASONS[trip.fields["reason"]] == "sensor_fault"


def test_a_person_at_its_terminal_is_answered(flashed_pico: PicoPty) -> None:
    process = flashed_pico._process
    assert process.stdin
    process.stdin.write(b"loop ajar\nloop open\nloop closed\n")
    said: list[dict[str, object]] = []
    while len(said) < 3:
        said += flashed_pico.listen(LIMIT_S)
    assert "help" in str(said[0]["error"])
    assert said[1:] == [{"loop": "open"}, {"loop": "closed"}]
