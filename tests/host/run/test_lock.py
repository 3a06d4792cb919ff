"""One recorder for a folder, by the kernel's lock on it."""

import errno
import fcntl
import os
import threading
import time
from pathlib import Path

import pytest

from ccdmon.errors import InputError
from ccdmon.link.control_socket import ControlServer
from ccdmon.run import lock
from ccdmon.run.lock import LOOKED_AT_S, FolderLock, is_recorded_now

pytestmark = pytest.mark.skipif(lock.fcntl is None, reason="folders have no locks on this system")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_second_one_is_refused_and_the_first_keeps_it(tmp_path: Path) -> None:
    first, before = FolderLock(tmp_path / "a" / "b"), descriptors()
    assert is_recorded_now(tmp_path / "a" / "b")
    with pytest.raises(
        InputError, match=r"another recorder is writing here; stop it or choose another folder$"
    ):
        FolderLock(tmp_path / "a" / "b")
    assert descriptors() == before and is_recorded_now(tmp_path / "a" / "b")
    first.close()
    assert not (tmp_path / "a" / "b").exists(), "made for nothing"
    assert descriptors() == before - 1


def test_a_folder_that_was_there_stays_and_one_with_something_in_it_too(tmp_path: Path) -> None:
    FolderLock(tmp_path).close()
    assert tmp_path.is_dir()
    held = FolderLock(tmp_path / "new")
    (tmp_path / "new" / "frames.bin").touch()
    held.close()
    assert (tmp_path / "new" / "frames.bin").is_file()
    assert not is_recorded_now(tmp_path / "new") and not is_recorded_now(tmp_path / "nowhere")


def test_who_only_looks_keeps_nobody_out(tmp_path: Path) -> None:
    looking = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(LOOKED_AT_S / 3, os.close, (looking,)).start()
    began_s = time.monotonic()
    FolderLock(tmp_path).close()
    assert LOOKED_AT_S / 4 < time.monotonic() - began_s < LOOKED_AT_S


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_there_are_no_locks_the_socket_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock.fcntl, "flock", no_locks)
    FolderLock(tmp_path).close()
    server, before = ControlServer(tmp_path), descriptors()  # it hangs, and is there
    with pytest.raises(InputError, match="another recorder"):
        FolderLock(tmp_path)
    assert descriptors() == before
    server.close()


def test_a_lock_that_fails_otherwise_is_not_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(lock.fcntl, "flock", failing)
    before = descriptors()
    with pytest.raises(OSError, match="Input/output"):
        FolderLock(tmp_path)
    assert descriptors() == before


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=r"file/run: cannot write \(Not a directory\); choose another folder$"
    ):
        FolderLock(tmp_path / "file" / "run")
