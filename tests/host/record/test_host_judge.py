"""What the host makes of a recording, and what it asks the board to trip on: what the rig file allows, once."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ccdmon.record.host_judge import HostJudge, HostTrips

EVENT = {"kind": "soft_short", "row": 7, "start_s": 3.5, "provisional": True, "evidence": {"ratio": 4.0}}
TRIPPED = {**EVENT, "kind": "hard_short", "evidence": {"tripped_at_row": 9}}


def test_an_event_is_told_once_and_the_firmwares_own_trip_not_again() -> None:
    logged: list[dict[str, Any]] = []
    recorder: Any = SimpleNamespace(log=lambda **entry: logged.append(entry))
    newest = SimpleNamespace(trace=SimpleNamespace(test_time_s=np.array([4.0])))
    live: Any = SimpleNamespace(report={"events": [EVENT]}, reported=newest)
    device: Any = SimpleNamespace(status={"gate": 0})
    judge = HostJudge({}, recorder, live, device, send=lambda _data: None, say=lambda _line: None)
    for events in ([EVENT], [EVENT, TRIPPED], [EVENT, {**EVENT, "row": 90}]):
        live.report = {"events": events}
        judge.judge(0, 0.0)
    assert [(entry["rule"], entry["row"]) for entry in logged] == [("soft_short", 7), ("soft_short", 90)]
    assert {entry["action"] for entry in logged} == {"inform"}


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
