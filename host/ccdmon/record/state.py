"""The state of a running recording, as the terminal and the live page are told it."""

from collections.abc import Mapping
from typing import Any

from ccdmon.record.own_link import OwnLink
from ccdmon.record.recorder import Recorder
from ccdmon.rig.weak_settings import weak_settings
from ccdmon.run.growing import LiveRun


def state_of(
    recorder: Recorder,
    live: LiveRun,
    link: OwnLink,
    status: Mapping[str, int],
    trip: Mapping[str, int],
) -> dict[str, Any]:
    """Newest values, link, gate, trip, counters and disk; `status` is the board's last account, `trip` its last trip.

    Of a board that is not heard nobody knows the gate: its last account says what it was.
    """
    counts = recorder.rows.counts
    return {
        **live.newest(),
        "recording": True,
        "elapsed_s": recorder.elapsed_s(),
        "link": "up" if link.up else "lost",
        "link_reason": None if link.up else link.broke,
        "gate": {0: "open", 1: "closed"}.get(status.get("gate", -1), "unknown") if link.up else "unknown",
        "armed": bool(status.get("armed", 0)),
        "trip": latched(recorder, status, trip),
        "samples": counts.samples,
        "missing_samples": counts.missing_samples,
        "device_dropped": status["dropped"] if status.get("run") else counts.device_dropped,
        "overruns": status.get("overruns"),
        "crc_errors": counts.crc_errors,
        "unreadable": counts.unreadable,
        "analysis": live.problem,
        "weak": weak_settings(recorder.identity.get("settings", {}), recorder.identity),
        "disk": None if recorder.frames.error is None else recorder.full_disk(),
    }


def latched(recorder: Recorder, status: Mapping[str, int], trip: Mapping[str, int]) -> dict[str, Any] | None:
    """The latched trip: its number, its reason by name, and `what` it was in words; None: none is latched."""
    if not status.get("trip_id"):
        return None
    rule = recorder.reason(status.get("reason", 0))
    what = recorder.told_of_trip(trip) if trip.get("trip_id") == status["trip_id"] else rule.replace("_", " ")
    return {"trip_id": status["trip_id"], "rule": rule, "what": what}
