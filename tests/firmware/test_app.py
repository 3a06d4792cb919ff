"""The firmware as a host meets it: commands, trips that stay, black boxes, settings that survive."""

import struct
from pathlib import Path
from types import SimpleNamespace

import pytest

from ccdmon_fw import detector, limits, ring, sampler, store, wire
from tests.firmware.fake_board import Bench, FakeBoard

OK, LATCHED, WRONG_ID = wire.OK, wire.LATCHED, wire.WRONG_ID
ON = (40000, 40000)
SHORTED = (32770, 40000)


def trip(bench: Bench, before: int = 300) -> int:
    """Arm, run, short; the trip's id."""
    assert bench.ask(wire.ARM)["result"] == OK
    bench.play(*ON, count=before)
    bench.play(*SHORTED, count=2)
    assert bench.board.level == 0
    bench.play(32768, 32768, count=300)
    return next(fields["trip_id"] for name, fields, _ in bench.messages() if name == "trip")


def test_gate_is_open_until_armed_and_after_disarming() -> None:
    bench = Bench(ready=False)
    assert bench.board.levels == [0]
    assert bench.ask(wire.ARM)["result"] == wire.NO_CONFIGURATION
    assert bench.put()["result"] == OK
    assert bench.ask(wire.ARM)["result"] == wire.SELF_TEST_FAILED
    assert bench.test()["result"] == OK
    assert bench.board.level == 0
    bench.ask(wire.ARM)
    assert bench.board.level == 1
    bench.ask(wire.DISARM)
    assert bench.board.level == 0


def test_sample_0_of_a_run_is_the_first_after_the_gate_closed() -> None:
    bench = Bench()
    bench.play(32768, 32768, count=37)
    run = bench.ask(wire.ARM)["detail"]
    bench.play(*ON, count=70)
    frames = [(fields, rest) for name, fields, rest in bench.messages() if name == "samples"]
    assert [fields["first_sample"] for fields, _ in frames] == [0, 32, 64]
    assert {fields["run"] for fields, _ in frames} == {run}
    assert sum(len(rest) for _, rest in frames) == 70 * 8


def test_a_command_repeated_under_its_number_is_carried_out_once() -> None:
    bench = Bench()
    first = bench.ask(wire.ARM, number=5)
    assert bench.ask(wire.ARM, number=5) == first
    assert bench.ask(wire.ARM, number=6)["result"] == wire.ARMED


@pytest.mark.parametrize(
    "kind", [kind for kind in wire.MESSAGES if kind > 0x40 and kind != wire.SELF_TEST], ids=hex
)
def test_what_is_told_beside_an_answer_is_told_again_with_it(kind: int) -> None:
    """Either may get lost on the way: a question stands among those of `commands` that only ask."""
    bench = Bench()
    told = []
    for _ in range(2):
        bench.ask(kind, *[0] * len(wire.MESSAGES[kind][2]), number=700)
        told.append({name for name, _, _ in bench.asked} - {"trip"})  # which tells itself, again and again
    assert told[0] == told[1]


def test_what_opens_the_gate_is_carried_out_under_a_number_seen_before_too() -> None:
    bench = Bench()
    bench.ask(wire.DISARM, number=500)
    bench.ask(wire.ARM)
    assert bench.board.level == 1
    assert bench.ask(wire.DISARM, number=500)["result"] == OK
    assert bench.board.level == 0
    bench.ask(wire.FORCE_TRIP, number=501)
    bench.play(32768, 32768, count=300)
    bench.messages()
    assert bench.test(wire.RESET_TRIP, 1)["result"] == OK
    bench.ask(wire.ARM)
    bench.ask(wire.FORCE_TRIP, number=501)
    assert (bench.board.level, limits.REASONS[bench.app.gate.reason]) == (0, "command")


def test_without_a_configuration_the_gate_closes_for_nothing() -> None:
    bench = Bench(ready=False)
    assert bench.ask(wire.SELF_TEST)["result"] == wire.NO_CONFIGURATION
    bench.ask(wire.FORCE_TRIP)
    bench.play(32768, 32768, count=300)
    bench.messages()
    assert bench.ask(wire.RESET_TRIP, 1)["result"] == wire.NO_CONFIGURATION
    assert 1 not in bench.board.levels


