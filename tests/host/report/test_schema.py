"""The report document: its schema, and that it depends on nothing but the cell.

Chunks, a question on the way, the unit of V and I, the sign convention and the origin of time must not matter; rows
that say nothing must give a document that says so.
"""

import json
from dataclasses import replace
from importlib.resources import files
from math import copysign, inf, nan
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ccdmon.analysis.document import StreamingAnalysis, analyze
from ccdmon.model.trace import Cell, Trace
from tests.host.plain_cell import KINDS, make

VALIDATOR = jsonschema.Draft202012Validator(
    json.loads((files("ccdmon") / "data" / "report.schema.json").read_text())
)
ROWS = 2500


def checked(document: dict[str, Any]) -> dict[str, Any]:
    VALIDATOR.validate(document)
    json.dumps(document, allow_nan=False)
    return document


def read(trace: Trace, spectra: dict[str, Any] | None = None) -> dict[str, Any]:
    return checked(analyze(trace, **{f"eis_{when}": s for when, s in (spectra or {}).items()}))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_kind_of_document_is_valid_and_consistent(kind: str, seed: int) -> None:
    trace, _, spectra = make(kind, seed, rows=ROWS)
    document = read(trace, spectra)
    area_cm2 = trace.cell.electrode_area_cm2
    for h in document["half_cycles"]:
        assert h["current_density_mA_cm2"] == pytest.approx(h["current_A"] * 1e3 / area_cm2)
        assert h["capacity_mAh_cm2"] == pytest.approx(h["capacity_mAh"] / area_cm2)
        if h["resistance_end_ohm"] is not None:
            assert h["resistance_end_ohm_cm2"] == pytest.approx(h["resistance_end_ohm"] * area_cm2)
        moved_mAh = abs(h["current_A"]) * (h["end_s"] - h["start_s"]) / 3.6
        if kind not in ("limit", "contact_loss"):  # there the current gives way
            assert h["capacity_mAh"] == pytest.approx(moved_mAh, rel=0.1)
    assert [h["index"] for h in document["half_cycles"]] == list(range(len(document["half_cycles"])))
    assert document["ccd"]["area_cm2"] == area_cm2
    fatal = [e for e in document["events"] if e["kind"] == document["ccd"]["limited_by"]]
    assert (document["verdict"] == "failed") == bool(fatal) == (not document["ccd"]["lower_bound"])


def test_failed_needs_what_the_contract_says() -> None:
    for kind in KINDS:
        for seed in range(4):
            trace, _, spectra = make(kind, seed, rows=ROWS)
            document = read(trace, spectra)
            ends = [
                e
                for e in document["events"]
                if e["kind"] in ("hard_short", "fake_stable")
                or (e["kind"] == "contact_loss" and not e["provisional"] and not e["recovered"])
                or (e["kind"] == "soft_short" and not e["recovered"])
            ]
            verdict = "failed" if ends else "suspect" if document["events"] else "healthy"
            assert document["verdict"] == verdict, (kind, seed)


def test_without_an_area_what_is_per_area_is_null_and_nothing_else() -> None:
    trace, _, _ = make("hard_short", 3, rows=ROWS)
    with_area, bare = read(trace), read(replace(trace, cell=replace(trace.cell, electrode_area_cm2=None)))
    for part in ("half_cycles", "events"):
        for item in bare[part]:
            assert all(value is None for name, value in item.items() if name.endswith("cm2"))
    assert all(value is None for name, value in bare["ccd"].items() if name.endswith("cm2"))
    assert set(bare["protocol"]["levels_mA_cm2"]) == {None}
    assert bare["protocol"]["levels_A"] == with_area["protocol"]["levels_A"]
    assert [e["row"] for e in bare["events"]] == [e["row"] for e in with_area["events"]]


# -- what must not matter ----------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@example("contact_loss", 9, [])  # the limit was reached in a later half-cycle than the growth began in
@given(st.sampled_from(KINDS), st.integers(0, 50), st.lists(st.integers(0, 900), max_size=8))
def test_chunks_and_questions_on_the_way_do_not_matter(kind: str, seed: int, sizes: list[int]) -> None:
    trace, _, _ = make(kind, seed, rows=1200)
    stream, row = StreamingAnalysis(trace.cell), 0
    for size in [*sizes, len(trace)]:
        stream.feed(trace.rows(row, min(row + size, len(trace))))
        row = min(row + size, len(trace))
        checked(stream.report())
    assert stream.report() == analyze(trace)


def scaled(trace: Trace, volts: float, amperes: float) -> Trace:
    return replace(trace, voltage_V=trace.voltage_V * volts, current_A=trace.current_A * amperes)


def told(document: dict[str, Any]) -> list[Any]:
    events = [(e["kind"], e["row"], e["recovered"], e["provisional"]) for e in document["events"]]
    return [document["verdict"], document["protocol"]["kind"], len(document["half_cycles"]), *events]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("volts, amperes", [(2.0**-10, 1.0), (2.0**10, 2.0**-20), (1.0, 2.0**13)])
