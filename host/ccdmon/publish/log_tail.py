"""The event log as a queue: whole lines from a place on, and the place up to which a broker has them.

The log is only appended to, so a place in it names a line for ever. The place lies in a small file beside it, one for
each broker and gateway, and moves on only behind what was acknowledged: whoever is killed sends some lines twice.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ccdmon.run.folder import EVENTS_FILE
from ccdmon.run.frame_files import require_regular

SCHEMA = "ccdmon.cursor/1"
READ_BYTES = 1 << 16
LONGEST_LINE = 4 << 20


class Line(NamedTuple):
    """One line of a log, without its end; `end` is where the next one begins."""

    offset: int
    end: int
    text: bytes


class Cursor:
    """Reads a run's log from where `target` (broker and gateway) has it, and keeps how far that is."""

    def __init__(self, folder: Path, target: str) -> None:
        self._log = folder / EVENTS_FILE
        self._path = folder / f"publish-{hashlib.sha256(target.encode()).hexdigest()[:8]}.json"
        self._folder, self._target = folder, target
        self.run: str | None = (
            None  # its name with a digest of the first line, which is of its moment; None: no line
        )
        self.offset = self.birth = 0
        self.error: OSError | None = None  # why the place cannot be kept
        self._kept = self._load()

    def lines(self, offset: int) -> Iterator[Line]:
        """Whole lines from a place on, as far as one reading goes. Raises `OSError`."""
        require_regular(self._log)
        try:
            with self._log.open("rb") as file:
                file.seek(offset)
                data = file.read(READ_BYTES)
                while data and b"\n" not in data and len(data) < LONGEST_LINE:
                    more = file.read(READ_BYTES)
                    if not more:
                        break
                    data += more
        except FileNotFoundError:
            return
        if len(data) >= LONGEST_LINE and b"\n" not in data:  # no line of ours: passed on in pieces
            yield Line(offset, offset + len(data), data)
            return
        for text in data.split(b"\n")[:-1]:
            yield Line(offset, offset + len(text) + 1, text)
            offset += len(text) + 1

    def size(self) -> int:
        """Bytes of the log."""
        try:
            return self._log.stat().st_size if self._log.is_file() else 0
        except OSError:  # nothing was logged yet, or the folder is away: `lines` tells
            return 0

    def identify(self) -> str | None:
        """The run's name, once the log has a line; a log that is another than before begins anew."""
        if self.run is None:
            first = next(self.lines(0), None)
            if first is not None:
                self.run = f"{self._folder.name}-{hashlib.sha256(first.text).hexdigest()[:12]}"
                if self._kept != self.run or self.offset > self.size():
                    self.offset = 0
                self._kept = self.run
        return self.run

    def keep(self) -> None:
        """Write the place down; where that fails lines are sent again by the next publisher."""
        document = {"schema": SCHEMA, "target": self._target, "run": self.run, "offset": self.offset,
                    "birth": self.birth}  # fmt: skip
        new = self._path.with_suffix(".new")
        try:
            new.write_text(json.dumps(document), encoding="utf-8")
            new.replace(self._path)
        except OSError as error:
            self.error = error
        else:
            self.error = None

    def _load(self) -> str | None:
        """The run that the place is of; None where there is none, or nonsense."""
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
            offset, birth, run = int(known["offset"]), int(known["birth"]), known["run"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        self.offset, self.birth = max(0, offset), max(0, birth)
        return str(run) if run else None
