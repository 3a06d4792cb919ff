"""`ccdmon record`: one loop that writes down what a board sends, and everything that must not stop it.

Order of one round: bytes to the files first; then rows to physical units, analysis and derived trace; then what is to
be said to the board. A reader thread (`serial_link`) empties the port meanwhile. The loop ends only when told to: a
port that goes away is waited for, and so is a full disk. Nothing here is needed for the board to cut off.

    run_document        `run.toml`, which learns from the board
    recording_watch     link, disk and clocks
    host_judge          what only the host sees
    recording_requests  other processes: the live page, `ccdmon arm`, ...
    recording_state     what they and the terminal are told
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ccdmon.errors import InputError
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.link.decoder import Identity, Message
from ccdmon.link.device import why_refused
from ccdmon.link.firmware import firmware_hash
from ccdmon.record.board_talk import BlackBox, DeviceSide
from ccdmon.record.host_judge import HostJudge
from ccdmon.record.notify import on_trip
from ccdmon.record.recorder import Recorder
from ccdmon.record.requests import Requests
from ccdmon.record.serial_link import SerialLink
from ccdmon.record.state import state_of
from ccdmon.record.trace_parts import TraceParts
from ccdmon.record.watch import Watch
from ccdmon.run.document import RunDocument
from ccdmon.run.folder import trace_of
from ccdmon.run.frame_files import ROTATE_BYTES
from ccdmon.run.growing import LiveRun
from ccdmon.run.rows import Batch, Rows
from ccdmon.run.time_axis import RunTime
from ccdmon_fw import wire

ROUND_S = 0.05
ALIVE_INTERVAL_S = 1.0
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
    """Records `link` into `folder`, which holds a `run.toml` (see `run_document.config_of`)."""

    def __init__(
        self, folder: Path, link: SerialLink, options: Options, *, say: Callable[[str], object]
    ) -> None:
        rig = options.rig
        self.folder, self.link, self._options, self._say = folder, link, options, say
        self._document = RunDocument(folder, say)
        self.recorder = Recorder(
            folder,
            firmware_hash=firmware_hash(),
            front_end=self._document.front_end,
            time=self._document.axis,
            patient=True,
            rotate_bytes=options.rotate_bytes,
        )
        self.live = LiveRun(folder, self._document.config, self._document.axis, events_only=True)
        self._parts = TraceParts(folder)
        self.device = DeviceSide(
            rig.get("telemetry"), self._keep_box, self._refused, self.recorder.clock_asked
        )
        keep_free_MB = rig.get("recording", {}).get("keep_free_MB", 0.0)
        self._watch = Watch(self.recorder, link, self.device.on_link_up, say, keep_free_MB=keep_free_MB)
        self._judge = HostJudge(
            rig.get("host_trips", {}), self.recorder, self.live, self.device, send=link.send, say=say
        )
        self._requests = Requests(
            folder, self.recorder, self.device, state=self.state, settings=self._settings, say=self._tell
        )
        self._held: list[Rows] = []  # until the board has said how fast it samples
        self._began_s = time.monotonic()
        self._segment_start_s = (-1, 0.0)
        self._arm_wanted = options.arm
        self._told_trips: set[int] = set()
        self._alive_due_s = 0.0

    # -- the loop

    def run(self, stop: Callable[[], bool], on_round: Callable[["Recording"], object]) -> None:
        """Until `stop` says so or the time is over; then everything derived is written."""
        try:
            self.recorder.catch_up(self._replay)
            while not stop() and self.stop_in_s() != 0.0:
                self.round()
                on_round(self)
        finally:
            self._finish()

    def round(self) -> None:
        """One round of the loop, `ROUND_S` at most in silence."""
        self._watch.link()
        batch = self.recorder.feed(self.link.take(ROUND_S))
        arrived_s = time.monotonic()
        self._watch.look()
        self._take(batch)
        if self.live.refresh(arrived_s):
            self._judge.judge(*self._segment_start_s)
        self._requests.answer()
        self.link.send(self.device.due(time.monotonic()))
        self._keep(self._parts.poll)

    @property
    def heard(self) -> bool:
        """Whether a board has said anything intact."""
        return self.recorder.rows.counts.frames > 0

    def running_s(self) -> float:
        """Since this process began to record."""
        return time.monotonic() - self._began_s

    def stop_in_s(self) -> float | None:
        """Seconds until the recording ends by itself."""
        limit_s = self._options.stop_after_s
        return None if limit_s is None else max(0.0, limit_s - self.running_s())

    def _finish(self) -> None:
        self._take_held()
        gate = self.state()["gate"]
        known = {} if gate == "unknown" else {"gate": gate}
        self.recorder.log(action="recording_ended", samples=self.recorder.rows.counts.samples, **known)
        self.recorder.close()
        last = self.live.last
        self._keep(lambda: self._parts.finish(None if last is None else last.trace))
        self._requests.close()
        self.link.close()

    # -- what arrived

    def _replay(self, batch: Batch) -> None:
        """What an earlier host recorded: nothing of it is answered again.

        The board goes on meanwhile: what it sends is written down, and it hears that somebody is there.
        """
        self.recorder.write(self.link.take(0.0))
        if time.monotonic() >= self._alive_due_s:
            self._alive_due_s = time.monotonic() + ALIVE_INTERVAL_S
            self.link.send(wire.encode(wire.KEEP_ALIVE, 0))
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
            self._keep(lambda trace=trace: self._parts.add(trace))  # type: ignore[misc]
            if rows.segment != self._segment_start_s[0]:
                self._segment_start_s = (rows.segment, float(trace.test_time_s[0]))

    def _identified(self, identity: Mapping[str, Any]) -> None:
        if self._document.learn(identity, begun=self.live.rows > 0):
            self.recorder.log(action="firmware_changed", firmware=self._document.config["firmware"])
        self.recorder.front_end = self._document.front_end
        if self._arm_wanted:
            self._arm_wanted = False
            self._requests.arm()

    def _tripped(self, message: Message) -> None:
        fields = message.fields
        rule = self.recorder.reason(fields["reason"])
        if fields["trip_id"] not in self._told_trips:
            self._told_trips.add(fields["trip_id"])
            self._say(f"TRIP {fields['trip_id']}: {rule.replace('_', ' ')}; the gate is open")
            rig = self._options.rig
            urls = rig.get("notifications", {}).get("urls", ())
            on_trip(urls, rig.get("name", self.link.name), {**fields, "rule": rule}, on_problem=self._say)
        if self.recorder.rows.segment >= 0:
            self.live.tripped(rule, fields["sample"])

    def _keep_box(self, box: BlackBox) -> None:
        """A whole black box: a trace of its own beside the recording; none where a reset took its samples."""
        if not box.total:
            self.recorder.log(action="blackbox_empty", trip_id=box.trip_id)
            return
        codes = np.array([box.codes[n] for n in range(box.total)], dtype=np.uint16)
        samples = box.first_sample + np.arange(box.total, dtype=np.int64)
        segment = max(self.recorder.rows.segment, 0)
        rows = Rows(segment, 0, samples, codes, codes[:, :3], codes[:, :3])
        path = self.folder / f"blackbox-{box.trip_id}.bdf.csv"
        axis = RunTime(self._document.axis.seconds_per_sample, joined=False)
        self._keep(lambda: write_bdf(trace_of(rows, axis, self._document.config, self.folder), path))
        self.recorder.log(action="blackbox_kept", trip_id=box.trip_id, samples=box.total, file=path.name)

    def _keep(self, write: Callable[[], object]) -> None:
        """What is derived can be derived again: a disk that does not take it stops nothing."""
        try:
            write()
        except (OSError, InputError) as error:
            if not self._watch.disk_is_full:
                self._say(f"{self.folder}: what is derived cannot be written ({error}); make space")

    # -- what others ask

    def _settings(self) -> list[int] | None:
        given = self._options.settings
        return None if given is None else given(self._document.axis.seconds_per_sample)

    def _refused(self, command: str, result: str, detail: int) -> None:
        self.recorder.log(action="refused", command=command, result=result, detail=detail)
        self._tell(f"the board refuses `{command}`: {why_refused(result, detail)}")

    def _tell(self, line: str) -> None:
        self._say(f"port {self.link.name}: {line}")

    def state(self) -> dict[str, Any]:
        """What is worth knowing right now: for the terminal and for the live page."""
        return state_of(self.recorder, self.live, self.link, self.device.status) | {
            "free_bytes": self._watch.free_bytes,
            "stop_in_s": self.stop_in_s(),
            "host_trip_latency_s": self._judge.latency_s,
        }
