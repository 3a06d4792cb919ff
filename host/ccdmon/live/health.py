"""What is wrong with following a run folder, and since when: each part of it says so until it is well again."""

import threading
import time
from dataclasses import dataclass

STALE_S = 2.0  # a thread that follows comes by many times in that


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong, since when (Unix time)."""

    part: str
    text: str
    since_unix_s: float


class Health:
    """Written by the thread that follows, read by the pages."""

    def __init__(self) -> None:
        self._wrong: dict[str, Complaint] = {}
        self._lock = threading.Lock()
        self._polled = (time.monotonic(), time.time())

    def polled(self) -> None:
        """The thread that follows is alive."""
        self._polled = (time.monotonic(), time.time())

    def wrong(self, part: str, text: str) -> None:
        """A part is not well; the first time counts."""
        with self._lock:
            since = self._wrong[part].since_unix_s if part in self._wrong else time.time()
            self._wrong[part] = Complaint(part, " ".join(text.split())[:300], since)

    def right(self, part: str) -> None:
        """A part is well (again)."""
        with self._lock:
            self._wrong.pop(part, None)

    def set(self, part: str, text: str | None) -> None:
        """`wrong` with a text, `right` for None."""
        if text is None:
            self.right(part)
        else:
            self.wrong(part, text)

    def complaints(self) -> list[Complaint]:
        """All that is wrong now, the oldest first."""
        with self._lock:
            found = list(self._wrong.values())
        polled_s, at_unix_s = self._polled
        if time.monotonic() - polled_s > STALE_S:
            found.append(Complaint("page", "this folder is not followed: what is shown is old", at_unix_s))
        return sorted(found, key=lambda complaint: complaint.since_unix_s)
