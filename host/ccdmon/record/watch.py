"""What may go wrong around a recording, noticed once, logged and told: the link, the disk, the host's clocks."""

import shutil
import time
from collections.abc import Callable

from ccdmon.record.own_link import OwnLink
from ccdmon.record.recorder import Recorder
from ccdmon.run.time_axis import HostTime, host_time

SPACE_INTERVAL_S = 2.0
NOTICED_S = 1.0  # a slewing time service stays far below between two rounds


class ClockWatch:
    """Notices when the host's clocks part: it slept (the monotonic one stood still), or somebody set the wall clock.

    Call `changes` often with the clocks.
    """

    def __init__(self, now: HostTime) -> None:
        self._last = now

    def changes(self, now: HostTime) -> list[tuple[str, float]]:
        """(`host_slept` or `clock_stepped`, by how many seconds) since the last call."""
        last, self._last = self._last, now
        passed_s = now.boot_s - last.boot_s
        slept_s = passed_s - (now.monotonic_s - last.monotonic_s)
        stepped_s = (now.unix_s - last.unix_s) - passed_s
        found = [("host_slept", slept_s), ("clock_stepped", stepped_s)]
        return [(action, seconds) for action, seconds in found if abs(seconds) >= NOTICED_S]


class Watch:
    """Call `look` once a round. `on_link_up`: the board answers for the first time, or again.

    `keep_free_MB`: where less space is left, people are warned, once.
    """

    def __init__(
        self,
        recorder: Recorder,
        link: OwnLink,
        on_link_up: Callable[[], object],
        say: Callable[[str], object],
        *,
        keep_free_MB: float = 0.0,
        clock: Callable[[], HostTime] = host_time,
    ) -> None:
        self._recorder, self._link, self._on_link_up, self._say = recorder, link, on_link_up, say
        self._keep_free_bytes, self._clock = keep_free_MB * 1e6, clock
        self._clock_watch = ClockWatch(clock())
        self._link_was_up, self._link_was_lost = False, False
        self._disk_full_since: float | None = None
        self._space_due_s, self._warned = 0.0, False
        self.free_bytes: int | None = None  # None: the file system does not say
        self._part_stuck = self._moved = False
        self._unsynced = 0

    @property
    def disk_is_full(self) -> bool:
        """Whether what came last could not be written."""
        return self._disk_full_since is not None

    def link(self) -> None:
        """Before the round's bytes are taken."""
        if self._link.up == self._link_was_up:
            return
        self._link_was_up = self._link.up
        if not self._link.up:
            self._link_was_lost = True
            self._recorder.log(action="link_lost", port=self._link.name, cause=self._link.broke)
            self._say(f"{self._link.broke}; waiting for the board")
            return
        if self._link_was_lost:
            self._recorder.log(action="link_back", port=self._link.name)
            self._say(f"port {self._link.name}: the board is back")
        self._on_link_up()

    def look(self) -> None:
        """After they were written."""
        self.disk()
        self._space()
        for action, seconds in self._clock_watch.changes(self._clock()):
            self._recorder.log(action=action, seconds=seconds)
            self._say(f"{action.replace('_', ' ')}: {seconds:+.1f} s")
            if action == "clock_stepped":
                self._recorder.clock_stepped()

    def disk(self) -> None:
        """After each write: what a client may be told of the disk is logged, however short it lasts."""
        frames = self._recorder.frames
        full = frames.error is not None
        if full and self._disk_full_since is None:
            self._say(self._recorder.full_disk() + "; waiting")
            self._disk_full_since = self._clock().unix_s
        elif not full and self._disk_full_since is not None:
            since, self._disk_full_since = self._disk_full_since, None
            self._recorder.log(action="disk_back", since=since, lost_bytes=frames.dropped_bytes)
            self._say(
                f"{self._recorder.folder}: the disk takes bytes again, {frames.dropped_bytes} bytes are lost"
            )
            frames.dropped_bytes = 0

    def _space(self) -> None:
        now_s = time.monotonic()
        if now_s < self._space_due_s:
            return
        self._space_due_s = now_s + SPACE_INTERVAL_S
        self._files()
        try:
            self.free_bytes = shutil.disk_usage(self._recorder.folder).free
        except OSError:  # a folder that was moved, a network that is away: told by what depends on it
            self.free_bytes = None
            return
        short = self.free_bytes < self._keep_free_bytes
        if short and not self._warned:
            self._say(f"{self._recorder.folder}: only {self.free_bytes / 1e6:.0f} MB are free; make space")
        self._warned = short

    def _files(self) -> None:
        """Whether what is written is where people look for it, and stays."""
        frames, folder = self._recorder.frames, self._recorder.folder
        moved, self._moved = self._moved, frames.moved()
        if self._moved and not moved:
            self._recorder.log(action="folder_moved")
            self._say(f"{folder}: was moved or deleted; the recording goes on in the files that are open")
        stuck, self._part_stuck = self._part_stuck, frames.part_error is not None
        if self._part_stuck and not stuck:
            cause = frames.part_error.strerror if frames.part_error else ""
            self._recorder.log(action="part_not_begun", cause=cause)
            self._say(f"{folder}: the next frames file cannot be opened ({cause}); the old one goes on")
        if frames.unsynced > self._unsynced:
            self._unsynced = frames.unsynced
            self._recorder.log(action="not_synced", times=frames.unsynced)
            self._say(
                f"{folder}: the disk does not confirm what it took; a power cut may cost more than a second"
            )

    @property
    def moved(self) -> bool:
        """Whether the files that are written are not where they should be."""
        return self._moved
