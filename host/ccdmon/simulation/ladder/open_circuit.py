"""What a cell's voltage is without a current: nothing, an alloy's offset, a foreign metal's, a cathode's curve."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

# Open-circuit voltage against lithium over the state of charge, rounded from published curves: a layered oxide
# (NMC 622) slopes all the way, an olivine (LFP) has one long plateau.
LAYERED_OXIDE = (
    (0.0, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0),
    (3.0, 3.45, 3.58, 3.66, 3.74, 3.83, 3.95, 4.08, 4.17, 4.27),
)
OLIVINE = (
    (0.0, 0.03, 0.08, 0.2, 0.5, 0.8, 0.95, 0.98, 1.0),
    (2.6, 3.2, 3.38, 3.415, 3.43, 3.44, 3.46, 3.55, 3.8),
)
INDIUM_V = 0.62  # two-phase Li-In against lithium


class OpenCircuit(Protocol):
    """A source in series with the cell's resistances; it follows the charge that the ions carry."""

    def voltage_V(self, current_A: float) -> float:
        """Voltage now, with a current of this sign."""
        ...

    def move(self, ionic_A: float, dt_s: float) -> None:
        """The ions' charge of one step."""
        ...


class NoVoltage:
    """Two like electrodes."""

    def voltage_V(self, current_A: float) -> float:  # noqa: ARG002
        return 0.0

    def move(self, ionic_A: float, dt_s: float) -> None:
        pass


@dataclass
class Alloy:
    """Lithium against a two-phase alloy: an offset, and a little slope as the alloy fills."""

    offset_V: float = INDIUM_V
    slope_V_C: float = 0.0
    moved_C: float = 0.0

    def voltage_V(self, current_A: float) -> float:  # noqa: ARG002
        return self.offset_V + self.slope_V_C * self.moved_C

    def move(self, ionic_A: float, dt_s: float) -> None:
        self.moved_C += ionic_A * dt_s


@dataclass
class ForeignMetal:
    """Lithium on copper: nucleation when plating begins, and the voltage runs away when all of it is stripped.

    Each charge stripped falls short of what was plated by 1 - `efficiency`.
    """

    nucleation_V: float
    nucleation_C: float
    efficiency: float = 0.98
    plated_C: float = 0.0

    def voltage_V(self, current_A: float) -> float:
        share = math.exp(-max(self.plated_C, 0.0) / self.nucleation_C)
        if current_A > 0:
            return self.nucleation_V * share
        # Nernst-like: the last lithium leaves some 1-2 V below the metal's own potential.
        return -2.0 * share**3 if current_A < 0 else -0.05 * share

    def move(self, ionic_A: float, dt_s: float) -> None:
        charge = ionic_A * dt_s
        self.plated_C = max(self.plated_C + charge * (self.efficiency if charge > 0 else 1.0), 0.0)


@dataclass
class Cathode:
    """A full cell: a curve over the state of charge, with a hysteresis that follows the direction of the charge."""

    curve: tuple[tuple[float, ...], tuple[float, ...]]
    capacity_C: float
    hysteresis_V: float = 0.01
    charge: float = 0.02  # state of charge, 0 to 1; beyond it the curve goes on steeply
    direction: float = 0.0  # -1 discharging, 1 charging

    def voltage_V(self, current_A: float) -> float:  # noqa: ARG002
        inside = min(max(self.charge, 0.0), 1.0)
        beyond = self.charge - inside
        voltage = float(np.interp(inside, *self.curve)) + 8.0 * beyond + self.hysteresis_V * self.direction
        return max(voltage, 0.0)  # emptied, it is no source any more

    def move(self, ionic_A: float, dt_s: float) -> None:
        moved = ionic_A * dt_s / self.capacity_C
        self.charge += moved
        # The hysteresis turns within some 2 % of the capacity.
        self.direction += (math.copysign(1.0, moved) - self.direction) * -math.expm1(-abs(moved) / 0.02)
