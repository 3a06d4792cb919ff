"""Rig `board` with a stimulus: a second board with a DAC plays the rows to the tested one and watches its gate's pin.

Nothing is put into the tested board: it runs the firmware on its flash, with its own converters. The second board
runs `data/stimulus_board.py` from memory and is spoken to at its prompt; it is the instrument outside the chip, and all
times are its own. `Edge.at_us` is the pin's edge there, `sampled_us` when the row was put on the DAC, which is up to a
sample period before its conversion: this latency counts from when the fault is there, not from when it is sampled.

The firmware runs with the pump's drive, whose pin is the sample's strobe; one row is one sample without any clock
between the boards. While the gate is open no current flows through a cell, so the DAC stands at rest, or the firmware
refuses to arm. Arming holds the timer off for up to 0.4 ms: the first sample is due as soon as the gate has closed and
the second at its time, perhaps 0.1 ms later, too soon for a DAC to follow. Both are still at rest, and row 0 is the
third (`lead_samples`). After the gate has opened the second board goes on by its own timer: some thousand rows later it
may be off by one. An open loop's rows are all there before the gate closes. A closed loop's come one by one, each with
the pin's answer to the one before, and the firmware samples as slowly as that needs.
"""

import struct
from binascii import b2a_base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ccdmon.errors import DeviceError, InputError
from ccdmon.link.console import Console
from ccdmon.link.flash import prompt
from ccdmon.link.port import Port, is_pseudo_terminal
from ccdmon_fw import wire
from ccdmon_hil.rigs.board_clock import before_us, keeps_pace
from ccdmon_hil.rigs.target import IDLE, Codes, Edge, Source
from ccdmon_hil.rigs.wiring import Wiring

SLOTS = 8192  # of the second board
LEAD_SAMPLES = 2  # of a run, at rest
CAPACITY_ROWS = SLOTS - 1 - LEAD_SAMPLES
PIECE_ROWS = 256  # in one exchange
READ_WAIT_S = 0.005  # the other port wants attention, too
WAIT_MS = 10
SILENT_PERIODS = 16
SCRIPT = Path(__file__).parents[2] / "data" / "stimulus_board.py"


