"""The cycler of this world: runs a plan on a cell; a row on time, on a change of the voltage, at a step's end."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from ccdmon.simulation.ladder.cell import LadderCell
from ccdmon.simulation.ladder.faults import Fault
from ccdmon.simulation.ladder.open_circuit import NoVoltage
from ccdmon.simulation.ladder.programs import Plan, Step

SHORTEST_S = 1e-3
Surroundings = Callable[[LadderCell], None]


@dataclass(frozen=True)
class Sampling:
    """When a row is written."""

    interval_s: float
    change_V: float = math.inf  # and when the voltage moved by so much
    first_s: float = 0.0  # above 0: rows begin so soon after a step and thin out (log-spaced)
    at_step_ends: bool = True


@dataclass
class Record:
    """True values row by row, as lists; `step` is the number in the plan, `leak_S` and `contact` the truth."""

    time_s: list[float] = field(default_factory=list)
    voltage_V: list[float] = field(default_factory=list)
    current_A: list[float] = field(default_factory=list)
    temperature_degC: list[float] = field(default_factory=list)
    pressure: list[float] = field(default_factory=list)
    step: list[int] = field(default_factory=list)
    leak_S: list[float] = field(default_factory=list)
    contact: list[float] = field(default_factory=list)
    own_ohm: list[float] = field(default_factory=list)
    limited: list[bool] = field(default_factory=list)
    outrun: list[bool] = field(default_factory=list)

    def add(self, cell: LadderCell, voltage_V: float, current_A: float, step: int) -> None:
        """One row of what is now."""
        self.time_s.append(cell.time_s)
        self.voltage_V.append(voltage_V)
        self.current_A.append(current_A)
        self.temperature_degC.append(cell.temperature_degC)
        self.pressure.append(cell.relative_pressure)
        self.step.append(step)
        self.leak_S.append(cell.leak_S)
        self.contact.append(min(cell.contact))
        self.own_ohm.append(cell.direct_ohm())
        self.limited.append(cell.limited)
        self.outrun.append(cell.outrun)

    def __len__(self) -> int:
        return len(self.time_s)


class Run:
    """One test: `run` goes through the plan; `rows_after_limit` ends it, as cyclers do, after the compliance."""

    def __init__(
        self,
        cell: LadderCell,
        sampling: Sampling,
        fault: Fault | None = None,
        surroundings: Surroundings | None = None,
        rows_after_limit: int = 30,
    ) -> None:
        self.cell, self.sampling, self.fault = cell, sampling, fault
        self.surroundings, self.rows_after_limit = surroundings, rows_after_limit
        self.record = Record()
        self.step_starts_s: list[float] = []
        self._limited_rows = 0
        self._last_V, self._last_s = 0.0, -math.inf
        self._reached_V, self._rate_V_s = 0.0, 0.0
        # A source's voltage is taken at the begin of a stretch: it must not move far within one.
        share = 0.5 if isinstance(cell.open_circuit, NoVoltage) else 0.1
        self._longest_s = share * sampling.interval_s

    def run(self, plan: Plan) -> Record:
        """All rows of the plan."""
        for number, step in enumerate(plan.steps):
            self.step_starts_s.append(self.cell.time_s)
            self._step(number, step)
            if self._limited_rows > self.rows_after_limit:
                break
        return self.record

    def _step(self, number: int, step: Step) -> None:
        elapsed_s, dt_s = 0.0, SHORTEST_S
        due_s = self.sampling.first_s or self.sampling.interval_s
        while True:
            dt_s = min(1.5 * dt_s, self._longest_s)
            begin_s = self.fault.next_begin_s(number, elapsed_s) if self.fault else math.inf
            stretch_s = max(min(dt_s, due_s - elapsed_s, step.duration_s - elapsed_s, begin_s), 1e-6)
            stretch_s = self._before_the_end(step, stretch_s)
            voltage_V, current_A = self._advance(step, number, elapsed_s, stretch_s)
            self._rate_V_s, self._reached_V = (voltage_V - self._reached_V) / stretch_s, voltage_V
            elapsed_s += stretch_s
            over = elapsed_s >= step.duration_s - 1e-9 or _reached(step, voltage_V, current_A)
            due = elapsed_s >= due_s - 1e-9
            if due or self._moved(voltage_V) or (over and self.sampling.at_step_ends):
                self._write(voltage_V, current_A, number)
            if due:
                due_s = self._next_due_s(elapsed_s)
            if over or self._limited_rows > self.rows_after_limit:
                return

    def _before_the_end(self, step: Step, stretch_s: float) -> float:
        """Half of what is left to a step's last voltage at the present rate: a cycler stops in time, so must we."""
        if step.until_V is None or self._rate_V_s * step.current_A <= 0:
            return stretch_s
        left_s = (step.until_V - self._reached_V) / self._rate_V_s
        return max(min(stretch_s, 0.5 * left_s), 2e-3 * self.sampling.interval_s) if left_s > 0 else stretch_s

    def _next_due_s(self, elapsed_s: float) -> float:
        if self.sampling.first_s:
            return elapsed_s + min(0.15 * elapsed_s, 3 * self.sampling.interval_s)
        return elapsed_s + self.sampling.interval_s

    def _advance(self, step: Step, number: int, elapsed_s: float, dt_s: float) -> tuple[float, float]:
        if self.surroundings:
            self.surroundings(self.cell)
        if self.fault:
            self.fault.move(self.cell, number, elapsed_s)
        if step.held_V is not None:
            return self.cell.hold(step.held_V, dt_s)
        return self.cell.step(step.current_A, dt_s)

    def _moved(self, voltage_V: float) -> bool:
        """A change of the voltage is worth a row, but not more of them than a cycler's buffer takes."""
        soon = self.cell.time_s - self._last_s < 0.02 * self.sampling.interval_s
        return not soon and abs(voltage_V - self._last_V) >= self.sampling.change_V

    def _write(self, voltage_V: float, current_A: float, number: int) -> None:
        self.record.add(self.cell, voltage_V, current_A, number)
        self._last_V, self._last_s = voltage_V, self.cell.time_s
        self._limited_rows = self._limited_rows + 1 if self.cell.limited else 0


def _reached(step: Step, voltage_V: float, current_A: float) -> bool:
    if step.until_A is not None and step.held_V is not None:
        return abs(current_A) <= step.until_A
    if step.until_V is None:
        return False
    return voltage_V >= step.until_V if step.current_A > 0 else voltage_V <= step.until_V
