"""Galvanostatic programs: what the cycler asks of the cell under the four protocols.

Review (Adv. Funct. Mater. 2021, 31, 2009925), section 2.3.1 and figure 9: time control, capacity control,
endurable time control, long cycling. A level is one current density; a cycle is one half-cycle of each sign.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PROTOCOLS = ("time_control", "capacity_control", "endurable_time", "long_cycling")


@dataclass(frozen=True)
class Segment:
    """One stretch of constant current density (0 in a rest), with its place in the program."""

    current_density_mA_cm2: float
    duration_s: float
    level: int
    cycle: int
    half: int  # 0 or 1 within the cycle
    rest: bool = False
    excitation: bool = False  # an impedance scan runs on top


@dataclass(frozen=True)
class Program:
    """A whole test. `half_cycle_s` is None where it varies, `half_cycle_mAh_cm2` likewise."""

    kind: str
    segments: tuple[Segment, ...]
    levels_mA_cm2: tuple[float, ...]
    cycles_per_level: int
    half_cycle_s: float | None
    half_cycle_mAh_cm2: float | None

    @property
    def duration_s(self) -> float:
        return sum(segment.duration_s for segment in self.segments)

    def starts_s(self) -> list[float]:
        """Start of each segment in s, and the end of the last: one more than there are segments."""
        starts = [0.0]
        for segment in self.segments:
            starts.append(starts[-1] + segment.duration_s)
        return starts


@dataclass(frozen=True)
class Rests:
    """Pauses of a program in s; 0 leaves one out."""

    initial_s: float = 0.0
    between_halves_s: float = 0.0
    between_cycles_s: float = 0.0
    excited: bool = False  # impedance scans run in the rests between cycles


def ramp_levels(first_mA_cm2: float, step_mA_cm2: float, count: int) -> tuple[float, ...]:
    """`count` current densities rising by a fixed step."""
    return tuple(round(first_mA_cm2 + step_mA_cm2 * i, 9) for i in range(count))


def build_program(
    kind: str,
    levels_mA_cm2: Sequence[float],
    *,
    half_cycle_s: float | None = None,
    half_cycle_mAh_cm2: float | None = None,
    cycles_per_level: int = 1,
    rests: Rests | None = None,
    first_sign: int = 1,
) -> Program:
    """The program of one protocol. Capacity control takes `half_cycle_mAh_cm2`, the others `half_cycle_s`.

    Raises ValueError for an unknown protocol or a missing size of the half-cycle.
    """
    if kind not in PROTOCOLS:
        raise ValueError(f"unknown protocol {kind!r}: one of {', '.join(PROTOCOLS)}")
    size = half_cycle_mAh_cm2 if kind == "capacity_control" else half_cycle_s
    if size is None or size <= 0:
        raise ValueError(
            f"protocol {kind} needs the {'capacity' if kind == 'capacity_control' else 'time'} "
            "of a half-cycle"
        )
    halves = list(_half_cycles(kind, levels_mA_cm2, size, cycles_per_level, first_sign))
    capacity = size if kind == "capacity_control" else None
    if kind == "long_cycling":
        capacity = levels_mA_cm2[0] * size / 3600
    return Program(
        kind,
        tuple(_with_rests(halves, rests or Rests())),
        tuple(levels_mA_cm2),
        cycles_per_level,
        None if kind == "capacity_control" else size,
        capacity,
    )


def _half_cycles(
    kind: str, levels_mA_cm2: Sequence[float], size: float, cycles: int, sign: int
) -> Iterator[Segment]:
    cycle = 0
    for level, density in enumerate(levels_mA_cm2):
        duration_s = size / density * 3600 if kind == "capacity_control" else size
        for _ in range(cycles):
            yield Segment(sign * density, duration_s, level, cycle, 0)
            yield Segment(-sign * density, duration_s, level, cycle, 1)
            cycle += 1


def _with_rests(halves: Sequence[Segment], rests: Rests) -> Iterator[Segment]:
    def pause(after: Segment, duration_s: float, excitation: bool = False) -> Segment:
        return Segment(0.0, duration_s, after.level, after.cycle, after.half, True, excitation)

    if rests.initial_s > 0:
        yield pause(halves[0], rests.initial_s)
    for segment in halves:
        yield segment
        duration_s = rests.between_cycles_s if segment.half else rests.between_halves_s
        if duration_s > 0 and segment is not halves[-1]:
            yield pause(segment, duration_s, rests.excited and segment.half == 1)


def steps(program: Program, row_interval_s: float, area_cm2: float) -> Iterator[tuple[float, float]]:
    """(current_A, dt_s) at a regular interval, for driving a `CellModel`; segments are not straddled."""
    for segment in program.segments:
        left_s = segment.duration_s
        while left_s > 1e-9:
            dt_s = min(row_interval_s, left_s)
            yield segment.current_density_mA_cm2 * area_cm2 * 1e-3, dt_s
            left_s -= dt_s
