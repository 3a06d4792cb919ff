"""What a report says of a monitored run, gathered from its folder: the cutoff and the state of the link."""

from collections.abc import Mapping
from typing import Any

from ccdmon.report import words as report_words
from ccdmon.run.monitoring import Monitoring
from ccdmon.run.stored_rows import RunRows


def monitoring_of(run: RunRows, trip_row: int | None) -> Monitoring:
    """The cutoff from the event log, the losses of the last pass over the frames, the rest from `run.toml`."""
    trip = run.trip or {}
    firmware = run.config.get("firmware", {})
    described = f"{firmware.get('version', '?')} on {firmware.get('board', '?')}"
    if "micropython" in firmware:
        described += f" (MicroPython {firmware['micropython']})"
    return Monitoring(
        rig=_rig(run.config),
        firmware=described if firmware else "not recorded",
        trip_row=trip_row,
        trip_reason=trip.get("rule"),
        gate=next((event["gate"] for event in reversed(run.events) if "gate" in event), None),
        latency_samples=next(
            (event["latency_samples"] for event in run.events if event.get("latency_samples") is not None),
            None,
        ),
        samples=run.counts.samples,
        lost_samples=run.counts.missing_samples,
        crc_errors=run.counts.crc_errors,
        segments=len(run.segments),
        clock=run.clock,
    )


def _rig(config: Mapping[str, Any]) -> str:
    """What `run.toml` says watched the cell: a name, or what was played where."""
    rig = config.get("rig", config.get("name", report_words.DASH))
    if not isinstance(rig, Mapping):
        return str(rig)
    played = f", replaying {rig['trace']}" if "trace" in rig else ""
    return f"{rig.get('kind', report_words.DASH)}{played}"
