"""The cell's own circuit: a series resistance, depressed arcs, the inductance of the wiring; fitted to one spectrum.

An arc is R / (1 + (j omega tau)^a): a resistance beside a constant phase element, whose capacity is tau / R. How many
there are, and where, a non-negative least squares over RC elements on a grid of times tells; the fit then moves them.
An arc belongs to the electrolyte if its capacity is that of grains and their boundaries, to the tail if it ends below
the lowest frequency, else to the interfaces. Raises ImportError without scipy (extra `circuits`).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares, nnls

from ccdmon.analysis.impedance.comparison import ELECTROLYTE_CAPACITY_F
from ccdmon.analysis.impedance.kramers_kronig import linear_fit
from ccdmon.model.spectrum import ComplexArray, Spectrum
from ccdmon.model.trace import FloatArray

Mask = npt.NDArray[np.bool_]
PER_DECADE = 8  # of the grid of times
LEAST_SHARE = 0.01  # of the whole resistance: less is no arc
MOST_ARCS = 5
LEAST_OHM = 1e-6  # of the largest |Z|: less is none
EXPONENTS = (0.5, 1.0)
# Interfaces and grain boundaries have 0.8 to 1: what the rows do not decide of a flat arc, this does. Slower ones than
# that may be of diffusion, which has 0.5 and more.
FAST, SLOW, SLOW_FROM_s = (0.92, 0.08), (0.75, 0.15), 1.0
TAIL = 1.0  # an arc this many times slower than the lowest frequency is seen in part


@dataclass(frozen=True)
class Arcs:
    """`ohm`, `tau_s`, `exponent` of each arc, fastest first.

    `covariance`: of the logarithms of the resistances, the series' first.
    """

    series_ohm: float
    inductance_H: float
    ohm: FloatArray
    tau_s: FloatArray
    exponent: FloatArray
    covariance: FloatArray
    rms: float  # of the residuals, relative to |Z|, real and imaginary parts together
    bic: float
    lowest_Hz: float

    @property
    def capacity_F(self) -> FloatArray:
        """Of each arc."""
        return self.tau_s / self.ohm

    @property
    def tail(self) -> Mask:
        """Which arcs end below the lowest frequency."""
        return np.asarray(2 * math.pi * self.lowest_Hz * self.tau_s > TAIL)

    @property
    def electrolyte(self) -> Mask:
        """Which arcs are the electrolyte's."""
        return np.asarray((self.capacity_F < ELECTROLYTE_CAPACITY_F) & ~self.tail)

    @property
    def interface(self) -> Mask:
        """Which arcs are the interfaces'."""
        return np.asarray(~self.tail & ~self.electrolyte)

    def sum_of(self, which: Mask, *, series: bool = False) -> tuple[float, float]:
        """Resistance of these arcs, with the series resistance or without, and its error, ohm."""
        values = np.concatenate([[self.series_ohm if series else 0.0], self.ohm * which])
        return float(values.sum()), float(np.sqrt(max(values @ self.covariance @ values, 0.0)))


def arcs_ohm(omega: FloatArray, ohm: FloatArray, tau_s: FloatArray, exponent: FloatArray) -> ComplexArray:
    """Shape (frequencies, arcs)."""
    return np.asarray(ohm / (1 + (1j * omega[:, None] * tau_s) ** exponent))


def relative(found: ComplexArray, measured: ComplexArray) -> FloatArray:
    """Residuals over |Z|: real parts, then imaginary."""
    off = (found - measured) / np.maximum(np.abs(measured), 1e-300)
    return np.concatenate([off.real, off.imag])


def criterion(residuals: FloatArray, parameters: int) -> float:
    """Bayes' information criterion of errors of unknown size; 1e-4 of |Z| is as good as any instrument."""
    n = residuals.size
    return float(n * math.log(float(np.mean(residuals**2)) + 1e-8) + parameters * math.log(n))


