"""The critical current density: the largest current density a cell endured, and the one in which it failed.

The last level *endured* is the CCD; the level of the failure is reported beside it. Without a failure the CCD is a
lower bound (Lu et al. 2021, 3.7: a value means little without protocol, time, capacity, temperature and pressure).
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median, median_high
from typing import Any

from ccdmon.analysis.events import Event
from ccdmon.analysis.half_cycles import HalfCycle, per_area
from ccdmon.analysis.protocols import Level, TestProtocol
from ccdmon.analysis.thresholds import MOST


def critical_current_density(
    half_cycles: Sequence[HalfCycle], events: Sequence[Event], protocol: TestProtocol, area_cm2: float | None
) -> dict[str, Any]:
    """The report's `ccd` entry, all but temperature, pressure, area and EIS. Currents also in A, charges in mAh."""
    failure = next((event for event in events if event.fatal), None)
    failed_level = _level_at(protocol, _row(failure)) if failure else None
    endured = _endured(protocol, failure, failed_level)
    named = endured or failed_level
    cumulative_C = sum(_charge_before(h, failure) for h in half_cycles)
    half_cycle_C = _typical_charge(named)
    healed, stayed = _reversible(protocol, events)
    return {
        "endured_mA_cm2": per_area(endured.current_A if endured else None, area_cm2, 1e3),
        "endured_A": endured.current_A if endured else None,
        "failed_at_mA_cm2": per_area(failed_level.current_A if failed_level else None, area_cm2, 1e3),
        "failed_at_A": failed_level.current_A if failed_level else None,
        "soft_shorts_reversible_to_mA_cm2": per_area(healed.current_A if healed else None, area_cm2, 1e3),
        "soft_shorts_reversible_to_A": healed.current_A if healed else None,
        "shorts_stay_from_mA_cm2": per_area(stayed.current_A if stayed else None, area_cm2, 1e3),
        "shorts_stay_from_A": stayed.current_A if stayed else None,
        "lower_bound": failure is None,
        "limited_by": failure.kind if failure else None,
        "capacity_per_half_cycle_mAh_cm2": per_area(half_cycle_C, area_cm2, 1 / 3.6),
        "cumulative_capacity_mAh_cm2": per_area(cumulative_C, area_cm2, 1 / 3.6),
        "half_cycle_s": _typical_time(named),
    }


def _reversible(protocol: TestProtocol, events: Sequence[Event]) -> tuple[Level | None, Level | None]:
    """The highest level whose soft shorts healed, of those before a short that stayed; and the level of that one.

    The current at which soft shorts stop being reversible is a critical current density, too (Menkin et al. 2023/24).
    """
    stays = [
        e
        for e in events
        if ("short" in e.kind and not (e.recovered or e.provisional or e.open)) or e.kind == "fake_stable"
    ]
    first = min((e.row for e in stays), default=None)
    soft = [e for e in events if e.kind == "soft_short" and e.recovered and (first is None or e.row < first)]
    healed = [level for e in soft if (level := _level_at(protocol, e.row)) is not None]
    stayed = _level_at(protocol, first) if first is not None else None
    return max(healed, key=lambda level: level.current_A, default=None), stayed


def _row(failure: Event) -> int:
    return failure.row if failure.failed_row is None else failure.failed_row


def _endured(protocol: TestProtocol, failure: Event | None, failed: Level | None) -> Level | None:
    """The highest level passed before the failure. The test moved on from all but the last, so it passed them."""
    passed = [
        level
        for level in protocol.levels
        if failure is None or level.half_cycles[-1].last_row < _row(failure)
    ]
    if failure is None and passed and not _finished(passed[-1], protocol):
        passed.pop()
    passed = [level for level in passed if level is not failed]
    return max(passed, key=lambda level: level.current_A, default=None)


def _finished(last: Level, protocol: TestProtocol) -> bool:
    """Did the last level of the recording run to its end?"""
    *before, final = last.half_cycles
    ended = protocol.ran_out(final, last=True)
    if protocol.kind in ("long_cycling", "unknown"):  # no level says how many cycles the next should have
        return ended or any(protocol.complete(h) or h.before_gap for h in before)
    if len(protocol.levels) < 2:
        return ended or bool(before)
    if not (ended or final.after_gap):
        return False
    # The test went on after all but the last one; where two of one sign follow, a hole hides the one between.
    hidden = sum(
        later.after_gap and h.current_A * later.current_A > 0 for h, later in pairwise(last.half_cycles)
    )
    wanted = median_high(len(level.half_cycles) for level in protocol.levels[:-1])
    return len(before) + hidden + ended >= wanted or _lasted(protocol, wanted)


def _lasted(protocol: TestProtocol, half_cycles: int) -> bool:
    """Did the last level take the time of so many half-cycles and the usual pauses, whatever of it the holes hide?"""
    *earlier, last = protocol.levels
    if protocol.half_cycle_s is not None:
        half_s = protocol.half_cycle_s
    elif protocol.half_cycle_C is not None:
        half_s = protocol.half_cycle_C / last.current_A
    else:
        return False
    pauses_s = median(_span_s(lv) - sum(h.duration_s for h in lv.half_cycles) for lv in earlier)
    first = last.half_cycles[0]
    begin_s = earlier[-1].half_cycles[-1].end_s if first.after_gap else first.start_s
    return last.half_cycles[-1].end_s - begin_s >= (half_cycles - 1 + MOST) * half_s + pauses_s


def _span_s(level: Level) -> float:
    return level.half_cycles[-1].end_s - level.half_cycles[0].start_s


def _level_at(protocol: TestProtocol, row: int) -> Level | None:
    """The level in which a row lies; the last one begun, if it lies in a rest."""
    return next((lv for lv in reversed(protocol.levels) if lv.half_cycles[0].first_row <= row), None)


def _charge_before(half_cycle: HalfCycle, failure: Event | None) -> float:
    if failure is None or half_cycle.last_row < _row(failure):
        return half_cycle.charge_C
    if half_cycle.first_row > _row(failure) or half_cycle.duration_s <= 0:
        return 0.0
    if failure.failed_row is not None:  # the event began earlier than it ended the test
        share = (failure.failed_row - half_cycle.first_row) / max(
            half_cycle.last_row - half_cycle.first_row, 1
        )
    else:
        share = (failure.start_s - half_cycle.start_s) / half_cycle.duration_s
    return half_cycle.charge_C * min(max(share, 0.0), 1.0)


def _typical_charge(level: Level | None) -> float | None:
    return None if level is None else max(h.charge_C for h in level.half_cycles)


def _typical_time(level: Level | None) -> float | None:
    return None if level is None else max(h.duration_s for h in level.half_cycles)