def test_a_detector_that_would_settle_for_ever_is_refused() -> None:
    bench = Bench(ready=False)
    at = limits.SETTINGS.index("settle_samples")
    answer = bench.put(settle_samples=240_001)  # a minute at 4 kHz, and one more
    assert (answer["result"], answer["detail"]) == (wire.BAD_VALUE, at)
    assert bench.put(settle_samples=240_000)["result"] == OK
    assert bench.put(settle_samples=2, sample_period_us=1_000_000)["result"] == OK


def test_a_board_whose_converter_did_not_start_does_not_close_its_gate() -> None:
    bench = Bench()
    bench.board.FAULT = "adc: no answer"
    assert bench.ask(wire.ARM)["result"] == bench.ask(wire.SELF_TEST)["result"] == wire.FAULTY
    assert bench.board.levels == []


def test_an_identity_that_waits_answers_all_who_ask_for_one() -> None:
    """Each has 4 kB: a handful of them at once would not fit a microcontroller's heap."""
    bench = Bench()
    bench.board.inbox = b"".join(wire.encode(wire.IDENTIFY, number) for number in range(100, 105))
    told = bench.messages()
    assert [name for name, _, _ in told].count("identity") == 1
    answered = [fields["command_sequence"] for name, fields, _ in told if name == "ack"]
    assert answered == [100, 101, 102, 103, 104]
    bench.ask(wire.IDENTIFY)
    assert [name for name, _, _ in bench.asked].count("identity") == 1


def test_an_identity_comes_though_the_host_asks_again_in_each_round() -> None:
    bench = Bench()
    names = []
    for _ in range(20):
        bench.board.inbox += wire.encode(wire.IDENTIFY, 100)
        names += [name for name, _, _ in bench.messages(1)]
    assert "identity" in names[:4]
    assert "ack" in names[:4]


def test_the_samples_come_though_the_host_asks_in_each_round() -> None:
    bench = Bench()
    bench.ask(wire.ARM)
    came = 0
    for number in range(2000, 3300):
        bench.board.inbox += wire.encode(wire.KEEP_ALIVE, number)
        bench.play(*ON)
        came += sum(fields["count"] for name, fields, _ in bench.messages(1, 1000) if name == "samples")
    assert came > 1250
    assert bench.app.ring.dropped == 0


def test_trip_is_told_until_acknowledged_and_cleared_only_by_its_id() -> None:
    bench = Bench()
    number = trip(bench)
    assert [name for name, _, _ in bench.messages()].count("trip") >= 3
    assert bench.ask(wire.ACK_TRIP, number + 1)["result"] == WRONG_ID
    assert bench.ask(wire.ACK_TRIP, number)["result"] == OK
    assert "trip" not in [name for name, _, _ in bench.messages()]
    assert bench.ask(wire.ARM) | {"command_sequence": 0} == {
        "command_sequence": 0, "command": wire.ARM, "result": LATCHED, "detail": number,
    }  # fmt: skip
    assert bench.ask(wire.RESET_TRIP, number + 1)["result"] == WRONG_ID
    assert bench.board.level == 0
    assert bench.test(wire.RESET_TRIP, number)["result"] == OK
    assert bench.ask(wire.ARM)["result"] == OK


def test_first_reason_wins() -> None:
    bench = Bench()
    bench.ask(wire.ARM)
    bench.play(*ON, count=30)
    bench.play(*SHORTED, count=2)
    bench.play(65535, 40000)
    bench.ask(wire.FORCE_TRIP)
    assert limits.REASONS[bench.app.gate.reason] == "hard_short"


def test_trip_survives_a_power_cycle_and_so_does_its_black_box(tmp_path: Path) -> None:
    folder = str(tmp_path / "flash")
    number = trip(Bench(folder))
    again = Bench(folder)
    assert again.ask(wire.ARM)["result"] == LATCHED
    answer = again.ask(wire.GET_BLACKBOX, number)
    assert (answer["result"], answer["detail"]) == (OK, 512)
    head = next(fields for name, fields, _ in again.asked if name == "box")
    records = b"".join(rest for name, _, rest in again.asked if name == "blackbox")
    assert len(records) == 512 * 8 == head["total"] * 8
    sample = 300 + 1  # the second shorted sample confirmed it
    assert (head["sample"], limits.REASONS[head["reason"]]) == (sample, "hard_short")
    assert head["value"] < head["limit"]
    assert head["config_crc"] == again.app.config.crc != 0
    voltage, current, _, verdict = struct.unpack_from("<4H", records, (sample - head["first_sample"]) * 8)
    assert (voltage, current, verdict & 0xFF) == (*SHORTED, 1)
    assert again.test(wire.RESET_TRIP, number)["result"] == OK
    assert Bench(folder).ask(wire.ARM)["result"] == OK


