"""What a seed decides: cell, plan, sampling and converters, spread as widely as published tests.

Area-specific resistances 15-900 ohm cm2, 0.02-0.5 mA cm-2 at the first level, minutes to hours a half-cycle,
0.5-4 mAh cm-2 a cathode: the review's tables (Adv. Funct. Mater. 2021, 31, 2009925). Shares and exponents of
the arcs: what equivalent circuits of solid-state cells are fitted with.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ccdmon.model.program import PROTOCOLS
from ccdmon.simulation.draws import log_uniform
from ccdmon.simulation.ladder.cell import LadderCell, LadderParameters
from ccdmon.simulation.ladder.converters import Converters
from ccdmon.simulation.ladder.cycler import Sampling
from ccdmon.simulation.ladder.faults import Fault
from ccdmon.simulation.ladder.open_circuit import (
    LAYERED_OXIDE,
    OLIVINE,
    Alloy,
    Cathode,
    ForeignMetal,
    OpenCircuit,
)
from ccdmon.simulation.ladder.programs import Plan, Ramp, cycles_between, plating, ramp

AREAS_CM2 = (0.196, 0.283, 0.503, 0.785, 1.13, 1.327, 2.01)  # discs of 5 to 16 mm
ELECTROLYTES = (
    "LLZO",
    "Al2O3-coated LLZO",
    "Li6PS5Cl",
    "Li3PS4",
    "LGPS",
    "LAGP",
    "NASICON",
    "PEO-LiTFSI",
    None,
)
HALF_CYCLES_S = (300, 600, 900, 1800, 3600, 7200)
MOST_ROWS = 3000
Surrounding = Callable[[LadderCell], None]


@dataclass
class Test:
    """Everything a trace needs; a kind changes it before it runs."""

    configuration: str
    electrolyte: str | None
    parameters: LadderParameters
    plan: Plan
    sampling: Sampling
    converters: Converters
    open_circuit: OpenCircuit | None = None
    fault: Fault | None = None
    surroundings: list[Surrounding] = field(default_factory=list)
    lead_off: bool = False  # what the fault does is to the voltage lead, not to the cell
    tolerated: tuple[str, ...] = ()  # kinds that are a fair reading of a healthy test
    sign: int = 1  # -1: the file counts voltage and current the other way


def draw_parameters(
    rng: np.random.Generator, area_cm2: float, asr_ohm_cm2: float, half_s: float
) -> LadderParameters:
    """A cell of that resistance whose relaxations fit half-cycles of `half_s`."""
    ohmic, tail = rng.uniform(0.35, 0.8), rng.uniform(0.05, 0.35)
    whole_ohm = asr_ohm_cm2 / area_cm2
    return LadderParameters(
        area_cm2=area_cm2,
        ohmic_ohm=whole_ohm * ohmic,
        transfer_ohm=whole_ohm * (1 - ohmic) * (1 - tail),
        transfer_s=log_uniform(rng, 1e-3, 10.0),
        transfer_exponent=float(rng.uniform(0.7, 0.95)),
        tail_ohm=whole_ohm * (1 - ohmic) * tail,
        tail_s=half_s * log_uniform(rng, 0.05, 1.5),
        tail_exponent=float(rng.uniform(0.5, 0.7)),
        wander=log_uniform(rng, 2e-3, 1.5e-2),
        wander_s=half_s * log_uniform(rng, 3.0, 30.0),
        drift_per_decade=float(rng.choice((0.0, rng.uniform(-0.08, 0.12)))),
        drift_from_s=half_s,
        bulk_activation_J_mol=float(rng.uniform(25e3, 40e3)),
        interface_activation_J_mol=float(rng.uniform(40e3, 60e3)),
        pressure_exponent=float(rng.uniform(0.2, 0.5)),
    )


def draw_sampling(rng: np.random.Generator, plan: Plan, first_V: float) -> Sampling:
    """Rows on time, in two of five tests on a change of the voltage, too."""
    rows = min(MOST_ROWS, len(plan.loaded) * log_uniform(rng, 30, 200))
    interval_s = float(f"{plan.duration_s / rows:.1g}")
    change_V = first_V * log_uniform(rng, 0.1, 0.5) if rng.uniform() < 0.4 else np.inf
    return Sampling(interval_s, float(change_V), at_step_ends=bool(rng.uniform() < 0.8))


def draw_converters(rng: np.random.Generator, first_V: float) -> Converters:
    """Noise of 0.05-2 % of the smallest polarisation, but no better than a good cycler's microvolts."""
    return Converters(
        voltage_noise_V=max(2e-6, first_V * log_uniform(rng, 5e-4, 1e-2)),
        slow_share=float(rng.uniform(0, 0.6)),
        voltage_step_V=float(f"{max(1e-6, first_V * log_uniform(rng, 1e-4, 5e-3)):.1g}"),
        voltage_offset_V=first_V * float(rng.uniform(-0.01, 0.01)),
        range_bits=int(rng.integers(13, 18)),
        range_gain=log_uniform(rng, 1e-4, 2e-3),
        lost_per_row=float(rng.choice((0.0, 0.0, 1e-3))),
        rests_without_current=bool(rng.uniform() < 0.2),
    )


