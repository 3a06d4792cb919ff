"""`frames.bin` and its rotated parts: appended to only, waiting for space where a disk is full, and read back.

    frames.bin, frames-0001.bin, frames-0002.bin, ...     parts end at a frame's end, so each stands alone

When a write fails, what has arrived waits in memory, up to a bound; beyond it whole frames are dropped and counted.
Once the disk takes bytes again writing goes on at a frame's beginning: the hole shows in the device's own counters.
"""

import errno
import math
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

FRAMES_FILE, CONFIG_FILE = "frames.bin", "run.toml"
WAITING_BYTES = 4 << 20  # four minutes at 16.6 kB/s
ROTATE_BYTES = 1000 << 20
READ_BYTES = 1 << 20
REOPEN_S = 1.0  # between two attempts at a file that does not open
FULL = (errno.ENOSPC, errno.EDQUOT)


def require_regular(path: Path) -> None:
    """Nothing or a file lies there: opening a pipe would wait for ever, a device keeps nothing. Raises `OSError`."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "no regular file", str(path))


def is_run_folder(path: Path) -> bool:
    """Whether the folder holds a recording."""
    return (path / FRAMES_FILE).is_file() or (path / CONFIG_FILE).is_file()


def part_path(folder: Path, number: int) -> Path:
    """Path of the part with that number, from 0."""
    return folder / (FRAMES_FILE if number == 0 else f"frames-{number:04d}.bin")


def parts(folder: Path) -> list[Path]:
    """The parts of a recording in order."""
    found = [folder / FRAMES_FILE] if (folder / FRAMES_FILE).is_file() else []
    later = [path for path in folder.glob("frames-*.bin") if path.stem.removeprefix("frames-").isdecimal()]
    return found + sorted(later, key=number_of)


def number_of(part: Path) -> int:
    """The number of a part, from 0."""
    return 0 if part.name == FRAMES_FILE else int(part.stem.removeprefix("frames-"))


def read_parts(
    folder: Path,
    part: int = 0,
    offset: int = 0,
    read_bytes: int = READ_BYTES,
    last_bytes: int | None = None,
) -> Iterator[bytes]:
    """Bytes of a recording from a place on; a part's torn end is closed, lest it spoil the next one's first frame.

    The parts are those that lie there at the first `next`; `last_bytes`: no more than so many of the last one.
    """
    paths = [path for path in parts(folder) if number_of(path) >= part]
    if paths and number_of(paths[0]) != part:
        offset = 0  # the place's own part is gone
    for path in paths:
        last = b"\0"
        with path.open("rb") as file:
            file.seek(offset)
            end = last_bytes if last_bytes is not None and path == paths[-1] else math.inf
            while data := file.read(int(min(read_bytes, end - file.tell()))):
                yield data
                last = data[-1:]
        offset = 0
        if last != b"\0" and path != paths[-1]:
            yield b"\0"


class PatientFile:
    """An append-only file, unbuffered. What the disk refuses waits in `waiting`; `error` says why."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.waiting = bytearray()
        self.error: OSError | None = None
        self.unsynced = 0  # how often the disk did not confirm what it had taken
        self.deleted = False  # when it was closed it had no name any more
        require_regular(path)
        self._file: BinaryIO = path.open("ab", buffering=0)
        self._reopen_due_s = 0.0

    def write(self, data: bytes) -> bytes:
        """Append; returns the bytes that are in the file now and were not before."""
        self.waiting += data
        written = bytearray()
        error = None
        while self.waiting:
            try:
                taken = self._file.write(self.waiting) or 0
            except OSError as refused:
                error = refused
                break
            written += self.waiting[:taken]
            del self.waiting[:taken]
        self.error = error
        if error is not None and error.errno not in FULL:
            self._reopen()
        return bytes(written)

    def sync(self) -> None:
        """Put what was written on the disk; a failure is kept in `error` and counted."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            self.not_synced(error)

    def to_sync(self) -> int:
        """A descriptor of its own for somebody else to sync and to close."""
        return os.dup(self._file.fileno())

    def not_synced(self, error: OSError) -> None:
        """Somebody else's sync failed."""
        self.error = error
        self.unsynced += 1

    def close(self) -> None:
        """Try once more to write what waits, sync and close; what still waits then is lost, as is a `deleted` file."""
        self.write(b"")
        self.sync()
        with suppress(OSError):
            self.deleted = os.fstat(self._file.fileno()).st_nlink == 0
        with suppress(OSError):  # a network's file system tells here what it told at the sync
            self._file.close()

    def moved(self) -> bool:
        """Whether another file, or none, has its name now: what is written goes where nobody looks."""
        try:
            there, ours = self.path.stat(), os.fstat(self._file.fileno())
        except OSError as error:
            return error.errno in (errno.ENOENT, errno.ENOTDIR)
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def _reopen(self) -> None:
        """A disk that was away and is back has forgotten the open file: take it anew, at its end, now and then."""
        if time.monotonic() < self._reopen_due_s:
            return
        self._reopen_due_s = time.monotonic() + REOPEN_S
        try:
            again: BinaryIO = self.path.open("r+b", buffering=0)  # a name that is gone is not made anew
            again.seek(0, os.SEEK_END)
        except OSError:
            return
        with suppress(OSError):
            self._file.close()
        self._file = again


