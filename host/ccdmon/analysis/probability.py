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

# Strength at which the probability stands, straight lines between: what was told of 12 events and more of all three
# worlds, as `python -m ccdmon.simulation.campaign.calibrate --seeds 10 --max-rows 3000 --world all --recordings FILE`
# prints them (690 tests from seed 10000 on, none of them in the reliability table). By kind for rules that told fewer;
# `limit` told too few even so: guessed.
KINDS: dict[str, Points] = {
    "contact_loss": ((1.0, 6.93), (0.87, 0.94)),
    "fake_stable": ((1.41,), (0.93,)),
    "hard_short": ((1.0, 4.06), (0.94, 0.96)),
    "partial_short": ((1.0, 4.44), (0.5, 0.95)),
    "sensor_fault": ((1.0,), (0.95,)),
    "soft_short": ((1.0,), (0.94,)),
    "limit": ((1.0, 2.0), (0.9, 0.95)),
}
TABLES: dict[str, Points] = {
    "contact_loss: growth within half-cycles and from one to the next": ((6.67, 18.41), (0.88, 0.94)),
    "contact_loss: open circuit": ((1.0,), (0.96,)),
    "fake_stable: the level slides to a fraction and stays": ((1.99,), (0.93,)),
    "hard_short: V lost within a row": ((1.0,), (0.93,)),
    "hard_short: the level falls at once and stays": ((2.7, 4.8), (0.94, 0.98)),
    "partial_short: V lost within a row": ((1.0,), (0.5,)),
    "partial_short: the level falls at once and stays": ((4.13,), (0.94,)),
    "sensor_fault: V stands far beyond all that it was": ((1.0,), (0.94,)),
    "soft_short: V falls on in rests": ((1.0,), (0.96,)),
    "soft_short: charge beyond all that the cell held": ((1.0,), (0.92,)),
    "soft_short: dips at constant current": ((1.0,), (0.96,)),
    "soft_short: the level dips and comes back": ((2.65, 6.87), (0.73, 0.85)),
    "soft_short: the level is lower and swings": ((1.43,), (0.93,)),
}


def key_of(kind: str, evidence: Mapping[str, Any]) -> str:
    """The rule that told an event: its kind and its criterion, the best mark of how far it can be believed."""
    return f"{kind}: {evidence.get('criterion', '')}"


def strength(kind: str, evidence: Mapping[str, Any]) -> float:
    """How far beyond its limit the evidence is, 1 where it is just enough or says nothing of its size."""
    ratio, growth, dips = (evidence.get(name) for name in ("ratio", "growth", "dips"))
    if growth is not None and growth > 1:
        return log(growth) / log(th.GROWN)
    if ratio is None or not ratio < 1:
        return 1.0
    if kind in ("hard_short", "fake_stable"):
        return log(max(ratio, 1e-3)) / log(th.HARD_REMAINS)
    return float((1 - ratio) / th.FALL + (dips or 0) / th.DIPS)


def probability_of(kind: str, evidence: Mapping[str, Any]) -> float:
    """Probability that an event of this kind with this evidence is real, 0 to 1."""
    points = TABLES.get(key_of(kind, evidence), KINDS[kind])
    return float(np.interp(strength(kind, evidence), *points))
