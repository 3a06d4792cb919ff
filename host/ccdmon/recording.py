"""`ccdmon record`: one loop that writes down what a board sends, and everything that must not stop it.

Order of one round: bytes to the files first; then rows to physical units, analysis and derived trace; then what is to
be said to the board. A reader thread (`serial_link`) empties the port meanwhile. The loop ends only when told to: a
port that goes away is waited for, and so is a full disk. Nothing here is needed for the board to cut off.

Longer than other files: it is the one place that knows all parts of a recording; what can stand alone does.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ccdmon import run_folder
from ccdmon.control import ControlServer, Request
from ccdmon.device import mismatch
from ccdmon.device_side import BlackBox, DeviceSide
from ccdmon.firmware_hash import firmware_hash
from ccdmon.formats.bdf_write import write_bdf
from ccdmon.frame_files import ROTATE_BYTES
from ccdmon.front_end import FrontEnd
from ccdmon.host_clock import ClockWatch
from ccdmon.host_trips import Demand, HostTrips
from ccdmon.link import Identity, Message
from ccdmon.live_run import LiveRun
from ccdmon.notify import on_trip
from ccdmon.recorder import Recorder
from ccdmon.rows import Batch, Rows
from ccdmon.run_time import RunTime, host_time
from ccdmon.serial_link import SerialLink
from ccdmon.trace_parts import TraceParts
from ccdmon_fw import limits, wire

ROUND_S = 0.05
SPACE_INTERVAL_S = 2.0
IDENTITY_LIMIT_S = 20.0  # rows wait so long for the sample period that the board states


@dataclass(frozen=True)
class Options:
    """What the command line and the rig file say; `rig` is the rig's document or empty."""

    rig: Mapping[str, Any]
    settings: Callable[[float], list[int]] | None = None  # by the sample interval, s; None: leave the board's
    arm: bool = False
    stop_after_s: float | None = None
    rotate_bytes: int = ROTATE_BYTES