def test_a_trip_whose_samples_a_reset_took_keeps_a_box_without_any(tmp_path: Path) -> None:
    folder = str(tmp_path / "flash")
    bench = Bench(folder)
    bench.ask(wire.ARM)
    bench.ask(wire.FORCE_TRIP)
    for again in (Bench(folder), Bench(folder)):
        answer = again.ask(wire.GET_BLACKBOX, 1)
        assert (answer["result"], answer["detail"]) == (OK, 0)
        head = next(fields for name, fields, _ in again.asked if name == "box")
        assert (head["trip_id"], limits.REASONS[head["reason"]], head["total"]) == (1, "command", 0)
        assert [rest for name, _, rest in again.asked if name == "blackbox"] == [b""]
    assert len(list((tmp_path / "flash").glob("trip*"))) == 1, "written once"


def test_a_main_loop_that_fails_still_closes_the_black_box(tmp_path: Path) -> None:
    board = FakeBoard(str(tmp_path / "flash"))
    bench = Bench(board=board)
    bench.ask(wire.ARM)
    bench.play(*ON, count=300)
    board.service = lambda: bench.play(*ON)  # type: ignore[method-assign] # the timer goes on
    bench.app.fail()
    assert board.level == 0
    answer = Bench(board.STORE).ask(wire.GET_BLACKBOX, 1)
    assert (answer["result"], answer["detail"]) == (OK, 512)


def test_black_box_of_an_early_trip_reaches_back_before_the_gate_closed() -> None:
    bench = Bench()
    bench.play(32768, 32768, count=300)
    number = trip(bench, before=40)
    bench.ask(wire.GET_BLACKBOX, number)
    head = next(fields for name, fields, _ in bench.asked if name == "box")
    records = b"".join(rest for name, _, rest in bench.asked if name == "blackbox")
    assert (head["sample"], head["first_sample"], head["total"]) == (41, 42 - 256, 512)
    currents = [current for _, current, _, _ in struct.iter_unpack("<4H", records)]
    assert currents[: 256 - 42] == [32768] * (256 - 42)
    assert currents[256 - 42 : 256] == [ON[1]] * 42


def test_a_trip_is_told_in_full_after_a_power_cycle_too(tmp_path: Path) -> None:
    bench = Bench(str(tmp_path / "flash"))
    trip(bench)

    def told(by: Bench) -> dict:
        return next(fields for name, fields, _ in by.messages() if name == "trip")

    before, after = told(bench), told(Bench(str(tmp_path / "flash")))
    assert after | {"repeat": 0} == before | {"repeat": 0}
    assert before["sample"] == 301


def test_the_last_eight_black_boxes_are_kept(tmp_path: Path) -> None:
    bench = Bench(str(tmp_path / "flash"))
    for expected in range(1, 11):
        number = trip(bench, before=40)
        assert number == expected
        bench.test(wire.RESET_TRIP, number)
    results = [bench.ask(wire.GET_BLACKBOX, number)["result"] for number in range(1, 11)]
    assert results == [wire.NO_RECORD] * 2 + [OK] * 8


def test_settings_are_refused_while_armed_and_beyond_their_ceilings(tmp_path: Path) -> None:
    bench = Bench(str(tmp_path / "flash"))
    settings = limits.default_settings()
    settings[2] = 17
    assert bench.put(settings)["result"] == OK
    assert bench.test()["result"] == OK
    bad = list(settings)
    bad[4] = 64
    answer = bench.put(bad)
    assert (answer["result"], answer["detail"]) == (wire.BAD_VALUE, 4)
    assert bench.ask(wire.ARM)["result"] == OK
    assert bench.put()["result"] == wire.ARMED
    assert bench.app.settings == tuple(settings)
    assert Bench(str(tmp_path / "flash")).app.settings == tuple(settings)


@pytest.mark.parametrize("cut", [0, 7, 16, 30])
def test_torn_write_leaves_the_older_settings(tmp_path: Path, cut: int) -> None:
    folder = tmp_path / "flash"
    bench = Bench(str(folder))
    old, new = limits.default_settings(), limits.default_settings()
    old[2], new[2] = 11, 12
    bench.put(old)
    bench.put(new)
    newest = store.Slots(str(folder), "config", 2).newest()
    assert newest is not None
    torn = folder / f"config{newest[2]}"
    torn.write_bytes(torn.read_bytes()[:cut])
    assert Bench(str(folder)).app.settings == tuple(old)


