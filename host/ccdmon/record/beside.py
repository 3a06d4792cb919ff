"""What is done beside the frames while a recording runs, so that nothing of it can end the recording.

Analysis, derived trace, messages, page, terminal, the board's odd answers: each is done by `Beside.do`, which turns
whatever it raises into one line for the user and one in the event log, and goes on. Only here may every exception be
caught: the frames are on the disk already, and all of this can be had from them again.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from ccdmon.errors import describe

TOLD_EVERY_S = 600.0

T = TypeVar("T")


class Beside:
    """`log` writes an event (keywords), `say` a line for the user; neither may fail in a way that matters."""

    def __init__(self, log: Callable[..., object], say: Callable[[str], object]) -> None:
        self._log, self._say = log, say
        self.failures: dict[str, int] = {}  # how often each part failed
        self._due_s: dict[str, float] = {}

    def do(self, part: str, work: Callable[[], T]) -> T | None:
        """What `work` returns; None where it failed, which is told once in a while."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001  see the top of this file
            self._failed(part, error)
            return None

    def _failed(self, part: str, error: Exception) -> None:
        self.failures[part] = self.failures.get(part, 0) + 1
        now_s = time.monotonic()
        if now_s < self._due_s.get(part, 0.0):
            return
        self._due_s[part] = now_s + TOLD_EVERY_S
        what = describe(error)
        self._quietly(lambda: self._log(action="problem", part=part, error=what, times=self.failures[part]))
        self._quietly(lambda: self._say(f"{part}: {what}; the recording goes on"))

    def _quietly(self, tell: Callable[[], Any]) -> None:
        try:
            tell()
        except Exception:  # noqa: BLE001  a terminal that is gone: the counter has it
            self.failures["telling"] = self.failures.get("telling", 0) + 1
