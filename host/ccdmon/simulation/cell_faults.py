"""What can happen to a simulated cell: shorts of the four kinds, seen as a leak or a bridge in its circuit.

The classes are those of the review (Adv. Funct. Mater. 2021, 31, 2009925), section 2.2.3, figures 7 and 8. A
fault sets `leak_S` (parallel to the whole cell) or `bridged` (share of the bulk resistance) of the cell's
surroundings; contact loss is no fault in this sense: it grows by itself in `cellphysics` from the flux
balance.
"""

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ccdmon.simulation.physics import CellModel

FOREVER_S = math.inf


class Fault(Protocol):
    """Acts on a cell as time passes; `kind` is the class of the contract, the times are of the truth."""

    kind: str
    onset_s: float
    end_s: float

    def act(self, cell: CellModel, time_s: float, dt_s: float) -> None:
        """Set the cell's surroundings for the step of `dt_s` that begins at `time_s` (both in s)."""
        ...


@dataclass
class HardShort:
    """A dendrite bridges the cell: leak far below the cell's own resistance, at once and for good.

    `leak_ratio` is the leak's resistance over the cell's own in the moment of failure (0.05 or less).
    `wander` is the relative size of the slow changes of a metallic contact.
    """

    onset_s: float
    leak_ratio: float
    wander: float = 0.05
    seed: int = 0
    kind: str = field(default="hard_short", init=False)
    end_s: float = field(default=FOREVER_S, init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._full_S = 0.0
        self._drift = 0.0

    # The protocol hands over `dt_s`; this fault has no rate.
    def act(self, cell: CellModel, time_s: float, dt_s: float) -> None:  # noqa: ARG002
        if time_s < self.onset_s:
            return
        if not self._full_S:
            self._full_S = 1.0 / (self.leak_ratio * cell.ionic_ohm())
        self._drift = 0.95 * self._drift + 0.3 * self._rng.standard_normal()
        cell.surroundings.leak_S = self._full_S * math.exp(self.wander * self._drift)


@dataclass
class PartialShort:
    """Metal bridges part of the bulk: down by `drop` (0.1-0.5 of the whole), then ohmic on the rest."""

    onset_s: float
    drop: float
    kind: str = field(default="partial_short", init=False)
    end_s: float = field(default=FOREVER_S, init=False)

    # The protocol hands over `dt_s`; this fault has no rate.
    def act(self, cell: CellModel, time_s: float, dt_s: float) -> None:  # noqa: ARG002
        around = cell.surroundings
        if time_s >= self.onset_s and not around.bridged:
            around.bridged = min(self.drop * cell.ionic_ohm() / cell.bulk_ohm(), 0.97)


@dataclass
class SoftShort:
    """Filaments form and dissolve: an intermittent leak with severe fluctuation, gone after `end_s`.

    `depth` is the mean drop of the polarisation while it lasts, `flicker_s` the time constant of the leak's
    conductance, `fluctuation` the standard deviation of its logarithm.
    """

    onset_s: float
    end_s: float
    depth: float
    flicker_s: float
    fluctuation: float = 0.8
    seed: int = 0
    kind: str = field(default="soft_short", init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._log = 0.0
        self._mean_S = 0.0

    def act(self, cell: CellModel, time_s: float, dt_s: float) -> None:
        if time_s >= self.end_s:
            cell.surroundings.leak_S = 0.0
        elif time_s >= self.onset_s:
            if not self._mean_S:
                # V falls by `depth` when the leak carries that share: G/(G + 1/R) = depth.
                self._mean_S = self.depth / (1 - self.depth) / cell.ionic_ohm()
            keep = math.exp(-dt_s / self.flicker_s)
            self._log = keep * self._log + math.sqrt(1 - keep * keep) * self._rng.standard_normal()
            spread = self.fluctuation
            cell.surroundings.leak_S = self._mean_S * math.exp(spread * self._log - spread * spread / 2)


@dataclass
class FakeStable:
    """A weak electronic resistance that carries the current: flat, rectangular, ohmic, looks healthy.

    `leak_ratio` is the leak's resistance over the cell's own; it forms over `formation_s` (0: there from the
    start). The review's own cell went from 70-80 ohm to 6 (section 2.3.2, figure 10).
    """

    onset_s: float
    leak_ratio: float
    formation_s: float = 0.0
    kind: str = field(default="fake_stable", init=False)
    end_s: float = field(default=FOREVER_S, init=False)

    def __post_init__(self) -> None:
        self._full_S = 0.0

    def act(self, cell: CellModel, time_s: float, dt_s: float) -> None:
        if time_s < self.onset_s:
            return
        if not self._full_S:
            self._full_S = 1.0 / (self.leak_ratio * cell.ionic_ohm())
        age = (time_s + dt_s - self.onset_s) / self.formation_s if self.formation_s > 0 else 1.0
        age = min(max(age, 0.0), 1.0)
        # Paths join a growing network: slow at first, so that the resistance falls without a jump.
        cell.surroundings.leak_S = self._full_S * math.expm1(3 * age) / math.expm1(3)
