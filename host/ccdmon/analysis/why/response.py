"""What temperature and pressure make of a cell's resistance: activation energy and exponent of the pressure, fitted.

Bulk and interface follow Arrhenius' law (review, section 3.5), the interface an inverse power of the pressure, 1/2 for
circular contacts (3.6). The logarithm of the level (V over I over the cell's linear response) is fitted over the test,
beside slow drifts: an interphase that grows with the root of time or its logarithm, a contact that conditions. What is
left wanders, so that neighbours count for less than they are.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ccdmon.analysis.judgement import BOLTZMANN_eV_K
from ccdmon.analysis.level.shape import TAU_s
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.why.half_cycle_rows import Explained, HalfCycleRows, Joined

KELVIN = 273.15
ROOM_K = 25.0 + KELVIN
POINTS = 240  # of a test, at most
LEAST_K, LEAST_PRESSURE = 3.0, 0.1  # that must change; relative
LEAST_SURE = 0.2  # relative error of what is told
TOGETHER = 0.95  # correlation of temperature and pressure
# Solid electrolytes and their interfaces have 25-80 kJ/mol (review, section 3.5), and contacts exponents of 0 to 1.
USUAL_eV, SPREAD_eV = 0.47, 0.15
USUAL_EXPONENT, SPREAD_EXPONENT = 0.35, 0.2
DRIFTS = (0.2, 0.15, 0.2)  # how large they may be, of ln R over the test
EARLY = 0.1  # of a half-cycle
LAW = 0.03
SHARE = 0.15  # of the resistance, that one relaxation has
STEPS = 5
WANDERS, NOISE = 0.004, 0.003  # of ln R: from point to point, and of each alone


@dataclass(frozen=True)
class Response:
    """Activation energy in eV and exponent of the pressure (R goes with P to its negative), with standard errors."""

    activation_eV: float
    activation_error_eV: float
    exponent: float
    exponent_error: float
    span_K: float  # the temperature moved by so much, 0 where it is not known
    pressure_ratio: float  # largest over least, 1 where it is not known
    together: bool = False  # both moved at once: nobody can tell which did it

    @property
    def knows_temperature(self) -> bool:
        """Did the test tell it, and not what is usual?"""
        sure = self.activation_error_eV < LEAST_SURE * self.activation_eV
        return self.span_K >= LEAST_K and sure and not self.together

    @property
    def knows_pressure(self) -> bool:
        """As of the temperature."""
        return self.pressure_ratio >= 1 + LEAST_PRESSURE and not self.together

    def explained(self) -> Explained:
        """Logarithm of what temperature and pressure make of the resistance of blocks."""

        warms, tightens = self.span_K >= LEAST_K, self.pressure_ratio >= 1 + LEAST_PRESSURE
        energy_eV, exponent = np.clip((self.activation_eV, self.exponent), (0.1, 0.0), (0.9, 1.0))

        def of(blocks: Joined) -> Array:
            warm = -energy_eV * inverse_eV(blocks.temperature_degC) if warms else 0.0
            tight = -exponent * _log(blocks.pressure_Pa) if tightens else 0.0
            both = np.asarray(warm + tight + np.zeros(blocks.rows.size))
            return np.where(np.isfinite(both), both, 0.0)

        return of


def response(test: Sequence[HalfCycleRows]) -> Response:
    """Fit a test; what it does not tell is what is usual, with its spread."""
    degC = np.concatenate([h.blocks.temperature_degC for h in test] or [np.zeros(0)])
    log_P = np.concatenate([_log(h.blocks.pressure_Pa) for h in test] or [np.zeros(0)])
    span_K, ratio = _span(degC), math.exp(min(_span(log_P), 50.0))
    usual = Response(USUAL_eV, SPREAD_eV, USUAL_EXPONENT, SPREAD_EXPONENT, span_K, ratio)
    rows = _points(test) if span_K >= LEAST_K or ratio >= 1 + LEAST_PRESSURE else None
    if rows is None or rows.time_s.size < 6:
        return usual
    nothing = np.zeros(rows.time_s.size)
    moved = (inverse_eV(rows.degC) if span_K > 0 else nothing, rows.log_P if ratio > 1 else nothing)
    x, errors = _fitted(rows, *moved)
    both = span_K >= LEAST_K and ratio >= 1 + LEAST_PRESSURE
    together = both and _alike(*moved)
    # One law for bulk and interface together is no better than that.
    (energy, exponent), (of_energy, of_exponent) = (-x).tolist(), np.hypot(errors, LAW * x).tolist()
    return Response(energy, of_energy, exponent, of_exponent, span_K, ratio, together)


def _span(column: Array) -> float:
    """Largest less least; 0 where it is not known everywhere."""
    return float(np.ptp(column)) if column.size and np.isfinite(column).all() else 0.0


def _alike(a: Array, b: Array) -> bool:
    """Do both move together?"""
    a, b = a - a.mean(), b - b.mean()
    return bool(abs(a @ b) > TOGETHER * math.sqrt((a @ a) * (b @ b)))


def inverse_eV(degC: Array) -> Array:
    """1/kT at 25 degC less that at T, per eV: rises with the temperature."""
    return np.asarray((1 / ROOM_K - 1 / (degC + KELVIN)) / BOLTZMANN_eV_K)


def _log(pressure_Pa: Array) -> Array:
    """Logarithm of the pressure over 1 MPa; NaN where there is none."""
    return np.asarray(np.log(np.where(pressure_Pa > 0, pressure_Pa, np.nan) / 1e6))


@dataclass(frozen=True)
class _Points:
    """A number each: parts of half-cycles; `filtered` has a column for each filter."""

    time_s: Array
    ln_ohm: Array
    filtered: Array
    degC: Array
    log_P: Array
    noise: Array  # of ln_ohm, standard deviation
    direction: Array  # the current's sign
    relative_A: Array  # the current's size over the least


def _points(test: Sequence[HalfCycleRows]) -> _Points | None:
    """Parts of the half-cycles, their first tenth left out."""
    parts = max(1, min(4, POINTS // max(len(test), 1)))
    which = np.unique(np.linspace(0, max(len(test) - 1, 0), min(len(test), POINTS)).astype(int))
    found = []
    for h in (test[k] for k in which):
        late = np.flatnonzero(h.middle_s > EARLY * h.lasts_s)
        for places in np.array_split(late, parts):
            if places.size and (ohm := float(np.mean(h.ohm[places]))) > 0:
                means = (
                    h.middle_s + h.stretch.start_s,
                    h.blocks.temperature_degC,
                    _log(h.blocks.pressure_Pa),
                )
                time_s, degC, log_P = (float(np.mean(x[places])) for x in means)
                noise = (
                    h.stretch.noise_V
                    / abs(h.stretch.current_A)
                    / ohm
                    / math.sqrt(h.blocks.rows[places].sum())
                )
                found.append(
                    (
                        time_s,
                        math.log(ohm),
                        np.mean(h.filtered[places], axis=0),
                        degC,
                        log_P,
                        noise,
                        float(h.stretch.sign),
                        abs(h.stretch.current_A),
                    )
                )
    if not found:
        return None
    points = _Points(*map(np.array, zip(*found, strict=True)))
    return replace(points, relative_A=points.relative_A / points.relative_A.min())


def _fitted(rows: _Points, inverse: Array, log_P: Array) -> tuple[Array, Array]:
    """Coefficients of temperature and pressure and their errors, from ln R = ln(linear response) + drifts + these.

    Gauss and Newton's steps with what is usual as a weak prior, and a covariance of neighbours that wanders.
    """
    t = (rows.time_s - rows.time_s[0]) / max(float(np.ptp(rows.time_s)), 1e-9)
    drifts = np.stack([np.sqrt(t), np.exp(-8 * t), np.log(1 + 20 * t) / math.log(21)], axis=1)
    shape = np.concatenate([np.ones((t.size, 1)), rows.filtered], axis=1)
    zeros = rows.direction / rows.relative_A  # an offset of V, or of I
    outer = np.column_stack([inverse, log_P, drifts, rows.direction, zeros, np.ones(t.size)])
    n = outer.shape[1]
    usual = [-USUAL_eV, -USUAL_EXPONENT, 0, 0, 0, 0, 0, middle(rows.ln_ohm), 0.7]
    center = np.array([*usual, *np.full(TAU_s.size, 0.3 / TAU_s.size)])
    # What is usual holds where the rows say nothing.
    prior_sd = np.array(
        [SPREAD_eV, SPREAD_EXPONENT, *DRIFTS, 0.1, 0.1, 30.0, 0.05, *np.full(TAU_s.size, SHARE)]
    )
    order = np.minimum.outer(np.arange(t.size), np.arange(t.size)).astype(float)
    whitening = np.linalg.inv(np.linalg.cholesky(WANDERS**2 * order + np.diag(NOISE**2 + rows.noise**2)))
    x, scale, precision = center.copy(), 1.0, np.eye(center.size)
    for _ in range(STEPS):
        linear = np.maximum(shape @ x[n:], 0.1)
        left = whitening @ (rows.ln_ohm - outer @ x[:n] - np.log(linear))
        X = whitening @ np.concatenate([outer, shape / linear[:, None]], axis=1)
        precision = X.T @ X + np.diag(scale / prior_sd**2)
        x = x + np.linalg.solve(precision, X.T @ left - scale / prior_sd**2 * (x - center))
        scale = max(float(left @ left) / t.size, 0.1)
    errors = np.sqrt(scale * np.diag(np.linalg.inv(precision)))
    return x[:2], errors[:2]
