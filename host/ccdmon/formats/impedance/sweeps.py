"""Rows of an impedance measurement into spectra: a new one begins where a counter says so or the frequency starts
again."""

import numpy as np

from ccdmon.model.spectrum import ComplexArray, Spectrum, make_spectrum
from ccdmon.model.trace import FloatArray

_SAME = 0.02  # decades: a step smaller than that is none
_TURNED = 3  # steps the other way: the sweep goes back
_FEWEST = 3  # points on average: a counter with fewer counts something else
# Wiring: above that frequency the inductance of the leads may outweigh the cell.
WIRING_Hz = 1e3
REACTIVE = 0.05  # |Im(Z)| over |Z|: points that tell its sign


def spectra_of(
    frequency_Hz: FloatArray,
    impedance_ohm: ComplexArray,
    counters: list[FloatArray],
    maybe: list[FloatArray],
    name: str,
) -> list[Spectrum]:
    """The spectra in the order of the file. Rows without a frequency are none; `counters` change at a new spectrum,
    those
    of `maybe` only if they do not count points."""
    scanned = np.isfinite(frequency_Hz) & (frequency_Hz > 0)
    frequency_Hz, impedance_ohm = frequency_Hz[scanned], impedance_ohm[scanned]
    starts = {0}
    for counter, fewest in [(one, 1) for one in counters] + [(one, _FEWEST) for one in maybe]:
        changes = _changes(counter[scanned])
        if (len(changes) + 1) * fewest <= len(frequency_Hz) and len(changes) + 1 < max(len(frequency_Hz), 2):
            starts |= set(changes)
    edges = sorted(starts)
    for first, last in zip(edges, [*edges[1:], len(frequency_Hz)], strict=True):
        starts |= {first + at for at in restarts(frequency_Hz[first:last])}
    edges = sorted(starts)
    parts = list(zip(edges, [*edges[1:], len(frequency_Hz)], strict=True))
    return [
        make_spectrum(
            frequency_Hz[a:b].copy(),
            impedance_ohm[a:b].copy(),
            f"{name} #{number}" if len(parts) > 1 else name,
        )
        for number, (a, b) in enumerate(parts, 1)
        if b > a
    ]


def _changes(counter: FloatArray) -> list[int]:
    filled = np.where(np.isfinite(counter), counter, -1.0)
    return (np.flatnonzero(np.diff(filled)) + 1).tolist()


def restarts(frequency_Hz: FloatArray) -> list[int]:
    """Where the frequency starts again: it jumps back over half of what it went, or goes back step by step."""
    steps = np.diff(np.log10(frequency_Hz))
    found: list[int] = []
    first, way = 0, 0.0  # of the sweep that goes on
    for k, step in enumerate(steps):
        if abs(step) < _SAME:
            continue
        if way == 0.0:
            way = float(np.sign(step))
            continue
        if step * way > 0:
            continue
        went = float(np.abs(np.log10(frequency_Hz[k] / frequency_Hz[first])))
        jumped = abs(step) > max(0.5 * went, 0.3)
        after = steps[k : k + _TURNED]
        turned = len(after) == _TURNED and bool((after * way < -_SAME).all())
        if jumped or turned:
            first = k + 1 if jumped else k
            way = 0.0 if jumped else -way
            if not found or first > found[-1]:
                found.append(first)
    return found


def sign_is_wrong(spectrum: Spectrum) -> bool:
    """Im(Z) above zero, and nothing inductive about it: -Im(Z) under the name of Im(Z).

    Through a coil (the leads before a short) the reactance rises with the frequency while the resistance stays;
    with the
    sign turned round a cell's resistance falls as the frequency rises, or its reactance does.
    """
    below = spectrum.frequency_Hz < WIRING_Hz
    z, frequency_Hz = spectrum.impedance_ohm[below], spectrum.frequency_Hz[below]
    reactive = np.abs(z.imag) > REACTIVE * np.abs(z)
    if reactive.sum() < 3 or np.mean(z.imag[reactive] > 0) <= 0.9:
        return False
    z, frequency_Hz = z[reactive], frequency_Hz[reactive]
    rises = (
        np.polyfit(np.log10(frequency_Hz), np.log10(np.abs(z.imag)), 1)[0] > 0.3
        if np.ptp(frequency_Hz)
        else False
    )
    whole = spectrum.impedance_ohm.real
    falls = whole[-1] - whole[0] > 0.25 * float(
        np.max(np.abs(whole))
    )  # from the highest frequency to the lowest: grows
    return not rises or bool(falls)