def fit_arcs(spectrum: Spectrum) -> Arcs:
    """The circuit that fits best for its number of parameters. Raises ValueError where there is no arc."""
    return fits_of_arcs(spectrum)[0]


def fits_of_arcs(spectrum: Spectrum) -> list[Arcs]:
    """Circuits of different numbers of arcs, the best for its number of parameters first; at least one."""
    omega, z = 2 * np.pi * spectrum.frequency_Hz, spectrum.impedance_ohm
    series, ohm, tau = _on_grid(omega, z)
    found: list[Arcs] = []
    for count in range(min(len(ohm), MOST_ARCS), 0, -1):
        while len(ohm) > count:
            ohm, tau = _merged(ohm, tau)
        fit = _fitted(spectrum, series, ohm, tau)
        found.append(fit)
        if fit.bic > min(f.bic for f in found) + 50:
            break
        series, ohm, tau = max(fit.series_ohm, 1e-9 * float(np.abs(z).max())), fit.ohm, fit.tau_s
    if not found:
        raise ValueError("no arc in this spectrum")
    return sorted(found, key=lambda f: f.bic)


def _on_grid(omega: FloatArray, z: ComplexArray) -> tuple[float, FloatArray, FloatArray]:
    """Series resistance, and resistances and times of the groups of neighbours on the grid that carry any."""
    low, high = math.log10(0.2 / omega.max()), math.log10(20 / omega.min())
    tau = np.logspace(low, high, int(PER_DECADE * (high - low)) + 1)
    columns = np.concatenate(
        [np.ones((omega.size, 1)), 1 / (1 + 1j * omega[:, None] * tau), 1j * omega[:, None] / omega.max()],
        axis=1,
    )
    size = np.maximum(np.abs(z), 1e-300)
    matrix, wanted = columns / size[:, None], z / size
    values, _ = nnls(
        np.concatenate([matrix.real, matrix.imag]), np.concatenate([wanted.real, wanted.imag]), maxiter=10_000
    )
    ladder = values[1:-1]
    carries = np.flatnonzero(ladder > 1e-6 * ladder.sum()) if ladder.any() else np.zeros(0, dtype=int)
    groups = np.split(carries, np.flatnonzero(np.diff(carries) > 3) + 1) if carries.size else []
    kept = [g for g in groups if ladder[g].sum() > LEAST_SHARE * float(values[:-1].sum())]
    ohm = np.array([ladder[g].sum() for g in kept])
    times = np.array([math.exp(float(np.average(np.log(tau[g]), weights=ladder[g]))) for g in kept])
    return float(values[0]), ohm, times


