"""A voltage that is the lead's and not the cell's."""

import numpy as np

from ccdmon.analysis.document import analyze
from ccdmon.model.trace import Cell, Trace

HALF_ROWS, OFF_ROW = 60, 700


def told(voltage_V: np.ndarray, current_A: np.ndarray) -> list[tuple[str, int]]:
    trace = Trace(np.arange(len(voltage_V)) * 10.0, voltage_V, current_A, cell=Cell(1.0, electrolyte="LLZO"))
    return [(event["kind"], event["row"]) for event in analyze(trace)["events"]]


def cycling() -> tuple[np.ndarray, np.ndarray]:
    half = np.repeat(np.arange(20), HALF_ROWS)
    current_A = np.where(half % 2, -1, 1) * 1e-4 * (1 + half // 2)
    noise_V = 1e-5 * np.random.default_rng(1).standard_normal(half.size)
    return 200 * current_A + noise_V, current_A


def test_a_voltage_that_jumps_to_a_rail_and_stands_there_is_a_lead_that_came_off() -> None:
    for rail_V in (5.2, -5.2):
        voltage_V, current_A = cycling()
        voltage_V[OFF_ROW:] = rail_V
        ((kind, row),) = told(voltage_V, current_A)
        assert kind == "sensor_fault"
        assert abs(row - OFF_ROW) <= 2


def test_a_voltage_at_the_compliance_whose_current_gives_way_is_none() -> None:
    voltage_V, current_A = cycling()
    voltage_V[OFF_ROW:] = 5.2 * np.sign(current_A[OFF_ROW:])
    current_A[OFF_ROW:] *= 1e-3
    assert "sensor_fault" not in [kind for kind, _ in told(voltage_V, current_A)]
