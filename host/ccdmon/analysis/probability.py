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

# Strength at which the probability stands, straight lines between. Where a rule told too few to be counted, by kind.
KINDS: dict[str, Points] = {
    "hard_short": ((1.0, 2.0), (0.9, 0.98)),
    "fake_stable": ((1.0, 2.0), (0.75, 0.95)),
    "partial_short": ((1.0, 2.0, 4.0), (0.6, 0.85, 0.95)),
    "soft_short": ((1.0, 4.0, 8.0), (0.7, 0.85, 0.95)),
    "contact_loss": ((1.0, 2.0), (0.75, 0.95)),
    "limit": ((1.0, 2.0), (0.9, 0.95)),
    "sensor_fault": ((1.0, 2.0), (0.9, 0.95)),
}
# By rule, as `python -m ccdmon.simulation.campaign.calibrate` prints them.
TABLES: dict[str, Points] = {}


def key_of(kind: str, evidence: Mapping[str, Any]) -> str:
    """The rule that told an event: its kind and its criterion, the best mark of how far it can be believed."""
    return f"{kind}: {evidence.get('criterion', '')}"


def strength(kind: str, evidence: Mapping[str, Any]) -> float:
    """How far beyond its limit the evidence is, 1 where it is just enough or says nothing of its size."""
    ratio, growth, dips = (evidence.get(name) for name in ("ratio", "growth", "dips"))
    if growth is not None and growth > 1:
        return log(growth) / log(th.CONTACT_GROWTH)
    if ratio is None or not ratio < 1:
        return 1.0
    if kind in ("hard_short", "fake_stable"):
        return log(max(ratio, 1e-3)) / log(th.HARD_REMAINS)
    return float((1 - ratio) / th.FALL + (dips or 0) / th.OCV_DIPS)


def probability_of(kind: str, evidence: Mapping[str, Any]) -> float:
    """Probability that an event of this kind with this evidence is real, 0 to 1."""
    points = TABLES.get(key_of(kind, evidence), KINDS[kind])
    return float(np.interp(strength(kind, evidence), *points))
