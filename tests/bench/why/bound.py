"""How near the resistances of the ladder's pairs of spectra can be told at all: Cramer and Rao's bound.

Whoever knows the circuit and fits its numbers to both spectra at once has errors of this covariance at best: the
inverse of J^T J at the truth, J the derivatives of both spectra over their noise.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tests.bench.why.spectra import LADDER_Hz, drawn_ladder, drawn_size

Array = npt.NDArray[np.float64]
DRAWS, STEP = 2000, 1e-6
OHMIC, TRANSFER, TAIL, CHANGE = 0, 1, 4, 7  # where in the vector


def _truth(circuit: str, seed: int) -> Array:
    """ln(ohmic); of both arcs ln(R), ln(tau), exponent; logarithm of what changes, if anything does."""
    p, size = drawn_ladder(seed), drawn_size(circuit, seed)
    arcs = [math.log(p.transfer_ohm), math.log(p.transfer_s), p.transfer_exponent]
    arcs += [math.log(p.tail_ohm), math.log(p.tail_s), p.tail_exponent]
    change = {"parallel_leak": size * p.whole_ohm, "bridged_bulk": 1 - size, "contact_change": size}
    return np.array([math.log(p.ohmic_ohm), *arcs, *([math.log(change[circuit])] if size else [])])


def _both(circuit: str, x: Array) -> Array:
    """Both spectra: real parts, then imaginary."""
    omega = 2j * np.pi * LADDER_Hz
    change = math.exp(x[CHANGE]) if x.size > CHANGE else 1.0
    arcs = sum(np.exp(x[k]) / (1 + (omega * np.exp(x[k + 1])) ** x[k + 2]) for k in (TRANSFER, TAIL))
    bulk = math.exp(x[OHMIC])
    after = (
        bulk * (change if circuit == "bridged_bulk" else 1.0)
        + arcs / (change if circuit == "contact_change" else 1.0)
    )  # fmt: skip
    if circuit == "parallel_leak":
        after = 1 / (1 / after + 1 / change)
    both = np.concatenate([bulk + arcs, after])
    return np.concatenate([both.real, both.imag])


def _covariance(circuit: str, seed: int, noise: float) -> Array:
    """Of the relative errors of bulk and interface after the change; behind a leak of the leak."""
    x = _truth(circuit, seed)
    size = np.hypot(*_both(circuit, x).reshape(2, -1))
    steps = STEP * np.eye(x.size)
    slopes = np.array([_both(circuit, x + d) - _both(circuit, x - d) for d in steps]).T / (2 * STEP)
    J = slopes / (noise * np.tile(size, 2))[:, None]
    told = np.zeros((2, x.size))
    told[0, OHMIC] = 1.0
    transfer, tail = math.exp(x[TRANSFER]), math.exp(x[TAIL])
    told[1, TRANSFER], told[1, TAIL] = transfer / (transfer + tail), tail / (transfer + tail)
    if circuit == "parallel_leak":
        told = np.eye(x.size)[CHANGE:]
    elif x.size > CHANGE:
        told[0 if circuit == "bridged_bulk" else 1, CHANGE] = 1.0
    return np.asarray(told @ np.linalg.inv(J.T @ J) @ told.T)


def best_share(circuit: str, seeds: Sequence[int], noise: float, within: float = 0.05) -> float:
    """Of the pairs whose resistances are all told within 5 %, at the bound."""
    rng, near = np.random.default_rng(0), []
    for seed in seeds:
        of = _covariance(circuit, seed, noise)
        errors = rng.multivariate_normal(np.zeros(len(of)), of, size=DRAWS)
        near.append(float(np.mean(np.all(np.abs(errors) < within, axis=1))))
    return float(np.mean(near))
