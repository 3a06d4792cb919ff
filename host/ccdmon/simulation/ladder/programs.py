"""What the cycler of this world is told: the four protocols, and the ordinary tests of half and full cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise


@dataclass(frozen=True)
class Step:
    """One step of a program: a current, a held voltage, or a rest; ends after `duration_s` or where it says."""

    duration_s: float
    current_A: float = 0.0
    held_V: float | None = None
    until_V: float | None = None  # ends when the voltage passes it in the direction of the current
    until_A: float | None = None  # of a held voltage: ends when the current is below
    level: int = -1
    cycle: int = 0

    @property
    def loaded(self) -> bool:
        """A constant current flows."""
        return self.held_V is None and self.current_A != 0.0


@dataclass(frozen=True)
class Plan:
    """A whole test; `levels_mA_cm2` are those of a ramp, empty where the test claims no critical current."""

    protocol: str
    steps: tuple[Step, ...]
    levels_mA_cm2: tuple[float, ...] = ()
    half_cycle_s: float = 0.0

    @property
    def loaded(self) -> list[int]:
        """Numbers of the steps at constant current."""
        return [n for n, step in enumerate(self.steps) if step.loaded]

    @property
    def duration_s(self) -> float:
        """As planned: a step that ends at a voltage may be shorter."""
        return sum(step.duration_s for step in self.steps)


@dataclass(frozen=True)
class Ramp:
    """How a ramp is run; `mAh_cm2` set: the capacity of a half-cycle is kept instead of its time."""

    levels_mA_cm2: Sequence[float]
    area_cm2: float
    half_cycle_s: float = 1800.0
    mAh_cm2: float | None = None
    cycles: int = 1
    sign: int = 1
    rest_s: float = 0.0  # after each half-cycle
    first_rest_s: float = 0.0
    longer_first: float = 1.0  # of two half-cycles the first lasts so many times as long


def ramp(protocol: str, how: Ramp) -> Plan:
    """The plan of a ramp or, with one level and many cycles, of long cycling."""
    steps = [Step(how.first_rest_s)] if how.first_rest_s else []
    cycle = 0
    for level, density in enumerate(how.levels_mA_cm2):
        half_s = how.half_cycle_s if how.mAh_cm2 is None else how.mAh_cm2 / density * 3600
        for _ in range(how.cycles):
            for sign, longer in ((how.sign, how.longer_first), (-how.sign, 1.0)):
                current_A = sign * density * how.area_cm2 * 1e-3
                steps.append(Step(half_s * longer, current_A, level=level, cycle=cycle))
                steps += [Step(how.rest_s, level=level, cycle=cycle)] if how.rest_s else []
            cycle += 1
    return Plan(protocol, tuple(steps), tuple(how.levels_mA_cm2), how.half_cycle_s)


def titration(current_A: float, pulse_s: float, rest_s: float, pulses: int, turns: int = 1) -> Plan:
    """GITT: pulses and rests in one direction, then in the other."""
    steps: list[Step] = []
    for turn in range(2 * turns):
        sign = 1 if turn % 2 == 0 else -1
        for _ in range(pulses):
            steps += [Step(pulse_s, sign * current_A, cycle=turn // 2), Step(rest_s, cycle=turn // 2)]
    return Plan("unknown", tuple(steps), half_cycle_s=pulse_s)


def cycles_between(
    low_V: float,
    high_V: float,
    currents_A: Sequence[float],
    capacity_C: float,
    *,
    hold_to: float | None = None,
    rest_s: float = 600.0,
) -> Plan:
    """A full cell between two voltages, a cycle for each current; `hold_to`: hold the upper until that share of I."""
    steps = [Step(rest_s)]
    for cycle, current_A in enumerate(currents_A):
        most_s = 1.3 * capacity_C / current_A
        charge_A = min(current_A, currents_A[0]) if hold_to is None else current_A
        steps.append(Step(1.3 * capacity_C / charge_A, charge_A, until_V=high_V, cycle=cycle))
        if hold_to is not None:
            steps.append(Step(3600.0, held_V=high_V, until_A=hold_to * current_A, cycle=cycle))
        steps += [Step(rest_s, cycle=cycle), Step(most_s, -current_A, until_V=low_V, cycle=cycle)]
        steps.append(Step(rest_s, cycle=cycle))
    return Plan("unknown", tuple(steps), half_cycle_s=capacity_C / currents_A[0])


def plating(current_A: float, half_s: float, cycles: int, strip_V: float, rest_s: float) -> Plan:
    """Lithium on copper: plate for a time, strip until the voltage runs away."""
    steps: list[Step] = []
    for cycle in range(cycles):
        steps += [Step(half_s, current_A, cycle=cycle)]
        steps += [Step(rest_s, cycle=cycle)] if rest_s else []
        steps += [Step(1.2 * half_s, -current_A, until_V=-strip_V, cycle=cycle)]
        steps += [Step(rest_s, cycle=cycle)] if rest_s else []
    return Plan("long_cycling", tuple(steps), half_cycle_s=half_s)


def with_formation(plan: Plan, share: float, cycles: int) -> Plan:
    """The plan after some slow cycles at a share of its first current."""
    first = next(step for step in plan.steps if step.loaded)
    slow = [
        replace(first, current_A=sign * abs(first.current_A) * share, level=-1, cycle=cycle)
        for cycle in range(cycles)
        for sign in (1, -1)
    ]
    return replace(plan, steps=(*slow, *plan.steps))


def reversals(plan: Plan) -> Iterator[tuple[int, int]]:
    """Pairs of loaded steps that follow one another with opposite currents."""
    for before, after in pairwise(plan.loaded):
        if plan.steps[before].current_A * plan.steps[after].current_A < 0:
            yield before, after
