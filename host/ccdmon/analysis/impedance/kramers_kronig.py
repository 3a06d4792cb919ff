"""Linear Kramers-Kronig test: can any linear, causal, stable cell have given this spectrum?

A ladder of RC elements with fixed time constants obeys the relations by construction; if it fits, so does the
spectrum. The fit is linear least squares (Boukamp, J. Electrochem. Soc. 142 (1995) 1885). How many elements
follows Schönleber, Klotz and Ivers-Tiffée, Electrochim. Acta 131 (2014) 20: add elements until the negative
resistances, the sign of fitting noise, weigh more than 15 % of the positive ones (mu < 0.85).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.model.spectrum import ComplexArray, Spectrum
from ccdmon.model.trace import FloatArray

MU_LIMIT = 0.85
# With fewer elements mu is small because the ladder is too coarse, not because it fits noise.
FEWEST_PER_DECADE = 2
MOST_PER_DECADE = 6
FEWEST_POINTS = 6


@dataclass(frozen=True)
class LinearFit:
    """The ladder's answer. `residuals` are relative to |Z|, complex, shape (points,); resistances in ohm."""

    fitted_ohm: ComplexArray
    residuals: ComplexArray
    dc_ohm: float  # series resistance plus all elements: the extrapolation to 0 Hz
    elements: int
    mu: float

    @property
    def rms(self) -> float:
        """Root mean square of real and imaginary residuals together, relative to |Z|."""
        both = np.concatenate([self.residuals.real, self.residuals.imag])
        return float(np.sqrt(np.mean(both**2)))


def linear_fit(spectrum: Spectrum) -> LinearFit:
    """Fit the ladder, an inductance and a series capacity. Needs at least 6 points (ValueError)."""
    if len(spectrum) < FEWEST_POINTS:
        raise ValueError(
            f"{len(spectrum)} points are too few for a Kramers-Kronig test, {FEWEST_POINTS} are needed"
        )
    decades = np.log10(spectrum.frequency_Hz[0] / spectrum.frequency_Hz[-1])
    most = max(3, min(int(MOST_PER_DECADE * decades), len(spectrum) - 3))
    fewest = min(max(3, int(FEWEST_PER_DECADE * decades)), most)
    best = _ladder(spectrum, fewest)
    for elements in range(fewest + 1, most + 1):
        fit = _ladder(spectrum, elements)
        best = fit if fit.rms < best.rms else best
        if fit.mu < MU_LIMIT:
            break
    return best


def _ladder(spectrum: Spectrum, elements: int) -> LinearFit:
    omega = 2 * np.pi * spectrum.frequency_Hz
    taus = np.logspace(np.log10(1 / omega.max()), np.log10(1 / omega.min()), elements)
    columns = [np.ones_like(omega) + 0j, *(1 / (1 + 1j * omega * tau) for tau in taus)]
    columns += [1j * omega / omega.max(), omega.min() / (1j * omega)]
    matrix = np.stack(columns, axis=1)
    size = np.abs(spectrum.impedance_ohm)
    size = np.where(size > 0, size, 1.0)
    values = _solve(matrix / size[:, None], spectrum.impedance_ohm / size)
    fitted = np.asarray(matrix @ values, dtype=np.complex128)
    ladder = values[1 : 1 + elements]
    positive = float(ladder[ladder >= 0].sum())
    mu = 1 - float(-ladder[ladder < 0].sum()) / positive if positive > 0 else 0.0
    residuals = (spectrum.impedance_ohm - fitted) / size
    return LinearFit(fitted, residuals, float(values[: 1 + elements].sum()), elements, mu)


def _solve(matrix: npt.NDArray[Any], wanted: ComplexArray) -> FloatArray:
    """Real coefficients that fit real and imaginary part at once."""
    stacked = np.concatenate([matrix.real, matrix.imag])
    target = np.concatenate([wanted.real, wanted.imag])
    return np.asarray(np.linalg.lstsq(stacked, target, rcond=1e-12)[0], dtype=np.float64)
