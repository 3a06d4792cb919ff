"""A simulated cell under test, with ground truth: `simulate` for a whole trace, `LiveCell` for a closed loop.

`scenarios` decides what the seed stands for, `cellphysics` what the cell answers, `instrument` what is
written.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ccdmon.model.spectrum import Spectrum
from ccdmon.model.trace import Cell, Trace
from ccdmon.simulation.draws import Options
from ccdmon.simulation.impedance import measured_spectrum
from ccdmon.simulation.instrument import Converter, row_times_s, without_gaps
from ccdmon.simulation.parameters import CellParameters, Surroundings
from ccdmon.simulation.physics import CellModel
from ccdmon.simulation.scenarios import SCENARIOS, draw_setup
from ccdmon.simulation.setup import Setup
from ccdmon.simulation.truth import Watch, truth_document

__all__ = [
    "SCENARIOS",
    "CellModel",
    "CellParameters",
    "LiveCell",
    "Options",
    "Row",
    "Simulated",
    "open_cell",
    "simulate",
]


class Row(NamedTuple):
    """One row of a trace as the instrument writes it."""

    test_time_s: float
    voltage_V: float
    current_A: float
    pressure_Pa: float
    temperature_degC: float
    cycle: int
    step: int


@dataclass(frozen=True)
class Simulated:
    """A trace and its truth; `eis` holds the spectra "before" and "after"."""

    trace: Trace
    truth: dict[str, Any]
    eis: dict[str, Spectrum] = field(default_factory=dict)


class LiveCell:
    """One simulated test, row by row; with the gate open no current flows, whatever the program asks for."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        rng = np.random.default_rng([setup.seed, 1])
        times = row_times_s(setup.instrument, setup.program, rng)
        self.times_s = without_gaps(times[times <= setup.stop_s], setup.gaps_s)
        self._repeats = rng.uniform(size=len(self.times_s)) < setup.instrument.repeated_share
        self._lost = rng.uniform(size=len(self.times_s)) < setup.instrument.lost_share
        self._convert = Converter(setup.instrument, rng)
        self._starts_s = setup.program.starts_s()
        self._segment = 0
        self._time_s = 0.0
        self._row = 0
        self._last_written_s = 0.0
        chamber = setup.chamber
        self.cell = CellModel(
            setup.cell, Surroundings(chamber.temperature_degC(0.0), chamber.pressure_Pa(0.0))
        )
        self.watch = Watch(setup)

    def __len__(self) -> int:
        return len(self.times_s)

    def next_row(self, gate_closed: bool = True) -> Row | None:
        """Run the test up to the next row and measure it; None after the last."""
        if self._row >= len(self.times_s):
            return None
        voltage_V, current_A = self._run_to(float(self.times_s[self._row]), gate_closed)
        segment = self.setup.program.segments[self._segment]
        written_s = self._last_written_s if self._repeats[self._row] else float(self.times_s[self._row])
        self.watch.see(self._row, written_s, self.cell, segment, gate_closed)
        self._end_at_limit()
        row = Row(
            written_s,
            math.nan if self._lost[self._row] else self._convert.voltage_V(voltage_V),
            self._convert.current_A(current_A),
            self._convert.pressure_Pa(self.cell.pressure_Pa),
            self._convert.temperature_degC(self.cell.temperature_degC),
            segment.cycle + 1,
            self._segment + 1,
        )
        self._row, self._last_written_s = self._row + 1, written_s
        return row

    def _end_at_limit(self) -> None:
        after = self.setup.rows_after_limit
        if after is not None and self.watch.limit is not None and self._row >= self.watch.limit.row + after:
            self.times_s = self.times_s[: self._row + 1]

    def rows(self) -> Iterator[Row]:
        """All rows that are left, the gate closed."""
        while (row := self.next_row()) is not None:
            yield row

    def _run_to(self, time_s: float, gate_closed: bool) -> tuple[float, float]:
        """Advance to `time_s` in pieces that straddle no step and no onset; true voltage and current."""
        begin_s, volt_seconds, amp_seconds = self._time_s, 0.0, 0.0
        while True:
            end_s = self._starts_s[self._segment + 1]
            if self._time_s >= end_s and self._segment + 1 < len(self.setup.program.segments):
                self._segment += 1
                continue
            onset_s = self.setup.fault.onset_s if self.setup.fault else math.inf
            stop_s = min(time_s, max(end_s, self._time_s), onset_s if onset_s > self._time_s else math.inf)
            dt_s = stop_s - self._time_s
            voltage_V = self._advance(dt_s, gate_closed)
            volt_seconds += voltage_V * dt_s
            amp_seconds += self.cell.state.current_A * dt_s
            if stop_s >= time_s or dt_s == 0.0:
                break
        span_s = time_s - begin_s
        if self.setup.instrument.averages and span_s > 0:
            return volt_seconds / span_s, amp_seconds / span_s
        return voltage_V, self.cell.state.current_A

    def _advance(self, dt_s: float, gate_closed: bool) -> float:
        setup, around = self.setup, self.cell.surroundings
        around.temperature_degC = setup.chamber.temperature_degC(self._time_s)
        around.frame_pressure_Pa = setup.chamber.pressure_Pa(self._time_s)
        if setup.fault:
            setup.fault.act(self.cell, self._time_s, dt_s)
        self._time_s += dt_s
        return self.cell.step(self._asked_A() if gate_closed else 0.0, dt_s)

    def _asked_A(self) -> float:
        setup = self.setup
        segment = setup.program.segments[self._segment]
        asked_A = segment.current_density_mA_cm2 * setup.cell.area_cm2 * 1e-3
        wave = setup.excitation
        if wave and (segment.excitation or (wave.always and not segment.rest)):
            asked_A += wave.amplitude_A * math.sin(2 * math.pi * self._time_s / wave.period_s)
        return asked_A


