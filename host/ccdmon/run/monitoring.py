"""What only a monitored run knows, gathered from its folder: the cutoff and the state of the link."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ccdmon.run.sample_clock import ClockAccount
from ccdmon.run.stored_rows import RunRows

NOT_KNOWN = "–"  # what watched the cell, where nobody wrote it down


@dataclass(frozen=True)
class Monitoring:
    """What only a monitored run knows: the firmware's cutoff and the link's losses; None: not known."""

    rig: str
    firmware: str
    trip_row: int | None = None  # None with a reason: the sample of the trip did not arrive
    trip_reason: str | None = None
    gate: str | None = None
    latency_samples: int | None = None
    samples: int | None = None
    lost_samples: int | None = None
    crc_errors: int | None = None
    segments: int | None = None  # stretches of rows that only the host's clock joins
    clock: ClockAccount | None = None  # None: the device was never asked for its clock


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
        gate=next(
            (event["gate"] for event in reversed(run.events) if isinstance(event.get("gate"), str)), None
        ),
        latency_samples=next(
            (event["latency_samples"] for event in run.events if type(event.get("latency_samples")) is int),
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
    rig = config.get("rig", config.get("name", NOT_KNOWN))
    if not isinstance(rig, Mapping):
        return str(rig)
    played = f", replaying {rig['trace']}" if "trace" in rig else ""
    return f"{rig.get('kind', NOT_KNOWN)}{played}"
