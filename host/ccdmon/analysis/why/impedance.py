"""What the spectra of a test say beside the verdict: the circuit the cell has become, and its resistances one by one.

Circuits: review, figure 7 and section 2.2.3. Resistances over the spectra: section 2.3.2.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from ccdmon.analysis.half_cycles import times_area
from ccdmon.analysis.impedance.comparison import (
    KRAMERS_KRONIG_RMS,
    Comparison,
    Resistances,
    resistances,
    without_wiring,
)
from ccdmon.analysis.impedance.kramers_kronig import FEWEST_POINTS
from ccdmon.analysis.why.subject import Subject, Told, plain, told
from ccdmon.extras import how_to_install

if TYPE_CHECKING:  # scipy is imported where there is something to fit
    from ccdmon.analysis.impedance.arcs import Arcs
    from ccdmon.analysis.impedance.changes import Choice

FIT_POINTS = 16  # fewer do not tell arcs
MOST_TRACKED = 200  # of a long series every so many-th
WORDS = {
    "unchanged": "the circuit of the spectrum before: nothing changed",
    "contact_change": "interfaces of another area",
    "parallel_leak": "a leak beside the whole cell",
    "bridged_bulk": "part of the electrolyte bridged",
    "grown_bulk": "an electrolyte of more resistance",
}


def circuits(test: Subject) -> list[Told]:
    """The circuit of the spectrum before, and which of figure 7 explains the one after; empty without spectra."""
    spectra = [None if s is None else without_wiring(s) for s in test.eis.spectra]
    given = [s for s in spectra if s is not None and len(s) >= FIT_POINTS]
    if not given:
        return []
    if find_spec("scipy") is None:
        return [
            told("2.2.3, figure 7", f"circuits are fitted with {how_to_install('circuits')}", spectrum=None)
        ]
    from ccdmon.analysis.impedance.arcs import fits_of_arcs
    from ccdmon.analysis.impedance.changes import choose

    before, after = (s if s is not None and len(s) >= FIT_POINTS else None for s in spectra)
    fitted: dict[str, list[Arcs]] = {}
    for when, spectrum in (("before", before), ("after", after)):
        if spectrum is not None and (when == "before" or before is None):
            try:
                fitted[when] = fits_of_arcs(spectrum)
            except ValueError:  # no arc in it
                return []
    found = [_own(when, fits[0], test.area_cm2) for when, fits in fitted.items()]
    if before is not None and after is not None:
        own = fitted["before"]
        found.append(_changed(own[0], choose(own, before, after), test.area_cm2))
    return found


def _own(when: str, arcs: "Arcs", area_cm2: float | None) -> Told:
    """The cell's own circuit."""
    bulk, bulk_error = arcs.sum_of(arcs.electrolyte, series=True)
    interface, interface_error = arcs.sum_of(arcs.interface)
    capacity_F = _capacity_F(arcs)
    text = (
        f"{when}: bulk {_with_error(bulk, bulk_error)}, interfaces {_with_error(interface, interface_error)}"
    )
    text += f" of {plain(1e6 * capacity_F, 'uF')}" if capacity_F else ""
    return told(
        "2.2.3, figure 7", text, spectrum=when, circuit="own", probability=None, arcs=int(arcs.ohm.size),
        **_ohms("bulk", bulk, bulk_error, area_cm2), **_ohms("interface", interface, interface_error, area_cm2),
        interface_capacity_F=capacity_F, residual=arcs.rms,
    )  # fmt: skip


def _changed(arcs: "Arcs", choice: "Choice", area_cm2: float | None) -> Told:
    """Which circuit explains the spectrum after."""
    best, capacity_F = choice.best, _capacity_F(arcs)
    fits = best.rms <= KRAMERS_KRONIG_RMS
    text = f"after: {WORDS[best.name]} (probability {choice.probability[best.name]:.2f})"
    if best.leak_ohm is not None and best.leak_error_ohm is not None:
        text += f", leak {_with_error(best.leak_ohm, best.leak_error_ohm)}"
    if best.bridged is not None:
        text += f", {plain(100 * best.bridged)} % of the bulk bridged"
    if best.name == "contact_change":
        text += f", {plain(100 * best.contact)} % of the area before"
    if not fits:
        text = f"after: none of the circuits is this cell's (residual {plain(best.rms)})"
    return told(
        "2.2.3, figure 7", text, spectrum="after", circuit=best.name if fits else None,
        probability=choice.probability[best.name] if fits else None, candidates=choice.probability,
        **_ohms("bulk", best.bulk_ohm, best.bulk_error_ohm, area_cm2),
        **_ohms("interface", best.interface_ohm, best.interface_error_ohm, area_cm2),
        **_ohms("leak", best.leak_ohm, best.leak_error_ohm, area_cm2), bridged_share=best.bridged,
        bridged_error=best.bridged_error, contact_area_ratio=best.contact,
        interface_capacity_F=capacity_F and capacity_F * best.contact, residual=best.rms,
    )  # fmt: skip


def _capacity_F(arcs: "Arcs") -> float | None:
    """Of the largest interface arc: it falls where voids take the area (R_int rises with its inverse)."""
    at = np.flatnonzero(arcs.interface)
    return float(arcs.capacity_F[at[np.argmax(arcs.ohm[at])]]) if at.size else None


def _ohms(name: str, ohm: float | None, error_ohm: float | None, area_cm2: float | None) -> Told:
    """A resistance with its error, both also per area."""
    values = {f"{name}_ohm": ohm, f"{name}_error_ohm": error_ohm}
    specific = {f"{key}_cm2": times_area(v, area_cm2) if v is not None else None for key, v in values.items()}
    return {**values, **specific}


def _with_error(ohm: float, error_ohm: float) -> str:
    return f"{plain(ohm)} ± {plain(error_ohm, 'ohm', 2)}"


def tracked(eis: Comparison, area_cm2: float | None) -> Told | None:
    """Bulk and interface resistance in each spectrum of the test, where there are more than the pair."""
    every = [s for s in map(without_wiring, eis.series) if len(s) >= FEWEST_POINTS]
    if len(every) < 3:
        return None
    numbers = np.unique(np.linspace(0, len(every) - 1, min(len(every), MOST_TRACKED)).astype(int))
    found = [(int(k) + 1, resistances(every[k])) for k in numbers]
    bulk, interface = (
        [getattr(r, f"{part}_ohm") for _, r in found if r.trustworthy] for part in ("bulk", "interface")
    )
    text = f"{len(every)} spectra, {len(found) - len(bulk)} not to be trusted"
    if len(bulk) >= 2:
        text += f": bulk {plain(bulk[0])} to {plain(bulk[-1], 'ohm')}, interfaces {plain(interface[0])} to "
        text += plain(interface[-1], "ohm")
    rows = [{"spectrum": number, **_row(r, area_cm2)} for number, r in found]
    return told("2.3.2", text, spectra=rows)


def _row(r: Resistances, area_cm2: float | None) -> Told:
    return {
        **_ohms("bulk", r.bulk_ohm, r.bulk_error_ohm, area_cm2),
        **_ohms("interface", r.interface_ohm, r.interface_error_ohm, area_cm2),
        "residual": r.kramers_kronig_rms,
        "trustworthy": r.trustworthy,
    }
