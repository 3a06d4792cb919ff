"""Writes a run down as it happens: the bytes as received first of all, then what the rules decided.

`frames.bin` is only ever appended to, unbuffered, and synced to the disk at least every `SYNC_INTERVAL_S`:
killing the host loses what was never handed to it, pulling the plug at most the last second. Rows and messages are
read back from what was written, never from what was not: what the host shows is what the files say.
"""

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ccdmon.errors import InputError
from ccdmon.link.decoder import Identity, Message
from ccdmon.model.front_end import FrontEnd
from ccdmon.record.board_talk import trip_key
from ccdmon.record.event_log import EventLog
from ccdmon.record.rule_events import action_of, described, reason_of, told_of
from ccdmon.run.folder import EVENTS_FILE, read_events
from ccdmon.run.frame_files import ROTATE_BYTES, FrameFiles, PatientFile, read_parts
from ccdmon.run.rows import Batch, RowReader, Rows
from ccdmon.run.sample_clock import SampleClock
from ccdmon.run.time_axis import CLOCK_FILE, Anchor, HostTime, RunTime, host_time, read_anchors

SYNC_INTERVAL_S = 0.5  # half of what is promised, so that a late call still keeps the promise
ANCHOR_INTERVAL_S = 60.0  # of a device that does not answer `get_clock`
MOST_ANCHOR_BYTES_WAITING = 1 << 20  # that a full disk does not take
CATCH_UP_BYTES = (
    1 << 18
)  # what an earlier host wrote is worked through so much at a time, a fiftieth of a second
MOST_TRIPS = 4096  # a board that numbers a trip anew in each message must not fill the memory


