"""Circuits of figure 7: drawn from the cell model at a noise of 1 %, and found again."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from ccdmon.analysis.impedance.arcs import fit_arcs, fits_of_arcs
from ccdmon.analysis.impedance.changes import choose
from tests.bench.why.spectra import CIRCUITS, LADDER, draw


def test_what_did_not_change_is_told_from_both_spectra() -> None:
    drawn = draw("unchanged", 505, LADDER)
    own = fits_of_arcs(drawn.before)
    _, alone_ohm = own[0].sum_of(own[0].interface)
    best = choose(own, drawn.before, drawn.after).best
    assert 0.6 * alone_ohm < best.interface_error_ohm < 0.85 * alone_ohm  # the root of one half
    assert abs(best.interface_ohm - drawn.interface_ohm) < 3 * best.interface_error_ohm


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_the_right_circuit_and_its_resistances(circuit: str) -> None:
    for seed in (500, 501):
        drawn = draw(circuit, seed)
        choice = choose(fits_of_arcs(drawn.before), drawn.before, drawn.after)
        assert choice.best.name == circuit
        assert drawn.off(choice.best) < 0.08


def test_errors_of_the_arcs_are_what_a_repeated_scan_shows() -> None:
    bulks = [fit_arcs(draw("unchanged", 503, noise_seed=k).before) for k in range(8)]
    found = [arcs.sum_of(arcs.electrolyte, series=True) for arcs in bulks]
    scatter = float(np.std([bulk for bulk, _ in found]))
    assert 0.3 * scatter < found[0][1] < 5 * scatter
