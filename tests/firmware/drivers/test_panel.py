"""The LED's codes and the button, on a board in memory."""

import pytest

from ccdmon_fw import limits, wire
from ccdmon_fw.drivers import panel
from tests.firmware.fake_board import Bench, FakeBoard


class Board(FakeBoard):
    """With an LED and a button, which is up."""

    def __init__(self, fault: str | None = None) -> None:
        super().__init__()
        self.FAULT = fault
        self.lit = 0
        self.up = 1

    def led(self, level: int) -> None:
        self.lit = level

    def button(self) -> int:
        return self.up


def seen(bench: Bench) -> int:
    """The code that the LED shows over 16 steps, and the next ones the same."""
    bench.board.now_us += -bench.board.now_us % (16_000 * panel.STEP_MS)
    codes = []
    for _ in range(2):
        code = 0
        for step in range(16):
            bench.app.step()
            code |= bench.board.lit << step
            bench.messages(1, 1000 * panel.STEP_MS)
        codes.append(code)
    assert codes[0] == codes[1]
    return codes[0]


@pytest.fixture
def bench() -> Bench:
    return Bench(board=Board())


def hold(bench: Bench, ms: int, up: int = 0) -> None:
    bench.board.up = up
    bench.messages(ms + 2, 1000)


def test_open_and_well_it_flashes_once_and_closed_it_is_the_gates(bench: Bench) -> None:
    assert seen(bench) == panel.DISARMED
    bench.ask(wire.ARM)
    bench.board.lit = 7
    bench.messages()
    assert bench.board.lit == 7


def test_what_keeps_it_from_being_armed_shows() -> None:
    assert seen(Bench(board=Board("no converter"), ready=False)) == panel.FAULT


def test_a_trip_blinks_fast_until_the_button_was_held(bench: Bench) -> None:
    bench.ask(wire.ARM)
    bench.ask(wire.FORCE_TRIP)
    bench.messages()
    assert seen(bench) == panel.TRIPPED
    hold(bench, 10)
    hold(bench, 1, up=1)
    assert seen(bench) == panel.TRIPPED, "a spike is no press"
    hold(bench, panel.HELD_MS)
    assert seen(bench) == panel.SEEN


def test_the_button_clears_nothing_and_tells_the_host_nothing(bench: Bench) -> None:
    bench.ask(wire.ARM)
    bench.ask(wire.FORCE_TRIP)
    hold(bench, 1, up=1)
    bench.board.levels.clear()
    hold(bench, 10 * panel.HELD_MS)
    assert bench.app.gate.reason == limits.COMMAND
    assert bench.ask(wire.ARM)["result"] == wire.LATCHED
    assert not any(bench.board.levels), "the gate never closed"
    assert "trip" in [name for name, _, _ in bench.messages()], "told until the host has it"


def test_one_that_sticks_acknowledges_no_trip_and_the_next_trip_blinks_again(bench: Bench) -> None:
    bench.board.up = 0
    bench.ask(wire.ARM)
    bench.ask(wire.FORCE_TRIP)
    bench.messages()
    assert seen(bench) == panel.TRIPPED
    hold(bench, 1, up=1)
    hold(bench, panel.HELD_MS)
    assert seen(bench) == panel.SEEN
    assert bench.test(wire.RESET_TRIP, bench.app.box.trip.trip_id)["result"] == wire.OK
    assert seen(bench) == panel.DISARMED
    bench.ask(wire.ARM)
    bench.ask(wire.FORCE_TRIP)
    bench.messages()
    assert seen(bench) == panel.TRIPPED


def test_a_board_without_either_runs() -> None:
    assert Bench().ask(wire.ARM)["result"] == wire.OK
