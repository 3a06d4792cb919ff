"""The conversation against the firmware itself, which runs here on a board in memory."""

import pytest

from ccdmon.errors import DeviceError
from ccdmon.link.decoder import Message
from ccdmon.link.device import Device, RefusedError, named, why_refused
from ccdmon_fw import limits, wire
from tests.firmware.fake_board import Bench
from tests.host.wire_stream import Device as MadeUp


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
    assert b"".join(received).count(b"\0") == board.decoder.counts.frames + 1, (
        "the first ends what was before the boot"
    )


@pytest.mark.parametrize("result", [*wire.RESULTS, "unknown code 99"])
@pytest.mark.parametrize("detail", [0, 1, 99])
def test_every_refusal_has_its_advice_and_nothing_of_another(result: str, detail: int) -> None:
    said = why_refused(result, detail)
    assert said.startswith(result) and "{" not in said
    named_test = result == "self_test_failed" and detail < len(wire.SELF_TESTS)
    assert (f"({wire.SELF_TESTS[detail % len(wire.SELF_TESTS)]})" in said) is named_test
    assert ("; " in said) is (result in wire.RESULTS)
    if result in ("latched", "wrong_id", "bad_value", "zero_too_large") and (result, detail) != (
        "wrong_id",
        0,
    ):
        assert str(detail) in said


def test_a_code_has_its_name_or_is_told_as_unknown() -> None:
    assert [named(("a", "b"), code) for code in (-1, 0, 1, 2)] == [
        "unknown code -1",
        "a",
        "b",
        "unknown code 2",
    ]
    assert why_refused("self_test_failed", len(wire.SELF_TESTS)).startswith("self_test_failed; check")
    assert "what tripped it is still there" in why_refused("self_test_failed", wire.TRIPPED)


def test_what_is_asked_again_waits_twice_as_long_each_time_and_ends_in_its_time() -> None:
    now_s, sent_at_s = 0.0, list[float]()

    def receive() -> bytes:
        nonlocal now_s
        now_s += 0.25
        return b""

    board = Device(
        lambda data: sent_at_s.append(now_s), receive, "port test", answer_limit_s=16.0, now_s=lambda: now_s,
        first_command=5,
    )  # fmt: skip
    with pytest.raises(DeviceError, match="does not answer `identify`"):
        board.identify()
    assert sent_at_s == [0.0, 1.0, 3.0, 7.0, 15.0] and now_s == 16.25
    sent_at_s.clear()
    with pytest.raises(DeviceError, match="does not answer anything"):
        board.wait(lambda: False, "anything")
    assert sent_at_s == [], "nothing to send, only to wait"
    board.wait(lambda: True, "anything")


def test_an_identity_that_cannot_be_used_ends_the_question() -> None:
    made = MadeUp()
    text = b'{"board": 3}'
    frames = made.frame(wire.IDENTITY, len(text).to_bytes(2, "little") + text)
    board = Device(lambda data: None, lambda: frames, "port test")
    with pytest.raises(DeviceError, match=r"cannot be used \(board: .*\); `ccdmon flash`"):
        board.pump()


def test_a_gate_is_armed_after_its_self_test_which_is_not_done_twice() -> None:
    board = device()
    board.configure(limits.default_settings())
    tests = []
    one = board.self_test

    def counted() -> str:
        tests.append(one())
        return tests[-1]

    board.self_test = counted
    assert board.arm() == 1 and len(tests) == 1
    board.command(wire.DISARM)
    assert board.arm() == 2 and len(tests) == 1
