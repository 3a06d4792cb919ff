"""The circuits of the review's figure 7, as what changes of a cell's own circuit.

| circuit | what differs from the spectrum before | class |
|---|---|---|
| unchanged | nothing | |
| contact_change | the interfaces' area: R_int over it, their capacity with it | contact loss (or contact gained) |
| parallel_leak | a resistance beside the whole cell | hard, soft short, fake stable |
| bridged_bulk | part of the electrolyte's resistance is gone | partial short |
| grown_bulk | there is more of it: salt depleted, dried, colder | |
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ccdmon.analysis.impedance.arcs import Mask, arcs_ohm
from ccdmon.model.spectrum import ComplexArray
from ccdmon.model.trace import FloatArray

UNCHANGED, CONTACT, LEAK, BRIDGED, GROWN = (
    "unchanged", "contact_change", "parallel_leak", "bridged_bulk", "grown_bulk",
)  # fmt: skip

MOST_LN = 30.0  # a fit may try what no cell is


@dataclass(frozen=True)
class Parts:
    """Series resistance in ohm and inductance in H of a circuit; an ohm, a time in s and an exponent of each arc."""

    series_ohm: float
    inductance_H: float
    ohm: FloatArray
    tau_s: FloatArray
    exponent: FloatArray

    def impedance(self, omega: FloatArray) -> ComplexArray:
        """Of all of it."""
        arcs = arcs_ohm(omega, self.ohm, self.tau_s, self.exponent).sum(axis=1)
        return np.asarray(self.series_ohm + arcs + 1j * omega * self.inductance_H)


@dataclass(frozen=True)
class Form:
    """What is free: a leak, a bridge, the interfaces (each, or `alike`); `fixed_times`: capacities go with the area."""

    name: str
    leak: bool = False
    bridge: bool = False
    interfaces: bool = False
    alike: bool = False
    fixed_times: bool = True


FORMS = (
    Form(UNCHANGED),
    Form(CONTACT, interfaces=True, alike=True),
    Form(CONTACT, interfaces=True),
    Form(CONTACT, interfaces=True, fixed_times=False),
    Form(LEAK, leak=True),
    Form(LEAK, leak=True, interfaces=True),
    Form(BRIDGED, bridge=True),
    Form(BRIDGED, bridge=True, fixed_times=False),
    Form(BRIDGED, bridge=True, interfaces=True),
    Form(BRIDGED, bridge=True, interfaces=True, fixed_times=False),
)


@dataclass(frozen=True)
class Change:
    """A form for a cell of these interface and electrolyte arcs.

    Its vector has the logarithms of what interfaces have grown by, then that of the leak in ohm or of what the bridge
    leaves of the electrolyte.
    """

    form: Form
    interface: Mask
    electrolyte: Mask

    @property
    def moving(self) -> npt.NDArray[np.intp]:
        """Which arcs are free."""
        return np.flatnonzero(self.interface) if self.form.interfaces else np.zeros(0, dtype=np.intp)

    @property
    def factors(self) -> int:
        """Numbers of the vector that are of the interfaces."""
        return min(self.moving.size, 1) if self.form.alike else self.moving.size

    @property
    def size(self) -> int:
        """Of the vector."""
        return self.factors + self.form.leak + self.form.bridge

    def left(self, x: FloatArray) -> float:
        """Of the electrolyte's resistance, by a bridge."""
        return math.exp(min(x[-1], MOST_LN)) if self.form.bridge else 1.0

    def grown(self, x: FloatArray) -> FloatArray:
        """By what factor the resistance of each arc has grown."""
        found = np.ones(self.interface.size)
        found[self.moving] = np.exp(np.clip(x[: self.factors], -MOST_LN, MOST_LN))
        if self.form.bridge:
            found[self.electrolyte] *= self.left(x)
        return found

    def after(self, own: Parts, x: FloatArray) -> Parts:
        """The circuit after, without a leak."""
        grown, tau_s = self.grown(x), own.tau_s.copy()
        if not self.form.fixed_times:
            moved = self.electrolyte if self.form.bridge else self.interface
            tau_s[moved] *= grown[moved]
        return Parts(own.series_ohm * self.left(x), own.inductance_H, own.ohm * grown, tau_s, own.exponent)

    def impedance(self, own: Parts, omega: FloatArray, x: FloatArray) -> ComplexArray:
        """After, with a leak beside the cell and the wiring before both."""
        found = self.after(own, x)
        if not self.form.leak:
            return found.impedance(omega)
        wiring = 1j * omega * own.inductance_H
        return np.asarray(
            1 / (1 / (found.impedance(omega) - wiring) + math.exp(-max(x[-1], -MOST_LN))) + wiring
        )
