"""Why: what limited a test, and how it compares; beside the verdict, which it never changes."""

from ccdmon.analysis.contact import is_polymer
from ccdmon.analysis.why import impedance, limits, normalised, scale
from ccdmon.analysis.why.half_cycle_rows import half_cycle_rows
from ccdmon.analysis.why.response import response
from ccdmon.analysis.why.stripping import onset
from ccdmon.analysis.why.subject import Subject, Told
from ccdmon.analysis.why.transport import depletion

MOST_HALF_CYCLES = 160  # the first ones: what is later has mostly been told


def why(test: Subject) -> Told:
    """`why` of the report document: each a finding with its section and a line of text, a group, or None."""
    ends_row = test.ends_row
    stretches = [] if test.with_ocv else [s for s in test.stretches if s.last_row < ends_row]
    rows = half_cycle_rows(stretches, MOST_HALF_CYCLES)
    polymer = is_polymer(test.cell.electrolyte)
    found = response(rows, polymer=polymer)
    explained = found.explained()
    levels_A = [level.current_A for level in test.protocol.levels]
    voids = None if polymer or test.cell.configuration != "symmetric" else onset(rows, levels_A, explained)
    depleted = depletion(rows, test.cell.electrolyte, explained)
    return {
        "limiting_step": limits.limiting_step(test, voids, depleted),
        "stripping": limits.stripping(test, voids),
        "plating": limits.plating(test),
        "transport": limits.transport(test, depleted),
        "normalised": {
            "activation_energy": normalised.activation(found),
            "pressure": normalised.pressure(test, found, voids),
            "ccd_25degC": normalised.at_25_degC(test, found),
            "dc_over_impedance": normalised.dc_over_impedance(test, found, rows),
        },
        "circuits": impedance.circuits(test),
        "spectra": impedance.tracked(test.eis, test.area_cm2),
        "lithium": scale.lithium(test),
        "areal_capacity": scale.areal_capacity(test),
        "c_rate": scale.c_rates(test),
        "nucleation": scale.nucleation(test),
    }
