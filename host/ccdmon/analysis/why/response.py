"""What temperature and pressure make of a cell's resistance: activation energy and exponent of the pressure, fitted.

Bulk and interface follow Arrhenius' law (review, section 3.5), the interface an inverse power of the pressure, 1/2 for
circular contacts (3.6). The logarithm of the level (V over I over the cell's linear response) is fitted over the test,
beside slow drifts: an interphase that grows with the root of time or its logarithm, a contact that conditions. What is
left wanders, so that neighbours count for less than they are.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ccd_fastcore import FILTERS
from ccdmon.analysis.arrhenius import inverse_eV
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.why.half_cycle_rows import Explained, HalfCycleRows, Joined
from ccdmon.analysis.why.points import Points, jumps, log_pressure, parts_of_half_cycles, points

LEAST_K, LEAST_PRESSURE = 3.0, 0.1  # that must change; relative
LEAST_SURE = 0.2  # relative error of what is told
TOGETHER = 0.95  # correlation of temperature and pressure
# Solid electrolytes and their interfaces have 25-80 kJ/mol (review, section 3.5), and contacts exponents of 0 to 1.
USUAL_eV, SPREAD_eV = 0.47, 0.15
USUAL_EXPONENT, SPREAD_EXPONENT = 0.35, 0.2
DRIFTS = (0.2, 0.15, 0.2)  # how large they may be, of ln R over the test
LAW = 0.03
SHARE = 0.15  # of the resistance, that one relaxation has
STEPS, PARTS = 30, (1.0, 0.5, 0.25, 0.1, 0.03)
SMALL = 1e-3  # of what a parameter may be: the fit moves no more
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
            if not (warms or tightens):
                return np.zeros(blocks.rows.size)
            warm = -energy_eV * inverse_eV(blocks.temperature_degC) if warms else 0.0
            tight = -exponent * log_pressure(blocks.pressure_Pa) if tightens else 0.0
            both = np.asarray(warm + tight + np.zeros(blocks.rows.size))
            return np.where(np.isfinite(both), both, 0.0)

        return of


def response(test: Sequence[HalfCycleRows], *, polymer: bool = False) -> Response:
    """Fit a test; what it does not tell is what is usual, with its spread."""
    degC = np.concatenate([h.blocks.temperature_degC for h in test] or [np.zeros(0)])
    log_P = np.concatenate([log_pressure(h.blocks.pressure_Pa) for h in test] or [np.zeros(0)])
    span_K, ratio = _span(degC), math.exp(min(_span(log_P), 50.0))
    usual = Response(USUAL_eV, SPREAD_eV, USUAL_EXPONENT, SPREAD_EXPONENT, span_K, ratio)
    rows = (
        points(test, jumps if polymer else parts_of_half_cycles)
        if span_K >= LEAST_K or ratio >= 1 + LEAST_PRESSURE
        else None
    )
    if rows is None or rows.time_s.size < 6:
        return usual
    nothing = np.zeros(rows.time_s.size)
    causes = (inverse_eV(rows.degC) if span_K > 0 else nothing, rows.log_P if ratio > 1 else nothing)
    x, errors = _fitted(rows, *causes)
    both = span_K >= LEAST_K and ratio >= 1 + LEAST_PRESSURE
    together = both and _alike(*causes)
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


def _fitted(rows: Points, inverse: Array, log_P: Array) -> tuple[Array, Array]:
    """Coefficients of temperature and pressure and their errors, from ln R = ln(linear response) + drifts + these.

    Gauss and Newton's steps with what is usual as a weak prior, and a covariance of neighbours that wanders.
    """
    t = (rows.time_s - rows.time_s[0]) / max(float(np.ptp(rows.time_s)), 1e-9)
    drifts = np.stack([np.sqrt(t), np.exp(-8 * t), np.log(1 + 20 * t) / math.log(21)], axis=1)
    shape = np.concatenate([np.ones((t.size, 1)), rows.filtered], axis=1)
    zeros = rows.direction / rows.relative_A  # an offset of V, or of I
    outer = np.column_stack([inverse, log_P, drifts, rows.direction, zeros, np.ones(t.size)])
    usual = [-USUAL_eV, -USUAL_EXPONENT, 0, 0, 0, 0, 0, middle(rows.ln_ohm), 0.7]
    center = np.array([*usual, *np.full(FILTERS, 0.3 / FILTERS)])
    # What is usual holds where the rows say nothing.
    prior_sd = np.array([SPREAD_eV, SPREAD_EXPONENT, *DRIFTS, 0.1, 0.1, 30.0, 0.05, *np.full(FILTERS, SHARE)])
    order = np.minimum.outer(np.arange(t.size), np.arange(t.size)).astype(float)
    whitening = np.linalg.inv(np.linalg.cholesky(WANDERS**2 * order + np.diag(NOISE**2 + rows.noise**2)))

    x, precision, scale = _descended(_Fit(rows.ln_ohm, outer, shape, whitening, center, prior_sd))
    errors = np.sqrt(scale * np.diag(np.linalg.inv(precision)))
    return x[:2], errors[:2]


@dataclass(frozen=True)
class _Fit:
    """ln R = `outer` @ x[:n] + ln(`shape` @ x[n:]), whitened; a weak prior of x."""

    ln_ohm: Array
    outer: Array
    shape: Array
    whitening: Array
    center: Array
    prior_sd: Array

    def linear(self, x: Array) -> Array:
        """The linear response at each point."""
        return np.asarray(np.maximum(self.shape @ x[self.outer.shape[1] :], 0.1))

    def off(self, x: Array) -> Array:
        """What is left."""
        told = self.outer @ x[: self.outer.shape[1]] + np.log(self.linear(x))
        return np.asarray(self.whitening @ (self.ln_ohm - told))

    def pulled(self, x: Array) -> Array:
        """How far from what is usual, in its standard deviations."""
        return np.asarray((x - self.center) / self.prior_sd)


def _descended(fit: _Fit) -> tuple[Array, Array, float]:
    """x, the inverse of its covariance, the variance of what is left: Gauss and Newton's steps, or parts of them."""
    x, scale, precision = fit.center.copy(), 1.0, np.eye(fit.center.size)
    for _ in range(STEPS):
        left = fit.off(x)
        X = fit.whitening @ np.concatenate([fit.outer, fit.shape / fit.linear(x)[:, None]], axis=1)
        precision = X.T @ X + np.diag(scale / fit.prior_sd**2)
        step = np.linalg.solve(precision, X.T @ left - scale * fit.pulled(x) / fit.prior_sd)
        misfit = [
            float(np.sum(fit.off(y) ** 2) + scale * np.sum(fit.pulled(y) ** 2))
            for y in (x, *(x + part * step for part in PARTS))
        ]
        better = next((p for p, m in zip(PARTS, misfit[1:], strict=True) if m < misfit[0]), 0.0)
        x = x + better * step
        left = fit.off(x)
        scale = max(float(left @ left) / left.size, 0.1)
        if np.max(np.abs(better * step) / fit.prior_sd) < SMALL:
            break
    return x, precision, scale
