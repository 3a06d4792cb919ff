"""Impedance before and after a test: bulk and interface resistance, and whether the cell has shorted since.

Review (Adv. Funct. Mater. 2021, 31, 2009925), section 2.3.2: a sudden decrease of the impedance at room
temperature means a short, 70-80 ohm before and 6 ohm after in the review's own cell. The direct-current
resistance U/I must be of the same magnitude as the impedance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ccdmon.analysis.impedance.kramers_kronig import FEWEST_POINTS, linear_fit
from ccdmon.model.spectrum import Spectrum
from ccdmon.model.trace import FloatArray

Validation = Literal["unvalidated", "consistent", "shorted"]
# Relative residual a spectrum may have and still be judged. Good potentiostats reach 0.005; drifting cells
# 0.03.
KRAMERS_KRONIG_RMS = 0.05
# A leak in parallel shunts the whole cell: half of the resistance gone is a short for sure (conditioning and
# ageing change interfaces by tens of percent, review section 3.6). Between the two limits the bulk decides:
# it has
# no reason to change, unless a leak shunts it.
SHORTED_RATIO = 0.5
SUSPECT_RATIO = 0.75
# Arcs of the electrolyte (grains nF to pF, grain boundaries up to tens of nF) against interfaces (uF), per
# cell.
ELECTROLYTE_CAPACITY_F = 2e-7


@dataclass(frozen=True)
class Resistances:
    """What a spectrum says of the cell, each with its standard error in ohm."""

    bulk_ohm: float
    bulk_error_ohm: float
    interface_ohm: float
    interface_error_ohm: float
    total_ohm: float  # real part at the lowest frequency
    total_error_ohm: float
    lowest_Hz: float
    kramers_kronig_rms: float

    @property
    def trustworthy(self) -> bool:
        """Obeys the Kramers-Kronig relations well enough, and has a resistance above its error."""
        return self.kramers_kronig_rms <= KRAMERS_KRONIG_RMS and self.total_ohm > 2 * self.total_error_ohm


@dataclass(frozen=True)
class Comparison:
    """The verdict on a pair of spectra and the numbers that decided it."""

    verdict: Validation
    reason: str
    ratio: float | None  # total resistance after over before
    before: Resistances | None
    after: Resistances | None
    spectra: tuple[Spectrum | None, Spectrum | None] = (None, None)  # before and after, as measured
    series: tuple[Spectrum, ...] = ()  # all spectra of the test that were given, in their order

    def evidence(self) -> dict[str, Any]:
        """Plain numbers for a report."""
        pair = {"before": self.before, "after": self.after}
        totals = {f"total_{when}_ohm": r.total_ohm for when, r in pair.items() if r}
        bulks = {f"bulk_{when}_ohm": r.bulk_ohm for when, r in pair.items() if r}
        return {"ratio": self.ratio, "reason": self.reason, **totals, **bulks}


def resistances(spectrum: Spectrum) -> Resistances:
    """Bulk and interface resistance of one spectrum. ValueError below 6 points.

    Arcs are split where -Im(Z) of the fitted ladder has a minimum; an arc belongs to the electrolyte if its
    capacity is below `ELECTROLYTE_CAPACITY_F`. Errors: the fit's residual, and for the split also how far the
    real part moves while -Im(Z) cannot be told from its minimum.
    """
    fit = linear_fit(spectrum)
    real, minus_imag = fit.fitted_ohm.real, -fit.fitted_ohm.imag
    noise_ohm = fit.rms * np.abs(spectrum.impedance_ohm)
    edge, split_error = _electrolyte_edge(spectrum.frequency_Hz, real, minus_imag, noise_ohm)
    bulk, total = float(real[edge]), float(real[-1])
    bulk_error = math.hypot(float(noise_ohm[edge]), split_error)
    total_error = float(noise_ohm[-1])
    return Resistances(
        bulk,
        bulk_error,
        total - bulk,
        math.hypot(bulk_error, total_error),
        total,
        total_error,
        float(spectrum.frequency_Hz[-1]),
        fit.rms,
    )


def _electrolyte_edge(
    frequency_Hz: FloatArray, real: FloatArray, minus_imag: FloatArray, noise_ohm: FloatArray
) -> tuple[int, float]:
    """Index where the electrolyte ends on the real axis, and how uncertain the real part is there, in ohm."""
    inside = [
        k
        for k in range(1, len(real) - 1)
        if minus_imag[k] <= minus_imag[k - 1] and minus_imag[k] < minus_imag[k + 1]
    ]
    # Inductive wiring makes -Im negative: the axis is crossed where the series part of the electrolyte ends.
    inductive = minus_imag[0] < 0 and (minus_imag > 0).any()
    crossed = int(np.argmax(minus_imag > 0)) if inductive else 0
    edge = crossed
    for valley in [k for k in inside if k > crossed]:
        arc_ohm = real[valley] - real[edge] if edge or minus_imag[0] < 0 else real[valley]
        peak = edge + int(np.argmax(minus_imag[edge : valley + 1]))
        if arc_ohm <= 0 or 1 / (2 * math.pi * frequency_Hz[peak] * arc_ohm) > ELECTROLYTE_CAPACITY_F:
            break
        edge = valley
    flat = np.flatnonzero(np.abs(minus_imag - minus_imag[edge]) <= 2 * noise_ohm[edge])
    near = flat[(np.abs(np.log10(frequency_Hz[flat] / frequency_Hz[edge]))) < 1.0]
    spread = float(np.ptp(real[near])) / 2 if len(near) > 1 else 0.0
    return edge, spread


def compare(before: Spectrum | None, after: Spectrum | None, series: Sequence[Spectrum] = ()) -> Comparison:
    """Has the cell shorted between two spectra of the same cell at the same (room) temperature?

    `unvalidated` if one is missing, too short, or breaks the Kramers-Kronig relations. What is the wiring's of them is
    left out, and the reason tells it. `series`: all spectra of the test, if there are more.
    """
    bare = [None if spectrum is None else without_wiring(spectrum) for spectrum in (before, after)]
    found = _compared(*bare)
    left_out = sum(len(s) - len(b) for s, b in zip((before, after), bare, strict=True) if s and b)
    reason = found.reason
    if left_out:
        points = "1 point" if left_out == 1 else f"{left_out} points"
        reason += f"; {points} of the wiring left out: a real part of 0 or less at the highest frequencies"
    return replace(found, reason=reason, spectra=(before, after), series=tuple(series))


def without_wiring(spectrum: Spectrum) -> Spectrum:
    """Without the points at the highest frequencies up to the last whose real part is not above 0.

    No cell has such a resistance: leads and a third electrode do that, and they decide a fit that knows only cells.
    """
    half = len(spectrum) // 2  # what is so bad below is no matter of the wiring
    wrong = np.flatnonzero(spectrum.impedance_ohm.real[:half] <= 0)
    first = int(wrong[-1]) + 1 if wrong.size else 0
    return Spectrum(spectrum.frequency_Hz[first:], spectrum.impedance_ohm[first:], spectrum.name)


def _compared(before: Spectrum | None, after: Spectrum | None) -> Comparison:
    if before is None or after is None:
        missing = "before and none after" if before is after else "before" if before is None else "after"
        reason = f"there is no spectrum {missing} the test"
        return Comparison("unvalidated", reason, None, _alone(before), _alone(after))
    pair = {"before": _above(before, after), "after": _above(after, before)}
    for when, spectrum in pair.items():
        if len(spectrum) < FEWEST_POINTS:
            reason = f"{len(spectrum)} points of the spectrum {when} are too few, {FEWEST_POINTS} are needed"
            return Comparison("unvalidated", reason, None, None, None)
    first, last = map(resistances, pair.values())
    for when, found in (("before", first), ("after", last)):
        if not found.trustworthy:
            reason = f"the spectrum {when} breaks the Kramers-Kronig relations"
            reason += f" (residual {found.kramers_kronig_rms:.3f})"
            return Comparison("unvalidated", reason, None, first, last)
    return _judged(first, last)


def _alone(spectrum: Spectrum | None) -> Resistances | None:
    """One spectrum still tells what U/I should be (review, 2.3.2); None if it is missing or too short."""
    return None if spectrum is None or len(spectrum) < FEWEST_POINTS else resistances(spectrum)


def _judged(first: Resistances, last: Resistances) -> Comparison:
    ratio = last.total_ohm / first.total_ohm
    error = ratio * math.hypot(first.total_error_ohm / first.total_ohm, last.total_error_ohm / last.total_ohm)
    bulk_fell = last.bulk_ohm + last.bulk_error_ohm < SUSPECT_RATIO * (first.bulk_ohm - first.bulk_error_ohm)
    if ratio + 2 * error < SHORTED_RATIO:
        return Comparison("shorted", f"resistance fell to {ratio:.2f} of what it was", ratio, first, last)
    if ratio + 2 * error < SUSPECT_RATIO and bulk_fell:
        return Comparison(
            "shorted", f"resistance fell to {ratio:.2f}, the bulk's with it", ratio, first, last
        )
    return Comparison("consistent", f"resistance is {ratio:.2f} of what it was", ratio, first, last)


def _above(one: Spectrum, other: Spectrum) -> Spectrum:
    """The part of `one` above the lowest frequency of both, so that the ends compare."""
    lowest_Hz = max(one.frequency_Hz[-1], other.frequency_Hz[-1]) if len(one) and len(other) else 0.0
    keep = one.frequency_Hz >= lowest_Hz * 0.99
    return Spectrum(one.frequency_Hz[keep], one.impedance_ohm[keep], one.name)
