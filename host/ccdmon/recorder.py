"""Writes a run down as it happens: the bytes as received first of all, then what the rules decided.

`frames.bin` is only ever appended to, unbuffered, and synced to the disk at least every `SYNC_INTERVAL_S`:
killing the host loses what was never handed to it, pulling the plug at most the last second.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ccdmon.errors import InputError
from ccdmon.link import Decoder, Event, Identity, Message
from ccdmon.run_folder import EVENTS_FILE, FRAMES_FILE

SYNC_INTERVAL_S = 0.5  # half of what is promised, so that a late call still keeps the promise


class Recorder:
    """Appends one run to a folder that `run_folder.create` made. Call `feed` often, with `b""` in silence.

    `firmware_hash` is written beside each event; the clocks (seconds) can be replaced in tests.
    """

    def __init__(
        self,
        folder: Path,
        *,
        firmware_hash: str | None = None,
        wall_clock_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.decoder = Decoder()
        self.identity: dict[str, Any] = {}
        self.trips: dict[int, dict[str, int]] = {}  # first message of each trip, by its id
        self._firmware_hash = firmware_hash
        self._wall_clock_s, self._monotonic_s = wall_clock_s, monotonic_s
        self._frames = (folder / FRAMES_FILE).open("ab", buffering=0)
        self._events = (folder / EVENTS_FILE).open("ab", buffering=0)
        self._synced_s, self._dirty = monotonic_s(), False

    def feed(self, data: bytes) -> list[Event]:
        """Write `data` down, then say what it means; rule events also go to the event log."""
        if data:
            self._append(self._frames, data)
        events = self.decoder.feed(data)
        for event in events:
            self._note(event)
        if self._dirty and self._monotonic_s() - self._synced_s >= SYNC_INTERVAL_S:
            self.sync()
        return events

    def sync(self) -> None:
        """Put everything written so far on the disk."""
        os.fsync(self._frames.fileno())
        os.fsync(self._events.fileno())
        self._synced_s, self._dirty = self._monotonic_s(), False

    def close(self) -> None:
        """Sync and close; the folder is complete but for what is derived from it."""
        self.sync()
        self._frames.close()
        self._events.close()

    def log(self, **event: Any) -> None:
        """Append one line to the event log, with the host's time."""
        line = json.dumps({"host_time_s": self._wall_clock_s(), **event}) + "\n"
        self._append(self._events, line.encode())

    def _note(self, event: Event) -> None:
        if isinstance(event, Identity):
            self.identity = event.document
        elif isinstance(event, Message) and event.name in ("trip", "event"):
            self._note_rule(event)

    def _note_rule(self, event: Message) -> None:
        fields = event.fields
        if event.name == "trip":
            if fields["trip_id"] in self.trips:
                return  # the device repeats a trip until it is acknowledged
            self.trips[fields["trip_id"]] = fields
        self.log(
            action="trip" if event.name == "trip" else "warn",
            rule=self.reason(fields["reason"]),
            firmware_hash=self._firmware_hash,
            **{key: value for key, value in fields.items() if key not in ("reason", "repeat", "action")},
        )

    def reason(self, code: int) -> str:
        """Name of a reason code as the device's own identity states it, else as this version knows it."""
        from ccdmon_fw import limits

        reasons = self.identity.get("reasons", limits.REASONS)
        return str(reasons[code]) if code < len(reasons) else f"reason_{code}"

    def _append(self, file: Any, data: bytes) -> None:
        try:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            raise InputError(
                f"{file.name}: cannot write ({error.strerror}); what was written stays readable, make space"
            ) from error
        self._dirty = True
