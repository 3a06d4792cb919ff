"""The analysis on the second simulator: it must not have learned the ways of the first.

Few seeds here, so that a class that breaks shows; the campaign has the figures.
"""

import numpy as np
import pytest

from ccdmon.analysis.document import analyze
from ccdmon.analysis.impedance.comparison import compare
from tests.host.plain_cell import PROTOCOLS, Truth, make

SEEDS = range(14)


def read(kind: str, seed: int, **fixed):
    trace, truth, spectra = make(kind, seed, **fixed)
    return analyze(trace, impedance=compare(spectra.get("before"), spectra.get("after"))), truth


def first_row(truth: Truth) -> int:
    """From here on a reader may say something."""
    return truth.told.get("first_row", truth.onset_row)


def found(document, truth: Truth) -> bool:
    return any(e["kind"] == truth.kind and e["row"] >= first_row(truth) - 3 for e in document["events"])


@pytest.mark.parametrize(
    "kind, missed_at_most",
    [("hard_short", 0), ("partial_short", 1), ("soft_short", 1), ("contact_loss", 1), ("fake_stable", 1)],
)
def test_classes_are_found_and_nothing_before_them(kind: str, missed_at_most: int) -> None:
    read_all = [read(kind, seed) for seed in SEEDS]
    missed = [n for n, (document, truth) in enumerate(read_all) if not found(document, truth)]
    assert len(missed) <= missed_at_most, missed
    early = [e for d, t in read_all for e in d["events"] if e["row"] < first_row(t) - 3]
    assert early == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("configuration", ["symmetric", "half", "full"])
def test_healthy_cells_are_healthy_and_endure_their_highest_level(protocol: str, configuration: str) -> None:
    for seed in range(100, 104):
        document, truth = read("healthy", seed, protocol=protocol, configuration=configuration)
        assert document["events"] == []
        assert document["protocol"]["kind"] == protocol
        assert document["ccd"]["endured_mA_cm2"] == pytest.approx(max(truth.levels), rel=0.01)
        assert document["ccd"]["lower_bound"] is True


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hard_short_fails_the_level_it_happened_in(seed: int) -> None:
    document, truth = read("hard_short", seed)
    assert document["verdict"] == "failed"
    assert document["ccd"]["failed_at_mA_cm2"] == pytest.approx(truth.levels[truth.fault_level], rel=0.03)
    assert document["ccd"]["limited_by"] == "hard_short"


def test_a_full_cell_that_shorts_is_seen() -> None:
    read_all = [read("hard_short", seed, configuration="full") for seed in SEEDS]
    assert sum(found(document, truth) for document, truth in read_all) >= len(SEEDS) - 1


def test_the_impedance_before_alone_tells_a_cell_that_was_shorted_from_the_start() -> None:
    """Review, 2.3.2: U / I must be of the same magnitude as the impedance."""
    seeds = [s for s in range(40) if make("fake_stable", s)[1].told["way"] == "before"][:5]
    for seed in seeds:
        document, _ = read("fake_stable", seed)
        assert document["verdict"] == "failed"
        assert document["events"][0]["evidence"]["criterion"] == "U/I against impedance"
        assert document["ccd"]["eis"] == "unvalidated"  # that asks for a pair


def test_a_limit_is_seen_through_noise_and_is_no_failure() -> None:
    read_all = [read("limit", seed, noise=0.02) for seed in SEEDS]
    assert sum(any(e["kind"] == "limit" for e in d["events"]) for d, _ in read_all) >= len(SEEDS) - 2
    assert all(d["verdict"] != "failed" for d, _ in read_all)


def test_scans_in_rests_are_no_half_cycles_whatever_their_amplitude() -> None:
    trace, truth, _ = make("healthy", 6)  # its scans reach half of the first level
    resting = np.abs(trace.current_A) < 0.9 * np.abs(trace.current_A).min(
        where=trace.current_A != 0, initial=np.inf
    )
    assert not resting.all()
    document = analyze(trace)
    assert document["protocol"]["levels_mA_cm2"] == pytest.approx(truth.levels, rel=0.01)


def test_a_short_to_exactly_zero_volts_at_a_reversal_is_a_hard_short() -> None:
    document, truth = read("hard_short", 2034)  # the converter's step is above what is left of V
    assert not np.any(make("hard_short", 2034)[0].voltage_V[truth.onset_row : truth.onset_row + 100])
    (event,) = document["events"]
    assert (event["kind"], document["verdict"]) == ("hard_short", "failed")
    assert 0 <= event["row"] - truth.onset_row <= 3
