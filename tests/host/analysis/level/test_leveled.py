"""What is kept of a half-cycle on the level."""

import numpy as np

from ccdmon.analysis.level.leveled import COLUMNS, Leveled
from ccdmon.analysis.level.tracker import LevelTracker
from tests.host.analysis.level.made_up_stretches import CURRENT_A, stretch

VOLTS = 0.1 + 1e-5 * np.sin(np.arange(256.0))


def of(volts: np.ndarray, current_A: float = CURRENT_A) -> Leveled:
    found = LevelTracker().feed(stretch(None, current_A, volts))
    assert found is not None
    return found


def test_every_column_has_a_number_a_block() -> None:
    found = of(VOLTS)
    assert found.table.shape == (len(COLUMNS), 64)
    for name in ("row", "rows", "span_ohm", *COLUMNS):
        assert getattr(found, name).shape == (64,), name
    assert found.row.tolist() == [4.0 * k for k in range(64)]
    assert found.time_s.tolist() == [4.0 * k + 2 for k in range(64)]  # a row a second
    assert found.interval_s.tolist() == [1.0] * 64
    assert np.array_equal(found.level, found.table[2]) and np.array_equal(found.ohm, found.table[4])


def test_the_span_is_what_v_moves_within_a_block() -> None:
    volts = VOLTS.copy()
    volts[42] = 0.15
    for sign in (1.0, -1.0):
        span_ohm = of(sign * volts, sign * CURRENT_A).span_ohm
        assert int(np.argmax(span_ohm)) == 10 and abs(span_ohm[10] - 50) < 0.1


def test_single_rows_are_told_by_the_first_rows_of_their_blocks() -> None:
    assert of(VOLTS).dips.size == 0
    volts = VOLTS.copy()
    volts[[101, 141, 181]] = 0.05, 0.15, 0.04
    found = of(volts)
    assert found.dips.tolist() == [100.0, 180.0] and found.peaks == 1
