"""The self-test, the feedback contact, the host's dead-man and its reasons, on a board in memory."""

import pytest

from ccdmon_fw import detector, limits, wire
from tests.firmware.fake_board import Bench, FakeBoard

ON, OFF = (40000, 40000), (32768, 32768)


class WiredBoard(FakeBoard):
    """A relay with a contact to ground, and current that follows it; each can be stuck."""

    contact_stuck: bool | None = None
    current_stuck: bool | None = None
    at_rail = False

    def feedback(self) -> int:
        closed = bool(self.level) if self.contact_stuck is None else self.contact_stuck
        return int(not closed)

    def read(self, memory) -> None:
        flows = bool(self.level) if self.current_stuck is None else self.current_stuck
        self.codes = (*(ON if flows else OFF), 32768)
        super().read(memory)
        if self.at_rail:
            memory[0] = 65535

    def pump(self) -> None: ...


def wired(**settings: int) -> Bench:
    bench = Bench(ready=False, board=WiredBoard())
    assert bench.put(**{"gate_feedback": 1, "self_test_current_units": 1000} | settings)["result"] == wire.OK
    return bench


def outcome(bench: Bench) -> str:
    answer = bench.test()
    assert bench.board.level == 0
    assert (answer["result"] == wire.OK) == (answer["detail"] in (wire.PASSED, wire.PASSED_DRY))
    return wire.SELF_TESTS[answer["detail"]]


def test_it_opens_closes_and_opens_and_says_whether_current_followed() -> None:
    assert outcome(wired()) == "passed"
    dry = Bench(ready=False)
    dry.put()
    dry.board.levels.clear()
    assert outcome(dry) == "passed_without_current"
    assert dry.board.levels == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("part", "stuck", "said"),
    [
        ("contact_stuck", True, "contact_does_not_open"),
        ("contact_stuck", False, "contact_does_not_close"),
        ("current_stuck", True, "current_does_not_stop"),
        ("current_stuck", False, "current_does_not_follow"),
    ],
)
def test_what_does_not_follow_is_named_and_nothing_arms(part: str, stuck: bool, said: str) -> None:
    bench = wired()
    setattr(bench.board, part, stuck)
    assert outcome(bench) == said
    assert bench.ask(wire.ARM)["result"] == wire.SELF_TEST_FAILED


def test_other_settings_and_a_trip_ask_for_a_new_test_and_the_same_settings_do_not() -> None:
    bench = wired()
    assert outcome(bench) == "passed"
    bench.put(gate_feedback=1, self_test_current_units=1000)
    assert bench.ask(wire.ARM)["result"] == wire.OK
    bench.ask(wire.DISARM)
    bench.put(gate_feedback=1, self_test_current_units=1001)
    assert bench.ask(wire.ARM)["result"] == wire.SELF_TEST_FAILED


def test_a_trip_is_not_cleared_while_the_current_does_not_follow() -> None:
    bench = wired()
    outcome(bench)
    bench.ask(wire.ARM)
    bench.ask(wire.FORCE_TRIP)
    bench.board.current_stuck = False
    bench.play(count=300)
    answer = bench.test(wire.RESET_TRIP, 1)
    assert (answer["result"], wire.SELF_TESTS[answer["detail"]]) == (
        wire.SELF_TEST_FAILED, "current_does_not_follow",
    )  # fmt: skip
    assert bench.app.gate.reason == limits.COMMAND
    bench.board.current_stuck = None
    assert bench.test(wire.RESET_TRIP, 1)["result"] == wire.OK
    assert bench.app.gate.reason == 0


def test_a_rail_during_the_test_trips() -> None:
    bench = wired(self_test_current_units=0)
    bench.board.at_rail = True
    assert outcome(bench) == "tripped"
    assert limits.REASONS[bench.app.gate.reason] == "sensor_fault"


@pytest.mark.parametrize("armed", [True, False])
def test_a_contact_that_disagrees_latches_gate_stuck(armed: bool) -> None:
    bench = wired()
    outcome(bench)
    if armed:
        bench.ask(wire.ARM)
    bench.board.contact_stuck = not armed
    bench.messages(30)
    assert limits.REASONS[bench.app.gate.reason] == "gate_stuck"
    assert bench.board.level == 0


def test_settings_for_hardware_that_is_not_there_are_refused_by_name() -> None:
    answer = Bench(ready=False).put(gate_drive=1)
    assert answer["result"] == wire.NOT_SUPPORTED
    assert limits.SETTINGS[answer["detail"]] == "gate_drive"


def test_a_silent_host_trips_only_when_armed_and_asked_for_and_any_command_counts() -> None:
    bench = Bench(ready=False)
    bench.put(host_timeout_ms=500)
    bench.test()
    bench.messages(100)  # a second of silence, unarmed
    assert bench.app.gate.reason == 0
    bench.ask(wire.ARM)
    for _ in range(10):
        bench.messages(30)
        bench.ask(wire.KEEP_ALIVE)
    assert bench.app.gate.reason == 0
    bench.messages(60)
    assert limits.REASONS[bench.app.gate.reason] == "host_silent"
    assert bench.board.level == 0


def test_the_host_may_name_a_reason_only_where_the_settings_say_so() -> None:
    soft = limits.REASONS.index("fake_stable")
    for allowed, asked, latched in (
        (1, soft, soft),
        (1, limits.HARD_SHORT, limits.COMMAND),
        (0, soft, limits.COMMAND),
    ):
        bench = Bench(ready=False)
        bench.put(host_reasons=allowed)
        bench.board.inbox += wire.encode(wire.FORCE_TRIP, 99, bytes([asked]))
        acks = [fields for name, fields, _ in bench.messages() if name == "ack"]
        assert (acks[0]["result"], acks[0]["detail"], bench.app.gate.reason) == (wire.OK, latched, latched)


def test_the_currents_zero_is_taken_when_a_test_begins_and_is_no_current() -> None:
    bench = Bench(ready=False)
    assert bench.put(limits.default_settings())["result"] == wire.OK
    bench.board.codes = (32768, 32768 + 400, 32768)
    assert bench.test()["result"] == wire.OK
    assert bench.app.detector.memory[detector.I_ZERO] == 32768 + 400
