"""Follows a run folder that grows, has ended or broke: its rows, events and state, for the live page.

Everything is read from the files, so a page that is loaded anew, a recorder that was killed and a folder copied from
another machine all show the same. Only the state (gate, link, free space) is asked of the recorder, where one runs.

What cannot be followed is said, with since when (`wrong`): a page that stands still and looks well is worse than none.
Files that are half written, broken or gone are passed over and tried again; anything else begins anew after a pause.
"""

import bisect
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ccdmon.errors import InputError, describe
from ccdmon.link.decoder import Identity, Message
from ccdmon.live.health import Health
from ccdmon.live.history import History, Stretch
from ccdmon.live.recorder_state import RecorderState
from ccdmon.live.tail import PART_SHIFT, Tail
from ccdmon.model.front_end import FrontEnd
from ccdmon.rig.trip_words import trip_words
from ccdmon.run.folder import measures_cell_temperature, read_config
from ccdmon.run.frame_files import CONFIG_FILE, read_parts
from ccdmon.run.growing import LiveRun
from ccdmon.run.rows import COUNTER, Batch, RowReader, Rows
from ccdmon.run.time_axis import CLOCK_FILE, Anchor, RunTime, read_anchors
from ccdmon_fw import limits

SILENT_S = 3.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 60.0
ANCHOR_WAIT_S = 1.0  # the recorder notes the time of a new segment just after its first rows
READ_AGAIN_BYTES = 64 << 20
READ_AGAIN_PIECE = 1 << 16


