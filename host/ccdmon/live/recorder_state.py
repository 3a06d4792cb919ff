"""What a run's recorder says of itself twice a second; where none runs, what the folder says in its place."""

import time
from pathlib import Path
from typing import Any

from ccdmon.errors import DeviceError
from ccdmon.link.control_socket import ask
from ccdmon.live.health import Health
from ccdmon.run.folder import EVENTS_FILE, read_events
from ccdmon.run.lock import is_recorded_now
from ccdmon.run.untold import untold

STATE_INTERVAL_S = 0.5
STATE_LIMIT_S = 0.7  # a recorder answers within one round


class RecorderState:
    """`state` is the newest answer, `asked_s` when it was asked for (monotonic)."""

    def __init__(self, folder: Path, health: Health) -> None:
        self._folder, self._health = folder, health
        self.state: dict[str, Any] = {"recording": False}
        self._due_s = self.asked_s = 0.0
        self._untold = self._untold_at = 0  # messages to people; size of the log that says so

    def ask(self) -> None:
        """Where it is time. Raises `OSError` where the log cannot be read."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + STATE_INTERVAL_S
        self.asked_s = now_s
        try:
            self.state = dict(ask(self._folder, {"do": "state"}, timeout_s=STATE_LIMIT_S)["state"])
        except (DeviceError, KeyError, TypeError, ValueError, OSError):
            hangs = is_recorded_now(self._folder)
            self.state = {"recording": True, "answers": False} if hangs else self._ended()
        hangs = self.state.get("answers") is False
        self._health.set("recorder", "holds the folder and does not answer" if hangs else None)

    def _ended(self) -> dict[str, Any]:
        """Nobody records: what the log says was never sent to people stays to be seen."""
        path = self._folder / EVENTS_FILE
        size = path.stat().st_size if path.is_file() else 0
        if size != self._untold_at:
            self._untold = sum(len(message.addresses) for message in untold(read_events(path)))
            self._untold_at = size
        return {"recording": False, "not_notified": self._untold}
