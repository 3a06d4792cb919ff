"""Boards with external converters on the emulated Pico: its own I2C and SPI blocks, chips that answer byte for byte."""

from pathlib import Path
from typing import Any

import pytest

from ccdmon_hil.rigs.chips.buses import attach_i2c, attach_spi
from ccdmon_hil.rigs.chips.converters import Ads131m04, Ina228, Nau7802
from ccdmon_hil.rigs.pico import PicoTarget
from tests.firmware.pico_script import FIRMWARE, run_on_pico

pytestmark = pytest.mark.pico
TROUBLE_CHANNEL = 1

SCRIPT = """
import machine, micropython, time
import board
from array import array
memory = array("i", [0] * 8)
say(board.NAME, board.FAULT)
board.service()
def show():
    board.read(memory)
    say(*memory[:3])
def allocates(count):
    micropython.heap_lock()
    try:
        while count:
            board.read(memory)
            count -= 1
        return False
    except MemoryError:
        return True
    finally:
        micropython.heap_unlock()
trouble = machine.ADC(TROUBLE_CHANNEL)
def next_state():
    trouble.read_u16()
    board.service()
show()
say("allocates", allocates(20))
start_us = time.ticks_us()
for _ in range(50):
    board.read(memory)
say(time.ticks_diff(time.ticks_us(), start_us) // 50)
for _ in range(STATES):
    next_state()
    show()
say("allocates", allocates(5))
say("degC", board.temperature_dC() / 10)
say("us", time.ticks_diff(board.now_us(), memory[3]) < 100_000)
"""


class ChipTarget(PicoTarget):
    """A Pico with converters on its buses; each conversion of one channel of its own moves them to their next state."""

    chips: list[Any]
    states: list[dict[str, Any]]

    def _on_conversion(self, channel: int) -> None:
        super()._on_conversion(channel)
        if channel == TROUBLE_CHANNEL and self.states:
            chip, change = self.states.pop(0)
            for name, value in change.items():
                setattr(chip, name, value)


def run(
    monkeypatch: pytest.MonkeyPatch, image: Path, board: str, wire: Any, states: list[Any]
) -> tuple[list[str], int]:
    """(what the script said but its time for a read, that time in us)."""

    def make(path: Path) -> PicoTarget:
        target = ChipTarget(path)
        target.states = list(states)
        wire_pins = target._wire_pins

        def wire_all(mcu: Any) -> None:
            wire_pins(mcu)
            wire(mcu)
            target.set_temperature_degC(30.2)

        target._wire_pins = wire_all  # type: ignore[method-assign]
        return target

    script = SCRIPT.replace("STATES", str(len(states))).replace("TROUBLE_CHANNEL", str(TROUBLE_CHANNEL))
    description = (FIRMWARE / "boards" / f"{board}.py").read_text()
    # The emulator would spend its time on the edges of the converter's clock.
    description = description.replace("CLOCK_HZ = 8_333_333", "CLOCK_HZ = 8_333")
    lines = run_on_pico(monkeypatch, image, script, make_target=make, board=description)
    return lines[:3] + lines[4:], int(lines[3])


def test_ads131m04_with_nau7802(monkeypatch: pytest.MonkeyPatch, pico_image: Path) -> None:
    adc, bridge = Ads131m04(), Nau7802()
    adc.readings, bridge.reading = [0x200000, -0x100000, 0, 0], 0x100000

    def wire(mcu: Any) -> None:
        attach_spi(mcu.spi[0], mcu.gpio[17], adc)
        attach_i2c(mcu.i2c[0], bridge)

    states = [
        (adc, {"readings": [-1, 0x7FFFFF, 0, 0]}), (adc, {"damaged": True}),
        (adc, {"damaged": False, "converting": False}), (adc, {"dead": True}),
    ]  # fmt: skip
    lines, read_us = run(monkeypatch, pico_image, "pico_ads131m04_nau7802", wire, states)
    assert lines == [
        "rpi_pico_ads131m04_nau7802 None",
        "40960 28672 8192",
        "allocates False",
        "32767 65535 8192",
        "65535 65535 8192",
        "65535 65535 8192",
        "65535 65535 8192",
        "allocates False",
        "degC 30.4",  # the nearest step
        "us True",
    ]
    assert read_us < 120, "half of the shortest sample period"


def test_ina228_with_nau7802(monkeypatch: pytest.MonkeyPatch, pico_image: Path) -> None:
    monitor, bridge = Ina228(), Nau7802()
    monitor.bus, monitor.shunt, bridge.reading = 32768 + 1000, -1600, 0x100000

    def wire(mcu: Any) -> None:
        attach_i2c(mcu.i2c[0], monitor)
        attach_i2c(mcu.i2c[1], bridge)

    states = [
        (monitor, {"bus": 32768 - 5, "shunt": 16}),
        (monitor, {"converting": False}),
        (monitor, {"dead": True}),
    ]
    lines, _ = run(monkeypatch, pico_image, "pico_ina228_nau7802", wire, states)
    assert lines == [
        "rpi_pico_ina228_nau7802 None",
        "33768 32668 8192",
        "allocates False",
        "32763 32769 8192",
        "65535 65535 8192",
        "65535 65535 8192",
        "allocates False",
        "degC 30.4",  # the nearest step
        "us True",
    ]


def test_a_board_without_its_converters_says_so(monkeypatch: pytest.MonkeyPatch, pico_image: Path) -> None:
    lines, _ = run(monkeypatch, pico_image, "pico_ina228_nau7802", lambda mcu: None, [])
    assert lines[0].startswith("rpi_pico_ina228_nau7802 ina228: [Errno ")
    assert lines[1:3] == ["65535 65535 65535", "allocates False"]
