"""What goes wrong in this world: leaks of several shapes, bridges, contacts that lose their pressure, open leads.

A fault begins in one step of the program, some seconds after its start, and acts on the cell (`act` sets the
cell's leak, bridge or contact for the time that comes). Sizes of leaks are relative to the cell's own
direct-current resistance R when the fault begins: `share` is G R, so that R / (1 + G R) is left.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ccdmon.simulation.ladder.cell import LadderCell

# Share of the leak over the time since its begin in s; None: it is over and the cell is its own again.
Shape = Callable[[float], float | None]


@dataclass
class Fault:
    """One fault of one cell. `kind` is what a reader should report; `accept` what is as good a reading."""

    kind: str
    step: int
    after_s: float
    act: Callable[[LadderCell, float], None]  # the cell, and s since the begin
    accept: tuple[str, ...] = ()
    tells_share: float = 0.0  # the leak's share from which on a reader is asked to see it
    ends_ramp: bool = True
    settles_s: float = 0.0  # its reading takes so long after the begin
    began_s: float | None = field(default=None, init=False)

    def move(self, cell: LadderCell, step: int, elapsed_s: float) -> None:
        """Called before each stretch of time: `elapsed_s` since the step began."""
        if self.began_s is None:
            if step < self.step or (step == self.step and elapsed_s < self.after_s - 1e-9):
                return
            self.began_s = cell.time_s
        self.act(cell, cell.time_s - self.began_s)

    def next_begin_s(self, step: int, elapsed_s: float) -> float:
        """Seconds until it begins in this step, infinite if it does not."""
        left = self.after_s - elapsed_s
        return left if self.began_s is None and step == self.step and left > 1e-9 else math.inf


def leak(shape: Shape) -> Callable[[LadderCell, float], None]:
    """A conductance beside the cell that follows `shape`."""
    whole_ohm: list[float] = []

    def act(cell: LadderCell, since_s: float) -> None:
        if not whole_ohm:
            whole_ohm.append(cell.direct_ohm())
        share = shape(since_s)
        cell.leak_S = 0.0 if share is None else share / whole_ohm[0]

    return act


def constant(share: float, rng: np.random.Generator | None = None, wander: float = 0.03) -> Shape:
    """At once and for good; a metallic contact's resistance wanders by some percent."""
    state = [0.0]

    def shape(since_s: float) -> float:  # noqa: ARG001
        if rng is not None:
            state[0] = 0.97 * state[0] + 0.24 * rng.standard_normal()
        return share * math.exp(wander * state[0])

    return shape


def power_law(final: float, lasts_s: float, exponent: float) -> Shape:
    """Grows with a power of time, as a filament's front does, and then stands."""
    return lambda since_s: final * min(since_s / lasts_s, 1.0) ** exponent


def staircase(shares: tuple[float, ...], every_s: float) -> Shape:
    """One filament after the other."""
    return lambda since_s: shares[min(int(since_s / every_s), len(shares) - 1)]


def oscillating(share: float, period_s: float, lasts_s: float) -> Shape:
    """Opens and closes with a period (heat or pressure drives it); never quite gone until it ends."""

    def shape(since_s: float) -> float | None:
        if since_s > lasts_s:
            return None
        wave = 0.5 - 0.5 * math.cos(2 * math.pi * since_s / period_s)
        return share * (0.1 + 0.9 * wave * wave)

    return shape


def switching(share: float, on_s: float, off_s: float, lasts_s: float, rng: np.random.Generator) -> Shape:
    """A filament that burns through and grows again: exponential times, each time another size."""
    on, until_s, size = True, float(rng.exponential(on_s)), share

    def shape(since_s: float) -> float | None:
        nonlocal on, until_s, size
        if since_s > lasts_s:
            return None
        while since_s > until_s:
            on = not on
            until_s += float(rng.exponential(on_s if on else off_s))
            size = share * math.exp(0.4 * rng.standard_normal())
        return size if on else 0.0

    return shape


def ending(shape: Shape, lasts_s: float) -> Shape:
    """The same, gone after a time."""
    return lambda since_s: shape(since_s) if since_s <= lasts_s else None


def bridge(share: float) -> Callable[[LadderCell, float], None]:
    """Metal bridges the electrolyte so that `share` of the whole resistance is gone, for good."""
    part: list[float] = []

    def act(cell: LadderCell, since_s: float) -> None:  # noqa: ARG001
        if not part:
            part.append(min(share * cell.direct_ohm() / cell.parameters.ohmic_ohm, 0.95))
        cell.bridged = part[0]

    return act


def relief(left: float, lasts_s: float) -> Callable[[LadderCell, float], None]:
    """The stack's pressure relaxes to a share: bolts creep, a spring yields; the supply of lithium goes with it."""

    def act(cell: LadderCell, since_s: float) -> None:
        cell.relative_pressure = left + (1 - left) * math.exp(-since_s / lasts_s)

    return act


def opened(cell: LadderCell, since_s: float) -> None:  # noqa: ARG001
    """A lead, a tab or the contact itself is gone."""
    cell.opened = True
