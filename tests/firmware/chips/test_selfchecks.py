"""Each self-check of a running board on a model of what it looks at: quiet while that is well, and it tells a fault."""

import pytest

from ccdmon_fw.chips import selfchecks
from ccdmon_fw.chips.selfchecks import Clock, Program, Ram, Reference, Stack
from ccdmon_fw.wire import NO_TEMPERATURE

MHz = 125


def until_told(check, calls: int) -> int:
    """Calls until it says no; -1: never."""
    return next((call for call in range(calls) if not check.holds()), -1)


def test_ram_is_tested_from_end_to_end_again_and_again() -> None:
    tested: list[tuple[int, int]] = []
    ram = Ram(lambda at, blocks: tested.append((at, blocks)) or 0, 0x1000, 0x1000 + 16 * 20)
    assert until_told(ram, 6) == -1
    assert tested == [(0x1000, 8), (0x1080, 8), (0x1100, 4)] * 2


def test_a_bad_word_of_ram_is_told() -> None:
    ram = Ram(lambda at, blocks: int(at <= 0x1090 < at + 16 * blocks), 0x1000, 0x2000)
    assert until_told(ram, 100) == 1


def program(flash: bytearray) -> Program:
    return Program(
        lambda at, buffer: buffer.__setitem__(slice(None), flash[at : at + len(buffer)]), len(flash)
    )


@pytest.mark.parametrize("at", [0, 255, 256, 2047])
def test_a_flipped_bit_of_the_program_is_told_within_two_passes(at: int) -> None:
    flash = bytearray(range(256)) * 8
    check = program(flash)
    assert until_told(check, 40) == -1
    flash[at] ^= 0x10
    assert until_told(check, 16) >= 0


def test_a_stack_that_grew_into_its_last_words_is_told() -> None:
    memory: dict[int, int] = {}
    check = Stack(memory, 0x20040000)
    assert until_told(check, 3) == -1
    assert min(memory) == 0x20040000
    memory[0x2004000C] = 7
    assert until_told(check, 1) == 0


class Clocks:
    """`speed` of the microseconds; each look comes after `round_us` of true time."""

    def __init__(self, speed: float, round_us: float) -> None:
        self.speed, self.round_us, self.now_us = speed, round_us, (1 << 30) - 7_000.0

    def pair(self) -> tuple[int, int]:
        self.now_us += self.round_us
        return int(self.now_us * self.speed) & 0x3FFFFFFF, int(self.now_us * MHz) & 0xFFFFFF


@pytest.mark.parametrize("round_us", [300, 1_500, 9_000, 50_000, 90_000, 300_000])
def test_clocks_that_agree_are_quiet(round_us: float) -> None:
    assert until_told(Clock(Clocks(1.0, round_us).pair, MHz), 500) == -1


@pytest.mark.parametrize("speed", [0.0, 0.5, 0.8, 1.25, 2.0])
@pytest.mark.parametrize("round_us", [300, 1_500, 9_000, 25_000])
def test_a_timer_that_is_off_is_told(speed: float, round_us: float) -> None:
    assert until_told(Clock(Clocks(speed, round_us).pair, MHz), 100) >= 0


class Chip:
    """A temperature that is read at most once a second."""

    def __init__(self, *tenths: int) -> None:
        self.told, self.now_ms = list(tenths), 0

    def check(self) -> Reference:
        return Reference(lambda: self.told.pop(0), self._ms)

    def _ms(self) -> int:
        self.now_ms += 500
        return self.now_ms


def test_a_chip_that_warms_is_quiet_and_one_odd_reading_too() -> None:
    chip = Chip(250, 260, 300, 450, 1_100, 450, 440, NO_TEMPERATURE, 440, 440)
    assert until_told(chip.check(), 20) == -1
    assert chip.told == []


@pytest.mark.parametrize(
    "tenths",
    [
        (250, 250, 900, 900),
        (250, -100, -100, -100),
        (NO_TEMPERATURE, NO_TEMPERATURE),
        (250, NO_TEMPERATURE, NO_TEMPERATURE),
    ],
)
def test_a_reference_that_leaps_or_is_nowhere_is_told(tenths: tuple[int, ...]) -> None:
    assert until_told(Chip(*tenths, *[tenths[-1]] * 3).check(), 12) >= 0


def test_each_has_a_number_of_its_own_beside_those_of_the_watch() -> None:
    from ccdmon_fw import watch

    own = [selfchecks.RAM, selfchecks.PROGRAM, selfchecks.STACK, selfchecks.CLOCK, selfchecks.REFERENCE]
    others = [watch.SETTINGS, watch.CANARY, watch.PIN, watch.RATE, watch.FLASH]
    assert len({*own, *others}) == 10
