"""The conversation against the firmware itself, which runs here on a board in memory."""

import pytest

from ccdmon.errors import DeviceError
from ccdmon.link.decoder import Message
from ccdmon.link.device import Device, RefusedError
from ccdmon_fw import limits, wire
from tests.firmware.fake_board import Bench


class Wire:
    """Bytes between host and a firmware in memory; the first `losses` frames to the firmware get lost."""

    def __init__(self, bench: Bench, losses: int = 0) -> None:
        self.bench, self.losses = bench, losses

    def send(self, data: bytes) -> None:
        self.losses -= 1
        if self.losses < 0:
            self.bench.board.inbox += data

    def receive(self) -> bytes:
        self.bench.play(*self.bench.board.codes, count=4)
        self.bench.app.step()
        data, self.bench.board.sent = self.bench.board.sent, b""
        return data


def device(losses: int = 0, **options) -> Device:
    line = Wire(Bench(ready=False), losses)
    return Device(line.send, line.receive, "port test", **options)


def test_identity_status_clock_and_settings() -> None:
    board = device()
    assert board.identify()["version"] == limits.VERSION
    assert board.status()["armed"] == 0
    assert board.clock()["command_sequence"] > 0
    assert board.settings() == limits.default_settings()


def test_settings_are_read_back_and_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    board = device()
    settings = limits.default_settings()
    settings[limits.SETTINGS.index("confirm_samples")] = 3
    assert board.configure(settings) == 1
    monkeypatch.setattr(board, "settings", limits.default_settings)
    with pytest.raises(DeviceError, match=r"port test: other settings .*\(confirm_samples\)"):
        board.configure(settings)


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"version": "0.0.1"}, "the board runs firmware 0.0.1 (wire protocol"),
        ({"protocol": wire.PROTOCOL + 1}, f"(wire protocol {wire.PROTOCOL + 1}, "),
        ({"schema": limits.SCHEMA - 1}, f"settings schema {limits.SCHEMA - 1}), this package has {limits.VERSION}"),
        ({"version": None}, "does not state a firmware of ccdmon"),
    ],
)  # fmt: skip
def test_another_firmware_is_neither_configured_nor_armed(stated: dict, told: str) -> None:
    line = Wire(Bench(ready=False))
    board = Device(line.send, line.receive, "port test")
    board.identify()
    board.identity |= stated
    for order in (lambda: board.configure(limits.default_settings()), board.arm):
        with pytest.raises(DeviceError) as refused:
            order()
        assert str(refused.value).startswith("port test: ")
        assert told in str(refused.value)
    assert board.status()["config_generation"] == 0
    assert line.bench.board.levels == [0]
    board.command(wire.DISARM)  # what opens the gate is never refused


def test_a_refusal_names_what_and_why_and_what_to_do() -> None:
    board = device()
    board.configure(limits.default_settings())
    board.command(wire.FORCE_TRIP)
    with pytest.raises(RefusedError, match=r"refuses `arm`: latched.*`ccdmon reset-trip 1`") as refused:
        board.command(wire.ARM)
    assert (refused.value.result, refused.value.detail, refused.value.exit_code) == ("latched", 1, 3)
    with pytest.raises(RefusedError, match="wrong_id; the latched trip is 1"):
        board.reset_trip(7)
    board.reset_trip(1)
    assert board.status()["trip_id"] == 0


def test_a_lost_command_is_sent_again_and_carried_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccdmon.link.retries.RETRY_S", 0.0)
    line = Wire(Bench(ready=False))
    board = Device(line.send, line.receive, "port test")
    board.configure(limits.default_settings())
    board.self_test()
    line.bench.board.levels.clear()
    line.losses = 1
    board.command(wire.ARM)
    line.bench.play(32768, 32768)
    assert line.bench.board.levels == [1]


def test_silence_ends_with_one_line() -> None:
    board = device(losses=1 << 30, answer_limit_s=0.0)
    with pytest.raises(DeviceError, match="port test: the firmware does not answer `identify`"):
        board.identify()


def test_everything_else_reaches_the_callbacks() -> None:
    events, received = [], []
    board = device(on_event=events.append, on_bytes=received.append)
    board.command(wire.FORCE_TRIP)
    for _ in range(20):
        board.pump()
    assert "trip" in [event.name for event in events if isinstance(event, Message)]
    assert b"".join(received).count(b"\0") == board.decoder.counts.frames