class Recorder:
    """Appends one run to a folder that `run_folder.create` made. Call `feed` often, with `b""` in silence.

    Where a file cannot be opened that is an `InputError`.
    `patient`: a disk that takes nothing is waited for (`frames.error` tells); else it is an `InputError`.
    `syncing`: threads in which the files are synced; else that is waited for.
    `firmware_hash` is written beside each event; the host's clocks can be replaced in tests.
    """

    def __init__(
        self,
        folder: Path,
        *,
        firmware_hash: str | None = None,
        front_end: FrontEnd | None = None,
        time: RunTime | None = None,
        patient: bool = False,
        rotate_bytes: int = ROTATE_BYTES,
        clock: Callable[[], HostTime] = host_time,
        syncing: Executor | None = None,
    ) -> None:
        self.folder = folder
        self.identity: dict[str, Any] = {}
        self.trips: dict[int, Mapping[str, Any]] = {}  # first message of each trip, by its id
        self.rows = RowReader()
        self.time = RunTime(1.0) if time is None else time
        self._firmware_hash, self.front_end, self._patient, self._clock = (
            firmware_hash, front_end, patient, clock,
        )  # fmt: skip
        try:
            self.frames = FrameFiles(folder, rotate_bytes=rotate_bytes)
            self._events = EventLog(folder / EVENTS_FILE, clock)
            self._anchors = PatientFile(folder / CLOCK_FILE)
            self._began = self._first_host_time()
        except OSError as error:
            where = error.filename or folder
            raise InputError(
                f"{where}: cannot be opened ({error.strerror}); choose another folder"
            ) from error
        self._sample_clock = SampleClock()
        self.caught_up = True
        self._last_sample = -1
        self._undecoded: list[tuple[bytes, HostTime]] = []  # written, and when it came
        self._synced_s = self._anchored_s = clock().monotonic_s
        self._dirty = False
        self._syncing, self._synced = syncing, Future[None]()
        self._synced.set_result(None)

    def catch_up(self, on_batch: Callable[[Batch], object], stop: Callable[[], bool] = lambda: False) -> None:
        """Read what an earlier host wrote, so that this one continues it; before the first `feed`.

        That takes minutes where a week lies there. What arrives meanwhile is written by `write`, at each batch. Told
        to `stop` it breaks off: then `caught_up` is False, and nothing that comes has a place in time.
        """
        self.caught_up = False
        for event in read_events(self.folder / EVENTS_FILE):
            trip_id = event.get("trip_id")
            if event.get("action") == "trip" and isinstance(trip_id, int):
                self.trips[trip_id] = event
        data = b""
        for data in read_parts(self.folder, read_bytes=CATCH_UP_BYTES, last_bytes=self.frames.size):
            batch = self.rows.feed(data)
            for message in batch.messages:
                if isinstance(message, Identity):
                    self.identity = message.document
            on_batch(batch)
            if stop():
                return
        self.caught_up = True
        if data:
            self.rows.feed(b"\0")  # what comes does not go on from a torn end

    def write(self, data: bytes) -> None:
        """Write `data` down; what it means is said by the next `feed`."""
        written, now = self.frames.append(data), self._clock()
        if self.frames.error is not None and not self._patient:
            raise InputError(self.full_disk())
        self._undecoded.append((written, now))
        self._dirty |= bool(written)
        self._sync_in_time(now)

    def feed(self, data: bytes) -> Batch:
        """Write `data` down, then say what it means; rule events also go to the event log."""
        self.write(data)
        return self.understood()

    def understood(self) -> Batch:
        """What was written and not yet said means."""
        undecoded, self._undecoded, whole = self._undecoded, [], Batch()
        for written, then in undecoded:
            batch = self.rows.feed(written)
            for rows in batch.rows:
                self._place(rows, then)
            for message in batch.messages:
                self._note(message, then)
            self._keep_anchor(batch, then)
            whole.rows += batch.rows
            whole.messages += batch.messages
            whole.refused += batch.refused
        self._sync_in_time(self._clock())
        return whole

    def full_disk(self) -> str:
        """One line on a disk that takes nothing."""
        reason = self.frames.error.strerror if self.frames.error is not None else "?"
        path, help_ = self.folder / "frames.bin", "make space"
        if self.frames.error is not None and self.frames.error.errno == errno.EFBIG:
            help_ = "files may not grow so large here (`ulimit -f`?): record again with a smaller --rotate-mb"
        return f"{path}: cannot write ({reason}); what was written stays readable, {help_}"

    @property
    def lost_lines(self) -> int:
        """Lines of the event log that neither disk nor memory took."""
        return self._events.lost_lines

    def sync(self) -> None:
        """Put everything written so far on the disk."""
        self.frames.sync()
        self._events.sync()
        self._synced_s, self._dirty = self._clock().monotonic_s, False

    def _sync_later(self, syncing: Executor) -> None:
        """Have everything put on the disk by another thread, unless one is at it: then at the next call."""
        if not self._synced.done():
            return
        error = self._synced.exception()
        if isinstance(error, OSError):
            self.frames.not_synced(error)
        self._synced = syncing.submit(_sync_all, [self.frames.to_sync(), self._events.to_sync()])
        self._synced_s, self._dirty = self._clock().monotonic_s, False

    def close(self) -> None:
        """Sync and close; the folder is complete but for what is derived from it."""
        self.sync()
        self.frames.close()
        self._events.close()
        self._anchors.close()

    def log(self, **event: Any) -> None:
        """Append one line to the event log, with the host's time."""
        self._events.add(event)
        self._dirty = True

    def log_end(self, **more: Any) -> None:
        """The last word of a recording that was not broken off."""
        samples = self.rows.counts.samples if self.caught_up else None
        self.log(action="recording_ended", samples=samples, **more)

    def elapsed_s(self, now: HostTime | None = None) -> float:
        """Since the recording began, a host asleep included; up to its resumption by the wall clock."""
        now = now or self._clock()
        return now.boot_s - self._began.boot_s

    def clock_asked(self) -> None:
        """The device is asked for its clock now; its answer comes through `feed`."""
        self._sample_clock.asked(self.elapsed_s())

    def clock_stepped(self) -> None:
        """The wall clock was set: the rows that come have another Unix time."""
        now, known = self._clock(), self.time.newest(self.rows.segment)
        if known is not None:
            offset_s = now.unix_s - self.elapsed_s(now)
            self._note_anchor(known.moved(self._last_sample + 1, self.time.seconds_per_sample, offset_s), now)

    def _first_host_time(self) -> HostTime:
        known = read_anchors(self.folder / CLOCK_FILE)
        for anchor in known:
            self.time.add(anchor)
        now = self._clock()
        if not known:
            return now
        began_unix_s = known[0].unix_s - known[0].elapsed_s
        return HostTime(now.monotonic_s, now.boot_s - (now.unix_s - began_unix_s), began_unix_s)

    def _keep_anchor(self, batch: Batch, now: HostTime) -> None:
        if batch.rows and now.monotonic_s - self._anchored_s >= ANCHOR_INTERVAL_S:
            self._anchor(self.rows.segment, self._last_sample, now)

    def _sync_in_time(self, now: HostTime) -> None:
        self._events.retry()
        if not self._dirty or now.monotonic_s - self._synced_s < SYNC_INTERVAL_S:
            return
        if self._syncing is None:
            self.sync()
        else:
            self._sync_later(self._syncing)

    def _place(self, rows: Rows, now: HostTime) -> None:
        """Where the rows lie in time: noted before anybody asks."""
        last = int(rows.samples[-1]) + rows.samples_per_row - 1
        if not self.time.knows(rows.segment):
            self._anchor(rows.segment, last, now)
        period_s, offset_s = self.time.seconds_per_sample, now.unix_s - self.elapsed_s(now)
        read = self._sample_clock.anchor(rows, period_s, offset_s)
        if read is not None:
            self._note_anchor(read, now)
        self.time.place(rows)
        self._last_sample = last

    def _anchor(self, segment: int, sample: int, now: HostTime) -> None:
        """That sample has just arrived."""
        self._note_anchor(Anchor(segment, sample, self.elapsed_s(now), now.unix_s), now)

    def _note_anchor(self, anchor: Anchor, now: HostTime) -> None:
        self._anchored_s = now.monotonic_s
        self.time.add(anchor)
        if len(self._anchors.waiting) < MOST_ANCHOR_BYTES_WAITING:
            self._anchors.write(anchor.line().encode())

    def _note(self, event: Message | Identity, now: HostTime) -> None:
        if isinstance(event, Identity):
            self.identity = event.document
        elif event.name == "clock":
            period_s = self.time.seconds_per_sample
            self._sample_clock.answered(
                event.fields, self.elapsed_s(now), self.rows.segment, self._last_sample, period_s
            )
        elif event.name in ("trip", "event"):
            self._note_rule(event)

    def _note_rule(self, event: Message) -> None:
        fields = event.fields
        action = action_of(fields)
        if event.name == "trip":
            known = self.trips.get(fields["trip_id"])
            if len(self.trips) >= MOST_TRIPS or (known and trip_key(known) == trip_key(fields)):
                return  # the device repeats a trip until it is acknowledged
            self.trips[fields["trip_id"]] = fields
            action = "trip" if self.rows.segment >= 0 else "latched"  # from before this recording
        # One of a board that was not armed since its start lies in no rows.
        segment = self.rows.segment if fields["run"] else -1
        self.log(
            action=action,
            segment=segment,
            firmware_hash=self._firmware_hash,
            device_time_s=self.time.at(segment, fields["sample"]),
            **described(fields, self.identity, self.front_end, self.time.seconds_per_sample),
        )

    def reason(self, code: int) -> str:
        """Name of a reason code as the device's own identity states it, else as this version knows it."""
        return reason_of(code, self.identity)

    def told_of_trip(self, fields: Mapping[str, int]) -> str:
        """A trip in words, by the fields of its message: `limit: pressure 1.21 MPa below ...`."""
        return told_of(fields, self.identity, self.front_end)


def _sync_all(descriptors: Sequence[int]) -> None:
    """Sync and close."""
    with ExitStack() as stack:
        for descriptor in descriptors:
            stack.callback(os.close, descriptor)
        for descriptor in descriptors:
            os.fsync(descriptor)