class StimulusTarget:
    """See `ccdmon_hil.rigs.target.Target`."""

    name = "board"
    lead_samples = LEAD_SAMPLES

    def __init__(self, wiring: Wiring) -> None:
        assert wiring.stimulus.port
        self._idle = IDLE
        self._tested_port, self._wires = wiring.port, wiring.stimulus
        self.tolerance_codes = wiring.stimulus.tolerance_codes
        self.clock = "virtual" if is_pseudo_terminal(wiring.stimulus.port) else "real"
        self.edges: list[Edge] = []
        self._port: Port | None = None
        self._console: Console | None = None
        self._played = False  # something, since the start
        self._period_us = wiring.stimulus.sample_period_us
        self._source: Source | None = None  # of a closed loop that goes on
        self._row = 0  # of all that is shown, on the DAC or next there
        self._next: Codes | None = None

    def edge_settings(self, closed_loop: bool) -> dict[str, int]:
        """What the firmware must run with for the next `play`."""
        wires = self._wires
        self._period_us = wires.closed_loop_period_us if closed_loop else wires.sample_period_us
        return {"gate_drive": 1, "sample_period_us": self._period_us}

    def start(self) -> None:
        """Put the script on the second board, see whether its clock is real, and open the tested one's port."""
        wires = self._wires
        assert wires.port
        _, self._console = prompt(wires.port, lambda _line: None)
        pins = (wires.gate_pin, wires.pump_pin, wires.ldac_pin, wires.dac_address, LEAD_SAMPLES)
        try:
            self._console.run(f"GATE, PUMP, LDAC, ADDRESS, LEAD = {pins}\n{SCRIPT.read_text()}")
        except DeviceError as error:
            if "EIO" not in str(error):
                raise
            where = f"port {wires.port}: no MCP4728 answers at {wires.dac_address:#x}"
            raise DeviceError(f"{where}; check GP4 (SDA), GP5 (SCL), pull-ups, supply") from error
        if self.clock == "real" and not keeps_pace(lambda: int(self._ask("time.ticks_us()"))):
            self.clock = "virtual"
        self._port = Port(self._tested_port, READ_WAIT_S)

    def play(self, source: Source, closed_loop: bool = False) -> None:
        """Rest, then row 0 after the run's first samples. `InputError`: the rows are too many."""
        self._source, self._row, self._next = (source if closed_loop else None), 0, None
        self._take([self._idle] * LEAD_SAMPLES + ([] if closed_loop else _all_rows(source)))
        self._ask(f"begin({self._period_us}, {int(closed_loop)})")
        self._played = True
        self.edges = []

    def stand_idle(self, codes: Sequence[Codes]) -> None:
        """Rest at their mean: the DAC is not written to while nothing plays, so noise has no place there."""
        voltage, current, pressure = (
            round(sum(channel) / len(codes)) for channel in zip(*codes, strict=True)
        )
        self._idle = voltage, current, pressure
        self._ask(f"stand_idle({_packed([self._idle])})")

    def sampled_us(self, row: int) -> float | None:
        """When the row was put on the DAC; counted as `Edge.at_us`."""
        at_us, put_us = self.edges[-1].at_us, self._ask(f"instants_us[{(row + LEAD_SAMPLES) % SLOTS}]")
        return None if at_us is None else before_us(at_us, put_us)

    def send(self, data: bytes) -> None:
        """Write to the tested board's port."""
        assert self._port
        self._port.write(data)

    def receive(self) -> bytes:
        """What came; then what the pin did: it is never behind the samples."""
        assert self._port
        data = self._port.read()
        if self._played:
            self._follow()
        return data

    def close(self) -> None:
        """Open the tested board's gate, and reset the second one."""
        if self._port:
            self.send(wire.encode(wire.DISARM, 1))
            self._port.close()
        if self._console:
            self._console.reset()
            self._console.close()
        self._port = self._console = None

    def _ask(self, expression: str) -> Any:
        assert self._console
        return self._console.evaluate(expression)

    def _take(self, rows: list[Codes]) -> None:
        for first in range(0, len(rows) or 1, PIECE_ROWS):
            self._ask(f"take({first}, {_packed(rows[first : first + PIECE_ROWS])})")

    def _follow(self) -> None:
        sampled, level, _, late, refused, silent_us, moves = self._ask(self._question())
        where = f"rig board: after row {sampled}"
        if refused:
            raise DeviceError(f"{where} the DAC did not answer; check its wires and pull-ups")
        if late:
            raise DeviceError(f"{where} one was late on the DAC; set a longer period in the wiring file")
        if silent_us > SILENT_PERIODS * self._period_us:
            raise DeviceError(f"{where} no edge of the pump came; is it wired to GP{self._wires.pump_pin}?")
        self.edges = [
            Edge(bool(closed), max(rows - LEAD_SAMPLES, 0), float(at_us))
            for closed, rows, at_us in zip(moves[::3], moves[1::3], moves[2::3], strict=True)
        ]
        if self._source and sampled > self._row:
            self._row += 1
            row = self._row - LEAD_SAMPLES
            self._next = self._idle if row < 0 else self._source(row, bool(level))
            if self._next is None:
                self._source = None
                self._ask("rest()")

    def _question(self) -> str:
        """What tells the state; in a closed loop with the next row, for that goes on when the row was sampled."""
        if self._next:
            row, self._next = self._next, None
            return f"put({self._row}, {_packed([row])}, {2 * self._period_us // 1000})"
        return f"wait({self._row}, {WAIT_MS})" if self._source else "state()"


def _all_rows(source: Source) -> list[Codes]:
    rows: list[Codes] = []
    while (codes := source(len(rows), True)) is not None:
        if len(rows) == CAPACITY_ROWS:
            raise InputError(
                f"rig board: a stimulus board holds {CAPACITY_ROWS} rows, these are more; play a part, "
                f"for example --rows 0:{CAPACITY_ROWS}"
            )
        rows.append(codes)
    return rows


def _packed(rows: list[Codes]) -> str:
    """As the DAC takes them, the upper 12 bits of three codes: a literal in base64."""
    codes = b"".join(struct.pack(">3H", *(code >> 4 for code in row)) for row in rows)
    return repr(b2a_base64(codes, newline=False))
