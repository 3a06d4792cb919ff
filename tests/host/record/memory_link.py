"""A board without a port: frames from memory into a `Recording`, round by round, and what it is sent back."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ccdmon.record.recording import Options, Recording
from ccdmon.run import folder as run_folder
from ccdmon.run.document import config_of

FRONT_END = {"voltage_full_scale_V": 6.0, "current_full_scale_A": 0.01}


class MemoryLink:
    """What `Recording` needs of a link; `pending` comes piece by piece, all of one opening."""

    def __init__(self, pieces: Iterable[bytes] = ()) -> None:
        self.name, self.up, self.broke = "memory", True, ""
        self.opening = self.taken = 1
        self.refused: list[str] = []
        self.pending, self.sent = list(pieces), bytearray()

    def take(self, timeout_s: float) -> bytes:
        return self.pending.pop(0) if self.pending else b""

    def send(self, data: bytes) -> None:
        self.sent += data

    def refuse(self, why: str) -> None:
        self.up, self.broke = False, why
        self.refused.append(why)
        self.pending.clear()

    def close(self) -> None:
        self.up = False


def recording(folder: Path, pieces: Iterable[bytes], said: list[str], **rig: Any) -> Recording:
    """A recording of these pieces into a new folder, not yet run."""
    document = {"front_end": FRONT_END, **rig}
    run_folder.create(folder, config_of(document, "memory", "test"))
    return Recording(folder, MemoryLink(pieces), Options(document), say=said.append)  # type: ignore[arg-type]


def to_the_end(made: Recording) -> Recording:
    """Run it until its link has given everything."""
    link: Any = made.link._link
    made.run(lambda: not link.pending, lambda _: None)
    return made
