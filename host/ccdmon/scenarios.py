"""Named scenarios: how a seed becomes a whole simulated test with a known truth.

Each recipe starts from the same wide draws (`draws`) and adds what the name says. Classes are those of the
review's section 2.2.3; `class_` is what an honest reader of the trace should report, "healthy" for every
trap.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ccdmon.cellphysics import CellModel
from ccdmon.draws import (
    ELECTROLYTES,
    Options,
    draw_cell,
    draw_instrument,
    draw_program,
    log_uniform,
    shortest_half_cycle_s,
    void_capacity_mAh_cm2,
)
from ccdmon.errors import InputError
from ccdmon.faults import FOREVER_S, FakeStable, HardShort, PartialShort, SoftShort
from ccdmon.programs import steps
from ccdmon.setups import Chamber, Excitation, Setup, failing_half_cycle, half_cycle_after, loaded_segments

Recipe = Callable[[Setup, np.random.Generator], None]


def draw_setup(scenario: str, seed: int, options: Options) -> Setup:
    """The test a scenario's seed stands for. Raises InputError for an unknown scenario."""
    if scenario not in SCENARIOS:
        raise InputError(f"unknown scenario {scenario!r}: one of {', '.join(SCENARIOS)}")
    recipe = SCENARIOS[scenario]
    rng = np.random.default_rng([seed, zlib.crc32(scenario.encode())])
    fixed = {name: value for name, value in recipe.fixed.items() if getattr(options, name) is None}
    options = replace(options, **fixed)
    program, interval_s = draw_program(rng, options)
    drawn = str(rng.choice(("symmetric", "half", "full"), p=recipe.configurations))
    configuration = options.configuration or drawn
    choices = [e for e in ELECTROLYTES if recipe.polymer in (None, e.polymer)]
    electrolyte = choices[int(rng.integers(len(choices)))]
    cell = draw_cell(rng, options, program, electrolyte, configuration)
    instrument = draw_instrument(rng, options, cell, program, interval_s)
    wave_K = float(rng.uniform(0.0, 1.5) * (rng.uniform() < 0.5))
    wave_s = max(86400.0, 4 * shortest_half_cycle_s(program))
    chamber = Chamber(cell.reference_degC, cell.reference_pressure_Pa, wave_K, wave_s)
    setup = Setup(
        scenario, seed, recipe.class_, configuration, electrolyte, program, cell, instrument, chamber
    )
    recipe.apply(setup, rng)
    if any(s.excitation for s in program.segments) and setup.excitation is None:
        setup.excitation = _excitation(setup, rng)
    return setup


# -- recipes --


def _healthy(setup: Setup, rng: np.random.Generator) -> None:
    pass


def _hard_short(setup: Setup, rng: np.random.Generator) -> None:
    segment, _, moment_s = failing_half_cycle(setup, rng, 15)
    ratio, precursor, growth = log_uniform(rng, 1e-3, 0.05), rng.uniform() < 0.25, rng.uniform(0.4, 1.2)
    if precursor:  # "sometimes preceded by severe polarization": voids focus the current that shorts the cell
        level_mA_cm2 = abs(segment.current_density_mA_cm2)
        capacity = void_capacity_mAh_cm2(level_mA_cm2, segment.duration_s, growth)
        _starve(setup, 0.6 * level_mA_cm2, capacity, 0.6)
        setup.cell = replace(setup.cell, compliance_V=4 * setup.cell.compliance_V)
        setup.conditions["precursor_growth"] = growth
    setup.fault = HardShort(moment_s, ratio, seed=int(rng.integers(2**32)))
    setup.stop_s = half_cycle_after(setup, moment_s, int(rng.integers(1, 5)))


def _partial_short(setup: Setup, rng: np.random.Generator) -> None:
    _, _, moment_s = failing_half_cycle(setup, rng, 40)
    cell = setup.cell
    total = cell.bulk_ohm_cm2 + sum(cell.interface_ohm_cm2) + cell.slow_ohm_cm2
    drop = min(float(rng.uniform(0.1, 0.5)), 0.9 * cell.bulk_ohm_cm2 / total)
    if drop < 0.1:  # not enough bulk to bridge: thicker electrolyte
        setup.cell = replace(cell, bulk_ohm_cm2=cell.bulk_ohm_cm2 * 3)
        drop = 0.15
    setup.fault = PartialShort(moment_s, drop)