class Recording:
    """Records `link` into `folder`, which holds a `run.toml` (see `config_of`)."""

    def __init__(
        self, folder: Path, link: SerialLink, options: Options, *, say: Callable[[str], object]
    ) -> None:
        self.folder, self.link, self.options, self._say = folder, link, options, say
        self._config = dict(run_folder.read_config(folder))
        self._control = ControlServer(folder)
        self._axis = RunTime.of_config(self._config)
        self.recorder = Recorder(
            folder,
            firmware_hash=firmware_hash(),
            front_end=FrontEnd.from_table(self._config["front_end"]),
            time=self._axis,
            patient=True,
            rotate_bytes=options.rotate_bytes,
        )
        self.live = LiveRun(folder, self._config, self._axis)
        self._parts = TraceParts(folder)
        self.device = DeviceSide(
            options.rig.get("telemetry"), self._keep_box, self._refused, self.recorder.clock_asked
        )
        self._host_trips = HostTrips(options.rig.get("host_trips", {}))
        self._clock_watch = ClockWatch(host_time())
        self.host_trip_latency_s: float | None = None
        self._held: list[Rows] = []  # until the board has said how fast it samples
        self._began_s = time.monotonic()
        self._link_was_up, self._disk_was_full = False, False
        self._space_due_s = 0.0
        self.free_bytes = 0
        self._told_events: set[tuple[str, int]] = set()
        self._segment_start_s = (-1, 0.0)
        self._arm_wanted = options.arm
        self._told_trips: set[int] = set()

    # -- the loop

    def run(self, stop: Callable[[], bool], on_round: Callable[["Recording"], object]) -> None:
        """Until `stop` says so or the time is over; then everything derived is written."""
        try:
            self.recorder.catch_up(self._replay)
            while not stop() and not self._over():
                self.round()
                on_round(self)
        finally:
            self._finish()

    def round(self) -> None:
        """One round of the loop, `ROUND_S` at most in silence."""
        self._watch_link()
        batch = self.recorder.feed(self.link.take(ROUND_S))
        arrived_s = time.monotonic()
        self._watch_disk()
        self._watch_clock()
        self._take(batch)
        if self.live.refresh(arrived_s):
            self._judge(arrived_s)
        self._answer_requests()
        self.link.send(self.device.due(time.monotonic()))
        self._keep_parts(self._parts.poll)

    @property
    def heard(self) -> bool:
        """Whether a board has said anything intact."""
        return self.recorder.rows.counts.frames > 0

    def running_s(self) -> float:
        """Since this process began to record."""
        return time.monotonic() - self._began_s

    def stop_in_s(self) -> float | None:
        """Seconds until the recording ends by itself."""
        limit_s = self.options.stop_after_s
        return None if limit_s is None else max(0.0, limit_s - self.running_s())

    def _over(self) -> bool:
        return self.stop_in_s() == 0.0

    def _finish(self) -> None:
        self._take_held()
        self.recorder.log(action="recording_ended", samples=self.recorder.rows.counts.samples)
        self.recorder.close()
        last = self.live.last
        self._keep_parts(lambda: self._parts.finish(None if last is None else last.trace))
        self._control.close()
        self.link.close()

    # -- what arrived

    def _replay(self, batch: Batch) -> None:
        """What an earlier host recorded: nothing of it is answered again."""
        for message in batch.messages:
            if isinstance(message, Message) and message.name == "trip":
                self.live.tripped(self.recorder.reason(message.fields["reason"]), message.fields["sample"])
        self._held += batch.rows
        self._take_held()

    def _take(self, batch: Batch) -> None:
        now_s = time.monotonic()
        for message in batch.messages:
            self.device.take(message, now_s)
            if isinstance(message, Identity):
                self._identified(message.document)
            elif message.name == "trip":
                self._tripped(message)
        self._held += batch.rows
        if self.device.identity or now_s - self._began_s > IDENTITY_LIMIT_S:
            self._take_held()

    def _take_held(self) -> None:
        held, self._held = self._held, []
        for rows in held:
            trace = self.live.feed(rows)
            self._keep_parts(lambda trace=trace: self._parts.add(trace))  # type: ignore[misc]
            if rows.segment != self._segment_start_s[0]:
                self._segment_start_s = (rows.segment, float(trace.test_time_s[0]))

    def _identified(self, identity: Mapping[str, Any]) -> None:
        period_us = identity.get("sample_period_us")
        known = ("version", "micropython", "board", "id", "schema", "protocol", "sample_period_us")
        firmware = {key: identity[key] for key in known if key in identity}
        if self.live.rows == 0 and period_us:
            self._axis.seconds_per_sample = period_us * 1e-6
            self._config["time"] = {**self._config["time"], "seconds_per_sample": period_us * 1e-6}
        self._scale(identity.get("front_end"))
        settings = identity.get("settings", {})
        if (self._config.get("firmware"), self._config.get("settings")) != (firmware, settings):
            if self._config.get("firmware", firmware) != firmware and self.live.rows:
                self.recorder.log(action="firmware_changed", firmware=firmware)
            self._config["firmware"] = firmware
            self._config["settings"] = settings
            self._rewrite_config()
        if self._arm_wanted:
            self._arm_wanted = False
            self._arm(None)

    def _scale(self, stated: object) -> None:
        """Without a rig file the full scales are those the board states."""
        table = self._config["front_end"]
        if table.get("assumed") and isinstance(stated, dict) and self.live.rows == 0:
            known = {key: value for key, value in stated.items() if key in table and value is not None}
            self._config["front_end"] = {**table, **known}
            self.recorder.front_end = FrontEnd.from_table(self._config["front_end"])

    def _rewrite_config(self) -> None:
        try:
            run_folder.rewrite_config(self.folder, self._config)
        except OSError as error:
            self._say(f"{self.folder}/run.toml: cannot write ({error.strerror}); make space")

    def _tripped(self, message: Message) -> None:
        fields = message.fields
        rule = self.recorder.reason(fields["reason"])
        if fields["trip_id"] not in self._told_trips:
            self._told_trips.add(fields["trip_id"])
            self._say(f"TRIP {fields['trip_id']}: {rule.replace('_', ' ')}; the gate is open")
            rig, urls = self.options.rig, self.options.rig.get("notifications", {}).get("urls", ())
            on_trip(urls, rig.get("name", self.link.name), {**fields, "rule": rule}, on_problem=self._say)
        if self.recorder.rows.segment >= 0:
            self.live.tripped(rule, fields["sample"])

    def _keep_box(self, box: BlackBox) -> None:
        """A whole black box: a trace of its own beside the recording."""
        codes = np.array([box.codes[n] for n in range(box.total)], dtype=np.uint16)
        samples = box.first_sample + np.arange(box.total, dtype=np.int64)
        segment = max(self.recorder.rows.segment, 0)
        rows = Rows(segment, 0, samples, codes, codes[:, :3], codes[:, :3])
        path = self.folder / f"blackbox-{box.trip_id}.bdf.csv"
        axis = RunTime(self._axis.seconds_per_sample, joined=False)
        self._keep_parts(lambda: write_bdf(run_folder.trace_of(rows, axis, self._config, self.folder), path))
        self.recorder.log(action="blackbox_kept", trip_id=box.trip_id, samples=box.total, file=path.name)

    # -- what only the host sees

    def _judge(self, arrived_s: float) -> None:
        report, last = self.live.report, self.live.last
        if report is None or last is None:
            return
        self._tell_events(report)
        now_s = float(last.trace.test_time_s[-1])
        demand = self._host_trips.judge(report, now_s, *self._segment_start_s)
        if demand is not None and self.device.status.get("gate", 1):
            self._demand(demand, int(last.rows.samples[-1]), arrived_s)

    def _demand(self, demand: Demand, sample: int, arrived_s: float) -> None:
        """Ask the board to trip, at once; how long that took from the arrival of the deciding sample is told."""
        reason = limits.REASONS.index(demand.kind)
        self.device.queue.add_urgent(wire.FORCE_TRIP, body=bytes([reason]), on_answer=self._told_trip)
        self.link.send(self.device.due(time.monotonic()))
        self.host_trip_latency_s = time.monotonic() - arrived_s
        self.recorder.log(
            action="trip_requested",
            rule=demand.kind,
            sample=sample,
            segment=self.recorder.rows.segment,
            device_time_s=self._axis.at(self.recorder.rows.segment, sample),
            value=demand.stood_s,
            limit=demand.persist_s,
            unit="s",
            window_s=demand.stood_s,
            firmware_hash=firmware_hash(),
            latency_s=self.host_trip_latency_s,
            latency_from="arrival of the deciding sample to the command on the port",
            evidence=demand.evidence,
        )
        self._say(
            f"asked the board to trip: {demand.kind} {self.host_trip_latency_s * 1e3:.1f} ms after its sample"
        )

    def _told_trip(self, result: str | None, detail: int) -> None:
        if result != "ok":
            self._refused("force_trip", result or "no answer", detail)

    def _tell_events(self, report: Mapping[str, Any]) -> None:
        """Events of the analysis, once each, as it comes to see them."""
        for event in report["events"]:
            key = (event["kind"], event["row"])
            if key in self._told_events or "tripped_at_row" in event["evidence"]:
                continue
            self._told_events.add(key)
            self.recorder.log(
                action="inform", decided_by="host", rule=event["kind"], row=event["row"],
                device_time_s=event["start_s"], provisional=event["provisional"], evidence=event["evidence"],
                firmware_hash=firmware_hash(),
            )  # fmt: skip

    # -- other processes

    def _answer_requests(self) -> None:
        for request in self._control.poll():
            self._carry_out(request)

    def _carry_out(self, request: Request) -> None:
        wanted = request.document.get("do")
        if wanted == "state":
            request.answer(state=self.state())
            return
        self.recorder.log(action="command", command=wanted)
        if wanted == "trip":
            self.device.queue.add_urgent(wire.FORCE_TRIP, on_answer=_answering(request))
        elif wanted == "disarm":
            self.device.queue.add(wire.DISARM, on_answer=_answering(request))
        elif wanted == "arm":
            self._arm(request)
        elif wanted == "reset_trip" and isinstance(request.document.get("trip_id"), int):
            trip_id = int(request.document["trip_id"])
            self.device.queue.add(wire.RESET_TRIP, trip_id, on_answer=_answering(request))
        else:
            request.refuse(f"unknown request {wanted!r}")

    def _arm(self, request: Request | None) -> None:
        wrong = mismatch(self.device.identity)
        if wrong:
            self.recorder.log(action="not_armed", cause=wrong)
            self._say(f"port {self.link.name}: not armed: {wrong}")
            if request is not None:
                request.refuse(wrong)
            return
        settings = None
        if self.options.settings is not None:
            settings = self.options.settings(self._axis.seconds_per_sample)

        def answered(result: str | None, detail: int) -> None:
            if result != "ok":
                self._refused("arm", result or "no answer", detail)

        self.device.arm(settings, answered if request is None else _answering(request))

    def _refused(self, command: str, result: str, detail: int) -> None:
        self.recorder.log(action="refused", command=command, result=result, detail=detail)
        self._say(f"port {self.link.name}: the board refuses `{command}`: {result} ({detail})")

    def state(self) -> dict[str, Any]:
        """What is worth knowing right now: for the terminal and for the live page."""
        counts, last = self.recorder.rows.counts, self.live.last
        status = self.device.status
        newest: dict[str, Any] = {}
        if last is not None:
            trace = last.trace
            newest = {
                "test_time_s": float(trace.test_time_s[-1]),
                "voltage_V": float(trace.voltage_V[-1]),
                "current_A": float(trace.current_A[-1]),
                "pressure_Pa": None if trace.pressure_Pa is None else float(trace.pressure_Pa[-1]),
            }
        return {
            **newest,
            "recording": True,
            "elapsed_s": self.recorder.elapsed_s(),
            "link": "up" if self.link.up else "lost",
            "link_reason": None if self.link.up else self.link.broke,
            "gate": {0: "open", 1: "closed"}.get(status.get("gate", -1), "unknown"),
            "armed": bool(status.get("armed", 0)),
            "trip": self._latched(),
            "samples": counts.samples,
            "missing_samples": counts.missing_samples,
            "device_dropped": status.get("dropped", counts.device_dropped),
            "overruns": status.get("overruns"),
            "crc_errors": counts.crc_errors,
            "disk": None if self.recorder.frames.error is None else self.recorder.full_disk(),
            "free_bytes": self.free_bytes,
            "stop_in_s": self.stop_in_s(),
            "host_trip_latency_s": self.host_trip_latency_s,
        }

    def _latched(self) -> Mapping[str, Any] | None:
        trip_id = self.device.status.get("trip_id", 0)
        if not trip_id:
            return None
        return {"trip_id": trip_id, "rule": self.recorder.reason(self.device.status.get("reason", 0))}

    # -- what may go wrong meanwhile

    def _watch_link(self) -> None:
        if self.link.up == self._link_was_up:
            return
        self._link_was_up = self.link.up
        if self.link.up:
            if self.device.identity or self.live.rows:
                self.recorder.log(action="link_back", port=self.link.name)
                self._say(f"port {self.link.name}: the board is back; the recording goes on")
            self.device.on_link_up()
        else:
            self.recorder.log(action="link_lost", port=self.link.name, cause=self.link.broke)
            self._say(f"{self.link.broke}; waiting for the board")

    def _watch_disk(self) -> None:
        frames = self.recorder.frames
        full = frames.error is not None
        if full and not self._disk_was_full:
            self._say(self.recorder.full_disk() + "; waiting")
            self._hole_began = host_time().unix_s
        elif self._disk_was_full and not full:
            self.recorder.log(action="disk_back", since=self._hole_began, lost_bytes=frames.dropped_bytes)
            self._say(f"{self.folder}: the disk takes bytes again, {frames.dropped_bytes} bytes are lost")
            frames.dropped_bytes = 0
        self._disk_was_full = full
        now_s = time.monotonic()
        if now_s >= self._space_due_s:
            self._space_due_s = now_s + SPACE_INTERVAL_S
            self.free_bytes = shutil.disk_usage(self.folder).free

    def _watch_clock(self) -> None:
        for action, seconds in self._clock_watch.changes(host_time()):
            self.recorder.log(action=action, seconds=seconds)
            if action == "clock_stepped":
                self.recorder.clock_stepped()
            self._say(f"{action.replace('_', ' ')}: {seconds:+.1f} s")

    def _keep_parts(self, write: Callable[[], object]) -> None:
        """What is derived can be derived again: a disk that does not take it stops nothing."""
        try:
            write()
        except OSError as error:
            if not self._disk_was_full:
                self._say(
                    f"{self.folder}: the derived trace cannot be written ({error.strerror}); make space"
                )


def _answering(
    request: Request, then: Callable[[], object] | None = None
) -> Callable[[str | None, int], object]:
    def answered(result: str | None, detail: int) -> None:
        if result == "ok":
            if then is not None:
                then()
            request.answer()
        else:
            request.refuse(f"the board {'refuses: ' + result if result else 'does not answer'} ({detail})")

    return answered


# Tables of the rig file that a run keeps; not the addresses of people, which may hold passwords.
_KEPT = ("name", "cell", "conditions", "limits", "rules", "host_trips", "protocol")


def config_of(rig: Mapping[str, Any], port: str, source: str) -> dict[str, Any]:
    """`run.toml` of a new recording; the sample period is the board's to state."""
    from ccdmon import __version__

    return {
        "rig": port,
        "source": source,
        "versions": {"ccdmon": __version__, "firmware_hash": firmware_hash()},
        **{key: rig[key] for key in _KEPT if key in rig},
        "time": {"seconds_per_sample": limits.SAMPLE_PERIOD_US * 1e-6, "segments": "joined"},
        "front_end": rig["front_end"],
    }
