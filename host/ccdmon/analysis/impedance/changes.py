"""Which circuit of the review's figure 7 a cell has become between two spectra (`forms`).

One spectrum alone cannot tell them: a circuit of arcs beside a leak is another circuit of arcs. Each is fitted to the
spectrum after with the arcs of the one before (a leak and a bridge also with interfaces that changed); Bayes'
information criterion chooses and weighs them. The chosen one's resistances are then those of a fit to both spectra:
what did not change was measured twice.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares

from ccdmon.analysis.impedance.arcs import (
    LEAST_OHM,
    Arcs,
    Layout,
    covariance,
    criterion,
    relative,
    usual_exponents,
)
from ccdmon.analysis.impedance.forms import BRIDGED, FORMS, GROWN, Change, Form, Parts
from ccdmon.model.spectrum import Spectrum
from ccdmon.model.trace import FloatArray

NEAR = 60.0  # of the criterion: with arcs that were fitted to one spectrum another circuit may look better
AS_LIKELY = 15.0  # of the criterion: another number of arcs that one spectrum does not rule out
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
    """The chosen circuit, fitted to both spectra; `probability` of each name, the likeliest first."""

    best: Circuit
    probability: dict[str, float]


@dataclass(frozen=True)
class _Fit:
    """What a fit moved, and the covariance of ln(series), ln(ohm) of each arc and the change's vector `x`."""

    change: Change
    own: Parts
    x: FloatArray
    covariance: FloatArray
    bic: float
    rms: float

    @property
    def name(self) -> str:
        """Of the circuit."""
        form = self.change.form
        return GROWN if form.name == BRIDGED and self.x[-1] > 0 else form.name


def choose(own: Sequence[Arcs], before: Spectrum, after: Spectrum) -> Choice:
    """Of a cell whose own circuit was fitted to the spectrum before (`fits_of_arcs`).

    Frequencies need not be the same in both. How many arcs there are both spectra tell together.
    """
    fits = [fit for form in FORMS if (fit := _fitted(form, own[0], after)) is not None]
    best: dict[str, _Fit] = {}
    for fit in sorted(fits, key=lambda f: f.bic):
        best.setdefault(fit.name, fit)
    least = min(f.bic for f in best.values())
    near = [_jointly(f, before, after) for f in best.values() if f.bic < least + NEAR]
    near.sort(key=lambda f: f.bic)
    # Those far behind stay as far behind.
    behind = {name: max(f.bic - least, NEAR) for name, f in best.items()} | {
        f.name: f.bic - near[0].bic for f in near
    }
    order = sorted(behind, key=lambda name: behind[name])
    weights = {name: math.exp(-0.5 * min(behind[name], 500.0)) for name in order}
    whole = sum(weights.values())
    first = near[0]
    form = first.change.form
    also = [
        fit for arcs in own[1:] if arcs.bic < own[0].bic + AS_LIKELY and (fit := _fitted(form, arcs, after))
    ]
    joint = min([first, *(_jointly(fit, before, after) for fit in also)], key=lambda f: f.bic)
    return Choice(
        replace(_circuit(joint), name=first.name), {name: weight / whole for name, weight in weights.items()}
    )


def _fitted(form: Form, own: Arcs, after: Spectrum) -> _Fit | None:
    """With the arcs as they are; None where nothing has changed by it."""
    change = Change(form, own.interface, own.electrolyte)
    if form.interfaces and change.moving.size < (2 if form.alike else 1):
        return None
    parts = Parts(own.series_ohm, own.inductance_H, own.ohm, own.tau_s, own.exponent)
    omega, z = 2 * np.pi * after.frequency_Hz, after.impedance_ohm

    def residuals(x: FloatArray) -> FloatArray:
        return relative(change.impedance(parts, omega, x), z)

    x, of_x = np.zeros(0), np.zeros((0, 0))
    if change.size:
        whole = own.series_ohm + float(own.ohm.sum())
        fits = [
            least_squares(residuals, start, x_scale="jac", ftol=1e-6, xtol=1e-5, max_nfev=60)
            for start in _starts(change, whole, float(abs(z[-1])))
        ]
        fit = min(fits, key=lambda f: f.cost)
        x, of_x = fit.x, covariance(fit)
        if not _changed(change, x, whole, own):
            return None
    off = residuals(x)
    n = own.ohm.size + 1
    both = np.zeros((n + x.size, n + x.size))
    both[:n, :n], both[n:, n:] = own.covariance, of_x
    return _Fit(change, parts, x, both, criterion(off, x.size), float(np.sqrt(np.mean(off**2))))


