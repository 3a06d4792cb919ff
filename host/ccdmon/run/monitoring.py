"""What only a monitored run knows, gathered from its folder: the cutoff and the state of the link."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ccdmon.model.front_end import FrontEnd
from ccdmon.rig.trip_words import trip_words
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
    trip_what: str | None = None  # the reason in words, with what was compared


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
        trip_what=_what(trip, run.config),
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


def _what(trip: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """`limit: pressure 1.21 MPa below 2 MPa (pressure_min_Pa)`, by the settings that were in force; None: no trip."""
    rule = trip.get("rule")
    if rule is None or type(trip.get("value")) is not int or type(trip.get("limit")) is not int:
        return rule if rule is None else str(rule).replace("_", " ")
    return trip_words(str(rule), trip, config, FrontEnd.from_table(config["front_end"]))


def _rig(config: Mapping[str, Any]) -> str:
    """What `run.toml` says watched the cell: its name and where it was, or what was played where."""
    rig = config.get("rig")
    if not isinstance(rig, Mapping):
        known = [str(config[key]) for key in ("name", "rig") if config.get(key)]
        return ", ".join(known) or NOT_KNOWN
    played = f", replaying {rig['trace']}" if "trace" in rig else ""
    return f"{rig.get('kind', NOT_KNOWN)}{played}"
