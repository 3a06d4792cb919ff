"""The code of each chip's registers, RP2040 and RP2350, against a model of its register file.

Offsets and bits of the models are those of the datasheets' register lists (SIO, ADC, TIMER), by name; what the code
under test writes is found by address alone. Nothing here was seen on silicon of an RP2350.
"""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

GATE, PUMP, EXTERNAL, LED = 22, 13, 14, 25
# name: (address of SIO, ADC, TIMER's TIMERAWL), {offset in SIO: what it does}
SIO = {
    "rp2040": {0x04: "in", 0x10: "out", 0x14: "set", 0x18: "clear", 0x1C: "xor"},
    "rp2350": {0x04: "in", 0x10: "out", 0x18: "set", 0x20: "clear", 0x28: "xor"},
}
ADC = {"rp2040": 0x4004C000, "rp2350": 0x400A0000}
TIMERAWL = {"rp2040": 0x40054028, "rp2350": 0x400B0028}
AINSEL = {"rp2040": 7, "rp2350": 15}  # how many channels its field can name


class Chip:
    """Outputs, inputs, converter and timer behind the addresses of one chip; `pointer` stands in for `ptr32`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.out = self.levels = 0
        self.time_us = 0
        self.systick = 0xFFFF00
        self.codes = {0: 0x123, 1: 0x456, 2: 0x789, 4: 876}
        self._selected = 0

    def pointer(self, place: object) -> object:
        """A register file where it is an address, else memory."""
        if not isinstance(place, int):
            return place
        return _Words(self, place & 0xFFFFFFFF)

    def read(self, address: int) -> int:
        what = SIO[self.name].get(address - 0xD0000000)
        if what in ("in", "out"):
            return self.levels | self.out if what == "in" else self.out
        if address == TIMERAWL[self.name]:
            return self.time_us
        if address == 0xE000E018:  # SYST_CVR, of the processor
            return self.systick
        if address == ADC[self.name]:
            return 0x100  # READY
        if address == ADC[self.name] + 4:
            return self.codes[self._selected]
        raise AssertionError(f"{self.name}: nothing to read at {address:08x}")

    def write(self, address: int, value: int) -> None:
        what = SIO[self.name].get(address - 0xD0000000)
        if what == "set":
            self.out |= value
        elif what == "clear":
            self.out &= ~value
        elif what == "xor":
            self.out ^= value
        elif address == ADC[self.name] and value & 7 == 7:  # START_ONCE, TS_EN, EN
            self._selected = value >> 12 & AINSEL[self.name]
        else:
            raise AssertionError(f"{self.name}: {value:08x} is written to {address:08x}")


class _Words:
    def __init__(self, chip: Chip, base: int) -> None:
        self._chip, self._base = chip, base

    def __getitem__(self, word: int) -> int:
        return self._chip.read(self._base + 4 * word)

    def __setitem__(self, word: int, value: int) -> None:
        self._chip.write(self._base + 4 * word, value)


@pytest.fixture(params=["rp2040", "rp2350"])
def both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, Chip]:
    """A chip's code, and its model under it."""
    module = importlib.import_module(f"ccdmon_fw.chips.{request.param}")
    model = Chip(request.param)
    monkeypatch.setattr(module, "ptr32", model.pointer)
    return module, model


def test_the_gate_closes_and_opens_with_its_led_and_opening_stops_the_pump(
    both: tuple[ModuleType, Chip],
) -> None:
    module, model = both
    module.gate(1)
    assert model.out == 1 << GATE | 1 << LED
    assert module.gate_level() == 1
    module.pump()
    assert model.out == 1 << GATE | 1 << LED | 1 << PUMP
    module.gate(0)
    assert (model.out, module.gate_level()) == (0, 0)
    module.pump()
    assert model.out == 0


def test_the_code_of_another_chip_does_not_open_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why a chip that is not known is refused: on an RP2350 the RP2040's word for opening closes."""
    module, model = importlib.import_module("ccdmon_fw.chips.rp2040"), Chip("rp2350")
    monkeypatch.setattr(module, "ptr32", model.pointer)
    module.gate(0)
    assert model.out >> GATE & 1 == 1


def test_an_external_loop_that_is_not_held_to_ground_is_not_safe(both: tuple[ModuleType, Chip]) -> None:
    module, model = both
    assert module.unsafe() == module.stamp([0] * 4) == module.convert([0] * 4) == 0
    model.levels = 1 << EXTERNAL
    assert module.unsafe() == module.stamp([0] * 4) == module.convert([0] * 4) == 1


def test_conversions_and_time_come_from_their_registers(both: tuple[ModuleType, Chip]) -> None:
    module, model = both
    model.time_us = 0xC0000007
    memory = [0] * 4
    module.convert(memory)
    assert memory == [0x1230, 0x4560, 0x7890, 7]
    module.stamp(memory)
    assert module.temperature_code() == 876
    module.clocks(memory)
    assert memory[:2] == [7, 0xFF]


def _common(chip: str) -> str:
    source = Path(importlib.import_module(f"ccdmon_fw.chips.{chip}").__file__ or "").read_text()
    return source.split("# -- Below this line all chips have the same text.")[1]


@pytest.mark.parametrize("rail", [0x000, 0x00F, 0xFF0, 0xFFF])
def test_what_reads_as_a_rail_is_converted_once_more(
    both: tuple[ModuleType, Chip], monkeypatch: pytest.MonkeyPatch, rail: int
) -> None:
    module, model = both
    first = {0: rail, 1: rail}  # the first conversion of each is bad
    read = model.read

    def bad_once(address: int) -> int:
        found = read(address)
        return first.pop(model._selected, found) if address == ADC[model.name] + 4 else found

    monkeypatch.setattr(model, "read", bad_once)
    memory = [0] * 4
    module.convert(memory)
    assert memory[:3] == [0x1230, 0x4560, 0x7890]
    model.codes |= {0: rail, 1: 0x456, 2: 0}  # for good; and no load cell
    module.convert(memory)
    assert memory[:3] == [rail << 4, 0x4560, 0]


def test_chips_differ_above_that_line_alone() -> None:
    """`const` folds within one file, so each chip has the functions for itself: they must stay one text."""
    assert _common("rp2040") == _common("rp2350")