def _starts(change: Change, whole: float, last: float) -> list[FloatArray]:
    interfaces = np.zeros(change.factors)
    if change.form.leak:
        shunt = last * whole / (whole - last) if last < 0.98 * whole else 10 * whole
        return [np.append(interfaces, math.log(max(shunt, 1e-6 * whole)))]
    if change.form.bridge:
        return [np.append(interfaces, share) for share in (-0.3, 0.5)]
    return [interfaces, np.full(change.factors, 0.7)]


def _changed(change: Change, x: FloatArray, whole: float, own: Arcs) -> bool:
    """By enough to be told?"""
    if change.form.leak:
        return bool(x[-1] <= math.log(whole / LEAST_CHANGE))
    if change.form.bridge:
        return bool(abs(x[-1]) >= LEAST_CHANGE)
    interface = own.ohm * own.interface
    return abs(math.log(float((interface * change.grown(x)).sum() / interface.sum()))) >= LEAST_CHANGE


def _jointly(found: _Fit, before: Spectrum, after: Spectrum) -> _Fit:
    """The same circuit fitted to both spectra at once."""
    own, change = found.own, found.change
    layout = Layout(own.ohm.size, own.inductance_H > 0)
    n, most = 3 * layout.arcs + 1 + layout.wired, float(np.abs(before.impedance_ohm).max())
    omegas = [2 * np.pi * s.frequency_Hz for s in (before, after)]
    usual, pull = usual_exponents(before, own.tau_s)

    def parts(x: FloatArray) -> Parts:
        series, ohm, tau_s, exponent, henry = layout.parts(x[:n])
        return Parts(series, henry, ohm, tau_s, exponent)

    def residuals(x: FloatArray) -> FloatArray:
        now = parts(x)
        off = relative(now.impedance(omegas[0]), before.impedance_ohm)
        off_after = relative(change.impedance(now, omegas[1], x[n:]), after.impedance_ohm)
        return np.concatenate([off, off_after, pull * (now.exponent - usual)])

    low, high = (np.append(bound, np.full(change.size, far)) for bound, far in
                 zip(layout.bounds(most), (-np.inf, np.inf), strict=True))  # fmt: skip
    series_ohm = max(own.series_ohm, 10 * LEAST_OHM * most)
    start = np.append(
        layout.vector(series_ohm, own.ohm, own.tau_s, own.exponent, max(own.inductance_H, 1e-12)), found.x
    )
    fit = least_squares(
        residuals, np.clip(start, low + 1e-6, high - 1e-6), bounds=(low, high), x_scale="jac", ftol=1e-6, xtol=1e-5,
        max_nfev=60,
    )  # fmt: skip
    places = np.append(np.arange(layout.arcs + 1), np.arange(n, n + change.size))
    off = fit.fun[: -layout.arcs]
    return replace(
        found, own=parts(fit.x), x=fit.x[n:], covariance=covariance(fit)[np.ix_(places, places)],
        bic=criterion(off, fit.x.size),
    )  # fmt: skip


def _circuit(fit: _Fit) -> Circuit:
    change, own, x = fit.change, fit.own, fit.x
    form, grown = change.form, change.grown(x)
    n, end = own.ohm.size + 1, fit.covariance.shape[0]
    after = np.append(own.series_ohm * change.left(x), own.ohm * grown)
    of_bulk, of_interface = np.append(1.0, change.electrolyte), np.append(0.0, change.interface)
    # By how much each rises with what the covariance is of: with ln(series), ln(ohm), then with the change's vector.
    rises = np.zeros((n, end))
    rises[np.arange(n), np.arange(n)] = after
    for k, arc in enumerate(change.moving):
        rises[1 + arc, n + (0 if form.alike else k)] = after[1 + arc]
    if form.bridge:
        rises[:, -1] = after * of_bulk
    (bulk, bulk_error), (interface, interface_error) = (
        (float(which @ after), _error(which @ rises, fit.covariance)) for which in (of_bulk, of_interface)
    )
    before_ohm = float((own.ohm * change.interface).sum())
    last, last_error = (math.exp(x[-1]), float(np.sqrt(fit.covariance[-1, -1]))) if x.size else (1.0, 0.0)
    more: dict[str, float] = {}
    if form.leak:
        more = {"leak_ohm": last, "leak_error_ohm": last * last_error}
    elif form.bridge and last < 1:
        more = {"bridged": 1 - last, "bridged_error": last * last_error}
    return Circuit(
        fit.name, fit.bic, fit.rms, bulk, bulk_error, interface, interface_error,
        contact=before_ohm / interface if before_ohm > 0 else 1.0, **more,
    )  # fmt: skip


def _error(rises: FloatArray, of: FloatArray) -> float:
    return math.sqrt(max(float(rises @ of @ rises), 0.0))