def draw_symmetric(rng: np.random.Generator, protocol: str | None = None, **ramp_options: float) -> Test:
    """Two like electrodes under one of the four protocols."""
    protocol = protocol or str(rng.choice(PROTOCOLS))
    area_cm2, half_s = float(rng.choice(AREAS_CM2)), float(rng.choice(HALF_CYCLES_S))
    asr, first = log_uniform(rng, 15, 900), float(f"{log_uniform(rng, 0.02, 0.5):.1g}")
    count = int(rng.integers(5, 13))
    while asr * first * count > 3000:  # mV: a cycler of 5 V does the whole ramp
        asr *= 0.5
    levels = [round(first * (k + 1), 6) for k in range(count)]
    cycles = {"endurable_time": int(rng.integers(2, 5)), "long_cycling": int(rng.integers(8, 20))}.get(
        protocol, 1
    )
    if protocol == "long_cycling":
        levels = levels[:1]
    capacity = first * half_s / 3600 * 2 if protocol == "capacity_control" else None
    how = Ramp(levels, area_cm2, half_s, capacity, cycles, int(rng.choice((1, -1))), **ramp_options)
    plan = ramp(protocol, how)
    parameters = draw_parameters(rng, area_cm2, asr, half_s)
    first_V = asr * first * 1e-3
    return Test(
        "symmetric",
        ELECTROLYTES[int(rng.integers(len(ELECTROLYTES)))],
        parameters,
        plan,
        draw_sampling(rng, plan, first_V),
        draw_converters(rng, first_V),
    )


def draw_alloy(rng: np.random.Generator) -> Test:
    """Li against Li-In: a symmetric ramp with an offset."""
    test = draw_symmetric(rng, "time_control")
    test.configuration = "half"
    test.open_circuit = Alloy(slope_V_C=0.0)
    test.sign = int(rng.choice((1, -1)))
    return test


def draw_foreign(rng: np.random.Generator) -> Test:
    """Lithium on copper: plated for a time, stripped to a voltage."""
    area_cm2, half_s = float(rng.choice(AREAS_CM2)), float(rng.choice(HALF_CYCLES_S[1:]))
    asr, density = log_uniform(rng, 20, 400), float(f"{log_uniform(rng, 0.1, 1.0):.1g}")
    while asr * density > 300:
        asr *= 0.5
    current_A = density * area_cm2 * 1e-3
    polarisation_V = asr * density * 1e-3
    plan = plating(
        current_A, half_s, int(rng.integers(8, 16)), 0.5 + polarisation_V, float(rng.choice((0, 300)))
    )
    nucleation_C = current_A * half_s * float(rng.uniform(0.005, 0.03))
    metal = ForeignMetal(float(rng.uniform(0.01, 0.06)), nucleation_C, float(rng.uniform(0.9, 0.995)))
    return Test(
        "half",
        ELECTROLYTES[int(rng.integers(len(ELECTROLYTES)))],
        draw_parameters(rng, area_cm2, asr, half_s),
        plan,
        draw_sampling(rng, plan, polarisation_V),
        draw_converters(rng, polarisation_V),
        metal,
        sign=int(rng.choice((1, -1))),
    )


def draw_full(
    rng: np.random.Generator,
    *,
    hold: bool = False,
    olivine: bool = False,
    rates: int = 5,
    slowest: float | None = None,
    rest_s: float = 900.0,
) -> Test:
    """A full cell between its two voltages: a rate test, or with `hold` constant current, constant voltage."""
    area_cm2, loading = float(rng.choice(AREAS_CM2)), log_uniform(rng, 0.5, 4.0)
    asr = log_uniform(rng, 20, 120) / max(loading, 1.0)
    capacity_C = loading * area_cm2 * 3.6
    slowest = slowest or float(rng.choice((0.1, 0.2)))
    c_rates = (
        np.sort(rng.choice((1.0, 1.0, 2.0, 3.0, 5.0), rates)) * slowest
        if not hold
        else np.full(rates, slowest * 2)
    )
    currents_A = [float(capacity_C * c / 3600) for c in c_rates]
    low_V, high_V = (2.8, 3.7) if olivine else (3.0, 4.2)
    plan = cycles_between(low_V, high_V, currents_A, capacity_C, hold_to=0.2 if hold else None, rest_s=rest_s)
    first_V = asr * currents_A[0] / area_cm2
    cathode = Cathode(OLIVINE if olivine else LAYERED_OXIDE, capacity_C, float(rng.uniform(0.003, 0.02)))
    return Test(
        "full",
        ELECTROLYTES[int(rng.integers(len(ELECTROLYTES)))],
        draw_parameters(rng, area_cm2, asr, 3600.0),
        plan,
        draw_sampling(rng, plan, max(first_V, 0.01)),
        draw_converters(rng, max(first_V, 0.01)),
        cathode,
    )
