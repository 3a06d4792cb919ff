"""Impedance spectra of a simulated cell: the pair before and after a test that tells a fake stable cell.

Review (Adv. Funct. Mater. 2021, 31, 2009925), section 2.3.2: spectra are compared at one (room) temperature.
A leak lies parallel to everything, so it shunts bulk and interface arcs alike.
"""

import copy
import math

import numpy as np

from ccdmon.model.spectrum import ComplexArray, Spectrum
from ccdmon.model.trace import FloatArray
from ccdmon.simulation.physics import CellModel

# Share of the grain boundaries in the bulk, and capacities per area of both: some 10 pF and 10 nF, so that
# their arcs lie at or above the upper end of a usual scan unless the bulk is very resistive.
_GRAIN_BOUNDARY_SHARE = 0.3
_GRAIN_BOUNDARY_F_CM2 = 2e-8
_GRAIN_F_CM2 = 5e-11
# Interface arcs are depressed: exponent of a constant phase element, 1 would be a capacitor.
_CPE_EXPONENT = 0.9


def scan_Hz(cell: CellModel) -> FloatArray:
    """Frequencies of a scan, 1 MHz down to where the slowest arc has closed (not below 0.1 mHz)."""
    lowest = max(min(0.01, 0.03 / (2 * math.pi * cell.parameters.slow_tau_s)), 1e-4)
    return np.logspace(6, math.log10(lowest), int(6 * (6 - math.log10(lowest))) + 1)


def impedance_ohm(cell: CellModel, frequency_Hz: FloatArray) -> ComplexArray:
    """Impedance of the cell as it is now, leak included, at its present temperature; shape (frequencies,)."""
    p = cell.parameters
    omega = 2j * np.pi * frequency_Hz
    bulk = cell.bulk_ohm()
    boundary, grain = bulk * _GRAIN_BOUNDARY_SHARE, bulk * (1 - _GRAIN_BOUNDARY_SHARE)
    z = grain / (1 + omega * grain * _GRAIN_F_CM2 * p.area_cm2)
    z = z + boundary / (1 + omega * boundary * _GRAIN_BOUNDARY_F_CM2 * p.area_cm2)
    for electrode in (0, 1):
        z = z + cell.interface_ohm(electrode) / (1 + (omega * p.interface_tau_s) ** _CPE_EXPONENT)
    z = z + cell.slow_ohm() / (1 + (omega * p.slow_tau_s) ** _CPE_EXPONENT)
    return np.asarray(1 / (1 / z + cell.surroundings.leak_S), dtype=np.complex128)


def measured_spectrum(cell: CellModel, rng: np.random.Generator, noise: float = 0.003) -> Spectrum:
    """A scan of the cell at its reference temperature with `noise` relative to |Z|."""
    still = copy.copy(cell)
    still.state = copy.copy(cell.state)
    still.surroundings = copy.copy(cell.surroundings)
    still.state.self_heating_K, still.state.depletion = 0.0, 0.0
    still.surroundings.temperature_degC = cell.parameters.reference_degC
    frequency_Hz = scan_Hz(cell)
    z = impedance_ohm(still, frequency_Hz)
    errors = rng.standard_normal((2, len(z)))
    return Spectrum(frequency_Hz, z + noise * np.abs(z) * (errors[0] + 1j * errors[1]))