def _soft_short(setup: Setup, rng: np.random.Generator) -> None:
    segment, _, moment_s = failing_half_cycle(setup, rng, 120)
    interval_s = setup.instrument.row_interval_s
    recovers = bool(rng.uniform() < 0.7)
    least_s = 60 * interval_s
    lasts_s = max(least_s, segment.duration_s * log_uniform(rng, 0.3, 3.0))
    at_reversal = rng.uniform() < 0.5  # dissolves when the current turns
    end_s = half_cycle_after(setup, moment_s + least_s, 0) if at_reversal else moment_s + lasts_s
    end_s = min(end_s, setup.program.duration_s - segment.duration_s * 0.5) if recovers else FOREVER_S
    if end_s - moment_s < least_s:
        end_s = FOREVER_S
    depth, spread = log_uniform(rng, 0.1, 0.5), float(rng.uniform(0.5, 1.2))
    setup.fault = SoftShort(
        moment_s, end_s, depth, interval_s * log_uniform(rng, 0.5, 20.0), spread, int(rng.integers(2**32))
    )


def _fake_stable(setup: Setup, rng: np.random.Generator) -> None:
    """From the start, or forming within one level over many rows: a jump would be a hard short."""
    ratio = log_uniform(rng, 0.05, 0.4)
    from_start, forms, begins = rng.uniform() < 0.4, rng.uniform(0.3, 1.0), rng.uniform(0.0, 0.3)
    if from_start:
        setup.fault = FakeStable(0.0, ratio)
        return
    level = int(rng.integers(1, max(2, len(setup.program.levels_mA_cm2))))
    loaded = loaded_segments(setup)
    segment, start_s = next(((s, t) for s, t in loaded if s.level == level), loaded[2])
    least_s = 20 * setup.instrument.row_interval_s
    setup.fault = FakeStable(
        start_s + begins * segment.duration_s, ratio, max(forms * segment.duration_s, least_s)
    )


def _contact_loss(setup: Setup, rng: np.random.Generator) -> None:
    """The supply falls behind at one level: voids of one half-cycle outgrow the healing of the next."""
    levels = setup.program.levels_mA_cm2
    level = int(rng.integers(1, len(levels))) if len(levels) > 1 else 0
    below = levels[level - 1] if level else 0.6 * levels[0]
    # 0.82: see `draws`. A level below keeps its balance, this one cannot.
    low, high = 0.82 * below, 0.78 * levels[level]
    supply = low + (high - low) * rng.uniform(0.0, 1.0) if low < high else high
    many_cycles = setup.program.cycles_per_level > 1
    growth = log_uniform(rng, 0.1, 1.5) if many_cycles else log_uniform(rng, 0.4, 3.0)
    half_s = shortest_half_cycle_s(setup.program)
    for _ in range(8):  # not a cell that lives through its test
        _starve(setup, supply, void_capacity_mAh_cm2(levels[level], half_s, growth), creep_share=0.6)
        if _resistance_growth(setup) > 1.6:
            break
        growth *= 1.6
    setup.conditions["void_growth"] = growth
    _end_at_limit(setup, rng)


def _starve(setup: Setup, supply_mA_cm2: float, capacity_mAh_cm2: float, creep_share: float) -> None:
    setup.cell = replace(
        setup.cell,
        supply_diffusion_mA_cm2=supply_mA_cm2 * (1 - creep_share),
        supply_creep_mA_cm2=supply_mA_cm2 * creep_share,
        void_capacity_mAh_cm2=capacity_mAh_cm2,
    )


def _end_at_limit(setup: Setup, rng: np.random.Generator) -> None:
    """Most cyclers end a test at their limit, at once or a little later; some go on."""
    setup.rows_after_limit = int(rng.integers(3, 60)) if rng.uniform() < 0.8 else None


def _resistance_growth(setup: Setup) -> float:
    """How much the resistance grows over the first 85 % of the program, by a coarse run of the cell."""
    cell = CellModel(setup.cell)
    fresh, most, interval_s = cell.ionic_ohm(), 1.0, shortest_half_cycle_s(setup.program) / 8
    for current_A, dt_s in steps(setup.program, interval_s, setup.cell.area_cm2):
        cell.step(current_A, dt_s)
        most = max(most, cell.ionic_ohm() / fresh)
        if cell.state.time_s > 0.85 * setup.program.duration_s or most > 3:
            break
    return most