def test_both_slots_torn_leave_no_configuration_and_nothing_arms(tmp_path: Path) -> None:
    folder = tmp_path / "flash"
    bench = Bench(str(folder))
    bench.put(confirm_samples=3)
    for slot in (0, 1):
        torn = folder / f"config{slot}"
        torn.write_bytes(torn.read_bytes()[:-1])
    again = Bench(str(folder), ready=False)
    assert again.ask(wire.ARM)["result"] == wire.NO_CONFIGURATION
    assert again.app.settings == limits.default_settings()
    assert again.put(confirm_samples=3)["result"] == OK


def test_host_that_does_not_read_costs_counted_drops_only() -> None:
    bench = Bench()
    bench.ask(wire.ARM)
    bench.board.room = 0
    for _ in range(60):
        bench.play(*ON, count=50)
        bench.app.step()
    bench.board.room = 1 << 20
    bench.play(*ON, count=10)
    frames = [(fields, rest) for name, fields, rest in bench.messages(200) if name == "samples"]
    received = sum(len(rest) for _, rest in frames) // 8
    assert frames[-1][0]["dropped"] > 1000
    assert received + frames[-1][0]["dropped"] == 3010
    last = frames[-1][0]["first_sample"] + len(frames[-1][1]) // 8
    assert last == 3010


def test_an_exception_in_the_tick_opens_the_gate_and_latches() -> None:
    bench = Bench()
    bench.ask(wire.ARM)
    bench.board.codes = ()  # type: ignore[assignment]
    bench.board.tick(None)
    assert bench.board.level == 0
    assert limits.REASONS[bench.app.gate.reason] == "exception"


def test_unknown_commands_and_short_bodies_are_refused() -> None:
    bench = Bench()
    bench.board.inbox = wire.encode(0x7E, 9, b"") + wire.encode(wire.RESET_TRIP, 10, b"\1")
    results = [fields["result"] for name, fields, _ in bench.messages() if name == "ack"]
    assert results == [wire.UNKNOWN_COMMAND, wire.BAD_LENGTH]


def test_current_after_a_trip_is_an_alarm_of_its_own_until_acknowledged() -> None:
    bench = Bench()
    number = trip(bench)
    assert "event" not in [name for name, _, _ in bench.messages()]
    bench.play(*ON)
    events = [fields for name, fields, _ in bench.messages(300) if name == "event"]
    assert len(events) == 3
    assert limits.REASONS[events[0]["reason"]] == "gate_stuck"
    assert limits.REASONS[bench.app.gate.reason] == "hard_short"
    bench.ask(wire.ACK_TRIP, number)
    assert "event" not in [name for name, _, _ in bench.messages(300)]


def test_the_status_tells_the_temperature_of_a_board_that_has_one() -> None:
    def told() -> int:
        bench.ask(wire.GET_STATUS)
        return next(fields for name, fields, _ in bench.asked if name == "status")["temperature_dC"]

    bench = Bench()
    assert told() == wire.NO_TEMPERATURE
    bench.board.temperature_dC = lambda: -123
    assert told() == -123


def with_loop(board: FakeBoard) -> list[int]:
    """A loop at the board's input that must be safe: [1] opens it."""
    loop, converted = [0], board.read

    def read(memory) -> int:
        converted(memory)
        return loop[0]

    board.unsafe = lambda: loop[0]
    board.read = read
    return loop


def test_an_external_trip_is_a_level_that_is_asked_before_arming_and_in_each_tick() -> None:
    board = FakeBoard()
    loop = with_loop(board)
    bench = Bench(board=board)
    loop[0] = 1
    assert bench.ask(wire.ARM)["result"] == bench.ask(wire.SELF_TEST)["result"] == wire.NOT_SAFE
    assert board.levels == []
    loop[0] = 0
    bench.ask(wire.ARM)
    bench.play(*ON, count=10)
    loop[0] = 1
    bench.play(*ON)
    assert (board.level, limits.REASONS[bench.app.gate.reason]) == (0, "external")


