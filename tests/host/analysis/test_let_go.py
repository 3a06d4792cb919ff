"""A test of many half-cycles: what lies far back is settled and let go, and the report says what it would have said."""

from typing import Any

import numpy as np
import pytest

from ccdmon.analysis import document
from ccdmon.analysis.document import StreamingAnalysis
from ccdmon.analysis.level import level_test
from ccdmon.model.trace import Cell, Trace

HALF_CYCLES, ROWS = 420, 40
CELL = Cell(1.0, configuration="symmetric")


def rows(**failures: int) -> Trace:
    """Half-cycles of 40 s at 1 mA and 100 ohm; `failures` begin in so many half-cycles."""
    rng = np.random.default_rng(7)
    number, t = np.divmod(np.arange(HALF_CYCLES * ROWS), ROWS)
    ohm = 100.0 * (1 - 0.4 * np.exp(-t / 6.0))
    for name, at in failures.items():
        behind = (number > at) | ((number == at) & (t >= 20))
        lasts = behind & (number < at + 1) if name == "soft" else behind
        remains = {"soft": 0.5, "partial": 0.8, "hard": 0.02, "contact": 1.0}[name]
        grown = 1.012 ** np.maximum(number - at, 0) if name == "contact" else 1.0
        ohm = np.where(lasts, ohm * remains, ohm) * grown
    current_A = np.where(number % 2 == 0, 1e-3, -1e-3)
    volts = current_A * ohm + rng.normal(0, 1e-5, number.size)
    return Trace(1.0 * np.arange(number.size), volts, current_A, cell=CELL)


def fed(trace: Trace, chunk: int) -> StreamingAnalysis:
    analysis = StreamingAnalysis(trace.cell)
    columns = trace.test_time_s, trace.voltage_V, trace.current_A
    for k in range(0, len(trace), chunk):
        analysis.feed(Trace(*(c[k : k + chunk] for c in columns), cell=trace.cell))
        analysis.look()
    return analysis


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half-cycles are let go of after a hundred, not a thousand."""
    for module, name, value in (
        (document, "FIRST", 24), (document, "NEWEST", 90), (document, "AT_ONCE", 16), (level_test, "AROUND", 32),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


def without_why(report: dict[str, Any]) -> dict[str, Any]:
    """That is read from the first half-cycles, of which fewer are left here."""
    return {name: value for name, value in report.items() if name != "why"}


@pytest.mark.parametrize(
    "failures",
    [
        {}, {"soft": 60}, {"soft": 119, "partial": 300}, {"partial": 101, "hard": 410}, {"soft": 200, "hard": 205},
        {"contact": 330}, {"hard": 150},
    ],
)  # fmt: skip
def test_a_report_says_what_it_would_have_said(failures: dict[str, int], soon: None) -> None:
    trace = rows(**failures)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "AT_ONCE", 10**6)
        whole = without_why(document.analyze(trace))
    analysis = fed(trace, 10 * ROWS)
    assert without_why(analysis.report()) == whole
    assert {event["kind"].split("_")[0] for event in whole["events"]} == set(failures)
    kept = sum(s.is_kept for s in analysis.snapshot().stretches)
    assert kept <= 24 + 90 + 16 + 1, "blocks of all others are let go of"


@pytest.mark.parametrize("chunk", [7, 40, 1013])
def test_any_chunks_settle_alike(chunk: int, soon: None) -> None:
    trace = rows(soft=130, partial=300)
    assert fed(trace, chunk).report() == fed(trace, 10_000).report()


def test_a_report_meanwhile_changes_nothing(soon: None) -> None:
    trace = rows(soft=130, partial=300)
    asked = StreamingAnalysis(trace.cell)
    columns = trace.test_time_s, trace.voltage_V, trace.current_A
    for k in range(0, len(trace), 1200):
        asked.feed(Trace(*(c[k : k + 1200] for c in columns), cell=trace.cell))
        asked.report()
    assert asked.report() == fed(trace, 1200).report()


def test_an_older_snapshot_is_reported_as_it_was(soon: None) -> None:
    trace = rows(soft=60)
    columns = trace.test_time_s, trace.voltage_V, trace.current_A
    analysis = fed(Trace(*(c[: 110 * ROWS] for c in columns), cell=CELL), 400)
    before = analysis.snapshot()
    expected = analysis.snapshot().report()
    for k in range(110 * ROWS, len(trace), 400):
        analysis.feed(Trace(*(c[k : k + 400] for c in columns), cell=CELL))
        analysis.look()
    assert not all(s.is_kept for s in analysis.snapshot().stretches)
    assert before.report() == expected