def simulate(scenario: str, seed: int, **options: Any) -> Simulated:
    """A whole labelled trace. `options` are the fields of `draws.Options`; InputError for an unusable one."""
    return recorded(open_cell(scenario, seed, **options))


def recorded(live: LiveCell) -> Simulated:
    """The whole test of a cell that was opened, and its truth."""
    seed = live.setup.seed
    scan_rng = np.random.default_rng([seed, 2])
    before = measured_spectrum(live.cell, scan_rng)
    table = np.array(list(live.rows()), dtype=np.float64)
    setup, instrument = live.setup, live.setup.instrument
    counted = seed % 2 == 0  # half of the loggers count cycles and steps
    trace = Trace(
        test_time_s=table[:, 0].copy(),
        voltage_V=table[:, 1].copy(),
        current_A=table[:, 2].copy(),
        pressure_Pa=table[:, 3].copy() if instrument.has_pressure else None,
        temperature_degC=table[:, 4].copy() if instrument.has_temperature else None,
        cycle_count=table[:, 5].copy() if counted else None,
        step_count=table[:, 6].copy() if counted else None,
        cell=cell_of(setup),
    )
    after = measured_spectrum(live.cell, scan_rng)
    return Simulated(trace, truth_document(live.watch, trace), {"before": before, "after": after})


def open_cell(scenario: str, seed: int, **options: Any) -> LiveCell:
    """The same test as `simulate`, to be driven row by row in a closed loop."""
    return LiveCell(draw_setup(scenario, seed, Options(**options)))


def cell_of(setup: Setup) -> Cell:
    """The sidecar of a simulated trace."""
    sidecar = {
        "cell": {
            "electrode_area_cm2": setup.cell.area_cm2,
            "configuration": setup.configuration,
            "electrolyte": setup.electrolyte.name,
        },
        "test": {"voltage_limit_V": setup.cell.compliance_V},
        "source": f"simulated: scenario {setup.scenario}, seed {setup.seed}",
    }
    return Cell(setup.cell.area_cm2, setup.configuration, setup.electrolyte.name, sidecar)