def test_an_external_trip_in_the_self_test_ends_it() -> None:
    board = FakeBoard()
    loop = with_loop(board)
    bench = Bench(board=board)
    board.inbox += wire.encode(wire.SELF_TEST, 900)
    while not board.level:
        bench.play(*board.codes)
        bench.messages(1, 1000)
    loop[0] = 1
    bench.play(*board.codes)
    assert board.level == 0
    answers = [fields for name, fields, _ in bench.messages(20, 1000) if name == "ack"]
    assert answers[0]["result"] == wire.SELF_TEST_FAILED


def test_an_external_trip_that_is_not_connected_can_be_said_to_be_none() -> None:
    board = FakeBoard()
    with_loop(board)[0] = 1
    bench = Bench(board=board, ready=False)
    assert bench.put(external_trip=0)["result"] == OK
    assert bench.test()["result"] == OK
    bench.ask(wire.ARM)
    bench.play(*ON, count=10)
    assert board.level == 1


def test_the_watchdog_guards_before_the_gate_closes() -> None:
    told: list[tuple[int, bool]] = []
    board = FakeBoard()
    board.feed_watchdog = lambda armed, _ms: told.append((board.level, armed))
    board.gate_level = lambda: board.level
    bench = Bench(board=board)
    told.clear()
    moved, gate = [], board.gate

    def closing(level: int) -> None:
        moved.append((level, told[-1:]))
        gate(level)

    bench.app.gate.pin = closing
    board.inbox += wire.encode(wire.ARM, 77)
    bench.messages(1)
    assert moved == [(1, [(0, True)])]


def test_late_samples_are_counted_and_many_of_them_trip() -> None:
    bench = Bench()
    bench.ask(wire.ARM)
    bench.play(*ON, count=100)
    bench.board.now_us += 300
    bench.play(*ON, count=10)
    bench.ask(wire.GET_STATUS)
    status = next(fields for name, fields, _ in bench.asked if name == "status")
    assert 1 <= status["overruns"] <= 3  # and where the main loop of this bench let time pass
    for _ in range(300):
        bench.board.now_us += 300
        bench.play(*ON)
    bench.messages(2)
    assert limits.REASONS[bench.app.gate.reason] == "overrun"
    assert bench.board.level == 0


@pytest.mark.parametrize(("stop_us", "reason"), [(15_000, "none"), (60_000, "overrun")])
def test_a_stop_that_nobody_saw_trips_with_the_first_sample_after_it(stop_us: int, reason: str) -> None:
    bench = Bench()
    bench.ask(wire.ARM)
    bench.play(*ON, count=100)
    bench.board.now_us += stop_us  # ticks and main loop
    bench.play(*ON)
    assert limits.REASONS[bench.app.gate.reason] == reason
    assert bench.board.level == (reason == "none")
    if reason != "none":
        assert (bench.app.gate.value, bench.app.gate.limit) == (stop_us + 250, 20_000)


def test_time_of_the_board_may_wrap() -> None:
    bench = Bench()
    bench.board.now_us = (1 << 30) - 5000
    bench.ask(wire.ARM)
    before = bench.app.ring.control[2]
    bench.play(*ON, count=100)
    assert bench.app.ring.control[2] - before <= 1
    assert bench.app.gate.reason == 0


def test_the_pause_of_arming_is_no_late_sample() -> None:
    samples = ring.Ring(256)
    samples.control[ring.GAP_US] = 150
    times_us = iter((400, 500, 800))  # 400 since the ring's last sample; then one of this run is missing

    def read(memory) -> None:
        memory[detector.T] = next(times_us)

    gate = SimpleNamespace(closed=False, pin=lambda _level: None)
    tick = sampler.Sampler(read, detector.Detector(), gate, samples).tick
    samples.restart()
    for _ in range(3):
        tick(None)
    assert samples.control[ring.OVERRUNS] == 1


def test_the_currents_zero_is_taken_before_each_arming_and_one_that_is_too_large_arms_nothing() -> None:
    bench = Bench()
    bench.play(32768, 32768 + 260, count=80)  # 0.8 % of full scale
    assert bench.ask(wire.ARM)["result"] == wire.OK
    assert bench.app.detector.memory[detector.I_ZERO] == 32768 + 260
    bench.ask(wire.DISARM)
    bench.play(32768, 32768 + limits.ZERO_CODES + 20, count=80)
    answer = bench.ask(wire.ARM)
    assert (answer["result"], answer["detail"]) == (wire.ZERO_TOO_LARGE, limits.ZERO_CODES)
