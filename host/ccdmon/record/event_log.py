"""`events.ndjson`: one line for everything a rule, the host or a person decided, bounded however often it happens.

A rule that fires without end would fill the disk that the frames need. Of one kind (action and rule) the first
`FREE_LINES` are written as they come, later ones at most every `LINE_INTERVAL_S`, with `not_logged`: how many of the
kind came in between. So none is lost uncounted, and the frames hold each.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccdmon.run.frame_files import PatientFile
from ccdmon.run.time_axis import HostTime

FREE_LINES = 1000
LINE_INTERVAL_S = 10.0
MOST_KINDS = 256
MOST_WAITING_BYTES = 1 << 20  # lines that a full disk does not take


@dataclass
class _Kind:
    lines: int = 0
    due_s: float = 0.0
    not_logged: int = 0
    newest: Mapping[str, Any] | None = None  # of those not logged


class EventLog:
    """Appends to the log of one folder. Raises `OSError` where it cannot be opened; later a full disk is waited for."""

    def __init__(self, path: Path, clock: Callable[[], HostTime]) -> None:
        self._file, self._clock = PatientFile(path), clock
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self.lost_lines = 0  # that neither disk nor memory took

    def add(self, event: Mapping[str, Any]) -> None:
        """Write a line, with the host's time; see the top of this file."""
        now, kind = self._clock(), self._kind(event)
        kind.lines += 1
        if kind.lines > FREE_LINES and now.monotonic_s < kind.due_s:
            kind.not_logged += 1
            kind.newest = event
            return
        kind.due_s = now.monotonic_s + LINE_INTERVAL_S
        self._write(event, kind, now)

    def retry(self) -> None:
        """Write what the disk did not take before."""
        if self._file.waiting:
            self._file.write(b"")

    def sync(self) -> None:
        """Put everything on the disk."""
        self._file.sync()

    def to_sync(self) -> int:
        """As `PatientFile.to_sync`."""
        return self._file.to_sync()

    def close(self) -> None:
        """Write what is owed, sync and close."""
        for kind in self._kinds.values():
            if kind.newest is not None:
                kind.not_logged -= 1  # this one is
                self._write(kind.newest, kind, self._clock())
        self._file.close()

    def _kind(self, event: Mapping[str, Any]) -> _Kind:
        name = str(event.get("rule") or event.get("command") or event.get("part") or "")[:80]
        key = (str(event.get("action"))[:80], name)
        if key not in self._kinds and len(self._kinds) >= MOST_KINDS:
            key = ("", "")
        return self._kinds.setdefault(key, _Kind())

    def _write(self, event: Mapping[str, Any], kind: _Kind, now: HostTime) -> None:
        owed = {"not_logged": kind.not_logged} if kind.not_logged else {}
        kind.not_logged, kind.newest = 0, None
        line = json.dumps(_plain({"host_time_s": now.unix_s, **event, **owed}), default=str) + "\n"
        if len(self._file.waiting) >= MOST_WAITING_BYTES:
            self.lost_lines += 1
            return
        self._file.write(line.encode())


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity: null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
