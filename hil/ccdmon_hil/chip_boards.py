"""Boards with external converters under the whole firmware: `python -m ccdmon_hil.chip_boards [--board B]...`.

The emulated Pico boots with the board's description, its own SPI and I2C blocks read chips that answer byte for byte
(`rigs/chips/`), and the rows enter at these chips. Each board passes the cases of `conformance.py`, then watches a
simulated cell until its hard short is cut off. One line for each; exit code 1 where something is not as it must be.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, CcdmonError
from ccdmon.link.firmware import DESCRIPTION, description
from ccdmon.model.front_end import FrontEnd
from ccdmon.simulation.simulate import simulate
from ccdmon_fw import limits
from ccdmon_hil.conformance import check_session
from ccdmon_hil.play.one_run import run_rows
from ccdmon_hil.play.potentiostat import shown
from ccdmon_hil.play.replay import detector_settings
from ccdmon_hil.play.result import ReplayResult
from ccdmon_hil.rigs.chips.buses import attach_i2c, attach_spi
from ccdmon_hil.rigs.chips.converters import Ads131m04, Ina228, Nau7802
from ccdmon_hil.rigs.image import find_image
from ccdmon_hil.rigs.pico import PicoTarget
from ccdmon_hil.rigs.pico_firmware import PICO_PINS
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import IDLE, Codes

LOAD_SHIFT = 7  # of the descriptions: pressure code = reading >> LOAD_SHIFT
CURRENT_SHIFT = 4  # of the INA228's driver
BUS_ZERO = 32768  # BUS_ZERO_V of its description, in readings
SEED = 3
BEFORE_FAULT, AFTER_FAULT = 300, 20  # rows


class Chips(Protocol):
    """The converters of one board. `tolerance_codes`, `channels`: as of a `Target`, where they are not 0 and 3."""

    def attach(self, mcu: Any) -> None:
        """To the emulated Pico's buses, so that what a tick reads first begins a sample."""

    def show(self, codes: Codes) -> None:
        """Readings that the driver turns into these codes."""


class AdsChips:
    """ADS131M04 and NAU7802 as `boards/pico_ads131m04_nau7802.py` wires them."""

    def __init__(self, on_sample: Callable[[], None]) -> None:
        self.adc, self.bridge = Ads131m04(), Nau7802()
        self._on_sample = on_sample

    def attach(self, mcu: Any) -> None:
        """To the emulated Pico's buses; a frame begins a sample."""
        select = self.adc.select

        def selected(level: int) -> None:
            if level == 0:
                self._on_sample()
            select(level)

        self.adc.select = selected  # type: ignore[method-assign] # what is on the wire is seen there
        attach_spi(mcu.spi[0], mcu.gpio[17], self.adc)
        attach_i2c(mcu.i2c[0], self.bridge)

    def show(self, codes: Codes) -> None:
        """Readings that the driver turns into these codes."""
        voltage, current, pressure = codes
        self.adc.readings = [(voltage - 32768) << 8, (current - 32768) << 8, 0, 0]
        self.bridge.reading = pressure << LOAD_SHIFT


class InaChips:
    """INA228 and NAU7802 as `boards/pico_ina228_nau7802.py` wires them."""

    def __init__(self, on_sample: Callable[[], None]) -> None:
        self.monitor, self.bridge = Ina228(), Nau7802()
        self._on_sample = on_sample

    def attach(self, mcu: Any) -> None:
        """To the emulated Pico's buses; the first of the registers that a tick reads begins a sample."""
        begin_read = self.monitor.begin_read

        def reading(pointer: int) -> None:
            if pointer == FIRST_OF_TICK:
                self._on_sample()
            begin_read(pointer)

        self.monitor.begin_read = reading  # type: ignore[method-assign]
        attach_i2c(mcu.i2c[0], self.monitor)
        attach_i2c(mcu.i2c[1], self.bridge)

    def show(self, codes: Codes) -> None:
        """Readings that the driver turns into these codes."""
        voltage, current, pressure = codes
        self.monitor.bus = voltage - 32768 + BUS_ZERO
        self.monitor.shunt = (current - 32768) << CURRENT_SHIFT
        self.bridge.reading = pressure << LOAD_SHIFT


