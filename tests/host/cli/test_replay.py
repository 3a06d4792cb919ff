"""What a replay's folder says of the cell beside what the board saw."""

from typing import Any

import numpy as np

from ccdmon import trace
from ccdmon.cli.replay import _conditions

ROWS: dict[str, Any] = {"time_s": [0.0, 1.0, 2.0], "voltage_V": [0.1] * 3, "current_A": [1e-3] * 3}


def test_the_temperature_of_a_replayed_trace_is_what_the_trace_tells() -> None:
    assert _conditions(trace(**ROWS, temperature_degC=[25.0, np.nan, 25.2])) == {"temperature_degC": 25.1}
    assert _conditions(trace(**ROWS, temperature_degC=[np.nan] * 3)) == {}
    assert _conditions(trace(**ROWS)) == {}
