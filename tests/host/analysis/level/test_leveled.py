"""What is looked at of a half-cycle's blocks."""

import numpy as np

from ccdmon.analysis.level.leveled import fine, single_rows
from tests.host.analysis.level.made_up_stretches import stretch

VOLTS = 0.1 + 1e-5 * np.sin(np.arange(256.0))


def of(sign: float, **rows: float) -> tuple[list[float], int]:
    """Dips and peaks of a half-cycle whose row `row_N` has that many volts."""
    volts = VOLTS.copy()
    for name, value in rows.items():
        volts[int(name.removeprefix("row_"))] = value
    s = stretch(None, sign * 1e-3, sign * volts)
    dips, peaks = single_rows(s, s.volts, 0.1, s.noise_V)
    return dips.tolist(), peaks


def test_a_row_far_towards_zero_is_a_dip_and_one_far_from_it_a_peak() -> None:
    for sign in (1.0, -1.0):
        assert of(sign) == ([], 0)
        assert of(sign, row_101=0.05) == ([100.0], 0)
        assert of(sign, row_101=0.15) == ([], 1)


def test_the_first_blocks_settle() -> None:
    assert of(1.0, row_0=0.02, row_5=0.02) == ([], 0)


def test_blocks_go_from_step_to_end() -> None:
    start, end, _ = fine(stretch(None, 1e-3, VOLTS))
    assert start.tolist() == [4.0 * k for k in range(64)]  # a row a second
    assert end.tolist() == [4.0 * k + 4 for k in range(64)]


def test_a_spike_is_no_part_of_the_trimmed_mean() -> None:
    volts = np.array([1.0] * 255 + [100.0])
    assert fine(stretch(None, 1e-3, volts))[2].tolist() == [1.0] * 64
    assert fine(stretch(None, 1e-3, np.array([1.0, 5.0])))[2].tolist() == [
        1.0,
        5.0,
    ]  # of three and fewer all count