class Follower:
    """One run folder. `poll` from one thread; everything else may be read from others while holding `lock`."""

    def __init__(self, folder: Path) -> None:
        """Raises `InputError` where the folder cannot be one."""
        self.folder = folder
        self.lock = threading.Lock()
        self.health = Health()
        self.recorder = RecorderState(folder, self.health)
        self._begin_due_s, self._pause_s = 0.0, FIRST_PAUSE_S
        self._config_stamp = (0, 0)
        self._broken = False
        self._begin(read_config(folder))

    def _begin(self, config: Mapping[str, Any]) -> None:
        """From the first byte on."""
        self.config = config
        self._config_stamp = self._stamp()
        self.reader = RowReader()
        self.axis = RunTime.of_config(config, self._anchors())
        self.live = LiveRun(self.folder, config, self.axis)
        self._tail = Tail(self.folder, self.health)
        self.history = History(self._read_again)
        self.trips: list[dict[str, Any]] = []  # rule, what, trip_id, test_time_s
        self.measures_temperature = False  # the board has told one
        self.caught_up = False
        self._came_s = time.monotonic()
        self._identity: Mapping[str, Any] = {}  # as the device states it
        self._front_end = FrontEnd.from_table(config["front_end"])
        self._marks: list[tuple[int, int, int]] = []  # (place, segment, turns of the counter)
        self._marked = -1
        self._held: list[tuple[Rows, int]] = []
        self._held_since_s = 0.0

    def _anchors(self) -> list[Anchor]:
        """What the recorder noted of time; where that cannot be read rows follow one another, and the page says so."""
        try:
            known = read_anchors(self.folder / CLOCK_FILE)
        except OSError as error:
            self.health.wrong("times", f"cannot be read ({error}); rows follow one another without a gap")
            return []
        self.health.right("times")
        return known

    @property
    def state(self) -> dict[str, Any]:
        """What the recorder last said."""
        return self.recorder.state

    def follow(self) -> bool:
        """`poll`, whatever it meets: that is told by `health`, and tried again. False where there was nothing new."""
        if time.monotonic() < self._begin_due_s:
            self.health.polled()
            return False
        try:
            self._begin_if_broken()
            came = self.poll()
        except (OSError, InputError) as error:
            self.health.wrong("files", f"cannot be read ({error}); tried again")
            came = False
        except Exception as error:  # noqa: BLE001  a thread that ended would leave the page as it was, green
            self.health.wrong("reading", f"stopped ({describe(error)}); begins anew")
            self._begin_due_s = time.monotonic() + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            came, self._broken = False, True
        else:
            self.health.right("files")
            if came or self.caught_up:
                self.health.right("reading")
        self.health.polled()
        return came

    def _begin_if_broken(self) -> None:
        """From the first byte on, after what nobody foresaw."""
        if self._broken:
            with self.lock:
                self._begin_anew(self.config)
            self._broken = False

    def _begin_anew(self, config: Mapping[str, Any]) -> None:
        self.live.close()
        self._tail.close()
        self._begin(config)

    def poll(self) -> bool:
        """Read on, a quarter of a megabyte at most; False where there was nothing new. May raise anything."""
        self.recorder.ask()
        with self.lock:
            if self._stamp() != self._config_stamp:
                self._reload()
            place = self._tail.frame_place
            data = self._tail.read()
            self._take(self.reader.feed(data) if data else Batch(), place)
            self.caught_up |= not data
            self.live.refresh()
            self.health.set("analysis", self.live.problem)
        self._watch_samples(bool(data))
        return bool(data)

    def _watch_samples(self, came: bool) -> None:
        """A recorder whose link is up writes; one whose files stand still does not."""
        now_s = time.monotonic()
        if came or self.state.get("link") != "up":
            self._came_s = now_s
        silent = now_s - self._came_s > SILENT_S
        self.health.set("samples", "none came although the link is up" if silent else None)

    @property
    def measures_pressure(self) -> bool:
        """Whether there is a pressure to show, measured or declared."""
        return self._front_end.pressure_full_scale_Pa is not None

    @property
    def sensor_at_cell(self) -> bool:
        """Whether the board's sensor of temperature is declared to be where the cell is."""
        return bool(self.config["front_end"].get("temperature_at") == "cell")

    def declared_degC(self) -> float | None:
        """The declared temperature of the cell; None without one, or where the board's sensor measures the cell's."""
        value = self.config.get("conditions", {}).get("temperature_degC")
        counts = isinstance(value, int | float) and not measures_cell_temperature(self.config)
        return float(value) if counts else None

    # -- reading on

    def _stamp(self) -> tuple[int, int]:
        try:
            status = (self.folder / CONFIG_FILE).stat()
        except OSError:  # being replaced, or gone: the old one holds
            return self._config_stamp
        return status.st_mtime_ns, status.st_ino

    def _reload(self) -> None:
        """The recorder learnt more of its board: rows scaled by another period or front end are read anew."""
        try:
            config = read_config(self.folder)
        except InputError as error:  # half saved, or edited into nonsense: what was known holds
            self.health.wrong("run.toml", f"{error}; what it said before is in force")
            return
        self.health.right("run.toml")
        changed = any(config.get(key) != self.config.get(key) for key in ("time", "front_end", "cell"))
        changed |= measures_cell_temperature(config) != measures_cell_temperature(self.config)
        if changed:
            self._begin_anew(config)
        self.config, self._config_stamp = config, self._stamp()

    def _take(self, batch: Batch, place: int) -> None:
        for message in batch.messages:
            self._note(message)
        self._held += [(rows, place) for rows in batch.rows]
        if self._held and self._timed(self._held[-1][0].segment):
            held, self._held = self._held, []
            for rows, at in held:
                self._add(rows, at)

    def _timed(self, segment: int) -> bool:
        """Whether the host's time of a segment is known, or will not be."""
        if self.axis.knows(segment) or self.config["time"].get("segments") != "joined":
            return True
        for anchor in self._anchors():
            self.axis.add(anchor)
        if self.axis.knows(segment) or self.caught_up is False:
            return True
        self._held_since_s = self._held_since_s or time.monotonic()
        waited = time.monotonic() - self._held_since_s > ANCHOR_WAIT_S
        self._held_since_s = 0.0 if waited else self._held_since_s
        return waited

    def _add(self, rows: Rows, place: int) -> None:
        self._mark(rows, place)
        trace = self.live.feed(rows)
        stretch = self._stretch(rows, trace.test_time_s, place)
        self.measures_temperature |= bool(np.isfinite(stretch.highest[:, -1]).any())
        self.history.add(stretch)

    def _stretch(self, rows: Rows, time_s: Any, place: int) -> Stretch:
        low, high = (self._physical(rows, codes) for codes in (rows.lowest, rows.highest))
        row_s = rows.samples_per_row * self.axis.seconds_per_sample
        return Stretch(time_s, low, high, _falling(low + high), row_s, rows.segment, place)

    def _physical(self, rows: Rows, codes: Any) -> Any:
        front_end = self._front_end
        assert rows.temperature_dC is not None
        columns = [
            front_end.voltage_V(codes[:, 0]),
            front_end.current_A(codes[:, 1]),
            front_end.pressure_Pa(codes[:, 2]),
            front_end.temperature_degC(rows.temperature_dC),
        ]
        return np.column_stack(columns).astype(np.float32)

    def _note(self, message: Message | Identity) -> None:
        if isinstance(message, Identity):
            self._identity = message.document
        elif message.name == "trip":
            self._note_trip(message.fields)

    def _note_trip(self, fields: Mapping[str, int]) -> None:
        segment = self.reader.segment
        if segment < 0 or any(trip["trip_id"] == fields["trip_id"] for trip in self.trips):
            return
        reason = fields["reason"]
        reasons = self._identity.get("reasons", limits.REASONS)
        rule = str(reasons[reason]) if reason < len(reasons) else f"reason_{reason}"
        self.trips.append(
            {
                "trip_id": fields["trip_id"],
                "rule": rule,
                "what": trip_words(rule, fields, self._identity, self._front_end),
                "test_time_s": self.axis.at(segment, fields["sample"]),
                "seen_s": time.monotonic(),
            }
        )
        self.live.tripped(rule, fields["sample"])

    # -- reading again

    def _mark(self, rows: Rows, place: int) -> None:
        """Which segment, and how many turns of its counter, a reader that begins at `place` sees first."""
        if place == self._marked:
            return
        self._marked = place
        mark = (rows.segment, int(rows.samples[0]) // COUNTER)
        if not self._marks or self._marks[-1][1:] != mark:
            self._marks.append((place, *mark))

    def _read_again(self, place: int, stop_s: float) -> list[Stretch]:
        """Rows from a place on, until time or size is enough."""
        at = bisect.bisect_right(self._marks, place, key=lambda mark: mark[0]) - 1
        _, segment, turns = self._marks[max(at, 0)]
        reader, found, read = RowReader(), list[Stretch](), 0
        part, offset = place >> PART_SHIFT, place & ((1 << PART_SHIFT) - 1)
        for data in read_parts(self.folder, part, offset, READ_AGAIN_PIECE):
            for rows in reader.feed(data).rows:
                samples = rows.samples + (turns * COUNTER if rows.segment == 0 else 0)
                rows = replace(rows, segment=segment + rows.segment, samples=samples)
                found.append(self._stretch(rows, self.axis.middle_s(rows), place))
            read += len(data)
            if (found and found[-1].start_s[-1] > stop_s) or read > READ_AGAIN_BYTES:
                break
        return found


def _falling(twice_middle: Any) -> Any:
    """Of blocks of samples: the order of their extremes is not sent, but their neighbours tell the slope."""
    around = np.concatenate([twice_middle[:1], twice_middle, twice_middle[-1:]])
    return around[2:] < around[:-2]
