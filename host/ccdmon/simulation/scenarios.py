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

from ccdmon.errors import InputError
from ccdmon.model.kinds import CONFIGURATIONS
from ccdmon.simulation import recipes
from ccdmon.simulation.draws import (
    ELECTROLYTES,
    Options,
    draw_cell,
    draw_instrument,
    draw_program,
    shortest_half_cycle_s,
)
from ccdmon.simulation.setup import Chamber, Setup

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
    drawn = str(rng.choice(CONFIGURATIONS, p=recipe.configurations))
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
        setup.excitation = recipes.excitation_wave(setup, rng)
    return setup


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
    "healthy": Scenario("healthy", "endures the whole program, whatever the seed brings", recipes.healthy),
    "hard_short": Scenario(
        "hard_short", "a dendrite bridges the cell at once and for good", recipes.hard_short
    ),
    "partial_short": Scenario(
        "partial_short", "part of the bulk is bridged: 10-50 % down", recipes.partial_short, _NO_FULL, False
    ),
    "soft_short": Scenario("soft_short", "filaments form and dissolve", recipes.soft_short, _NO_FULL),
    "contact_loss": Scenario(
        "contact_loss",
        "voids take the interface, up to the compliance limit",
        recipes.contact_loss,
        _SYMMETRIC,
        False,
    ),
    "fake_stable": Scenario(
        "fake_stable",
        "an electronic leak carries the current, looks healthy",
        recipes.fake_stable,
        _SYMMETRIC,
    ),
    "healthy_rests": Scenario(
        "healthy",
        "rests after each half-cycle, some with impedance scans",
        recipes.healthy,
        fixed={"rests": True},
    ),
    "healthy_warming": Scenario(
        "healthy", "the cell warms by 5-35 K, its resistance falls slowly", recipes.warming
    ),
    "healthy_eis_excitation": Scenario(
        "healthy", "an impedance excitation rides on the current", recipes.superimposed, _NO_FULL
    ),
    "healthy_gaps": Scenario("healthy", "the recording stops now and then", recipes.gaps),
    "healthy_low_voltage": Scenario(
        "healthy", "polarisation of a few mV", recipes.healthy, _NO_FULL, False, {"polarisation_V": 0.002}
    ),
    "healthy_polymer": Scenario(
        "healthy", "salt diffusion: polarisation grows within half-cycles", recipes.healthy, _NO_FULL, True
    ),
    "limiting_current": Scenario(
        "limit",
        "polarisation runs away at the limiting current, no short",
        recipes.limiting_current,
        _NO_FULL,
        True,
    ),
}
