"""Pairs of spectra whose circuit is known, of the cells of both worlds, with noise.

Slow arcs last at most 300 s: a scan to 0.1 mHz sees the end of them.
"""

from dataclasses import dataclass, replace

import numpy as np

from ccdmon.analysis.impedance.changes import Circuit
from ccdmon.model.spectrum import Spectrum
from ccdmon.simulation.draws import log_uniform
from ccdmon.simulation.impedance import impedance_ohm, scan_Hz
from ccdmon.simulation.ladder.cell import LadderParameters
from ccdmon.simulation.ladder.draws import draw_parameters
from ccdmon.simulation.physics import CellModel
from ccdmon.simulation.simulate import open_cell

CIRCUITS = ("unchanged", "contact_change", "parallel_leak", "bridged_bulk")
MOST_SLOW_s = 300.0
MODEL, LADDER = "model", "ladder"
LADDER_Hz = np.logspace(6, -4, 61)


@dataclass(frozen=True)
class Drawn:
    """Spectra before and after, and what is true of the cell after."""

    before: Spectrum
    after: Spectrum
    bulk_ohm: float
    interface_ohm: float
    leak_ohm: float | None

    def off(self, found: Circuit) -> float:
        """The largest relative error of the resistances the circuit is about: behind a leak the leak's."""
        if self.leak_ohm is not None:
            return abs((found.leak_ohm or 0.0) / self.leak_ohm - 1)
        pairs = ((found.bulk_ohm, self.bulk_ohm), (found.interface_ohm, self.interface_ohm))
        return max(abs(a / b - 1) for a, b in pairs)


def draw(circuit: str, seed: int, world: str = MODEL, noise: float = 0.01, noise_seed: int = 0) -> Drawn:
    """One pair. Leaks of 0.05-2 times the cell's resistance, 15-70 % bridged, 25-75 % of the contact left."""
    make = _model if world == MODEL else _ladder
    return make(seed, circuit, drawn_size(circuit, seed), noise, np.random.default_rng([seed, noise_seed, 1]))


def drawn_size(circuit: str, seed: int) -> float:
    """Of a leak over the cell's resistance, of the bridged share, of the contact that is left; 0: nothing changed."""
    rng = np.random.default_rng([seed, CIRCUITS.index(circuit)])
    kinds = {"parallel_leak": log_uniform(rng, 0.05, 2.0), "bridged_bulk": float(rng.uniform(0.15, 0.7)),
             "contact_change": float(rng.uniform(0.25, 0.75))}  # fmt: skip
    return kinds.get(circuit, 0.0)


def drawn_ladder(seed: int) -> LadderParameters:
    """A cell of the ladder with a tail whose end is seen."""
    draws = np.random.default_rng([seed, 3])
    p = draw_parameters(draws, 0.785, log_uniform(draws, 15, 900), 600.0)
    return replace(p, tail_s=min(p.tail_s, MOST_SLOW_s))


def _noisy(frequency_Hz: np.ndarray, z: np.ndarray, noise: float, rng: np.random.Generator) -> Spectrum:
    errors = rng.standard_normal((2, z.size))
    return Spectrum(frequency_Hz, z + noise * np.abs(z) * (errors[0] + 1j * errors[1]))


def _model(seed: int, circuit: str, size: float, noise: float, rng: np.random.Generator) -> Drawn:
    drawn = open_cell("healthy", seed).cell
    cell = CellModel(replace(drawn.parameters, slow_tau_s=min(drawn.parameters.slow_tau_s, MOST_SLOW_s)))
    frequency_Hz = scan_Hz(cell)
    before = _noisy(frequency_Hz, impedance_ohm(cell, frequency_Hz), noise, rng)
    around, whole_ohm = cell.surroundings, cell.ionic_ohm()
    if circuit == "parallel_leak":
        around.leak_S = 1 / (size * whole_ohm)
    elif circuit == "bridged_bulk":
        around.bridged = size
    elif circuit == "contact_change":
        lost = cell.parameters.void_capacity_mAh_cm2 * (1 / size - 1)
        cell.state.voids_mAh_cm2 = (lost, lost)
    after = _noisy(frequency_Hz, impedance_ohm(cell, frequency_Hz), noise, rng)
    interface_ohm = cell.interface_ohm(0) + cell.interface_ohm(1) + cell.slow_ohm()
    return Drawn(before, after, cell.bulk_ohm(), interface_ohm, 1 / around.leak_S if around.leak_S else None)


def _ladder(seed: int, circuit: str, size: float, noise: float, rng: np.random.Generator) -> Drawn:
    """The ladder's arcs as they are meant, not in rungs: R / (1 + (j omega tau)^a)."""
    p = drawn_ladder(seed)
    frequency_Hz = LADDER_Hz
    omega = 2j * np.pi * frequency_Hz

    def z(bulk: float = 1.0, contact: float = 1.0, leak_S: float = 0.0) -> np.ndarray:
        arcs = p.transfer_ohm / (1 + (omega * p.transfer_s) ** p.transfer_exponent)
        arcs = arcs + p.tail_ohm / (1 + (omega * p.tail_s) ** p.tail_exponent)
        return np.asarray(1 / (1 / (p.ohmic_ohm * bulk + arcs / contact) + leak_S))

    leak_S = 1 / (size * p.whole_ohm) if circuit == "parallel_leak" else 0.0
    bulk = 1 - size if circuit == "bridged_bulk" else 1.0
    contact = size if circuit == "contact_change" else 1.0
    spectra = (_noisy(frequency_Hz, x, noise, rng) for x in (z(), z(bulk, contact, leak_S)))
    interface_ohm = (p.transfer_ohm + p.tail_ohm) / contact
    return Drawn(*spectra, p.ohmic_ohm * bulk, interface_ohm, 1 / leak_S if leak_S else None)
