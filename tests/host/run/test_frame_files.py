"""The frames on disk: rotation at frame ends, a disk that takes nothing for a while, and reading all of it back."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from ccdmon.run import frame_files
from ccdmon.run.frame_files import FrameFiles, PatientFile, number_of, part_path, parts, read_parts
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


def test_reading_begins_and_ends_where_it_is_told(tmp_path: Path) -> None:
    for number, data in ((0, b"abc\0defg"), (1, b"hij\0"), (2, b"klmnop"), (10, b"qrst")):
        part_path(tmp_path, number).write_bytes(data)
    (tmp_path / "frames-x.bin").write_bytes(b"of somebody else")
    assert [number_of(path) for path in parts(tmp_path)] == [0, 1, 2, 10]
    assert list(read_parts(tmp_path)) == [b"abc\0defg", b"\0", b"hij\0", b"klmnop", b"\0", b"qrst"]
    assert list(read_parts(tmp_path, 0, 5, read_bytes=2)) == [
        b"ef", b"g", b"\0", b"hi", b"j\0", b"kl", b"mn", b"op", b"\0", b"qr", b"st",
    ]  # fmt: skip
    assert list(read_parts(tmp_path, 2, 4)) == [b"op", b"\0", b"qrst"]
    assert list(read_parts(tmp_path, 3, 2)) == [b"qrst"], "the place's own part is gone"
    assert list(read_parts(tmp_path, 10, 1, read_bytes=2, last_bytes=3)) == [b"rs"]
    assert b"".join(read_parts(tmp_path, last_bytes=0)) == b"abc\0defg\0hij\0klmnop\0"
    assert list(read_parts(tmp_path, 11)) == []
    assert list(read_parts(tmp_path / "nowhere")) == []


def test_each_part_has_its_number_and_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    sent = frames(40)
    for turn in range(4):
        files = FrameFiles(tmp_path, rotate_bytes=len(sent[0]) * 3)
        for frame in sent[10 * turn : 10 * turn + 10]:
            files.append(frame)
            assert files.size == part_path(tmp_path, files.part).stat().st_size
        files.close()
    assert [number_of(path) for path in parts(tmp_path)] == list(range(len(parts(tmp_path))))
    assert b"".join(read_parts(tmp_path)) == b"".join(sent)
    assert all(path.stat().st_size <= 4 * len(sent[0]) for path in parts(tmp_path))
    with part_path(tmp_path, files.part).open("ab") as file:
        file.write(b"half")
    assert FrameFiles(tmp_path).part == files.part + 1, "a torn part is not gone on with"
    assert FrameFiles(tmp_path).part == files.part + 1, "an empty one is"


class Patience(Disk):
    """A file whose errors are chosen."""

    def __init__(self, file: Any, number: int) -> None:
        super().__init__(file)
        self.number, self.tries = number, 0

    def write(self, data: bytes) -> int:
        self.tries += 1
        raise OSError(self.number, "no")


def test_what_a_disk_does_not_confirm_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = PatientFile(tmp_path / "f")
    assert (file.write(b"abc"), file.error, file.unsynced) == (b"abc", None, 0)

    def failing(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(frame_files.os, "fsync", failing)
        for times in (1, 2, 3):
            file.sync()
            assert file.unsynced == times and file.error is not None
    assert file.write(b"d") == b"d" and file.error is None
    file.close()
    assert (tmp_path / "f").read_bytes() == b"abcd" and file.unsynced == 3


@pytest.mark.parametrize(
    ("number", "reopened"), [(errno.ENOSPC, 0), (errno.EDQUOT, 0), (errno.EIO, 2), (errno.ESTALE, 2)]
)
def test_a_full_disk_is_waited_for_and_another_is_opened_anew_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reopened: int
) -> None:
    now_s = 100.0
    monkeypatch.setattr(frame_files.time, "monotonic", lambda: now_s)
    file, opened = PatientFile(tmp_path / "f"), []
    file.write(b"ab")

    class NoPath:
        def open(self, *how: Any, **more: Any) -> Any:
            opened.append(now_s)
            raise OSError(number, "no")

    file._file = Patience(file._file, number)  # type: ignore[assignment]
    file.path = NoPath()  # type: ignore[assignment]
    for now_s in (100.0, 100.5, 101.0, 101.5):  # noqa: B007  the clock
        assert file.write(b"c") == b""
    assert len(opened) == reopened and (not opened or opened == [100.0, 101.0])
    assert bytes(file.waiting) == b"cccc" and file.error is not None and file.error.errno == number
    file.path = tmp_path / "f"
    if reopened:
        now_s = 103.0
        assert file.write(b"") == b""
        assert file.write(b"") == b"cccc", "behind what it has"
        assert (tmp_path / "f").read_bytes() == b"abcccc"


def test_the_next_part_is_tried_again_once_a_second_and_counts_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, sent = 50.0, frames(40)
    monkeypatch.setattr(frame_files.time, "monotonic", lambda: now_s)
    files = FrameFiles(tmp_path, rotate_bytes=1)
    files._file.unsynced = 7
    real, tried = frame_files.PatientFile, []

    def refused(path: Path) -> PatientFile:
        tried.append((path.name, now_s))
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(frame_files, "PatientFile", refused)
        for n in range(20):
            now_s = 50.0 + n / 8
            files.append(sent[n])
    assert tried == [("frames-0001.bin", 50.125), ("frames-0001.bin", 51.125), ("frames-0001.bin", 52.125)]
    assert files.part_error is not None and files.part == 0 and files.error is None
    assert frame_files.PatientFile is real
    now_s = 60.0
    for frame in sent[20:]:
        files.append(frame)
    assert files.part_error is None and files.part >= 10 and files.unsynced == 7
    files.close()
    assert b"".join(read_parts(tmp_path)) == b"".join(sent)


@pytest.mark.parametrize("name", ["frames.bin", "frames-0001.bin"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, name: str, kind: str) -> None:
    """A recorder that resumed hung at a pipe for ever."""
    if name != "frames.bin":
        (tmp_path / "frames.bin").write_bytes(b"half")
    make = {"pipe": os.mkfifo, "device": lambda path: path.symlink_to("/dev/full"), "folder": Path.mkdir}
    make[kind](tmp_path / name)
    with pytest.raises(OSError, match=f"no regular file.*{name}"):
        FrameFiles(tmp_path)


def test_what_waits_for_a_disk_is_four_minutes_and_a_part_a_gigabyte() -> None:
    assert 240 < frame_files.WAITING_BYTES / 16_600 < 260 and frame_files.ROTATE_BYTES == 1000 << 20
    assert FrameFiles.__init__.__kwdefaults__ == {
        "rotate_bytes": frame_files.ROTATE_BYTES, "waiting_bytes": frame_files.WAITING_BYTES,
    }  # fmt: skip
