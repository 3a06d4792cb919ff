"""`ccdmon record`: one loop that writes down what a board sends, and everything that must not stop it.

Order of one round: bytes to the files first; then rows to physical units, analysis and derived trace; then what is to
be said to the board. A reader thread (`serial_link`) empties the port meanwhile. The loop ends only when told to: a
port that goes away is waited for, and so is a full disk; what is done beside the frames may fail (`beside`). Nothing
here is needed for the board to cut off.

    run.document   `run.toml`, which learns from the board
    watch          link, disk and clocks
    host_judge     what only the host sees
    requests       other processes: the live page, `ccdmon arm`, ...
    state          what they and the terminal are told
    notify         people
    unarmed        a board that sends no samples
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ccdmon.formats.bdf.write import write_bdf
from ccdmon.link.decoder import Identity, Message
from ccdmon.link.device import why_refused
from ccdmon.link.firmware import firmware_hash
from ccdmon.record.beside import Beside
from ccdmon.record.board_talk import BlackBox, DeviceSide, trip_key
from ccdmon.record.host_judge import HostJudge
from ccdmon.record.notify import Notifier
from ccdmon.record.own_link import Link, OwnLink
from ccdmon.record.recorder import Recorder
from ccdmon.record.requests import Requests
from ccdmon.record.state import state_of
from ccdmon.record.trace_parts import ROWS_PER_PART, TraceParts
from ccdmon.record.unarmed import Unarmed
from ccdmon.record.watch import Watch
from ccdmon.run.document import RunDocument
from ccdmon.run.folder import EVENTS_FILE, read_events, trace_of
from ccdmon.run.frame_files import ROTATE_BYTES
from ccdmon.run.growing import LiveRun, Sharing
from ccdmon.run.rows import Batch, Rows
from ccdmon.run.time_axis import RunTime
from ccdmon.run.untold import untold
from ccdmon_fw import wire

ROUND_S = 0.05
ALIVE_INTERVAL_S = 1.0
SILENT_S = 2.0  # as long as rows may stay out
MOST_TRIPS_TOLD = 1000
MOST_REFUSALS_TOLD = 10
IDENTITY_LIMIT_S = 20.0  # rows wait so long for the sample period that the board states


@dataclass(frozen=True)
class Options:
    """What the command line and the rig file say; `rig` is the rig's document or empty."""

    rig: Mapping[str, Any]
    settings: Callable[[float], list[int]] | None = None  # by the sample interval, s; None: leave the board's
    arm: bool = False
    stop_after_s: float | None = None
    rotate_bytes: int = ROTATE_BYTES


@dataclass(frozen=True)
class Company:
    """What the recordings of one process share: threads that sync files, and reports; the rows of a part of each."""

    syncing: Executor
    reports: Sharing
    rows_per_part: int


