"""Why: what limited a test, and how it compares; beside the verdict, which it never changes."""

from ccdmon.analysis.why import scale
from ccdmon.analysis.why.subject import Subject, Told


def why(test: Subject) -> Told:
    """`why` of the report document: each a finding with its section and a line of text, or None."""
    return {
        "lithium": scale.lithium(test),
        "areal_capacity": scale.areal_capacity(test),
        "c_rate": scale.c_rates(test),
        "nucleation": scale.nucleation(test),
    }
