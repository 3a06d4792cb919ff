"""Rows without a current at the end of a test."""

import numpy as np
import pytest

from ccdmon.analysis.document import StreamingAnalysis, analyze
from ccdmon.model.trace import Cell, Trace


def rows(rest_V: float, configuration: str = "symmetric") -> Trace:
    """Half-cycles of 100 rows at 1 mA, 0.1 V, then 40 rows whose current is blank."""
    time_s = np.arange(1040) * 2.0
    current_A = np.where(np.arange(1040) % 200 < 100, 1e-3, -1e-3)
    voltage_V = 100 * current_A + 1e-5 * np.random.default_rng(4).standard_normal(1040)
    current_A[1000:], voltage_V[1000:] = np.nan, rest_V
    voltage_V[1003] = np.nan
    return Trace(time_s, voltage_V, current_A, cell=Cell(0.785, configuration))


@pytest.mark.parametrize("chunk", [7, 1000, 5000])
@pytest.mark.parametrize(("rest_V", "kinds"), [(-4.8, ["contact_loss"]), (0.02, []), (0.11, [])])
def test_v_at_the_compliance_without_a_current_is_open_a_rest_is_not(
    rest_V: float, kinds: list[str], chunk: int
) -> None:
    trace, analysis = rows(rest_V), StreamingAnalysis(Cell(0.785))
    for k in range(0, len(trace), chunk):
        analysis.feed(trace.rows(k, k + chunk))
    events = analysis.report()["events"]
    assert [(e["kind"], e["row"], e["start_s"]) for e in events] == [(kind, 1000, 2000.0) for kind in kinds]


def test_a_current_that_comes_back_tells_by_itself() -> None:
    trace = rows(-4.8)
    trace.current_A[1038:], trace.voltage_V[1038:] = 1e-3, 0.1
    analysis = StreamingAnalysis(Cell(0.785))
    analysis.feed(trace)
    assert analysis.report()["verdict"] == "healthy"


@pytest.mark.parametrize(("leap_V", "verdict"), [(4.9, "failed"), (3.95, "healthy")])
def test_a_cell_that_stands_floats_between_the_steps_that_ask_for_a_current(
    leap_V: float, verdict: str
) -> None:
    charge, discharge = np.linspace(3.0, 4.1, 100), np.linspace(4.0, 3.0, 100)
    voltage_V = np.concatenate([np.tile(np.concatenate([charge, discharge]), 3), np.full(30, 0.1)])
    current_A = np.concatenate([np.tile(np.repeat([1e-3, -1e-3], 100), 3), np.full(30, np.nan)])
    voltage_V[603::9] = -leap_V
    trace = Trace(np.arange(630) * 10.0, voltage_V, current_A, cell=Cell(0.785, "full"))
    assert analyze(trace)["verdict"] == verdict