class FrameFiles:
    """The recording of one folder; `resume` appends a part to what lies there. Raises `OSError` where none opens."""

    def __init__(
        self, folder: Path, *, rotate_bytes: int = ROTATE_BYTES, waiting_bytes: int = WAITING_BYTES
    ) -> None:
        self._folder, self._rotate_bytes, self._waiting_bytes = folder, rotate_bytes, waiting_bytes
        there = parts(folder)
        self.part = number_of(there[-1]) if there else 0
        path = part_path(folder, self.part)
        if path.is_file() and path.stat().st_size and not _ends_whole(path):
            self.part += 1  # a killed host left half a frame
        self._file = PatientFile(part_path(folder, self.part))
        self._size = self._file.path.stat().st_size
        self.part_error: OSError | None = None  # why the next part cannot be begun: the old one goes on
        self._part_due_s = 0.0
        self.dropped_bytes = 0  # since the disk began to refuse
        self._skipping = False  # until the next frame's beginning

    @property
    def error(self) -> OSError | None:
        """Why the disk takes nothing at the moment; None: all is well."""
        return self._file.error

    @property
    def size(self) -> int:
        """Bytes of the part that is written now."""
        return self._size

    @property
    def waiting_bytes(self) -> int:
        """What waits for space."""
        return len(self._file.waiting)

    @property
    def unsynced(self) -> int:
        """How often the disk did not confirm what it had taken."""
        return self._file.unsynced

    @property
    def deleted(self) -> bool:
        """Whether somebody had deleted the last part when it was closed."""
        return self._file.deleted

    def moved(self) -> bool:
        """Whether the part that is written is not where it should be any more."""
        return self._file.moved()

    def append(self, data: bytes) -> bytes:
        """Append bytes as received; returns those that got into the files now, in order."""
        if self._skipping:
            data = self._from_next_frame(data)
        if self._size >= self._rotate_bytes and not self._file.waiting and b"\0" in data:
            return self._across(data)
        written = self._file.write(data)
        self._size += len(written)
        if len(self._file.waiting) > self._waiting_bytes:
            self._drop()
        return written

    def sync(self) -> None:
        """Put everything written so far on the disk."""
        self._file.sync()

    def to_sync(self) -> int:
        """As `PatientFile.to_sync`."""
        return self._file.to_sync()

    def not_synced(self, error: OSError) -> None:
        """As `PatientFile.not_synced`."""
        self._file.not_synced(error)

    def close(self) -> None:
        """Sync and close; what the disk never took is counted."""
        self._file.close()
        self.dropped_bytes += len(self._file.waiting)
        self._file.waiting.clear()

    def _next_part(self) -> None:
        """Begin the next part, which is open before the old one is closed; where that fails the old one goes on."""
        if time.monotonic() < self._part_due_s:
            return
        try:
            following = PatientFile(part_path(self._folder, self.part + 1))
        except OSError as error:
            self.part_error, self._part_due_s = error, time.monotonic() + REOPEN_S
            return
        self.part_error = None
        following.unsynced = self._file.unsynced
        self._file.close()
        self._file, self._size, self.part = following, 0, self.part + 1

    def _across(self, data: bytes) -> bytes:
        """The frame that is open ends the old part; the rest begins a new one."""
        end = data.index(b"\0") + 1
        written = self._file.write(data[:end])
        self._size += len(written)
        if not self._file.waiting:  # else it is full just now: rotate later
            self._next_part()
        rest = self._file.write(data[end:])
        self._size += len(rest)
        return written + rest

    def _drop(self) -> None:
        """Keep the oldest whole frames within the bound, and from now on skip to a frame's beginning."""
        waiting = self._file.waiting
        end = waiting.rfind(b"\0", 0, self._waiting_bytes) + 1
        self.dropped_bytes += len(waiting) - end
        torn = waiting[-1:] != b"\0"
        del waiting[end:]
        self._skipping = torn

    def _from_next_frame(self, data: bytes) -> bytes:
        end = data.find(b"\0") + 1
        self._skipping = end == 0
        dropped = len(data) if end == 0 else end
        self.dropped_bytes += dropped
        return data[dropped:]


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\0"
