"""An emulated potentiostat in closed loop: it runs a test on the simulated cell, brings out V and I, has a stop input.

What a board sees of it are monitor outputs, an inverted E among them; what it does to the potentiostat is the level of
one wire (`StopLine`). A stop ends the experiment for good, as BioLogic's OPEN In does: closing the gate again does not
start it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ccdmon_hil.rigs.target import Codes, Source

TRIGGER_LOW_V, TRIGGER_HIGH_V = 0.8, 3.5  # BioLogic SP-240, manual: trigger levels
DRIVER_HIGH_V = 3.8  # 74AHCT1G125 at 4.5 V and 8 mA, datasheet: at least
# The pump's rectifier onto that buffer, `firmware/README.md`: 1 uF and 47 kilohm, from 2.58 V at 2 kHz.
RECTIFIED_V, RECTIFIER_S = 2.58, 0.047
BUFFER_LOW_V = 0.8  # 74AHCT: reads low below
# Voltage and current where the monitors' wires are off: 27 k to ground against 10 k from 3.3 V, and nothing against it.
OFF_CODES = (65536 * 27 // 37, 65535)


@dataclass(frozen=True)
class StopLine:
    """The wire to the stop input: 680 ohm to ground in the plug, and what the instrument itself pulls up with."""

    plug_ohm: float = 680.0
    pull_up_ohm: float = 3.6e3  # the strongest that the resistor holds; None of the manuals says one
    supply_V: float = 5.0

    def level_V(self, driver: bool | None) -> float:
        """At the stop input. `driver`: the buffer's output, high, low, or None: without power, or its cable off."""
        if driver is None:
            return self.supply_V * self.plug_ohm / (self.plug_ohm + self.pull_up_ohm)
        return DRIVER_HIGH_V if driver else 0.0

    def asserted(self, driver: bool | None) -> bool:
        """Whether the stop is there beyond doubt; a level between both is neither."""
        return self.level_V(driver) < TRIGGER_LOW_V

    def released(self, driver: bool | None) -> bool:
        """Whether the experiment may run beyond doubt."""
        return self.level_V(driver) > TRIGGER_HIGH_V


def pumped_level(silent_s: float) -> bool:
    """The buffer's output behind the rectifier, so long after the pump's last edge."""
    return RECTIFIED_V * math.exp(-silent_s / RECTIFIER_S) > BUFFER_LOW_V


@dataclass
class Potentiostat:
    """Called with the gate's level, row by row, as `closed_loop.CellSource` does; gives the cell's rows.

    `next_row(runs)` is the cell under its program, without current where that is False. `delay_rows`: how long the
    instrument takes to open the cell after the stop is there.
    """

    next_row: Callable[[bool], Any]
    delay_rows: int = 0
    line: StopLine = field(default_factory=StopLine)
    unplugged_row: int | None = None  # the cable is off at the Pico's end from then on
    stopped: bool = False  # the experiment has ended
    _waited: int = 0
    _row: int = -1

    def __call__(self, gate_closed: bool) -> Any:
        self._row += 1
        driven = self.unplugged_row is None or self._row < self.unplugged_row
        if not self.line.released(gate_closed if driven else None) and not self.stopped:
            self.stopped = self._waited >= self.delay_rows
            self._waited += 1
        return self.next_row(not self.stopped)


def at_the_outputs(source: Source, inverted_voltage: bool) -> Source:
    """What the board's converter sees of a source in true signs."""

    def codes(row: int, gate_closed: bool) -> Codes | None:
        true = source(row, gate_closed)
        return true if true is None else shown(true, inverted_voltage)

    return codes


def pulled(source: Source, row: int) -> Source:
    """The plug is off at the instrument's end from that row on: its outputs are gone, the dividers' ends float."""

    def codes(n: int, gate_closed: bool) -> Codes | None:
        true = source(n, gate_closed)
        return true if true is None or n < row else (*OFF_CODES, true[2])

    return codes


def shown(codes: Codes, inverted_voltage: bool) -> Codes:
    """Codes at the converter of a board whose voltage comes inverted."""
    voltage, current, pressure = codes
    return (min(65535, 65536 - voltage) if inverted_voltage else voltage, current, pressure)
