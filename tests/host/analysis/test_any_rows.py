"""Dead, quantised, broken, empty: whatever the rows hold, the analysis answers, and warns of nothing on stderr."""

import warnings

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.model.trace import Cell, Trace

ROWS = 2400
CASES = 240


def drawn(case: int) -> tuple[Trace, float | None]:
    """Half-cycles of any length and size, with what a cycler, a wire or a dead cell makes of them."""
    rng = np.random.default_rng([case, 20])
    time_s = np.arange(float(ROWS))
    amperes, polarisation_V = 10.0 ** rng.uniform(-9, 1), rng.choice([0.0, 1e-6, 1e-4, 1e-3, 0.05, 1, 4, 10])
    half = int(rng.choice([10, 60, 100, 400, 2400]))
    configuration = str(rng.choice(["symmetric", "half", "full"]))
    current_A = np.where(time_s % (2 * half) < half, amperes, -amperes)
    if rng.random() < 0.2:
        current_A = np.abs(current_A)
    growth = 1 + rng.choice([0, 0, 0.3, 3]) * time_s / ROWS
    voltage_V = current_A / amperes * polarisation_V * growth
    if configuration == "full" and rng.random() < 0.7:
        voltage_V = voltage_V + 3.5
    if rng.random() < 0.5:
        voltage_V = voltage_V + rng.normal(size=ROWS) * rng.choice([1e-6, 1e-4, 1e-2])
    if step_V := rng.choice([0, 1e-3, 1e-1, 1]):
        voltage_V = np.round(voltage_V / step_V) * step_V
    for chance, column, values in (
        (0.4, voltage_V, [0, 10, -10, 1e-3]), (0.3, current_A, [0.0]), (0.2, voltage_V, [np.nan]),
    ):  # fmt: skip
        first, stop = sorted(rng.integers(0, ROWS, 2))
        if rng.random() < chance:
            column[first:stop] = rng.choice(values)
    area_cm2 = rng.choice([None, 1.0, 0.01])
    return Trace(time_s, voltage_V, current_A, cell=Cell(area_cm2, configuration)), area_cm2


@pytest.mark.parametrize("tenth", range(10))
def test_every_row_is_borne(tenth: int) -> None:
    for case in range(tenth, CASES, 10):
        trace, area_cm2 = drawn(case)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            document = analyze(trace, area_cm2=area_cm2)
        assert document["verdict"] in ("healthy", "suspect", "failed", "not_judged"), case


@pytest.mark.parametrize("amperes", [1e-320, 1e-304, 1e-30, 1e30, 1e300])
@pytest.mark.parametrize("volts", [0.0, 1e-310, 1e-3, 1e300])
def test_numbers_of_no_cell_end_nothing(amperes: float, volts: float) -> None:
    time_s = np.arange(2000.0)
    sign = np.where(time_s % 200 < 100, 1.0, -1.0)
    for configuration in ("symmetric", "half", "full"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            analyze(Trace(time_s, volts * sign, amperes * sign, cell=Cell(1.0, configuration)), area_cm2=1.0)
