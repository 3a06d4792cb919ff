"""One recorder for a folder: a lock on the folder itself, held before anything in it is opened, written or deleted.

The kernel gives it back when the process ends, however it ends; it stays with a folder that is moved. Where a file
system knows no locks (some network ones), the recorder's socket is still asked whether another one answers.
"""

import errno
import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from ccdmon.errors import InputError
from ccdmon.link.control_socket import answers

LOOKED_AT_S = 0.3
NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL, errno.ENOSYS}


class FolderLock:
    """Held from construction to `close`. Makes the folder where there is none."""

    def __init__(self, folder: Path) -> None:
        """Raises `InputError` where another recorder writes there or the folder cannot be made."""
        self._made = not folder.exists()
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise InputError(f"{folder}: cannot write ({error.strerror}); choose another folder") from error
        try:
            taken = not self._take() or answers(folder)
        except BaseException:
            os.close(self._descriptor)
            raise
        if taken:
            os.close(self._descriptor)
            raise InputError(f"{folder}: another recorder is writing here; stop it or choose another folder")

    def _take(self) -> bool:
        """Whoever only looks whether somebody records holds it for a moment."""
        until_s = time.monotonic() + LOOKED_AT_S
        while not (ours := _locked(self._descriptor)) and time.monotonic() < until_s:
            time.sleep(0.01)
        return ours

    def close(self) -> None:
        """Give the folder free; an empty one that this made is taken away."""
        if self._made:
            with suppress(OSError):  # it holds something, or is elsewhere by now
                self._folder.rmdir()
        os.close(self._descriptor)


def is_recorded_now(folder: Path) -> bool:
    """Whether a recorder holds the folder at this moment; it need not answer (it may hang)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        return not _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Whether the lock is ours now; yes where there are none to be had."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return True
