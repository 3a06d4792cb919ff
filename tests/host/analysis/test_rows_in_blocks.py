"""The core's blocks with their names."""

import numpy as np
import pytest

from ccd_fastcore import RowBlocks
from ccdmon.analysis.rows_in_blocks import Blocks


def blocks(volts: list[float], *others: np.ndarray | None) -> Blocks:
    """Of one segment of as many rows, 2 A and a row a second."""
    rows, n = RowBlocks(), len(volts)
    rows.feed(
        np.arange(float(n)), np.array(volts), np.full(n, 2.0), *(others or (None, None)), [], (0, n - 1)
    )
    return Blocks(rows.look())


def test_means_are_of_the_rows_of_a_block() -> None:
    found = blocks([float(v) for v in range(100)])
    assert found.rows.tolist() == [2.0] * 50
    assert found.volts.tolist() == [2 * k + 0.5 for k in range(50)]
    assert found.amperes.tolist() == [2.0] * 50
    assert (found.first, found.last) == ((0.0, 2.0), (99.0, 2.0))


def test_the_largest_steps_and_extremes_of_a_block() -> None:
    found = blocks([1.0] * 255 + [100.0])
    assert found.rows.tolist() == [4.0] * 64
    assert found.volts[-1] == pytest.approx(25.75)
    assert found.trimmed_V.tolist() == [1.0] * 64  # a spike is no part of it
    assert (found.rise_V[-1], found.highest_V[-1], found.lowest_V[-1]) == (99.0, 100.0, 1.0)


def test_what_no_row_tells_is_not_known() -> None:
    assert np.isnan(blocks([1.0] * 3).temperature_degC).tolist() == [True] * 3
    some = blocks([1.0] * 3, np.array([np.nan, 25.0, 26.0]), None)
    assert np.isfinite(some.temperature_degC).tolist() == [False, True, True]
    assert np.isnan(some.pressure_Pa).all()
