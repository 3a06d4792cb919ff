"""What the host makes of a recording while it runs: events told as they are seen, trips asked for where it may.

Events that take whole half-cycles to tell are what only the host can see. It asks for nothing unless the rig file's
`[host_trips]` says otherwise. The board decides on the request as on any trip: the gate opens, latched, with the host
named as the reason. If the host dies nothing on the board's own path changes.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ccdmon.link.firmware import firmware_hash
from ccdmon.model.kinds import HOST_KINDS
from ccdmon.record.board_talk import DeviceSide
from ccdmon.record.recorder import Recorder
from ccdmon.run.growing import LiveRun
from ccdmon_fw import limits, wire


@dataclass(frozen=True)
class Demand:
    """A trip the host asks for: which event, since when it stands, how long it had to."""

    kind: str
    row: int
    start_s: float
    stood_s: float
    persist_s: float
    evidence: Mapping[str, Any]


class HostTrips:
    """`table` is `[host_trips]`: kinds with true or false, and `persist_s`. One demand in a recording's segment."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._kinds = tuple(kind for kind in HOST_KINDS if table.get(kind))
        self._persist_s = float(table.get("persist_s", 60.0))
        self._segment = -1

    @property
    def armed(self) -> bool:
        """Whether anything may be asked at all."""
        return bool(self._kinds)

    def judge(self, report: Mapping[str, Any], now_s: float, segment: int, since_s: float) -> Demand | None:
        """The demand that `report` at test time `now_s` gives rise to, once per segment.

        Events before `since_s` (test time at which this segment began) are of the past: the user armed again.
        """
        if segment == self._segment:
            return None
        for event in report["events"]:
            stood_s = now_s - event["start_s"]
            wanted = event["kind"] in self._kinds and not event["recovered"] and event["start_s"] >= since_s
            if wanted and not _undecided(event) and stood_s >= self._persist_s:
                self._segment = segment
                return Demand(event["kind"], event["row"], event["start_s"], stood_s, self._persist_s,
                              event["evidence"])  # fmt: skip
        return None


def _undecided(event: Mapping[str, Any]) -> bool:
    """A growth of the polarisation can precede a short: provisional until the cell reaches its limit."""
    return bool(event["provisional"])


class HostJudge:
    """`table` is `[host_trips]` of the rig file; `send` takes bytes for the board."""

    def __init__(
        self,
        table: Mapping[str, Any],
        recorder: Recorder,
        live: LiveRun,
        device: DeviceSide,
        *,
        send: Callable[[bytes], object],
        say: Callable[[str], object],
    ) -> None:
        self._host_trips = HostTrips(table)
        self._recorder, self._live, self._device = recorder, live, device
        self._send, self._say = send, say
        self._told: set[tuple[str, int]] = set()
        self.latency_s: float | None = None  # of the last demand: arrival of its sample to the port

    def judge(self, segment: int, since_s: float) -> None:
        """Look at the newest report. The segment that runs began at test time `since_s`."""
        report, last = self._live.report, self._live.reported
        if report is None or last is None:
            return
        self._tell_events(report)
        demand = self._host_trips.judge(report, float(last.trace.test_time_s[-1]), segment, since_s)
        if demand is not None and self._device.status.get("gate", 1):
            self._demand(demand, int(last.rows.samples[-1]), self._live.asked_s)

    def _demand(self, demand: Demand, sample: int, arrived_s: float) -> None:
        """Ask the board to trip, at once; how long that took from the arrival of the deciding sample is told."""
        reason = limits.REASONS.index(demand.kind)
        self._device.queue.add_urgent(
            wire.FORCE_TRIP, body=bytes([reason]), on_answer=self._device.told("force_trip")
        )
        self._send(self._device.due(time.monotonic()))
        self.latency_s = time.monotonic() - arrived_s
        segment = self._recorder.rows.segment
        self._recorder.log(
            action="trip_requested",
            rule=demand.kind,
            sample=sample,
            segment=segment,
            device_time_s=self._recorder.time.at(segment, sample),
            value=demand.stood_s,
            limit=demand.persist_s,
            unit="s",
            window_s=demand.stood_s,
            firmware_hash=firmware_hash(),
            latency_s=self.latency_s,
            latency_from="arrival of the deciding sample to the command on the port",
            evidence=demand.evidence,
        )
        self._say(f"asked the board to trip: {demand.kind} {self.latency_s * 1e3:.1f} ms after its sample")

    def _tell_events(self, report: Mapping[str, Any]) -> None:
        """Events of the analysis, once each, as it comes to see them."""
        for event in report["events"]:
            key = (event["kind"], event["row"])
            if key in self._told or "tripped_at_row" in event["evidence"]:
                continue
            self._told.add(key)
            self._recorder.log(
                action="inform", decided_by="host", rule=event["kind"], row=event["row"],
                device_time_s=event["start_s"], provisional=event["provisional"], evidence=event["evidence"],
                firmware_hash=firmware_hash(),
            )  # fmt: skip
