"""Orders in words for an emulated board: what each puts at the chip's pins, and that nonsense ends nothing."""

from typing import Any, cast

import pytest

from ccdmon_hil.rigs.by_hand import BLINKS_US, BUTTON_PIN, HELP, ByHand
from ccdmon_hil.rigs.pico import PicoTarget
from ccdmon_hil.rigs.pico_firmware import PICO_PINS


class Chip:
    """Its pins, as the world sees them; the LED blinks in the chip's time."""

    def __init__(self) -> None:
        self.codes, self.pins, self.at_us = (0, 0, 0), dict[int, bool](), 0.0
        self.presses, self.power_cycles = 0, 0
        self.lit = lambda at_us: at_us % 512e3 < 128e3

    def set_converters(self, codes: tuple[int, int, int]) -> None:
        self.codes = codes

    def set_pin(self, number: int, high: bool) -> None:
        self.presses += number == BUTTON_PIN and not high
        self.pins[number] = high

    def pin(self, _number: int) -> bool:
        return self.lit(self.at_us)

    def virtual_us(self) -> float:
        return self.at_us

    def run_until(self, virtual_us: float) -> None:
        self.at_us = virtual_us

    def power_cycle(self) -> None:
        self.power_cycles += 1


@pytest.fixture
def said() -> list[dict[str, Any]]:
    return []


def _bench(chip: Chip, said: list[dict[str, Any]]) -> ByHand:
    return ByHand(cast(PicoTarget, chip), lambda **words: said.append(words), closed=False)


def test_a_cell_is_there_while_the_gate_is_closed_and_can_be_shorted(said: list[dict[str, Any]]) -> None:
    chip = Chip()
    bench = _bench(chip, said)
    for line in ("voltage 40768", "current 36768", "pressure 9000"):
        bench.carry_out(line)
    assert chip.codes == (32768, 32768, 9000), "no current flows through an open relay"
    bench.gate(True)
    assert chip.codes == (40768, 36768, 9000)
    bench.carry_out("short")
    assert chip.codes == (33768, 36768, 9000)
    assert said[-1] == {"voltage": 33768, "current": 36768, "pressure": 9000}


def test_loop_button_and_power(said: list[dict[str, Any]]) -> None:
    chip = Chip()
    bench = _bench(chip, said)
    assert chip.pins == {BUTTON_PIN: True}, "up: the emulator has no pull-up of its own"
    bench.carry_out("loop open")
    assert chip.pins[PICO_PINS.external_trip]
    bench.carry_out("loop closed")
    assert not chip.pins[PICO_PINS.external_trip]
    bench.carry_out("button")
    assert chip.presses == 1
    assert chip.pins[BUTTON_PIN]
    assert chip.at_us >= 50e3, "held for as long as the firmware asks for"
    bench.carry_out("replug")
    assert chip.power_cycles == 1


def test_the_led_is_told_as_a_person_sees_it(said: list[dict[str, Any]]) -> None:
    chip = Chip()
    bench = _bench(chip, said)
    for lit, seen in (
        (lambda _us: True, "lit"),
        (lambda _us: False, "dark"),
        (lambda us: us % 512e3 < 128e3, "4 flashes in two seconds"),
    ):
        chip.lit, chip.at_us = lit, BLINKS_US * 10 + 300e3
        bench.carry_out("led")
        assert said[-1] == {"led": seen}


@pytest.mark.parametrize("line", ["", "   "])
def test_an_empty_line_is_none(line: str, said: list[dict[str, Any]]) -> None:
    _bench(Chip(), said).carry_out(line)
    assert not said


@pytest.mark.parametrize("line", ["trip", "voltage", "voltage 70000", "voltage -1", "loop ajar", "short 3"])
def test_nonsense_is_told_and_ends_nothing(line: str, said: list[dict[str, Any]]) -> None:
    _bench(Chip(), said).carry_out(line)
    assert line in said[-1]["error"]
    assert "help" in said[-1]["error"]


def test_help_names_every_order(said: list[dict[str, Any]]) -> None:
    _bench(Chip(), said).carry_out("help")
    assert said == [{"help": HELP}]
    words = " ".join(HELP)
    for order in ("voltage", "current", "pressure", "short", "loop", "button", "led", "replug"):
        assert order in words