def test_a_cell_of_millivolts_and_microamperes_is_read_like_one_of_volts(kind, volts, amperes) -> None:
    """Powers of two: the same bits in another unit. (With an area, ohm cm2 tell whether there is a cell at all.)"""
    for seed in range(2):
        trace, _, _ = make(kind, seed, rows=ROWS)
        trace = replace(trace, cell=replace(trace.cell, electrode_area_cm2=None))
        assert told(read(scaled(trace, volts, amperes))) == told(read(trace))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("volts, amperes", [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0)])
def test_either_sign_of_current_and_either_convention(kind: str, volts: float, amperes: float) -> None:
    for seed in range(2):
        trace, _, _ = make(kind, seed, rows=ROWS, configuration="symmetric")
        assert told(read(scaled(trace, volts, amperes))) == told(read(trace))


@pytest.mark.parametrize("kind", KINDS)
def test_the_origin_of_time_does_not_matter(kind: str) -> None:
    trace, _, _ = make(kind, 1, rows=ROWS)
    moved = replace(trace, test_time_s=trace.test_time_s + 2.0**20)
    assert told(read(moved)) == told(read(trace))
    for a, b in zip(read(moved)["events"], read(trace)["events"], strict=True):
        assert a["start_s"] - 2.0**20 == pytest.approx(b["start_s"], abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_every_prefix_has_a_document(kind: str) -> None:
    """A test that was cut off anywhere, as by a trip."""
    trace, _, _ = make(kind, 2, rows=800)
    for end in (0, 1, 2, 3, 5, 9, 17, 33, 100, 333, 700, len(trace) - 1):
        read(trace.rows(0, end))


# -- rows that say nothing, or too much --------------------------------------------------------------------------


def columns(rows: int, time_s: Any, voltage_V: Any, current_A: Any) -> Trace:
    full = [
        np.broadcast_to(np.asarray(x, dtype=np.float64), rows).copy() for x in (time_s, voltage_V, current_A)
    ]
    return Trace(*full, cell=Cell(1.0))


@pytest.mark.parametrize("voltage_V", [0.0, 1.0, -1.0, nan, inf, -inf, 1e300, 1e-300])
@pytest.mark.parametrize("current_A", [0.0, 1e-3, -1e-3, nan, inf, 1e300, 1e-300])
def test_constant_rows_of_any_value_are_no_failure(voltage_V: float, current_A: float) -> None:
    document = read(columns(200, np.arange(200.0), voltage_V, current_A))
    shorted = abs(current_A) == 1e-3 and abs(voltage_V) < 1e-9  # 1 mA cm-2 through no resistance at all
    assert (document["verdict"] == "failed") == shorted
    assert (document["verdict"] == "not_judged") == (not 0 < abs(current_A) < inf or not abs(voltage_V) < inf)


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_a_few_rows(rows: int) -> None:
    document = read(columns(rows, np.arange(float(rows)), 0.1, 1e-3))
    assert (document["verdict"], document["events"]) == ("healthy" if rows > 2 else "not_judged", [])
    assert document["ccd"]["endured_mA_cm2"] is None or rows > 2


@pytest.mark.parametrize("gap_s", [1e9, 1e15])
def test_a_gap_of_an_age_is_a_gap(gap_s: float) -> None:
    trace, _, _ = make("healthy", 4, rows=1000)
    half = len(trace) // 2
    time_s = trace.test_time_s + np.where(np.arange(len(trace)) >= half, gap_s, 0.0)
    assert read(replace(trace, test_time_s=time_s))["verdict"] == "healthy"


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_rows_without_a_number_are_left_out(share: float, value: float) -> None:
    trace, _, _ = make("healthy", 5, rows=ROWS)
    rng = np.random.default_rng(1)
    voltage_V = np.where(rng.uniform(size=len(trace)) < share, value, trace.voltage_V)
    assert read(replace(trace, voltage_V=voltage_V))["verdict"] == "healthy"


def test_noise_alone_is_no_failure() -> None:
    rng = np.random.default_rng(2)
    document = read(
        columns(3000, np.arange(3000.0), 1e-4 * rng.standard_normal(3000), 1e-9 * rng.standard_normal(3000))
    )
    assert document["verdict"] != "failed"


def test_a_square_wave_without_noise() -> None:
    current_A = np.array([copysign(1e-3, 1 if (k // 100) % 2 == 0 else -1) for k in range(1000)])
    document = read(columns(1000, np.arange(1000.0), 50 * current_A, current_A))
    assert (document["verdict"], document["protocol"]["kind"]) == ("healthy", "long_cycling")
    assert document["ccd"]["endured_mA_cm2"] == pytest.approx(1.0)
    assert document["half_cycles"][1]["current_density_mA_cm2"] == pytest.approx(-1.0)
    assert document["protocol"]["half_cycle_mAh_cm2"] == pytest.approx(100 / 3600, rel=0.02)
