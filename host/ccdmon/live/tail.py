"""The bytes of a recording that grows, in order, part after part, and where in the files each frame begins.

What is missing or shorter than it was is passed over and told: a page shows what is left.
"""

from pathlib import Path
from typing import BinaryIO

from ccdmon.live.health import Health
from ccdmon.run.frame_files import number_of, part_path, parts

READ_BYTES = 1 << 18
PART_SHIFT = 44  # a place in the files: part number above, offset below


class Tail:
    """`read` gives what is new, a quarter of a megabyte at most. Raises `OSError` where a file cannot be read."""

    def __init__(self, folder: Path, health: Health) -> None:
        self._folder, self._health = folder, health
        self._part, self._offset = 0, 0
        self._file: BinaryIO | None = None
        self._last_byte = b"\0"
        self.frame_place = 0  # where the frame begins that the next bytes end

    def read(self) -> bytes:
        """The next bytes; empty where there are none yet. A part's torn end is closed."""
        if self._file is None:
            path = part_path(self._folder, self._part)
            if not path.is_file():
                return self._pass_over(path)
            self._file = path.open("rb", buffering=0)
        data = self._file.read(READ_BYTES)
        if not data:
            return self._next_part()
        end = data.rfind(b"\0") + 1
        if end:
            self.frame_place = self._part << PART_SHIFT | (self._offset + end)
        self._offset += len(data)
        self._last_byte = data[-1:]
        return data

    def close(self) -> None:
        """Close the file that is open."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _later(self) -> int | None:
        """Number of the next part that is there."""
        return next((n for path in parts(self._folder) if (n := number_of(path)) > self._part), None)

    def _begin(self, part: int) -> None:
        self.close()
        if part != self._part + 1:
            missing = part_path(self._folder, self._part + 1).name
            self._health.wrong("frames", f"{missing} is missing; passed over")
        self._part, self._offset = part, 0
        self.frame_place = part << PART_SHIFT

    def _pass_over(self, missing: Path) -> bytes:
        """The part that should be read is not there: later ones are, or nothing was recorded yet."""
        later = self._later()
        if later is None:
            return b""
        self._health.wrong("frames", f"{missing.name} is missing; passed over")
        self._part, self._offset = later, 0
        self.frame_place = later << PART_SHIFT
        return self.read()

    def _next_part(self) -> bytes:
        """Move on where there is another part."""
        path = part_path(self._folder, self._part)
        if not path.is_file() or path.stat().st_size < self._offset:
            self._health.wrong("frames", f"{path.name} is gone or shorter than it was")
        later = self._later()
        if later is None:
            return b""
        self._begin(later)
        torn, self._last_byte = self._last_byte != b"\0", b"\0"
        return b"\0" if torn else self.read()
