"""The frames on disk: rotation at frame ends, a disk that takes nothing for a while, and reading all of it back."""

import errno
from pathlib import Path
from typing import Any

from ccdmon.run.frame_files import FrameFiles, parts, read_parts
from ccdmon.run.rows import RowReader
from tests.host.wire_stream import Device


def frames(count: int) -> list[bytes]:
    device = Device()
    return [device.samples(32 * n, 32) for n in range(count)]


def test_parts_end_at_frames_and_read_back_whole(tmp_path: Path) -> None:
    files, data = FrameFiles(tmp_path, rotate_bytes=3000), b"".join(frames(100))
    written = b"".join(files.append(data[at : at + 777]) for at in range(0, len(data), 777))
    files.close()
    assert written == data == b"".join(read_parts(tmp_path))
    assert len(parts(tmp_path)) > 5
    for path in parts(tmp_path)[:-1]:
        reader = RowReader()
        reader.feed(path.read_bytes())
        assert (reader.counts.crc_errors, path.read_bytes()[-1]) == (0, 0)


class Disk:
    """A file that takes `room` bytes and no more."""

    def __init__(self, file: Any) -> None:
        self.file, self.room = file, 0

    def write(self, data: bytes) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self.file.write(bytes(data[: self.room]))
        self.room -= taken
        return int(taken)

    def fileno(self) -> int:
        return int(self.file.fileno())

    def close(self) -> None:
        self.file.close()


def full(files: FrameFiles) -> Disk:
    files._file._file = disk = Disk(files._file._file)  # type: ignore[assignment]
    return disk


def test_a_short_fullness_loses_nothing(tmp_path: Path) -> None:
    files, sent = FrameFiles(tmp_path), frames(30)
    files.append(sent[0])
    disk = full(files)
    disk.room = 100
    for frame in sent[1:]:
        files.append(frame)
    assert files.error is not None
    disk.room = 1 << 30
    files.append(b"")
    assert files.error is None
    assert b"".join(read_parts(tmp_path)) == b"".join(sent)


def test_a_long_fullness_drops_whole_frames_and_marks_the_hole(tmp_path: Path) -> None:
    files, sent = FrameFiles(tmp_path, waiting_bytes=2000), frames(60)
    disk = full(files)
    disk.room = 150
    data = b"".join(sent[:50])
    for at in range(0, len(data), 97):  # cut anywhere
        files.append(data[at : at + 97])
    assert files.waiting_bytes <= 2000
    disk.room = 1 << 30
    for frame in sent[50:]:
        files.append(frame)
    reader = RowReader()
    for piece in read_parts(tmp_path):
        reader.feed(piece)
    assert reader.counts.crc_errors == 0
    assert reader.counts.samples + reader.counts.missing_samples == 60 * 32
    assert reader.counts.missing_samples > 0
    assert files.dropped_bytes == sum(map(len, sent)) - sum(map(len, read_parts(tmp_path)))
