"""What one simulated test consists of: cell, program, instrument, chamber, fault; and when it may fail."""

import math
from dataclasses import dataclass, field

import numpy as np

from ccdmon.model.program import Program, Segment
from ccdmon.simulation.cell_faults import FOREVER_S, Fault
from ccdmon.simulation.draws import Electrolyte
from ccdmon.simulation.instrument import Instrument
from ccdmon.simulation.parameters import CellParameters


@dataclass(frozen=True)
class Chamber:
    """What surrounds the cell: a slow wave of the room, and one ramp of temperature and pressure."""

    base_degC: float
    base_pressure_Pa: float
    wave_K: float = 0.0
    wave_period_s: float = 86400.0
    ramp_from_s: float = math.inf
    ramp_s: float = 1.0
    ramp_K: float = 0.0
    ramp_pressure: float = 0.0  # relative

    def _ramped(self, time_s: float) -> float:
        """0 before, 1 after, smooth between: 1.5 times the mean rate in the middle."""
        share = min(max((time_s - self.ramp_from_s) / self.ramp_s, 0.0), 1.0)
        return share * share * (3 - 2 * share)

    def temperature_degC(self, time_s: float) -> float:
        wave = self.wave_K * math.sin(2 * math.pi * time_s / self.wave_period_s)
        return self.base_degC + wave + self.ramp_K * self._ramped(time_s)

    def pressure_Pa(self, time_s: float) -> float:
        return self.base_pressure_Pa * (1 + self.ramp_pressure * self._ramped(time_s))


@dataclass(frozen=True)
class Excitation:
    """A sine on top of the current (an impedance scan's slow end, seen by a slow logger)."""

    amplitude_A: float
    period_s: float
    always: bool = False  # also under load, not only in the marked rests


@dataclass
class Setup:
    """Everything a simulated test needs; recipes change it in place."""

    scenario: str
    seed: int
    class_: str
    configuration: str
    electrolyte: Electrolyte
    program: Program
    cell: CellParameters
    instrument: Instrument
    chamber: Chamber
    fault: Fault | None = None
    excitation: Excitation | None = None
    gaps_s: list[tuple[float, float]] = field(default_factory=list)
    stop_s: float = FOREVER_S
    rows_after_limit: int | None = None  # the cycler ends the test that many rows after reaching its limit
    conditions: dict[str, float] = field(
        default_factory=dict
    )  # what else the recipe decided, for the truth file


def loaded_segments(setup: Setup) -> list[tuple[Segment, float]]:
    """Half-cycles of the program, no rests, each with its start in s."""
    starts = setup.program.starts_s()
    return [(s, t) for s, t in zip(setup.program.segments, starts, strict=False) if not s.rest]


def failing_half_cycle(
    setup: Setup, rng: np.random.Generator, rows_after: int
) -> tuple[Segment, float, float]:
    """A half-cycle to fail in, its start, and the moment: at a step in one case of six, else anywhere in it.

    Never the first half-cycle (there would be nothing to compare with), and `rows_after` rows of the test
    follow.
    """
    loaded = loaded_segments(setup)
    levels = len(setup.program.levels_mA_cm2)
    in_first = levels == 1 or rng.uniform() < 0.1
    level = 0 if in_first else int(rng.integers(1, levels))
    fitting = [(s, t) for s, t in loaded[1:] if s.level == level]
    segment, start_s = fitting[int(rng.integers(len(fitting)))]
    at_step = rng.uniform() < 1 / 6
    span_s = segment.duration_s
    if segment is loaded[-1][0]:
        span_s = max(span_s - rows_after * setup.instrument.row_interval_s * 1.5, 0.1 * span_s)
    moment_s = start_s + (0.0 if at_step else float(rng.uniform(0.02, 0.95)) * span_s)
    return segment, start_s, moment_s


def half_cycle_after(setup: Setup, time_s: float, count: int) -> float:
    """End of the `count`-th loaded half-cycle that ends after `time_s`, or the program's end, in s."""
    ends = [start_s + segment.duration_s for segment, start_s in loaded_segments(setup)]
    later = [end for end in ends if end > time_s + 1e-9]
    return later[min(count, len(later) - 1)] if later else setup.program.duration_s
