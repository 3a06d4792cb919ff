"""Tests of both worlds in which stripping outruns the supply of lithium at a level that is drawn, or at none."""

from dataclasses import replace

import numpy as np

from ccdmon.simulation import simulate as model
from ccdmon.simulation.draws import Options, log_uniform, shortest_half_cycle_s, void_capacity_mAh_cm2
from ccdmon.simulation.ladder import generate as ladder
from ccdmon.simulation.ladder.draws import draw_symmetric
from ccdmon.simulation.recipes import starve
from ccdmon.simulation.scenarios import draw_setup

RAMPS = ("time_control", "capacity_control", "endurable_time")


def _place(rng: np.random.Generator, levels: tuple[float, ...]) -> float:
    """A supply between two levels, the first one excluded, well off either; in one test of four above all."""
    if rng.uniform() < 0.25:
        return 1.2 * levels[-1]
    k = int(rng.integers(1, len(levels)))
    return levels[k - 1] + (levels[k] - levels[k - 1]) * float(rng.uniform(0.2, 0.8))


def of_model(seed: int, max_rows: int = 3000) -> model.Simulated:
    """A ramp of the cell model with an inorganic electrolyte."""
    rng = np.random.default_rng([seed, 11])
    options = Options(configuration="symmetric", protocol=str(rng.choice(RAMPS)), max_rows=max_rows)
    setup = draw_setup("partial_short", seed, options)  # of all scenarios the one that is never a polymer
    setup.fault = None
    setup.class_ = "healthy"
    levels, half_s = setup.program.levels_mA_cm2, shortest_half_cycle_s(setup.program)
    growth = log_uniform(rng, 0.3, 3.0)
    starve(setup, _place(rng, levels), void_capacity_mAh_cm2(levels[-1], half_s, growth), 0.6)
    setup.rows_after_limit = 10
    return model.recorded(model.LiveCell(setup))


def of_ladder(seed: int) -> model.Simulated:
    """A ramp of the ladder."""
    rng = np.random.default_rng([seed, 12])
    test = draw_symmetric(rng, str(rng.choice(RAMPS)))
    if test.electrolyte is None or "PEO" in test.electrolyte:
        test.electrolyte = "Li6PS5Cl"
    levels, half_s = test.plan.levels_mA_cm2, min(test.plan.steps[n].duration_s for n in test.plan.loaded)
    lost = levels[-1] * half_s / 3600 * log_uniform(rng, 0.5, 5.0)
    test.parameters = replace(test.parameters, supply_mA_cm2=_place(rng, levels), contact_mAh_cm2=lost)
    return ladder.recorded(test, rng, "starved", seed)
