"""How likely an event is real: its evidence becomes one number, and a table turns that into a probability.

The number says how far beyond its limit the evidence is: 1 is just enough. The tables are a share of real events by
that number; they are to be counted on labelled traces, and hold where the world is like those.
"""

from collections.abc import Mapping
from math import log
from typing import Any

import numpy as np

from ccdmon.analysis import thresholds as th

Points = tuple[tuple[float, ...], tuple[float, ...]]

# Strength at which the probability stands, straight lines between: what was told in all three worlds and by another
# generator of traces, on seeds that are in no reliability table, as `ccdmon.simulation.campaign.calibrate` counts it
# (1500 events). By kind for rules that told too few; fake stable as by its counted rules.
KINDS: dict[str, Points] = {
    "contact_loss": ((1.0,), (0.5,)),
    "fake_stable": ((1.0,), (0.97,)),
    "hard_short": ((1.0,), (0.9,)),
    "limit": ((1.0,), (0.97,)),
    "partial_short": ((1.0,), (0.75,)),
    "sensor_fault": ((1.0,), (0.9,)),
    "soft_short": ((1.0,), (0.79,)),
}
TABLES: dict[str, Points] = {
    "contact_loss: growth within half-cycles and from one to the next": ((1.0,), (0.98,)),
    "contact_loss: open circuit": ((1.0,), (0.99,)),
    "contact_loss: the level grows from half-cycle to half-cycle": ((1.0,), (0.93,)),
    "fake_stable: U/I against impedance": ((1.0,), (0.98,)),
    "fake_stable: against all that it kept": ((1.0,), (0.98,)),
    "fake_stable: impedance": ((1.0,), (0.99,)),
    "fake_stable: the level slides to a fraction and stays": ((1.0,), (0.97,)),
    "hard_short: V lost within a row": ((1.0,), (0.95,)),
    "hard_short: less than a solid electrolyte has": ((1.0,), (0.97,)),
    "hard_short: the level falls at once and stays": ((1.0,), (0.99,)),
    "partial_short: V falls at once and stays": ((1.0,), (0.97,)),
    "partial_short: V lost within a row": ((1.0,), (0.55,)),
    "partial_short: the level falls at once and stays": ((1.0,), (0.99,)),
    "sensor_fault: V stands far beyond all that it was": ((1.0,), (0.99,)),
    "soft_short: V falls on in rests": ((1.0,), (0.99,)),
    "soft_short: charge beyond all that the cell held": ((1.0,), (0.99,)),
    "soft_short: dips at constant current": ((1.0,), (0.99,)),
    "soft_short: many single rows towards 0, none the other way": ((1.0,), (0.96,)),
    "soft_short: the level dips and comes back": ((2.89, 2.95), (0.75, 0.98)),
    "soft_short: the level is lower and swings": ((1.0,), (0.97,)),
}


def key_of(kind: str, evidence: Mapping[str, Any]) -> str:
    """The rule that told an event: its kind and its criterion, the best mark of how far it can be believed."""
    return f"{kind}: {evidence.get('criterion', '')}"


def strength(kind: str, evidence: Mapping[str, Any]) -> float:
    """How far beyond its limit the evidence is, 1 where it is just enough or says nothing of its size."""
    ratio, growth = evidence.get("ratio"), evidence.get("growth")
    towards_0 = (evidence.get("dips") or 0) - 3 * (evidence.get("ups") or 0)  # a leak only lowers
    if growth is not None and growth > 1:
        return log(growth) / log(th.GROWN)
    if ratio is None or not ratio < 1:
        return 1.0
    if kind in ("hard_short", "fake_stable"):
        return log(max(ratio, 1e-3)) / log(th.HARD_REMAINS)
    return float((1 - ratio) / th.FALL + towards_0 / th.DIPS)


def probability_of(kind: str, evidence: Mapping[str, Any]) -> float:
    """Probability that an event of this kind with this evidence is real, 0 to 1."""
    points = TABLES.get(key_of(kind, evidence), KINDS[kind])
    return float(np.interp(strength(kind, evidence), *points))
