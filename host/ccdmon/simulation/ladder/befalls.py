"""What befalls a cell of this world: a fault is placed in a test whose first half-cycles are sound."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ccdmon.simulation.draws import log_uniform
from ccdmon.simulation.ladder import faults
from ccdmon.simulation.ladder.cell import LadderCell
from ccdmon.simulation.ladder.draws import Test, draw_alloy, draw_foreign, draw_full, draw_symmetric
from ccdmon.simulation.ladder.faults import Fault

SHORTS = ("hard_short", "soft_short", "partial_short", "fake_stable")
Act = Callable[[LadderCell, float], None]


def _place(test: Test, rng: np.random.Generator, least: int = 4, last: int = 1) -> tuple[int, float]:
    """A loaded step after `least` sound ones and before the `last` ones, and s into it; one in six at its start."""
    loaded = test.plan.loaded
    step = loaded[int(rng.integers(min(least, len(loaded) - last - 1), len(loaded) - last))]
    inside = 0.0 if rng.uniform() < 1 / 6 else float(rng.uniform(0.05, 0.85))
    return step, inside * test.plan.steps[step].duration_s


def _befall(test: Test, kind: str, place: tuple[int, float], act: Act, **more: object) -> Test:
    test.fault = Fault(kind, *place, act, **more)  # type: ignore[arg-type]  # its own optional fields
    return test


def _half_s(test: Test) -> float:
    return float(np.median([test.plan.steps[n].duration_s for n in test.plan.loaded]))


def hard(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    act = faults.leak(faults.constant(log_uniform(rng, 15, 500), rng))
    return _befall(test, "hard_short", _place(test, rng), act)


def hard_staircase(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    shares = (*(0.5 * 2.5**k for k in range(5)), log_uniform(rng, 30, 300))
    every_s = test.sampling.interval_s * log_uniform(rng, 0.5, 5.0)
    act = faults.leak(faults.staircase(shares, every_s))
    return _befall(test, "hard_short", _place(test, rng), act, accept=("fake_stable",), settles_s=6 * every_s)


def hard_in_rest(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng, rest_s=float(rng.choice((120, 300, 900))))
    step, _ = _place(test, rng)
    act = faults.leak(faults.constant(log_uniform(rng, 15, 500), rng))
    return _befall(test, "hard_short", (step - 1, 0.5 * test.plan.steps[step - 1].duration_s), act)


def partial(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    most = 0.9 * test.parameters.ohmic_ohm / test.parameters.whole_ohm
    act = faults.bridge(min(float(rng.uniform(0.15, 0.5)), most))
    return _befall(test, "partial_short", _place(test, rng), act, ends_ramp=False)


def soft_switching(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    interval_s, half_s = test.sampling.interval_s, _half_s(test)
    depth = float(rng.uniform(0.1, 0.6))
    lasts_s = half_s * log_uniform(rng, 0.5, 2.0) if rng.uniform() < 0.7 else np.inf
    on_s, off_s = interval_s * log_uniform(rng, 1, 8), interval_s * log_uniform(rng, 1, 12)
    act = faults.leak(faults.switching(depth / (1 - depth), on_s, off_s, lasts_s, rng))
    return _befall(test, "soft_short", _place(test, rng, last=3), act)


def soft_oscillating(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    half_s, interval_s = _half_s(test), test.sampling.interval_s
    depth = float(rng.uniform(0.15, 0.6))
    period_s = max(half_s * log_uniform(rng, 0.05, 0.3), 6 * interval_s)
    lasts_s = half_s * log_uniform(rng, 0.8, 3.0) if rng.uniform() < 0.7 else np.inf
    act = faults.leak(faults.oscillating(depth / (1 - depth), period_s, lasts_s))
    return _befall(test, "soft_short", _place(test, rng, last=3), act)


def soft_dip(rng: np.random.Generator) -> Test:
    """One leak that heals within the half-cycle, some rows long."""
    test = draw_symmetric(rng)
    step, _ = _place(test, rng, last=3)
    duration_s, depth = test.plan.steps[step].duration_s, float(rng.uniform(0.2, 0.8))
    lasts_s = max(6 * test.sampling.interval_s, 0.2 * duration_s * float(rng.uniform(0.3, 1.0)))
    shape = faults.ending(faults.constant(depth / (1 - depth), rng), lasts_s)
    place = (step, duration_s * float(rng.uniform(0.15, 0.5)))
    return _befall(test, "soft_short", place, faults.leak(shape), accept=("partial_short",))


def leak_power_law(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    loaded = test.plan.loaded
    step = loaded[int(len(loaded) * rng.uniform(0.25, 0.5))]
    left_s = sum(s.duration_s for s in test.plan.steps[step:])
    shape = faults.power_law(
        log_uniform(rng, 8, 150), left_s * float(rng.uniform(0.5, 0.9)), float(rng.uniform(1, 3))
    )
    accept = ("hard_short", "soft_short")
    return _befall(test, "fake_stable", (step, 0.0), faults.leak(shape), accept=accept, tells_share=1.0)


def leak_staircase(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    loaded = test.plan.loaded
    step = loaded[int(len(loaded) * rng.uniform(0.25, 0.5))]
    left_s = sum(s.duration_s for s in test.plan.steps[step:])
    count = int(rng.integers(5, 12))
    shares = tuple(
        log_uniform(rng, 8, 80) ** (k / (count - 1)) * 0.15 ** (1 - k / (count - 1)) for k in range(count)
    )
    act = faults.leak(faults.staircase(tuple(sorted(shares)), left_s / (count + 2)))
    accept = ("hard_short", "soft_short", "partial_short")
    return _befall(test, "fake_stable", (step, 0.0), act, accept=accept, tells_share=1.0)


def leak_from_start(rng: np.random.Generator) -> Test:
    """0.02-0.4 ohm cm2: less than any solid electrolyte of whatever thickness has; on a cycler that can tell."""
    test = draw_symmetric(rng)
    left_ohm_cm2 = log_uniform(rng, 0.02, 0.4)
    share = test.parameters.whole_ohm * test.parameters.area_cm2 / left_ohm_cm2
    least_V = left_ohm_cm2 * test.plan.levels_mA_cm2[0] * 1e-3
    noise_V, step_V = (0.3 * least_V, 0.1 * least_V)
    test.converters = replace(
        test.converters, voltage_noise_V=noise_V, voltage_step_V=step_V, voltage_offset_V=noise_V
    )
    return _befall(
        test,
        "hard_short",
        (0, 0.0),
        faults.leak(faults.constant(share)),
        accept=("fake_stable", "soft_short"),
    )


def contact_relief(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng, str(rng.choice(("time_control", "endurable_time", "long_cycling"))))
    half_s, most = _half_s(test), max(test.plan.levels_mA_cm2)
    lost = most * half_s / 3600 * log_uniform(rng, 0.5, 3.0)
    test.parameters = replace(test.parameters, supply_mA_cm2=1.3 * most, contact_mAh_cm2=lost)
    step, after_s = _place(test, rng, last=max(2, len(test.plan.loaded) // 3))
    act = faults.relief(float(rng.uniform(0.02, 0.15)), half_s * log_uniform(rng, 0.1, 2.0))
    return _befall(test, "contact_loss", (step, after_s), act, accept=("limit",))


def opened_cell(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    return _befall(test, "contact_loss", _place(test, rng), faults.opened, accept=("limit", "sensor_fault"))


def lead_off(rng: np.random.Generator) -> Test:
    test = draw_symmetric(rng)
    test.lead_off = True
    return _befall(
        test, "sensor_fault", _place(test, rng), _nothing, accept=("contact_loss", "limit"), ends_ramp=False
    )


def _nothing(cell: LadderCell, since_s: float) -> None:
    pass


def alloy_hard(rng: np.random.Generator) -> Test:
    test = draw_alloy(rng)
    act = faults.leak(faults.constant(log_uniform(rng, 30, 1000), rng))
    return _befall(test, "hard_short", _place(test, rng), act)


def foreign_hard(rng: np.random.Generator) -> Test:
    test = draw_foreign(rng)
    act = faults.leak(faults.constant(log_uniform(rng, 15, 500), rng))
    return _befall(test, "hard_short", _place(test, rng, last=3), act)


def foreign_soft(rng: np.random.Generator) -> Test:
    test = draw_foreign(rng)
    interval_s, depth = test.sampling.interval_s, float(rng.uniform(0.2, 0.6))
    shape = faults.switching(depth / (1 - depth), 4 * interval_s, 5 * interval_s, 1.5 * _half_s(test), rng)
    return _befall(
        test, "soft_short", _place(test, rng, last=4), faults.leak(shape), accept=("partial_short",)
    )


def full_hard(rng: np.random.Generator) -> Test:
    test = draw_full(rng)
    act = faults.leak(faults.constant(log_uniform(rng, 3, 200), rng))
    return _befall(test, "hard_short", _place(test, rng, least=2, last=2), act)


def full_micro(rng: np.random.Generator) -> Test:
    """Drops of 20-100 mV for some rows each, a dozen of them (arXiv 2506.13394 and 2505.14283: 20-80 mV)."""
    test = draw_full(rng, rates=2, slowest=0.5)
    interval_s = float(rng.choice((5, 10, 20)))
    test.sampling = replace(test.sampling, interval_s=interval_s, change_V=np.inf)
    drop_V = log_uniform(rng, 0.02, 0.1)
    on_s, off_s = interval_s * log_uniform(rng, 1.5, 4), interval_s * log_uniform(rng, 10, 30)
    shape = faults.switching(drop_V / (3.7 - drop_V), on_s, off_s, 12 * (on_s + off_s), rng)
    place = _place(test, rng, least=2, last=1)
    return _befall(test, "soft_short", place, faults.leak(shape), accept=("partial_short",))


def full_endless(rng: np.random.Generator) -> Test:
    """The leak eats the charging current before the upper voltage is reached; the step goes on for hours."""
    test = draw_full(rng)
    charges = [n for n in test.plan.loaded[2:] if test.plan.steps[n].current_A > 0]
    step = charges[int(rng.integers(len(charges)))]
    eaten = test.plan.steps[step].current_A / float(rng.uniform(3.7, 4.0))  # S
    steps = tuple(
        replace(s, duration_s=2.0 * s.duration_s) if n == step else s for n, s in enumerate(test.plan.steps)
    )
    test.plan = replace(test.plan, steps=steps)
    act = faults.leak(faults.constant(eaten * test.parameters.whole_ohm))
    place = (step, 0.1 * steps[step].duration_s)
    return _befall(test, "soft_short", place, act, accept=SHORTS, settles_s=0.7 * steps[step].duration_s)


def full_sag(rng: np.random.Generator) -> Test:
    """After charges the cell rests for two hours and discharges itself by 4-40 % of its capacity."""
    test = draw_full(rng, rest_s=7200.0)
    after_charge = [
        after
        for before, after in pairwise(range(len(test.plan.steps)))
        if test.plan.steps[before].current_A > 0 and before > 4
    ]
    step = after_charge[int(rng.integers(len(after_charge)))]
    first_A = abs(next(s for s in test.plan.steps if s.loaded).current_A)
    share = first_A * log_uniform(rng, 0.2, 1.0) / 4.0 * test.parameters.whole_ohm
    act = faults.leak(faults.constant(share))
    place = (step, float(rng.uniform(0.0, 0.3)) * 7200)
    return _befall(test, "soft_short", place, act, accept=SHORTS, settles_s=5000.0)


def full_opened(rng: np.random.Generator) -> Test:
    test = draw_full(rng)
    place = _place(test, rng, least=2, last=2)
    return _befall(test, "contact_loss", place, faults.opened, accept=("limit", "sensor_fault"))
