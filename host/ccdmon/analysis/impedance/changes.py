"""Which circuit of the review's figure 7 a cell has become between two spectra.

| circuit | what differs from the spectrum before | class |
|---|---|---|
| unchanged | nothing | |
| contact_change | the interfaces' area: R_int over it, their capacity with it | contact loss (or contact gained) |
| parallel_leak | a resistance beside the whole cell | hard, soft short, fake stable |
| bridged_bulk | part of the electrolyte's resistance is gone | partial short |
| grown_bulk | there is more of it: salt depleted, dried, colder | |

One spectrum alone cannot tell them: a circuit of arcs beside a leak is another circuit of arcs. Each is fitted to the
spectrum after with the arcs of the one before (a leak and a bridge also with interfaces that changed); Bayes'
information criterion chooses and weighs them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from ccdmon.analysis.impedance.arcs import Arcs, covariance, criterion, relative
from ccdmon.model.spectrum import ComplexArray, Spectrum
from ccdmon.model.trace import FloatArray

UNCHANGED, CONTACT, LEAK, BRIDGED, GROWN = (
    "unchanged", "contact_change", "parallel_leak", "bridged_bulk", "grown_bulk",
)  # fmt: skip
LEAST_CHANGE = 0.05  # of a resistance: less is unchanged, whatever the criterion says


@dataclass(frozen=True)
class Circuit:
    """One circuit fitted; resistances in ohm with their standard errors. `contact`: area over that before."""

    name: str
    bic: float
    rms: float
    bulk_ohm: float
    bulk_error_ohm: float
    interface_ohm: float
    interface_error_ohm: float
    leak_ohm: float | None = None
    leak_error_ohm: float | None = None
    bridged: float | None = None  # share of the electrolyte's resistance
    bridged_error: float | None = None
    contact: float = 1.0


@dataclass(frozen=True)
class Choice:
    """The circuits by their criterion, the best first; `probability` of each name."""

    circuits: tuple[Circuit, ...]
    probability: dict[str, float]

    @property
    def best(self) -> Circuit:
        """The chosen one."""
        return self.circuits[0]


@dataclass(frozen=True)
class _Form:
    """What is free: a leak, a bridge, the interfaces; `fixed_times`: capacities go with the area."""

    name: str
    leak: bool = False
    bridge: bool = False
    interfaces: bool = False
    fixed_times: bool = True


FORMS = (
    _Form(UNCHANGED),
    _Form(CONTACT, interfaces=True),
    _Form(CONTACT, interfaces=True, fixed_times=False),
    _Form(LEAK, leak=True),
    _Form(LEAK, leak=True, interfaces=True),
    _Form(BRIDGED, bridge=True),
    _Form(BRIDGED, bridge=True, fixed_times=False),
    _Form(BRIDGED, bridge=True, interfaces=True),
    _Form(BRIDGED, bridge=True, interfaces=True, fixed_times=False),
)


def choose(before: Arcs, after: Spectrum) -> Choice:
    """Fit all of them to the spectrum after; its frequencies need not be those of the one before."""
    found = [circuit for form in FORMS for circuit in _fitted(form, before, after)]
    best: dict[str, Circuit] = {}
    for circuit in sorted(found, key=lambda c: c.bic):
        best.setdefault(circuit.name, circuit)
    least = min(c.bic for c in best.values())
    weights = {name: math.exp(-0.5 * min(c.bic - least, 500.0)) for name, c in best.items()}
    whole = sum(weights.values())
    return Choice(tuple(best.values()), {name: weight / whole for name, weight in weights.items()})


def _fitted(form: _Form, before: Arcs, after: Spectrum) -> Sequence[Circuit]:
    omega, z = 2 * np.pi * after.frequency_Hz, after.impedance_ohm
    moving = np.flatnonzero(before.interface) if form.interfaces else np.zeros(0, dtype=int)
    if form.interfaces and not moving.size:
        return ()
    whole = before.series_ohm + float(before.ohm.sum())

    def model(x: FloatArray) -> ComplexArray:
        ohm, tau, series = before.ohm.copy(), before.tau_s.copy(), before.series_ohm
        ohm[moving] *= np.exp(x[: moving.size])
        if form.name == CONTACT and not form.fixed_times:
            tau[moving] *= np.exp(x[: moving.size])
        if form.bridge:
            left = math.exp(x[-1])
            bulk = before.electrolyte
            ohm[bulk] *= left
            series *= left
            if not form.fixed_times:
                tau[bulk] *= left
        cell = before.impedance(omega, ohm, tau, series)
        if form.leak:
            cell = 1 / (1 / cell + math.exp(-x[-1]))
        return cell + 1j * omega * before.inductance_H

    size = moving.size + form.leak + form.bridge
    if size == 0:
        off, x, error = relative(model(np.zeros(0)), z), np.zeros(0), np.zeros(0)
    else:
        fits = [
            least_squares(
                lambda x: relative(model(x), z), start, x_scale="jac", ftol=1e-6, xtol=1e-5, max_nfev=60
            )
            for start in _starts(form, moving.size, whole, float(abs(z[-1])))
        ]
        fit = min(fits, key=lambda f: f.cost)
        off, x = fit.fun, fit.x
        error = np.sqrt(np.maximum(np.diag(covariance(fit)), 0.0))
    if form.leak and x[-1] > math.log(whole / LEAST_CHANGE):  # none
        return ()
    if form.bridge and abs(x[-1]) < LEAST_CHANGE:
        return ()
    rms, bic = float(np.sqrt(np.mean(off**2))), criterion(off, size)
    circuit = _circuit(form, before, moving, x, error, rms, bic)
    same = form.name == CONTACT and abs(math.log(circuit.contact)) < LEAST_CHANGE
    return () if same else (circuit,)


def _starts(form: _Form, moving: int, whole: float, last: float) -> Sequence[FloatArray]:
    interfaces = np.zeros(moving)
    if form.leak:
        shunt = last * whole / (whole - last) if last < 0.98 * whole else 10 * whole
        return [np.append(interfaces, math.log(max(shunt, 1e-6 * whole)))]
    if form.bridge:
        return [np.append(interfaces, share) for share in (-0.3, 0.5)]
    return [interfaces, np.full(moving, 0.7)]


def _circuit(
    form: _Form,
    before: Arcs,
    moving: npt.NDArray[np.int_],
    x: FloatArray,
    error: FloatArray,
    rms: float,
    bic: float,
) -> Circuit:
    grown = np.ones(before.ohm.size)
    grown[moving] = np.exp(x[: moving.size])
    off = np.zeros(before.ohm.size)
    off[moving] = error[: moving.size]
    interface = before.ohm * grown * before.interface
    part = np.hypot(np.sqrt(np.maximum(np.diag(before.covariance)[1:], 0.0)), off)
    bulk, bulk_error = before.sum_of(before.electrolyte, series=True)
    left = math.exp(x[-1]) if form.bridge else 1.0
    before_ohm = float((before.ohm * before.interface).sum())
    more: dict[str, float] = {}
    if form.leak:
        more = {"leak_ohm": math.exp(x[-1]), "leak_error_ohm": math.exp(x[-1]) * float(error[-1])}
    if form.bridge:
        bulk_error = math.hypot(bulk_error, bulk * float(error[-1]))
    if form.bridge and left < 1:
        more = {"bridged": 1 - left, "bridged_error": left * float(error[-1])}
    return Circuit(
        GROWN if left > 1 else form.name, bic, rms, bulk * left, bulk_error * left, float(interface.sum()),
        float(np.sqrt(np.sum((interface * part) ** 2))),
        contact=before_ohm / float(interface.sum()) if before_ohm > 0 else 1.0, **more,
    )  # fmt: skip
