"""Two emulated Picos wired to each other, each behind a pseudo-terminal of its own: a bench with a stimulus board.

    python -m ccdmon_hil.rigs.pico_pair [--image F]

The first has ccdmon's firmware and says its `port`, the second has MicroPython only and says `stimulus_port`. Wires:
gate and pump of the first to the same pins of the second, whose I2C0 and GP6 drive an MCP4728, whose outputs are what
the first one's converters read. Orders and news are those of `pico_pty.py`, of the first.

Both run in virtual time. The first goes ahead by a quantum; its edges reach the second at their very instants, the
DAC's outputs reach the first at the end of the quantum: up to 20 us late, of the 500 between two samples. A byte takes
the 22.5 us that it takes at 400 kHz.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ccdmon.errors import CcdmonError
from ccdmon.link.firmware import compiled_files
from ccdmon_hil.rigs.chips.buses import attach_i2c
from ccdmon_hil.rigs.chips.mcp4728 import Mcp4728
from ccdmon_hil.rigs.image import find_image
from ccdmon_hil.rigs.pico import ARCHITECTURE, PicoTarget
from ccdmon_hil.rigs.pico_firmware import PICO_PINS
from ccdmon_hil.rigs.pico_pty import UNWATCHED_PAUSE_S, Bridge, PicoPty, say
from ccdmon_hil.rigs.wiring import StimulusTable, Wiring

QUANTUM_US = 20.0
CLOSED_LOOP_PERIOD_US = 500_000  # virtual; a row's exchange takes the machine's time, which may be busy
QUANTA = 10  # between two looks at the terminals
BYTE_NS = 9 * 2500
LDAC_PIN = 6
SHARED_PINS = (PICO_PINS.gate, PICO_PINS.pump)


class PairPty(PicoPty):
    """A running pair; `wiring` says where it is."""

    module = "ccdmon_hil.rigs.pico_pair"

    def __init__(self, image: Path) -> None:
        super().__init__(image)
        stimulus = StimulusTable(
            kind="board", port=self.said_first["stimulus_port"], closed_loop_period_us=CLOSED_LOOP_PERIOD_US
        )
        self.wiring = Wiring(port=self.port, stimulus=stimulus)


class _Wired(PicoTarget):
    """A chip that the pair runs: `receive` only takes what came."""

    def receive(self) -> bytes:
        data = bytes(self._received)
        self._received.clear()
        return data


class _Tested(_Wired):
    def __init__(self, image: Path) -> None:
        super().__init__(image)
        self.moves: list[tuple[float, int, bool]] = []  # (when, pin, is it high), not yet at the other chip

    def _wire_pins(self, mcu: Any) -> None:
        super()._wire_pins(mcu)
        for pin in SHARED_PINS:
            mcu.gpio[pin].add_listener(self._noting(pin))

    def _noting(self, pin: int) -> Callable[[Any, Any], None]:
        levels = [False]

        def note(state: Any, _before: Any) -> None:
            high = state.name == "HIGH"
            if high != levels[0]:
                levels[0] = high
                self.moves.append((self.virtual_us(), pin, high))

        return note


class _Stimulus(_Wired):
    def __init__(self, image: Path, on_output: Callable[[tuple[int, ...]], object]) -> None:
        super().__init__(image)
        self._dac = Mcp4728(on_output)

    def _wire_pins(self, mcu: Any) -> None:
        super()._wire_pins(mcu)
        byte_passes: list[Callable[[], None]] = []
        alarm = mcu.clock.create_alarm(lambda: byte_passes.pop()())

        def after_a_byte(then: Callable[[], None]) -> None:
            byte_passes.append(then)
            alarm.schedule(BYTE_NS)

        attach_i2c(mcu.i2c[0], self._dac, after_a_byte=after_a_byte)
        mcu.gpio[LDAC_PIN].add_listener(
            lambda state, _before: self._dac.ldac(0 if state.name == "LOW" else 1)
        )


class Pair:
    """Both chips and the wires between them."""

    def __init__(self, image: Path) -> None:
        self.tested = _Tested(image)
        self.tested.power_on(compiled_files(ARCHITECTURE))
        self.stimulus = _Stimulus(image, self._show)
        self.stimulus.power_on(None)
        self._now_us = 0.0

    def run(self, quanta: int) -> None:
        """So much virtual time."""
        for _ in range(quanta):
            self._now_us += QUANTUM_US
            self.tested.run_until(self._now_us)
            for when_us, pin, high in self.tested.moves:
                self.stimulus.run_until(when_us)
                self.stimulus.set_pin(pin, high)
            self.tested.moves.clear()
            self.stimulus.run_until(self._now_us)

    def _show(self, outputs: tuple[int, ...]) -> None:
        voltage, current, pressure, _ = (code << 4 for code in outputs)
        self.tested.set_converters((voltage, current, pressure))


def main(arguments: list[str] | None = None) -> int:
    """Boot both chips and serve their ports."""
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon_hil.rigs.pico_pair", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--image", type=Path, metavar="FILE", help="MicroPython for the Pico (see ccdmon image)"
    )
    try:
        pair = Pair(find_image(parser.parse_args(arguments).image))
    except CcdmonError as error:
        print(f"pico_pair: {error}", file=sys.stderr)
        return error.exit_code
    tested, stimulus = Bridge(pair.tested), Bridge(pair.stimulus)
    say(port=tested.port, stimulus_port=stimulus.port)
    while tested.take_orders():
        pair.run(QUANTA)
        watched = (tested.serve(), stimulus.serve())
        if not any(watched):
            time.sleep(UNWATCHED_PAUSE_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
