"""Ordinary tests of healthy cells: nothing of them is a fault, whatever it looks like."""

from dataclasses import replace

import numpy as np

from ccdmon.simulation.draws import log_uniform
from ccdmon.simulation.ladder.cell import LadderCell
from ccdmon.simulation.ladder.draws import (
    Test,
    draw_alloy,
    draw_foreign,
    draw_full,
    draw_sampling,
    draw_symmetric,
)
from ccdmon.simulation.ladder.programs import titration, with_formation


def time_control(rng: np.random.Generator) -> Test:
    return draw_symmetric(rng, "time_control")


def capacity_control(rng: np.random.Generator) -> Test:
    return draw_symmetric(rng, "capacity_control")


def endurable_time(rng: np.random.Generator) -> Test:
    return draw_symmetric(rng, "endurable_time")


def long_cycling(rng: np.random.Generator) -> Test:
    return draw_symmetric(rng, "long_cycling")


def rests(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng, rest_s=float(rng.choice((120, 300, 900))), first_rest_s=600.0)
    test.converters = replace(test.converters, rests_without_current=bool(rng.uniform() < 0.5))
    return test


def thinning_rows(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    interval_s = test.sampling.interval_s
    test.sampling = replace(test.sampling, first_s=0.02 * interval_s, change_V=np.inf)
    return test


def formation(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng, "time_control")
    test.plan = with_formation(test.plan, float(rng.uniform(0.2, 0.5)), int(rng.integers(1, 4)))
    return test


def titration_test(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng, "long_cycling")
    current_A = abs(test.plan.steps[0].current_A)
    test.plan = titration(current_A, 600.0, float(rng.choice((300, 1200))), int(rng.integers(6, 12)), 2)
    test.sampling = replace(test.sampling, interval_s=float(rng.choice((10, 20, 30))))
    return test


def jolts(rng: np.random.Generator) -> Test:
    """The resistance is up by 5-60 % for some rows, as when a spring contact is touched; and back."""
    test = draw_symmetric(rng)
    end_s, interval_s = test.plan.duration_s, test.sampling.interval_s
    begins = rng.uniform(0.1, 0.95, int(rng.integers(2, 7))) * end_s
    lasts = interval_s * np.exp(rng.uniform(0, 3, len(begins)))
    sizes = 1 + np.exp(rng.uniform(np.log(0.05), np.log(0.6), len(begins)))

    def touch(cell: LadderCell) -> None:
        now = (begins <= cell.time_s) & (cell.time_s < begins + lasts)
        cell.jolt = float(sizes[now].max()) if now.any() else 1.0

    test.surroundings.append(touch)
    test.tolerated = ("contact_loss",)  # contact was lost, for some rows
    return test


def temperature(rng: np.random.Generator) -> Test:
    """A ramp of the chamber, up or down, at most 1 K a minute."""
    test = draw_symmetric(rng)
    end_s = test.plan.duration_s
    from_s, lasts_s = end_s * rng.uniform(0.1, 0.6), end_s * rng.uniform(0.1, 0.5)
    change_K = float(rng.choice((-1, 1))) * min(float(rng.uniform(5, 30)), lasts_s / 60)

    def follow(cell: LadderCell) -> None:
        cell.temperature_degC = 25.0 + change_K * min(max((cell.time_s - from_s) / lasts_s, 0.0), 1.0)

    test.surroundings.append(follow)
    test.converters = replace(test.converters, has_temperature=True)
    return test


def pressure_raised(rng: np.random.Generator) -> Test:
    """The stack is tightened to 1.5-3 times its pressure within a minute."""
    test = draw_symmetric(rng)
    at_s, raised = test.plan.duration_s * rng.uniform(0.2, 0.8), float(rng.uniform(1.5, 3.0))

    def tighten(cell: LadderCell) -> None:
        cell.relative_pressure = 1 + (raised - 1) * min(max((cell.time_s - at_s) / 60.0, 0.0), 1.0)

    test.surroundings.append(tighten)
    test.converters = replace(test.converters, has_pressure=True)
    return test


def interference(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    noise_V = test.converters.voltage_noise_V
    test.converters = replace(
        test.converters,
        hum_V=noise_V * float(rng.uniform(1, 6)),
        spikes_per_row=log_uniform(rng, 3e-4, 1e-2),
        spike_V=noise_V * log_uniform(rng, 10, 100),
    )
    return test


def longer_first(rng: np.random.Generator) -> Test:
    return draw_symmetric(rng, str(rng.choice(("time_control", "endurable_time"))), longer_first=2.0)


def gaps(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    test.converters = replace(test.converters, gaps=int(rng.integers(1, 6)), gap_rows=100)
    return test


def coarse(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    shortest_s = min(test.plan.steps[n].duration_s for n in test.plan.loaded)
    test.sampling = replace(test.sampling, interval_s=shortest_s / int(rng.integers(10, 21)), change_V=np.inf)
    return test


def alloy(rng: np.random.Generator) -> Test:
    return draw_alloy(rng)


def foreign(rng: np.random.Generator) -> Test:
    return draw_foreign(rng)


def full_rates(rng: np.random.Generator) -> Test:
    return draw_full(rng)


def full_held(rng: np.random.Generator) -> Test:
    return draw_full(rng, hold=True)


def full_olivine(rng: np.random.Generator) -> Test:
    return draw_full(rng, olivine=True)


def full_titration(rng: np.random.Generator) -> Test:
    test = draw_full(rng)
    current_A = abs(next(step for step in test.plan.steps if step.loaded).current_A)
    capacity_s = 3600 / 0.15
    test.plan = titration(current_A, 0.04 * capacity_s, 1800.0, int(rng.integers(10, 16)))
    test.sampling = draw_sampling(rng, test.plan, test.parameters.whole_ohm * current_A)
    return test
