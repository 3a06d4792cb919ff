"""What the host asks the board to trip on: only what the rig file allows, once, and only when it stands."""

from typing import Any

import pytest

from ccdmon.record.host_judge import HostTrips
from ccdmon.record.watch import ClockWatch
from ccdmon.run.time_axis import HostTime


def report(kind: str = "soft_short", start_s: float = 100.0, **more: Any) -> dict[str, Any]:
    event = {
        "kind": kind,
        "row": 7,
        "start_s": start_s,
        "recovered": False,
        "provisional": False,
        "evidence": {},
    }
    return {"events": [{**event, **more}]}


ALL = {"soft_short": True, "fake_stable": True, "contact_loss": True, "persist_s": 60.0}


def test_an_event_that_stands_is_a_demand_once() -> None:
    trips = HostTrips(ALL)
    assert trips.judge(report(), 159.0, 0, 0.0) is None
    demand = trips.judge(report(), 160.0, 0, 0.0)
    assert demand is not None
    assert (demand.kind, demand.stood_s) == ("soft_short", 60.0)
    assert trips.judge(report(), 161.0, 0, 0.0) is None


def test_after_arming_again_the_past_does_not_count() -> None:
    trips = HostTrips(ALL)
    assert trips.judge(report(), 200.0, 0, 0.0)
    assert trips.judge(report(), 400.0, 1, 300.0) is None
    assert trips.judge(report(start_s=310.0), 400.0, 1, 300.0)


@pytest.mark.parametrize(
    "told",
    [
        report(recovered=True),
        report("contact_loss", provisional=True),
        report("partial_short"),
        report("hard_short"),
        {"events": []},
    ],
)
def test_what_is_no_reason(told: dict[str, Any]) -> None:
    assert HostTrips(ALL).judge(told, 1e4, 0, 0.0) is None


def test_off_unless_allowed() -> None:
    assert HostTrips({}).judge(report(), 1e4, 0, 0.0) is None
    assert HostTrips({"fake_stable": True}).judge(report(), 1e4, 0, 0.0) is None


def test_sleep_and_a_set_clock_are_told_apart() -> None:
    watch = ClockWatch(HostTime(0.0, 0.0, 1e9))
    assert watch.changes(HostTime(1.0, 1.0, 1e9 + 1.0)) == []
    assert watch.changes(HostTime(2.0, 3602.0, 1e9 + 3602.0)) == [("host_slept", 3600.0)]
    assert watch.changes(HostTime(3.0, 3603.0, 1e9 + 3003.0)) == [("clock_stepped", -600.0)]
