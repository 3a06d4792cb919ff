"""Why: what limited a test, and how it compares; beside the verdict, which it never changes."""

from ccdmon.analysis.why import impedance, scale
from ccdmon.analysis.why.subject import Subject, Told


def why(test: Subject) -> Told:
    """`why` of the report document: each a finding with its section and a line of text, or None."""
    return {
        "circuits": impedance.circuits(test),
        "spectra": impedance.tracked(test.eis, test.area_cm2),
        "lithium": scale.lithium(test),
        "areal_capacity": scale.areal_capacity(test),
        "c_rate": scale.c_rates(test),
        "nucleation": scale.nucleation(test),
    }