def _merged(ohm: FloatArray, tau: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One arc fewer: the smallest joins its nearer neighbour."""
    k = int(np.argmin(ohm))
    near = min((j for j in (k - 1, k + 1) if 0 <= j < len(ohm)), key=lambda j: abs(math.log(tau[j] / tau[k])))
    first, last = min(k, near), max(k, near)
    together = ohm[first] + ohm[last]
    time = math.exp((ohm[first] * math.log(tau[first]) + ohm[last] * math.log(tau[last])) / together)
    return (
        np.concatenate([ohm[:first], [together], ohm[last + 1 :]]),
        np.concatenate([tau[:first], [time], tau[last + 1 :]]),
    )


@dataclass(frozen=True)
class Layout:
    """Where what is in the fit's vector: logarithms of series resistance, resistances, times; exponents; log of L."""

    arcs: int
    wired: bool

    def parts(self, x: FloatArray) -> tuple[float, FloatArray, FloatArray, FloatArray, float]:
        """Series resistance, resistances, times, exponents, inductance."""
        n = self.arcs
        henry = math.exp(x[-1]) if self.wired else 0.0
        return (
            math.exp(x[0]),
            np.exp(x[1 : n + 1]),
            np.exp(x[n + 1 : 2 * n + 1]),
            x[2 * n + 1 : 3 * n + 1],
            henry,
        )

    def vector(
        self, series: float, ohm: FloatArray, tau: FloatArray, exponent: float | FloatArray, henry: float
    ) -> FloatArray:
        """One of a start, or of a bound."""
        logs = [[math.log(series)], np.log(ohm), np.log(tau), np.broadcast_to(exponent, self.arcs)]
        return np.concatenate([*logs, [math.log(henry)] * self.wired])

    def bounds(self, most_ohm: float) -> tuple[FloatArray, FloatArray]:
        """Of a vector, for a spectrum whose largest |Z| this is."""
        least, one = LEAST_OHM * most_ohm, np.ones(self.arcs)
        low = self.vector(least, least * one, 1e-11 * one, EXPONENTS[0], 1e-13)
        return low, self.vector(2 * most_ohm, 100 * most_ohm * one, 1e8 * one, EXPONENTS[1], 1.0)


def usual_exponents(spectrum: Spectrum, tau_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What is usual of the exponent of each arc, and how hard it pulls, beside residuals of this spectrum."""
    usual, spread = np.where(tau_s[:, None] < SLOW_FROM_s, FAST, SLOW).T
    return usual, max(linear_fit(spectrum).rms, 1e-4) / spread


def _fitted(spectrum: Spectrum, series: float, ohm: FloatArray, tau: FloatArray) -> Arcs:
    omega, z = 2 * np.pi * spectrum.frequency_Hz, spectrum.impedance_ohm
    n, most = len(ohm), float(np.abs(z).max())
    least = LEAST_OHM * most
    layout = Layout(n, bool(z[0].imag > 0))  # the wiring shows, or is left out
    size = np.maximum(np.abs(z), 1e-300)[:, None]
    usual, pull = usual_exponents(spectrum, tau)
    pulled = np.zeros((n, 3 * n + 1 + layout.wired))
    pulled[:, 2 * n + 1 : 3 * n + 1] = np.diag(pull)

    def residuals(x: FloatArray) -> FloatArray:
        r0, r, t, a, henry = layout.parts(x)
        off = relative(r0 + 1j * omega * henry + arcs_ohm(omega, r, t, a).sum(axis=1), z)
        return np.concatenate([off, pull * (a - usual)])

    def slopes(x: FloatArray) -> FloatArray:
        r0, r, t, a, henry = layout.parts(x)
        log = np.log(1j * omega[:, None] * t)
        power = np.exp(a * log)
        arcs = r / (1 + power)
        bend = -arcs * power / (1 + power)
        columns = [np.full((omega.size, 1), r0 + 0j), arcs, bend * a, bend * log]
        columns += [1j * omega[:, None] * henry] if layout.wired else []
        both = np.concatenate(columns, axis=1) / size
        return np.concatenate([both.real, both.imag, pulled])

    start = layout.vector(
        max(series, 10 * least), np.maximum(ohm, least), tau, 0.93, max(z[0].imag / omega[0], 1e-12)
    )
    low, high = layout.bounds(most)
    found = least_squares(
        residuals, np.clip(start, low + 1e-6, high - 1e-6), slopes, (low, high), x_scale="jac", ftol=1e-6, xtol=1e-5,
        max_nfev=60,
    )  # fmt: skip
    r0, r, t, a, henry = layout.parts(found.x)
    order, off = np.argsort(t), found.fun[:-n]
    places = np.concatenate([[0], 1 + order])
    return Arcs(
        r0 if r0 > 3 * least else 0.0, henry, r[order], t[order], a[order],
        covariance(found)[np.ix_(places, places)], float(np.sqrt(np.mean(off**2))), criterion(off, found.x.size),
        float(spectrum.frequency_Hz[-1]),
    )  # fmt: skip


def covariance(found: Any) -> FloatArray:
    """Of a fit's parameters, from its Jacobian and what is left."""
    free = max(found.fun.size - found.x.size, 1)
    inverse = np.linalg.pinv(found.jac.T @ found.jac, rcond=1e-12)
    return np.asarray(inverse * float(found.fun @ found.fun) / free)
