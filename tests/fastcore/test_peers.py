"""What the core is compared with in `tests.bench` finds the same numbers; needs the extra `bench`."""

from typing import Any

import numpy as np
import pytest

from ccd_fastcore import SEGMENT_FIELDS, STEP_FIELDS, Stream
from tests.bench import complete_peers
from tests.fastcore.made_up_rows import cycling, with_drop

ROWS, DROP = 512, 1700


@pytest.fixture(scope="module")
def rows() -> Any:
    return with_drop(cycling(6, ROWS, noise=0.002, seed=5), DROP, 0.8)


@pytest.fixture(params=["numpy", "pandas", "polars"])
def found(request: pytest.FixtureRequest, rows: Any) -> Any:
    pytest.importorskip("pandas" if request.param == "numpy" else request.param)
    made = getattr(complete_peers, f"{request.param}_complete")(*rows)
    if request.param == "numpy":
        return made | {"segments": made, "profile": {"profile_V": made["profile_V"]}}
    return made


@pytest.fixture(scope="module")
def core(rows: Any) -> Any:
    stream = Stream()
    found = [list(records) for records in stream.feed(*rows)]
    for known, last in zip(found, stream.finish(), strict=True):
        known += last
    return found


def test_segments(found: Any, core: Any) -> None:
    records = np.array(core[0])
    for name, tolerance in {
        "rows": 0.0, "start_s": 0.0, "end_s": 0.0, "sign": 0.0, "stuck_rows": 0.0, "highest_V": 1e-12,
        "current_A": 1e-12, "voltage_mean_V": 1e-12, "end_V": 1e-9, "noise_V": 0.02,
        "charge_C": 1.5 / ROWS,  # the core adds what lies between the last row and the reversal
    }.items():  # fmt: skip
        expected = records[:, SEGMENT_FIELDS.index(name)]
        assert np.asarray(found["segments"][name]) == pytest.approx(expected, rel=tolerance), name


def test_profile(found: Any, core: Any) -> None:
    first = SEGMENT_FIELDS.index("p1_V")  # rows 0 to 3, then octaves
    expected = [value for record in core[0] for value in record[first:] if value]
    assert np.asarray(found["profile"]["profile_V"]) == pytest.approx(expected, rel=1e-9)


def test_the_step(found: Any, core: Any) -> None:
    (step,) = (dict(zip(STEP_FIELDS, record, strict=True)) for record in core[1])
    assert abs(step["row"] - DROP) <= 1
    fitted = min(found["steps"], key=lambda known: abs(known[0] - DROP))
    assert abs(fitted[0] - DROP) <= 1
    assert fitted[1] == pytest.approx(step["step_V"], rel=0.1)
    assert fitted[2] < 0.1 * abs(fitted[1])
