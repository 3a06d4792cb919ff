"""Recipes of the scenarios: what each adds to the wide draws every simulated test starts from."""

from dataclasses import replace

import numpy as np

from ccdmon.model.program import steps
from ccdmon.simulation.cell_faults import FOREVER_S, FakeStable, HardShort, PartialShort, SoftShort
from ccdmon.simulation.draws import log_uniform, shortest_half_cycle_s, void_capacity_mAh_cm2
from ccdmon.simulation.physics import CellModel
from ccdmon.simulation.setup import Excitation, Setup, failing_half_cycle, half_cycle_after, loaded_segments


def healthy(setup: Setup, rng: np.random.Generator) -> None:
    pass


def hard_short(setup: Setup, rng: np.random.Generator) -> None:
    segment, _, moment_s = failing_half_cycle(setup, rng, 15)
    ratio, precursor, growth = log_uniform(rng, 1e-3, 0.05), rng.uniform() < 0.25, rng.uniform(0.4, 1.2)
    # Where one level lasts for many cycles the same voids would be a contact loss of their own.
    if (
        precursor and setup.program.cycles_per_level == 1
    ):  # "sometimes preceded by severe polarization": voids focus the current that shorts the cell
        level_mA_cm2 = abs(segment.current_density_mA_cm2)
        capacity = void_capacity_mAh_cm2(level_mA_cm2, segment.duration_s, growth)
        starve(setup, 0.6 * level_mA_cm2, capacity, 0.6)
        setup.cell = replace(setup.cell, compliance_V=4 * setup.cell.compliance_V)
        setup.conditions["precursor_growth"] = growth
    setup.fault = HardShort(moment_s, ratio, seed=int(rng.integers(2**32)))
    setup.stop_s = half_cycle_after(setup, moment_s, int(rng.integers(1, 5)))


def partial_short(setup: Setup, rng: np.random.Generator) -> None:
    _, _, moment_s = failing_half_cycle(setup, rng, 40)
    cell = setup.cell
    total = cell.bulk_ohm_cm2 + sum(cell.interface_ohm_cm2) + cell.slow_ohm_cm2
    drop = min(float(rng.uniform(0.1, 0.5)), 0.9 * cell.bulk_ohm_cm2 / total)
    if drop < 0.1:  # not enough bulk to bridge: thicker electrolyte
        setup.cell = replace(cell, bulk_ohm_cm2=cell.bulk_ohm_cm2 * 3)
        drop = 0.15
    setup.fault = PartialShort(moment_s, drop)


def soft_short(setup: Setup, rng: np.random.Generator) -> None:
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


def fake_stable(setup: Setup, rng: np.random.Generator) -> None:
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


def contact_loss(setup: Setup, rng: np.random.Generator) -> None:
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
        starve(setup, supply, void_capacity_mAh_cm2(levels[level], half_s, growth), creep_share=0.6)
        if _resistance_growth(setup) > 1.6:
            break
        growth *= 1.6
    setup.conditions["void_growth"] = growth
    end_at_limit(setup, rng)


def starve(setup: Setup, supply_mA_cm2: float, capacity_mAh_cm2: float, creep_share: float) -> None:
    """So much lithium comes to the interfaces; missing `capacity_mAh_cm2` takes half of the contact."""
    setup.cell = replace(
        setup.cell,
        supply_diffusion_mA_cm2=supply_mA_cm2 * (1 - creep_share),
        supply_creep_mA_cm2=supply_mA_cm2 * creep_share,
        void_capacity_mAh_cm2=capacity_mAh_cm2,
    )


def end_at_limit(setup: Setup, rng: np.random.Generator) -> None:
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


def warming(setup: Setup, rng: np.random.Generator) -> None:
    end_s = setup.program.duration_s
    from_s, ramp_s = end_s * rng.uniform(0.1, 0.6), end_s * rng.uniform(0.1, 0.5)
    setup.chamber = replace(
        setup.chamber,
        ramp_from_s=from_s,
        ramp_s=ramp_s,
        # A chamber with a cell in its frame follows by a kelvin a minute at most.
        ramp_K=min(float(rng.uniform(5, 35)), ramp_s / 90.0),
        ramp_pressure=float(rng.uniform(0, 1) * (rng.uniform() < 0.3)),
    )


def gaps(setup: Setup, rng: np.random.Generator) -> None:
    end_s = setup.program.duration_s
    for _ in range(int(rng.integers(1, 7))):
        start_s = end_s * rng.uniform(0, 1)
        setup.gaps_s.append(
            (start_s, start_s + log_uniform(rng, 3 * setup.instrument.row_interval_s, end_s / 8))
        )


def excitation_wave(setup: Setup, rng: np.random.Generator, always: bool = False) -> Excitation:
    first_A = setup.program.levels_mA_cm2[0] * setup.cell.area_cm2 * 1e-3
    period_s = setup.instrument.row_interval_s * log_uniform(rng, 0.3, 30.0)
    return Excitation(first_A * log_uniform(rng, 0.01, 0.2), period_s, always)


def superimposed(setup: Setup, rng: np.random.Generator) -> None:
    setup.excitation = excitation_wave(setup, rng, always=True)


def limiting_current(setup: Setup, rng: np.random.Generator) -> None:
    """The last levels exceed what salt diffusion carries: polarisation runs away, no short."""
    levels = setup.program.levels_mA_cm2
    top = levels[-1]
    below = levels[-2] if len(levels) > 1 else 0.8 * top
    setup.cell = replace(setup.cell, limiting_mA_cm2=float(rng.uniform(below, top)))
    end_at_limit(setup, rng)
