"""The level of half-cycles, both twins: the same bits."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from ccd_fastcore import FILTERS, SEGMENT_FIELDS, Summary, _levels, _reference_levels
from tests.fastcore.made_up_half_cycles import (
    CURRENT_A,
    OF_KEPT,
    OHM,
    THRESHOLDS,
    FloatArray,
    HalfCycle,
    half_cycles,
)

TWINS = (_levels, _reference_levels)
Share = Callable[[int, FloatArray], FloatArray]


@pytest.fixture(params=["compiled", "reference"])
def levels(request: pytest.FixtureRequest) -> Any:
    """The classes of one twin."""
    return _levels if request.param == "compiled" else _reference_levels


def told(level: Any, test: Sequence[HalfCycle]) -> list[Any]:
    return [level.feed(*h.given()) for h in test]


def table(found: Any) -> FloatArray:
    """Of each block middle, interval, level, error and V / I."""
    return np.frombuffer(found[0]).reshape(5, -1)


def slid(k: int, t: FloatArray) -> FloatArray:
    return np.full(t.size, 1.3 if k % 2 else 1.0)  # the two directions lie apart


def changed(k: int, t: FloatArray) -> FloatArray:
    return np.ones(t.size) if k < 6 else 0.9 - 0.4 * np.exp(-t / 40)  # odd, but alike


def dead(k: int, t: FloatArray) -> FloatArray:
    return np.full(t.size, 1.0 if k < 6 else 0.01)


def dips(k: int, t: FloatArray) -> FloatArray:
    return np.where((k == 7) & (t > 60) & (t < 80), 0.7, 1.0) * np.where(t % 31 == 17, 0.6, 1.0)


def falls(k: int, t: FloatArray) -> FloatArray:
    return np.where((k == 3) & (t > 50), 0.1, 1.0)  # before there is a shape


TESTS: dict[str, list[HalfCycle]] = {
    "sound": half_cycles(14, noise_V=1e-4),
    "slid": half_cycles(14, slid, noise_V=1e-5),
    "changed": half_cycles(16, changed, noise_V=1e-5),
    "dead": half_cycles(10, dead, noise_V=1e-5),
    "dips": half_cycles(12, dips, rows=300, noise_V=1e-4),
    "falls": half_cycles(8, falls),
    "short": half_cycles(12, rows=7),
    "three rows": half_cycles(6, rows=3),
    "one direction": [HalfCycle(h.start_s, CURRENT_A, np.abs(h.volts)) for h in half_cycles(10)],
    "turned leads": [HalfCycle(h.start_s, h.current_A, -h.volts) for h in half_cycles(10)],
    "scans before": [
        HalfCycle(0.0, 1e-6, np.full(100, 1e-4)),
        HalfCycle(100.0, 0.0, np.zeros(50), flows=False),
        *[HalfCycle(h.start_s + 200, h.current_A, h.volts, after_gap=True) for h in half_cycles(6, rows=64)],
        HalfCycle(5000.0, 1e-3, np.full(9, 0.07), flows=False),
    ],
    "silent": [HalfCycle(120.0 * k, CURRENT_A, np.zeros(120)) for k in range(6)],
}


@pytest.mark.parametrize("name", TESTS)
def test_twins_give_the_same_bits(name: str) -> None:
    found = []
    for twin in TWINS:
        level, kept, seen = twin.Level(**THRESHOLDS), twin.KeptLevel(**OF_KEPT), []
        for h in TESTS[name]:
            one = level.feed(*h.given())
            seen.append(one)
            if one is not None:
                columns, _, median_ohm, _, number, sound, _, _ = one
                beyond = kept.look(columns, number, sound, median_ohm, True)
                if beyond is not None:
                    for x in table(one)[2].tolist():
                        kept.append(x)
                    kept.close(columns, number, sound, median_ohm, table(one)[2].tolist())
                seen.append((beyond, kept.level, kept.lowest, kept.blocks, kept.half_cycles, kept.median()))
        found.append(repr((seen, level.taught, level.fresh, len(kept))))
    assert found[0] == found[1]


def test_the_level_is_ohm_over_shape_and_its_error_is_larger_where_a_half_cycle_begins(levels: Any) -> None:
    last = told(levels.Level(**THRESHOLDS), half_cycles(9))[-1]
    middle_s, _, level, error, ohm = table(last)
    assert ohm[0] < 0.5 * OHM and level == pytest.approx(OHM, rel=0.02)
    assert last[1] == middle_s[0] and last[2] == pytest.approx(OHM, rel=0.01)
    assert last[4:] == (8, True, 0, None)
    assert error[-1] < 0.01 < error[0]


def test_spans_lie_end_to_end_from_the_step_on(levels: Any) -> None:
    middle_s, interval_s, *_ = table(told(levels.Level(**THRESHOLDS), half_cycles(1))[0])
    assert middle_s.tolist() == [2.0 * k + 1.0 for k in range(60)]  # two rows of a second each
    assert interval_s.tolist() == [1.0] * 60


def test_rows_of_one_time_have_a_level_all_the_same(levels: Any) -> None:
    _, told, flows = half_cycles(1, rows=4)[0].given()
    numbers = np.frombuffer(told).copy()
    numbers[5 + 4 : 5 + 8] = 0.0  # times
    record = dict.fromkeys(SEGMENT_FIELDS, 0.0) | {
        "last_row": 3,
        "sign": 1,
        "current_A": 1e-3,
        "charge_C": 1.0,
    }
    summary = Summary(list(record.values()), told)
    found = table(levels.Level(**THRESHOLDS).feed(summary, numbers.tobytes(), flows))
    assert np.isfinite(found).all() and (found[1] > 0).all()


def test_the_lower_half_is_told_of_blocks_that_tell_something(levels: Any) -> None:
    level = levels.Level(**THRESHOLDS)
    found = told(level, half_cycles(8, lambda k, t: np.where((k == 7) & (t > 70), 0.8, 1.0)))[-1]
    _, _, ohm, error, _ = table(found)
    known = ohm[error < 0.25]
    assert found[3] == np.median(known[known.size // 2 :]) < 0.85 * OHM
    assert np.isnan(told(levels.Level(**THRESHOLDS), half_cycles(1, rows=3))[0][3])


def test_a_spike_is_no_part_of_a_block(levels: Any) -> None:
    volts = np.full(250, 0.1)
    volts[100] = 9.0
    found = table(levels.Level(**THRESHOLDS).feed(*HalfCycle(0.0, 1e-3, volts).given()))
    assert found[4] == pytest.approx(np.full(63, 100.0), rel=1e-12)


def test_single_rows_are_told_and_the_first_blocks_settle(levels: Any) -> None:
    volts = 0.1 + 1e-5 * np.sin(np.arange(256.0))
    volts[[0, 5, 101, 141]] = 0.02, 0.02, 0.05, 0.15
    for sign in (1.0, -1.0):
        found = levels.Level(**THRESHOLDS).feed(*HalfCycle(0.0, sign * 1e-3, sign * volts).given())
        assert found[6:] == (1, [100.0])


def test_next_to_no_current_has_no_endless_resistance_or_none_at_all(levels: Any) -> None:
    level = levels.Level(**THRESHOLDS)
    assert level.feed(*HalfCycle(0.0, 1e-31, np.full(60, 0.1)).given()) is None
    found = table(level.feed(*HalfCycle(60.0, 1e-29, np.full(60, 1e300)).given()))
    assert (found[4] == 1e30).all() and np.isfinite(found).all()


def test_noise_counts_with_the_rows_of_a_block(levels: Any) -> None:
    quiet, loud = half_cycles(1)[0], half_cycles(1)[0]
    loud.noise_V = 5e-3
    errors = [table(levels.Level(**THRESHOLDS).feed(*h.given()))[3] for h in (quiet, loud)]
    grown = np.sqrt(errors[1] ** 2 - errors[0] ** 2)
    assert grown == pytest.approx(5e-3 / CURRENT_A / OHM / 2**0.5, rel=0.05)


def test_how_a_first_reversal_goes_nobody_knows(levels: Any) -> None:
    test = [HalfCycle(h.start_s, CURRENT_A, np.abs(h.volts)) for h in half_cycles(8)]
    test.append(HalfCycle(960.0, -CURRENT_A, -test[-1].volts))
    before, turned = (table(x)[3] for x in told(levels.Level(**THRESHOLDS), test)[7:])
    assert turned[0] > 0.3 > before[0] and turned[-1] > 0.05 > before[-1]


def test_behind_a_hole_the_shape_is_hardly_known(levels: Any) -> None:
    test = half_cycles(9)
    test[8].after_gap = True
    before, behind = (table(x)[3] for x in told(levels.Level(**THRESHOLDS), test)[7:])
    assert behind[0] > 0.3 > before[0] and before[-1] < 0.02
    assert behind[-1] == pytest.approx(0.06, rel=0.1)


def test_a_copy_goes_on_as_the_original_would(levels: Any) -> None:
    test = half_cycles(12, dips, noise_V=1e-4)
    level = levels.Level(**THRESHOLDS)
    told(level, test[:7])
    other = level.copy()
    assert told(other, test[7:]) == told(level, test[7:])


def test_a_test_that_starts_again_keeps_the_shape_and_nothing_else(levels: Any) -> None:
    level = levels.Level(**THRESHOLDS)
    told(level, half_cycles(6))
    level.start()
    assert level.taught == 6 and not level.fresh
    found = level.feed(*half_cycles(1)[0].given())
    assert found[4] == 0 and np.ptp(table(found)[2]) < 0.02 * OHM


def test_all_before_a_far_larger_charge_is_forgotten(levels: Any) -> None:
    level = levels.Level(**THRESHOLDS)
    told(level, half_cycles(5))
    level.fresh = False
    found = level.feed(*HalfCycle(600.0, 100 * CURRENT_A, np.full(120, 100 * CURRENT_A * OHM)).given())
    assert level.fresh and level.taught == 1 and found[4] == 0


def test_other_blocks_are_refused(levels: Any) -> None:
    level, (summary, told, flows) = levels.Level(**THRESHOLDS), half_cycles(1)[0].given()
    many = np.frombuffer(told).copy()
    many[0] = 65
    for wrong in (b"", told[:-8], told[: 8 * (5 + 60 * 8)], many.tobytes()):
        with pytest.raises(ValueError, match="not what RowBlocks told"):
            level.feed(summary, wrong, flows)


def test_a_filter_answers_with_the_mean_of_its_exponential(levels: Any) -> None:
    filters = levels.Filters()
    filters.passed(-1e-3, 4.0)
    start_s, stop_s = np.array([0.0, 4.0, 9.0]), np.array([4.0, 8.0, 10.0])
    found = filters.answers(1e-3, start_s, stop_s)
    assert found.shape == (3, FILTERS)
    for j, tau_s in ((2, 10.0), (6, 1e4)):
        before = 1 - np.exp(-4.0 / tau_s)
        for k in range(3):
            t = np.linspace(start_s[k], stop_s[k], 100_001)
            assert found[k, j] == pytest.approx(np.mean(1 - (1 + before) * np.exp(-t / tau_s)), rel=1e-4)
    with pytest.raises(ValueError):
        filters.answers(1e-3, start_s, stop_s[:2])


def test_the_filters_of_both_twins_are_the_same() -> None:
    found = []
    for twin in TWINS:
        filters = twin.Filters()
        filters.passed(3e-4, 700.0)
        found.append(
            filters.answers(-1e-3, np.arange(0.0, 600.0, 50.0), np.arange(50.0, 650.0, 50.0)).tolist()
        )
    assert found[0] == found[1]


def kept_of(levels: Any, count: int = 12) -> tuple[Any, Any]:
    """The kept level of so many sound half-cycles, and what was told of the last."""
    kept, last = levels.KeptLevel(**OF_KEPT), None
    for last in told(levels.Level(**THRESHOLDS), half_cycles(count)):
        columns, _, median_ohm, _, number, sound, _, _ = last
        if kept.look(columns, number, sound, median_ohm, True) is not None:
            good = table(last)[2].tolist()
            for x in good:
                kept.append(x)
            kept.close(columns, number, sound, median_ohm, good)
    return kept, last


def test_what_is_within_its_error_is_kept(levels: Any) -> None:
    kept, _ = kept_of(levels)
    assert kept.level == pytest.approx(OHM, rel=0.01) and len(kept) == 64
    assert (kept.half_cycles, kept.blocks) == (12, 60.0)
    assert kept.lowest is not None and kept.lowest <= kept.level


def test_what_is_beyond_is_told_and_changes_nothing(levels: Any) -> None:
    kept, (columns, _, median_ohm, _, number, *_) = kept_of(levels)
    fallen = np.frombuffer(columns).reshape(5, -1).copy()
    fallen[2, 40] *= 0.9
    before = kept.copy()
    beyond = kept.look(fallen.tobytes(), number + 1, True, median_ohm, True)
    assert beyond is not None and len(beyond) == 60 and min(beyond) >= 0.03
    assert (kept.level, kept.median(), kept.half_cycles) == (
        before.level,
        before.median(),
        before.half_cycles,
    )
    assert kept.look(columns, number + 1, True, median_ohm, False) is not None  # not calm: each is looked at


def test_a_new_level_takes_the_old_ones_place(levels: Any) -> None:
    kept, _ = kept_of(levels)
    kept.restart([50.0, 51.0, 52.0])
    kept.level, kept.lowest = kept.median(), 40.0
    assert (len(kept), kept.level, kept.lowest) == (3, 51.0, 40.0)
    kept.undo(45.0)
    assert (len(kept), kept.level, kept.lowest) == (3, 51.0, 45.0)
    kept.restart(float(x) for x in range(100))
    assert len(kept) == 64 and kept.median() == 67.5


def test_what_no_half_cycle_has_is_refused(levels: Any) -> None:
    kept, (columns, _, median_ohm, _, number, *_) = kept_of(levels)
    for wrong in (b"", bytes(65 * 40)):
        with pytest.raises(ValueError, match="1 to 64 blocks"):
            kept.look(wrong, number, True, median_ohm, True)
    with pytest.raises(ValueError, match="at most 64"):
        kept.close(columns, number, True, median_ohm, [1.0] * 65)


def test_memory_does_not_grow() -> None:
    assert _levels.LEVEL_BYTES < 32 * 1024


def test_what_flowed_in_a_hole_makes_the_next_half_cycle_less_sure(levels: Any) -> None:
    test = half_cycles(12, noise_V=1e-4)
    whole, level = told(levels.Level(**THRESHOLDS), test), levels.Level(**THRESHOLDS)
    test[9] = HalfCycle(
        test[9].start_s + 90, test[9].current_A, test[9].volts[90:], test[9].noise_V, after_gap=True
    )
    holed = told(level, test)
    more = [
        np.median(table(a)[3]) / np.median(table(b)[3]) for a, b in zip(holed[8:], whole[8:], strict=True)
    ]
    assert more[0] == 1.0 and min(more[1:3]) > 3.0 and more[3] < 1.5


def test_a_larger_current_before_makes_a_half_cycle_less_sure(levels: Any) -> None:
    test = half_cycles(10, noise_V=1e-4)
    usual = told(levels.Level(**THRESHOLDS), test)[-1]
    test[-2] = HalfCycle(test[-2].start_s, 8 * test[-2].current_A, 8 * test[-2].volts, 8 * test[-2].noise_V)
    after = told(levels.Level(**THRESHOLDS), test)[-1]
    assert np.all(table(after)[3][:4] > 2 * table(usual)[3][:4])