class MonitorOutputs:
    """A potentiostat's outputs at the Pico's own converter, as `boards/pico_biologic.py`, `pico_gamry.py` wire them."""

    tolerance_codes = 16  # a step of that converter

    def __init__(self, on_sample: Callable[[], None], inverted_voltage: bool) -> None:
        self._on_sample, self._inverted = on_sample, inverted_voltage
        self._before = -1
        self._inputs: Any = {}  # of the chip, once it is there

    def attach(self, mcu: Any) -> None:
        """A conversion of the voltage begins a sample; once more is the same sample."""
        self._inputs, convert = mcu.adc.channel_values, mcu.adc.on_adc_read

        def converting(channel: int) -> None:
            if channel == PICO_PINS.voltage_channel != self._before:
                self._on_sample()
            self._before = channel
            convert(channel)

        mcu.adc.on_adc_read = converting
        self.show(IDLE)

    def show(self, codes: Codes) -> None:
        """Voltages at the converter's inputs."""
        for channel, code in zip(PICO_PINS.channels, shown(codes, self._inverted), strict=True):
            self._inputs[channel] = code >> 4


FIRST_OF_TICK = 0x0B
INVERTED = ("pico_biologic",)  # their monitor output of E
# As in firmware/boards/; each is made with what to call when a sample begins.
BOARDS: dict[str, Callable[[Callable[[], None]], Chips]] = {
    "pico_ads131m04_nau7802": AdsChips,
    "pico_ina228_nau7802": InaChips,
    "pico_biologic": lambda on_sample: MonitorOutputs(on_sample, "pico_biologic" in INVERTED),
    "pico_gamry": lambda on_sample: MonitorOutputs(on_sample, "pico_gamry" in INVERTED),
}


def deployed(board: str) -> bytes:
    """The board's description as its owner would edit it."""
    text = description(board)
    assert text is not None
    # The emulator would spend its time on the edges of the converter's clock.
    text = text.replace(b"CLOCK_HZ = 8_333_333", b"CLOCK_HZ = 8_333")
    return text.replace(b"I_MONITOR_V = None", b"I_MONITOR_V = 1.0")


class ChipTarget(PicoTarget):
    """See the top of this file; a `Target` as the plain Pico's."""

    def __init__(self, image: Path, board: str) -> None:
        self.chips = BOARDS[board](self.on_sample)
        self.tolerance_codes = getattr(self.chips, "tolerance_codes", 0)
        self.channels = getattr(self.chips, "channels", 3)
        self._description = deployed(board)
        super().__init__(image)

    def _boot(self, files: dict[str, bytes]) -> None:
        super()._boot(files | {DESCRIPTION: self._description})

    def _wire_pins(self, mcu: Any) -> None:
        super()._wire_pins(mcu)
        self.chips.attach(mcu)

    def _on_conversion(self, channel: int) -> None:
        self._convert(channel)  # its own converter is not looked at

    def set_converters(self, codes: Codes) -> None:
        """Codes that the chips' readings stand for from now on."""
        self.chips.show(codes)


def cut_off(session: Session) -> ReplayResult:
    """Let a board watch a simulated cell around its hard short."""
    cell = simulate("hard_short", SEED)
    fault_row = cell.truth["first_faulty_row"]
    trace = cell.trace.rows(fault_row - BEFORE_FAULT, fault_row + AFTER_FAULT)
    front_end = FrontEnd.for_trace(trace)
    rows: list[Codes] = [(int(v), int(i), int(p)) for v, i, p in front_end.codes(trace)]
    return run_rows(
        session,
        lambda row, gate_closed: (rows[row] if gate_closed else rows[0]) if row < len(rows) else None,
        detector_settings(trace, front_end),
        rows=len(rows),
        events=[("hard_short", BEFORE_FAULT)],
    )


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon_hil.chip_boards", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--board", action="append", choices=BOARDS, help="which; more than once (default: all)"
    )
    parser.add_argument("--image", type=Path, help="MicroPython image")
    options = parser.parse_args(arguments)
    failed = False
    try:
        print(f"{'board':<28}{'conformance':<13}{'verdict':<13}{'late by, rows':>14}{'virtual us':>12}")
        for board in options.board or BOARDS:
            failed |= not _one(board, find_image(options.image))
    except CcdmonError as error:
        print(f"chip_boards: {error}", file=sys.stderr)
        return error.exit_code
    return EXIT_NEGATIVE if failed else EXIT_FINE


def _one(board: str, image: Path) -> bool:
    session = Session(ChipTarget(image, board))
    try:
        session.start()
        try:
            check_session(session)
            conforms = "passed"
        except AssertionError as failure:
            conforms = f"FAILED: {failure} "
        result = cut_off(session)
    finally:
        session.close()
    latency = result.document()["latency"]
    print(
        f"{board:<28}{conforms:<13}{result.reason or 'no trip':<13}{latency['samples'] or '-':>14}"
        f"{latency['virtual_us'] or '-':>12}",
        flush=True,
    )
    fits = latency["samples"] is not None and latency["samples"] <= limits.CONFIRM_SAMPLES
    return conforms == "passed" and result.reason == "hard_short" and fits and not result.gate_closed


if __name__ == "__main__":
    sys.exit(main())
