"""What a seed decides about a simulated test: program, cell, chamber and instrument, spread as widely as
real ones.

Ranges come from the review's tables (`data/literature_ccd.csv`: 0.05-20 mA cm-2, minutes to hours per cycle)
and from recorded cells (polarisation of a few mV to volts, rows 0.1 s to 30 s apart, noise up to a few
percent). Every draw happens in a fixed order whatever the options are, so that an option changes only what
it names.
"""

import math
from dataclasses import dataclass, fields

import numpy as np

from ccdmon.errors import InputError
from ccdmon.model.kinds import CONFIGURATIONS
from ccdmon.model.program import PROTOCOLS, Program, Rests, build_program, ramp_levels
from ccdmon.simulation.instrument import Instrument
from ccdmon.simulation.parameters import SWELLING, CellParameters

NICE_HALF_CYCLES_S = (60, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 10800, 14400, 18000)


@dataclass(frozen=True)
class Options:
    """What a user fixes instead of leaving it to the seed; None leaves it."""

    protocol: str | None = None
    configuration: str | None = None
    area_cm2: float | None = None
    row_interval_s: float | None = None
    half_cycle_s: float | None = None
    levels: int | None = None
    first_mA_cm2: float | None = None
    step_mA_cm2: float | None = None
    cycles_per_level: int | None = None
    polarisation_V: float | None = None  # at the first level
    noise: float | None = None  # standard deviation over the polarisation of the first level
    rests: bool | None = None
    pressure: bool | None = None
    max_rows: int | None = None

    def __post_init__(self) -> None:
        for name, known in (("protocol", PROTOCOLS), ("configuration", CONFIGURATIONS)):
            value = getattr(self, name)
            if value is not None and value not in known:
                raise InputError(f"unknown {name} {value!r}: one of {', '.join(known)}")
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
                raise InputError(f"option {item.name} must be a finite number, not {value}")
            if isinstance(value, int | float) and value == 0 and item.name != "noise" and value is not False:
                raise InputError(f"option {item.name} must be above zero")


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Uniform in the logarithm between `low` and `high`, both above zero."""
    return float(math.exp(rng.uniform(math.log(low), math.log(high))))


def rounded(value: float, digits: int = 2) -> float:
    """`value` to `digits` significant digits, as people choose numbers."""
    return float(f"{value:.{digits}g}")


@dataclass(frozen=True)
class Electrolyte:
    """Ranges typical for one class of electrolyte."""

    name: str
    temperatures_degC: tuple[float, ...]
    bulk_share: tuple[float, float]  # of the whole resistance
    bulk_activation_J_mol: tuple[float, float]
    polymer: bool = False


# Temperatures as in table 2 of the review; activation energies of bulk conduction from its section 3.5.
ELECTROLYTES = (
    Electrolyte("LLZO", (25, 25, 25, 60), (0.2, 0.7), (28e3, 40e3)),
    Electrolyte("Li6PS5Cl", (25, 25, 60), (0.4, 0.85), (25e3, 38e3)),
    Electrolyte("Li3PS4-LiI", (25, 100), (0.4, 0.85), (25e3, 38e3)),
    Electrolyte("NASICON", (25, 25, 60), (0.2, 0.6), (25e3, 40e3)),
    Electrolyte("PEO-LiTFSI", (60, 60, 70), (0.3, 0.7), (50e3, 80e3), polymer=True),
)


def draw_program(rng: np.random.Generator, options: Options) -> tuple[Program, float]:
    """A program and the row interval in s that keeps it within the row budget."""
    kind = options.protocol or str(rng.choice(PROTOCOLS, p=(0.4, 0.2, 0.2, 0.2)))
    counts = {
        "time_control": (3, 20),
        "capacity_control": (3, 14),
        "endurable_time": (3, 10),
        "long_cycling": (1, 1),
    }
    cycle_counts = {"endurable_time": (2, 8), "long_cycling": (8, 80)}
    level_count = int(rng.integers(counts[kind][0], counts[kind][1] + 1))
    level_count = 1 if kind == "long_cycling" else options.levels or level_count
    cycle_range = cycle_counts.get(kind, (1, 1))
    cycles = int(rng.integers(cycle_range[0], cycle_range[1] + 1))
    cycles = options.cycles_per_level or cycles
    first = rounded(log_uniform(rng, 0.02, 1.0))
    step = rounded(first * rng.uniform(0.25, 1.5))
    first = options.first_mA_cm2 or first
    levels = ramp_levels(first, options.step_mA_cm2 or step, level_count)
    interval_s = rounded(log_uniform(rng, 0.1, 30.0))
    interval_s = options.row_interval_s or interval_s
    budget = log_uniform(rng, 4000, 40000)
    budget = min(budget, options.max_rows or budget)
    # Capacity control: the half-cycle of the last level is the shortest; all of them have to fit.
    weights = [levels[-1] / j if kind == "capacity_control" else 1.0 for j in levels]
    rows = budget / (2 * cycles * sum(weights))
    half_s = options.half_cycle_s or _nice_half_cycle_s(max(rows, 30) * interval_s, 30 * interval_s)
    program = build_program(
        kind,
        levels,
        half_cycle_s=half_s,
        half_cycle_mAh_cm2=rounded(levels[-1] * half_s / 3600, 3),
        cycles_per_level=cycles,
        rests=_draw_rests(rng, options, half_s),
        first_sign=int(rng.choice((1, -1))),
    )
    return program, interval_s


def _nice_half_cycle_s(wanted_s: float, least_s: float) -> float:
    """The longest usual duration not above the wanted one, but at least `least_s` and a minute."""
    fitting = [s for s in NICE_HALF_CYCLES_S if least_s <= s <= wanted_s]
    return float(fitting[-1]) if fitting else max(60.0, rounded(least_s))


def _draw_rests(rng: np.random.Generator, options: Options, half_s: float) -> Rests:
    wanted, excited = rng.uniform() < 0.4, bool(rng.uniform() < 0.3)
    initial_s, halves_s, cycles_s = (rounded(half_s * f) for f in rng.uniform(0.05, 0.4, 3))
    between_halves, initial = rng.uniform() < 0.5, rng.uniform() < 0.5
    if not (wanted if options.rests is None else options.rests):
        return Rests(initial_s if initial else 0.0)
    return Rests(initial_s if initial else 0.0, halves_s if between_halves else 0.0, cycles_s, excited)


def shortest_half_cycle_s(program: Program) -> float:
    return min(s.duration_s for s in program.segments if not s.rest)


def draw_cell(
    rng: np.random.Generator, options: Options, program: Program, electrolyte: Electrolyte, configuration: str
) -> CellParameters:
    """A cell that can stand the whole program; its faults come from elsewhere."""
    area_cm2 = options.area_cm2 or rounded(log_uniform(rng, 0.05, 2.0), 3)
    first, last = program.levels_mA_cm2[0], program.levels_mA_cm2[-1]
    highest_V = 2.0 if configuration != "full" else 0.3
    polarisation_V = min(log_uniform(rng, 1e-3, 0.3), highest_V * first / last)
    total = (options.polarisation_V or polarisation_V) / first * 1e3  # ohm cm2
    bulk = rng.uniform(*electrolyte.bulk_share)
    slow = (1 - bulk) * rng.uniform(0.08, 0.35)
    asymmetry = rng.uniform(0.3, 0.7)
    half_s = shortest_half_cycle_s(program)
    top_V = total * last * 1e-3
    capacity = max(abs(s.current_density_mA_cm2) * s.duration_s / 3600 for s in program.segments)
    pressure_Pa, head_room = log_uniform(rng, 0.1e6, 50e6), rng.uniform(2, 8)
    return CellParameters(
        area_cm2=area_cm2,
        bulk_ohm_cm2=total * bulk,
        interface_ohm_cm2=(
            total * (1 - bulk - slow) * asymmetry,
            total * (1 - bulk - slow) * (1 - asymmetry),
        ),
        interface_tau_s=min(log_uniform(rng, 0.02, 30.0), half_s / 30),
        slow_ohm_cm2=total * slow,
        slow_tau_s=half_s * log_uniform(rng, 0.15, 1.5),
        bulk_activation_J_mol=rng.uniform(*electrolyte.bulk_activation_J_mol),
        interface_activation_J_mol=rng.uniform(40e3, 65e3),
        reference_degC=float(rng.choice(electrolyte.temperatures_degC)),
        reference_pressure_Pa=pressure_Pa,
        sei_growth_per_sqrt_s=rng.uniform(0.0, 0.3) / math.sqrt(program.duration_s),
        conditioning=rng.uniform(0.0, 0.25) * (rng.uniform() < 0.5),
        conditioning_tau_s=half_s * rng.uniform(0.5, 4.0),
        **_draw_supply(rng, last, half_s, electrolyte.polymer),
        emf_V=rng.uniform(3.2, 3.9) * (configuration == "full"),
        emf_per_mAh_cm2=rng.uniform(0.05, 0.4) / capacity * (configuration == "full"),
        nucleation_V=rng.uniform(0.0, 0.3) * total * first * 1e-3 * (configuration == "half"),
        nucleation_mAh_cm2=capacity * 0.02,
        pressure_per_mAh_cm2_Pa=SWELLING[configuration]
        * (pressure_Pa * rng.uniform(0.005, 0.08) / capacity * rng.choice((-1, 1))),
        pressure_per_void_Pa=pressure_Pa * 0.02 / capacity,
        compliance_V=5.0 if configuration == "full" else rounded(max(head_room * top_V, 0.5), 1),
    )


def _draw_supply(
    rng: np.random.Generator, last_mA_cm2: float, half_s: float, polymer: bool
) -> dict[str, float]:
    """Flux balance of a cell that endures: supply above the last level, or just below (small voids)."""
    voids = rng.uniform() < 0.3
    # Below 0.82 the voids of a stripping half-cycle outgrow what plating and creep heal in the next.
    enough, scarce = rng.uniform(1.05, 4.0), rng.uniform(0.88, 1.0)
    supply = last_mA_cm2 * (scarce if voids else enough)
    creep_share, growth = rng.uniform(0.3, 0.95), rng.uniform(0.05, 0.4)
    limiting, tau = rng.uniform(1.6, 5.0), rng.uniform(0.05, 0.5)
    drawn = {
        "supply_diffusion_mA_cm2": supply * (1 - creep_share),
        "supply_creep_mA_cm2": supply * creep_share,
        "creep_exponent": float(rng.uniform(1.0, 3.0)),
        "void_capacity_mAh_cm2": void_capacity_mAh_cm2(last_mA_cm2, half_s, growth),
        "diffusion_tau_s": half_s * tau,
        "transference": float(rng.uniform(0.2, 0.4)),
    }
    return drawn | ({"limiting_mA_cm2": last_mA_cm2 * limiting} if polymer else {})


def void_capacity_mAh_cm2(density_mA_cm2: float, half_s: float, growth: float) -> float:
    """The capacity for which voids, once they outgrow the supply, grow by e^`growth` in a half-cycle."""
    return CellParameters.void_yield * density_mA_cm2 * half_s / 3600 / growth


def draw_instrument(
    rng: np.random.Generator, options: Options, cell: CellParameters, program: Program, interval_s: float
) -> Instrument:
    """Errors relative to the polarisation of the first level, the smallest of the test."""
    first_A = program.levels_mA_cm2[0] * cell.area_cm2 * 1e-3
    last_A = program.levels_mA_cm2[-1] * cell.area_cm2 * 1e-3
    total_ohm_cm2 = cell.bulk_ohm_cm2 + sum(cell.interface_ohm_cm2) + cell.slow_ohm_cm2
    first_V = first_A * total_ohm_cm2 / cell.area_cm2
    noise = log_uniform(rng, 1e-3, 3e-2)
    noise_V = (noise if options.noise is None else options.noise) * first_V
    slow_share = rng.uniform(0.0, 0.3)
    coarse_V, coarse_A = log_uniform(rng, 1e-4, 1e-2), log_uniform(rng, 1e-4, 1e-2)
    has_pressure = bool(rng.uniform() < 0.4)
    rough = 0.0 if options.noise == 0 else 1.0  # no noise: no other error of the converters either
    return Instrument(
        row_interval_s=interval_s,
        jitter=float(rng.choice((0.0, 0.01, 0.3))),
        extra_rows_at_steps=bool(rng.uniform() < 0.4),
        averages=bool(rng.uniform() < 0.2),
        heavy_tails=bool(rng.uniform() < 0.2),
        voltage_noise_V=noise_V,
        voltage_drift_V=noise_V * slow_share,
        voltage_step_V=rounded(rough * first_V * coarse_V, 1),
        voltage_offset_V=rough * first_V * rng.uniform(-0.02, 0.02),
        current_noise=rough * log_uniform(rng, 1e-5, 1e-2),
        current_floor_A=rough * first_A * log_uniform(rng, 1e-5, 3e-3),
        current_step_A=rounded(rough * last_A * coarse_A * 0.1, 1),
        pressure_noise_Pa=cell.reference_pressure_Pa * log_uniform(rng, 1e-4, 5e-3),
        has_pressure=has_pressure if options.pressure is None else options.pressure,
        has_temperature=bool(rng.uniform() < 0.5),
        lost_share=float(rng.choice((0.0, 0.0, 0.0, 1e-3))),
        repeated_share=float(rng.choice((0.0, 0.0, 0.0, 1e-3))),
    )