def _warming(setup: Setup, rng: np.random.Generator) -> None:
    end_s = setup.program.duration_s
    setup.chamber = replace(
        setup.chamber,
        ramp_from_s=end_s * rng.uniform(0.1, 0.6),
        ramp_s=end_s * rng.uniform(0.1, 0.5),
        ramp_K=float(rng.uniform(5, 35)),
        ramp_pressure=float(rng.uniform(0, 1) * (rng.uniform() < 0.3)),
    )


def _gaps(setup: Setup, rng: np.random.Generator) -> None:
    end_s = setup.program.duration_s
    for _ in range(int(rng.integers(1, 7))):
        start_s = end_s * rng.uniform(0, 1)
        setup.gaps_s.append(
            (start_s, start_s + log_uniform(rng, 3 * setup.instrument.row_interval_s, end_s / 8))
        )


def _excitation(setup: Setup, rng: np.random.Generator, always: bool = False) -> Excitation:
    first_A = setup.program.levels_mA_cm2[0] * setup.cell.area_cm2 * 1e-3
    period_s = setup.instrument.row_interval_s * log_uniform(rng, 0.3, 30.0)
    return Excitation(first_A * log_uniform(rng, 0.01, 0.2), period_s, always)


def _superimposed(setup: Setup, rng: np.random.Generator) -> None:
    setup.excitation = _excitation(setup, rng, always=True)


def _limiting_current(setup: Setup, rng: np.random.Generator) -> None:
    """The last levels exceed what salt diffusion carries: polarisation runs away, no short."""
    levels = setup.program.levels_mA_cm2
    top = levels[-1]
    below = levels[-2] if len(levels) > 1 else 0.8 * top
    setup.cell = replace(setup.cell, limiting_mA_cm2=float(rng.uniform(below, top)))
    _end_at_limit(setup, rng)


@dataclass(frozen=True)
class Scenario:
    """A recipe, the class a reader should report, one line of help, and what it fixes of the draws."""

    class_: str
    help: str
    apply: Recipe
    configurations: tuple[float, float, float] = (0.8, 0.1, 0.1)  # symmetric, half, full
    polymer: bool | None = None
    fixed: dict[str, Any] = field(default_factory=dict)


_SYMMETRIC = (1.0, 0.0, 0.0)
_NO_FULL = (0.85, 0.15, 0.0)
SCENARIOS: dict[str, Scenario] = {
    "healthy": Scenario("healthy", "endures the whole program, whatever the seed brings", _healthy),
    "hard_short": Scenario("hard_short", "a dendrite bridges the cell at once and for good", _hard_short),
    "partial_short": Scenario(
        "partial_short", "part of the bulk is bridged: 10-50 % down", _partial_short, _NO_FULL, False
    ),
    "soft_short": Scenario("soft_short", "filaments form and dissolve", _soft_short, _NO_FULL),
    "contact_loss": Scenario(
        "contact_loss",
        "voids take the interface, up to the compliance limit",
        _contact_loss,
        _SYMMETRIC,
        False,
    ),
    "fake_stable": Scenario(
        "fake_stable", "an electronic leak carries the current, looks healthy", _fake_stable, _SYMMETRIC
    ),
    "healthy_rests": Scenario(
        "healthy", "rests after each half-cycle, some with impedance scans", _healthy, fixed={"rests": True}
    ),
    "healthy_warming": Scenario("healthy", "the cell warms by 5-35 K, its resistance falls slowly", _warming),
    "healthy_eis_excitation": Scenario(
        "healthy", "an impedance excitation rides on the current", _superimposed, _NO_FULL
    ),
    "healthy_gaps": Scenario("healthy", "the recording stops now and then", _gaps),
    "healthy_low_voltage": Scenario(
        "healthy", "polarisation of a few mV", _healthy, _NO_FULL, False, {"polarisation_V": 0.002}
    ),
    "healthy_polymer": Scenario(
        "healthy", "salt diffusion: polarisation grows within half-cycles", _healthy, _NO_FULL, True
    ),
    "limiting_current": Scenario(
        "limit",
        "polarisation runs away at the limiting current, no short",
        _limiting_current,
        _NO_FULL,
        True,
    ),
}