class Recording:
    """Records `link` into `folder`, which holds a `run.toml` (`run.document.config_of`) and is ours (`run.lock`)."""

    def __init__(
        self,
        folder: Path,
        link: Link,
        options: Options,
        *,
        say: Callable[[str], object],
        company: Company | None = None,
    ) -> None:
        rig = options.rig
        self.folder, self._options, self._say = folder, options, say
        self.gate, self.lost = "unknown", False  # as it ended: is the board no more heard?
        self._document = RunDocument(folder, say)
        self.recorder = Recorder(
            folder,
            firmware_hash=firmware_hash(),
            front_end=self._document.front_end,
            time=self._document.axis,
            patient=True,
            rotate_bytes=options.rotate_bytes,
            syncing=company.syncing if company else None,
        )
        self._beside = Beside(self.recorder.log, say)
        self._say = self._quiet(say)
        self.link = OwnLink(link, lambda: self._document.board_id, self._refused_board)
        self.live = LiveRun(
            folder, self._document.config, self._document.axis, events_only=True,
            sharing=company.reports if company else None,
        )  # fmt: skip
        self._parts = TraceParts(folder, rows_per_part=company.rows_per_part if company else ROWS_PER_PART)
        self.device = DeviceSide(
            rig.get("telemetry"), self._keep_box, self._refused, self.recorder.clock_asked
        )
        keep_free_MB = rig.get("recording", {}).get("keep_free_MB", 0.0)
        self._watch = Watch(
            self.recorder, self.link, self.device.on_link_up, self._say, keep_free_MB=keep_free_MB
        )
        self._judge = HostJudge(
            rig.get("host_trips", {}),
            self.recorder,
            self.live,
            self.device,
            send=self.link.send,
            say=self._say,
        )
        self._requests = Requests(
            folder, self.recorder, self.device, state=self.state, settings=self._settings, say=self._tell,
            lost=lambda: None if self.link.up else self.link.broke or "it is away",
        )  # fmt: skip
        self._held: list[Rows] = []  # until the board has said how fast it samples
        self._began_s = time.monotonic()
        self._segment_start_s = (-1, 0.0)
        self._arm_wanted = options.arm
        self._notifier = Notifier(
            rig.get("notifications", {}).get("urls", ()), rig.get("name", link.name),
            log=self.recorder.log, say=self._say,
        )  # fmt: skip
        self._told_trips: set[tuple[int, ...]] = set()
        self._refused_identities: set[str] = set()
        self._alive_due_s = 0.0
        self._heard_s: float | None = None  # monotonic, when the board last said something intact
        self._sampled_s: float | None = None  # when rows came
        self._unarmed = Unarmed(self.recorder, self.device, self._tell)

    # -- the loop

    def run(self, stop: Callable[[], bool], on_round: Callable[["Recording"], object]) -> None:
        """Until `stop` says so or the time is over; then everything derived is written."""
        try:
            self.begin(stop)
            while not (stop() or self.over):
                self.round()
                self._beside.do("terminal", lambda: on_round(self))
        finally:
            self.finish()

    def begin(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Before the first round: what an earlier host left, unless told to stop meanwhile."""
        catch_up = partial(self.recorder.catch_up, self._replay, stop)
        self._beside.do("reading what was recorded before", catch_up)
        self._beside.do("notifications", self._take_up_messages)

    def round(self, wait_s: float = ROUND_S) -> None:
        """One round of the loop, `wait_s` at most in silence. Only the first two lines are the recording itself."""
        self._beside.do("link", self._watch.link)
        self.recorder.write(self.link.take(wait_s))
        arrived_s, do = time.monotonic(), self._beside.do
        batch = do("reading frames", self.recorder.understood)
        do("watch", self._watch.look)
        if batch is not None:
            self._take(batch)
        self._write_arrived()
        if do("analysis", lambda: self.live.refresh(arrived_s)):
            do("host's rules", lambda: self._judge.judge(*self._segment_start_s))
        self._tell_analysis()
        self._write_arrived()
        do("requests", self._requests.answer)
        do("watch", self._look_whether_armed)
        do("link", lambda: self.link.send(self.device.due(time.monotonic())))
        do("run.toml", self._document.write_in_time)
        do("notifications", self._notifier.look)
        self._keep(self._parts.poll)

    def _write_arrived(self) -> None:
        """What has come meanwhile: a machine with no time for this process makes a round take seconds."""
        if data := self.link.take(0.0):
            self.recorder.write(data)
            self._beside.do("watch", self._watch.disk)

    def _take_rest(self) -> None:
        """What was written after the last round had read it."""
        self._take(self.recorder.understood())

    @property
    def heard(self) -> bool:
        """Whether a board has said anything intact."""
        return self.recorder.rows.counts.frames > 0

    @property
    def armed(self) -> bool:
        """Whether the board closed its gate when this process asked it to."""
        return self._requests.armed

    def running_s(self) -> float:
        """Since this process began to record."""
        return time.monotonic() - self._began_s

    def stop_in_s(self) -> float | None:
        """Seconds until the recording ends by itself."""
        limit_s = self._options.stop_after_s
        return None if limit_s is None else max(0.0, limit_s - self.running_s())

    @property
    def over(self) -> bool:
        """Whether it ends by itself: its time is over, or what was to arm was refused and sends no sample."""
        return self.stop_in_s() == 0.0 or (self._in_vain and self._unarmed.why is not None)

    @property
    def _in_vain(self) -> bool:
        return self._requests.refused and self._sampled_s is None

    def _look_whether_armed(self) -> None:
        sampled_s, arming = self._sampled_s, self._options.arm and not (self.armed or self._requests.refused)
        no_samples = sampled_s is None or time.monotonic() - sampled_s > SILENT_S
        self._unarmed.look(no_samples, arming=arming, ends=self._in_vain)

    def finish(self) -> None:
        """After the last round: everything derived is written, all is closed."""
        do, whole = self._beside.do, self.recorder.caught_up
        self.lost = not self.link.up
        if whole:
            do("reading frames", self._take_rest)
            do("derived trace", self._take_held)
        do("run.toml", self._document.write)
        do("event log", self._log_end)
        do("sync", self.recorder.sync)  # what follows may take a while
        last = self.live.last if whole else None
        self._keep(lambda: self._parts.finish(None if last is None else last.trace))
        do("notifications", self._notifier.close)
        do("requests", self._requests.close)
        do("link", self.link.close)
        do("closing", self.recorder.close)
        if lost := self.recorder.frames.dropped_bytes:
            self._say(f"{self.folder}: the disk never took the last {lost} bytes; they are lost")
        if self.recorder.frames.deleted:
            self._say(f"{self.folder}: was deleted while it was recorded; what was recorded is in no file")
        if times := self.recorder.frames.unsynced:
            self._say(f"{self.folder}: {times} times the disk did not confirm what it had taken; look at it")

    def _log_end(self) -> None:
        gate = self.gate = self.state()["gate"]
        known = {} if gate == "unknown" and not self.lost else {"gate": gate}
        frames = self.recorder.frames
        lost = {"waiting_bytes": frames.waiting_bytes, "lost_bytes": frames.dropped_bytes,
                "unsynced": frames.unsynced, "lost_lines": self.recorder.lost_lines}  # fmt: skip
        known |= {key: count for key, count in lost.items() if count}
        self.recorder.log_end(failures=self._beside.failures, **known)

    def _tell_analysis(self) -> None:
        if self.live.problem is not None and "analysis" not in self._beside.failures:
            self._beside.failures["analysis"] = 1
            self.recorder.log(action="problem", part="analysis", error=self.live.problem)
            self._say(
                f"{self.live.problem}; rows are recorded, host trips are off, `ccdmon analyze` comes later"
            )

    def _quiet(self, say: Callable[[str], object]) -> Callable[[str], object]:
        """A terminal that went away must not end what it shows."""
        return lambda line: self._beside.do("terminal", lambda: say(line))

    # -- what arrived

    def _replay(self, batch: Batch) -> None:
        """What an earlier host recorded: nothing of it is answered again.

        The board goes on meanwhile: what it sends is written down, and it hears that somebody is there.
        """
        self._write_arrived()
        if time.monotonic() >= self._alive_due_s:
            self._alive_due_s = time.monotonic() + ALIVE_INTERVAL_S
            self.link.send(wire.encode(wire.KEEP_ALIVE, 0))
        for message in batch.messages:
            if isinstance(message, Message) and message.name == "trip" and message.fields["run"]:
                self.live.tripped(self.recorder.reason(message.fields["reason"]), message.fields["sample"])
        self._held += batch.rows
        self._take_held()

    def _take(self, batch: Batch) -> None:
        now_s = time.monotonic()
        if batch.messages or batch.rows:
            self._heard_s = now_s
        if batch.rows:
            self._sampled_s = now_s
        for message in batch.messages:
            self._beside.do("the board's messages", partial(self._take_message, message, now_s))
        for why in batch.refused[:1]:
            self._beside.do("identity", partial(self._refuse_identity, why))
        self._held += batch.rows
        if self.device.identity or now_s - self._began_s > IDENTITY_LIMIT_S:
            self._take_held()

    def _take_message(self, message: Message | Identity, now_s: float) -> None:
        self.device.take(message, now_s)
        if isinstance(message, Identity):
            self._identified(message.document)
        elif message.name == "trip":
            self._tripped(message)

    def _take_up_messages(self) -> None:
        """What an earlier recorder of this folder did not send."""
        self._notifier.take_up(untold(read_events(self.folder / EVENTS_FILE)))

    def _refuse_identity(self, why: str) -> None:
        self.recorder.log(action="identity_refused", cause=why)
        if why not in self._refused_identities and len(self._refused_identities) < MOST_REFUSALS_TOLD:
            self._refused_identities.add(why)
            self._tell(f"what the board states of itself cannot be used ({why}); its frames are recorded")

    def _take_held(self) -> None:
        held, self._held = self._held, []
        for rows in held:
            trace = self._beside.do("derived trace", partial(self.live.feed, rows))
            if trace is None:
                continue
            self._keep(partial(self._parts.add, trace))
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
        if trip_key(fields) not in self._told_trips and len(self._told_trips) < MOST_TRIPS_TOLD:
            self._told_trips.add(trip_key(fields))
            what = self.recorder.told_of_trip(fields)
            self._say(f"TRIP {fields['trip_id']}: {what}; the gate is open")
            self._notifier.trip({**fields, "rule": rule, "what": what})
        if self.recorder.rows.segment >= 0 and fields["run"]:
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
        if not self._watch.disk_is_full:
            self._beside.do(f"{self.folder}: what is derived cannot be written", write)
            return
        with suppress(Exception):  # told once for the disk
            write()

    # -- what others ask

    def _settings(self) -> list[int] | None:
        given = self._options.settings
        return None if given is None else given(self._document.axis.seconds_per_sample)

    def _refused(self, command: str, result: str, detail: int) -> None:
        self.recorder.log(action="refused", command=command, result=result, detail=detail)
        self._tell(f"the board refuses `{command}`: {why_refused(result, detail)}")

    def _refused_board(self, id_: str, line: str) -> None:
        self.recorder.log(action="board_refused", id=id_, port=self.link.name)
        self._say(line)

    def _tell(self, line: str) -> None:
        self._say(f"port {self.link.name}: {line}")

    def _last_heard(self) -> dict[str, float | None]:
        """When the board was, which is when all that is known from it alone was so; and when its rows came."""
        found: dict[str, float | None] = {}
        for then, ago, at_s in (
            ("heard_unix_s", "silent_s", self._heard_s),
            ("sampled_unix_s", "no_samples_s", self._sampled_s),
        ):
            found[ago] = None if at_s is None else time.monotonic() - at_s
            found[then] = None if at_s is None else time.time() - (time.monotonic() - at_s)
        return found

    def state(self) -> dict[str, Any]:
        """What is worth knowing right now: for the terminal and for the live page."""
        return state_of(self.recorder, self.live, self.link, self.device.status, self.device.trip) | {
            "unix_s": time.time(),
            **self._last_heard(),
            "not_recording": self._unarmed.why,
            "failures": dict(self._beside.failures),
            "not_notified": self._notifier.not_sent,
            "moved": self._watch.moved,
            "free_bytes": self._watch.free_bytes,
            "stop_in_s": self.stop_in_s(),
            "host_trip_latency_s": self._judge.latency_s,
        }
