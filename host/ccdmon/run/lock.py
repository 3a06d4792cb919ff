"""One recorder for a folder: a lock on the folder itself, held before anything in it is opened, written or deleted.

The kernel gives it back when the process ends, however it ends; it stays with a folder that is moved. Where a folder
cannot be locked (some network file systems, Windows), a recorder is asked for at its control socket instead.
"""

import errno
import os
import time
from contextlib import suppress
from pathlib import Path

from ccdmon.errors import InputError
from ccdmon.link.control_socket import answers

try:
    import fcntl  # noqa: TID251
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

TAKEN = "another recorder is writing here; stop it or choose another folder"
LOOKED_AT_S = 0.3
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL, errno.ENOSYS}


class FolderLock:
    """Held from construction to `close`. Makes the folder where there is none."""

    def __init__(self, folder: Path, taken: str = TAKEN) -> None:
        """Raises `InputError` where another holds it (`taken` says what to do then) or the folder cannot be made."""
        self._made = not folder.exists()
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = _opened(folder)
        except OSError as error:
            raise InputError(f"{folder}: cannot write ({error.strerror}); choose another folder") from error
        try:
            held = self._taken()
        except BaseException:
            _close(self._descriptor)
            raise
        if held:
            _close(self._descriptor)
            raise InputError(f"{folder}: {taken}")

    def _taken(self) -> bool:
        """Whether another holds it; whoever only looks whether somebody records does so for a moment."""
        until_s = time.monotonic() + LOOKED_AT_S
        while (ours := _locked(self._descriptor)) is False and time.monotonic() < until_s:
            time.sleep(0.01)
        return answers(self._folder) if ours is None else not ours

    def close(self) -> None:
        """Give the folder free; an empty one that this made is taken away."""
        if self._made:
            with suppress(OSError):  # it holds something, or is elsewhere by now
                self._folder.rmdir()
        _close(self._descriptor)


def is_recorded_now(folder: Path) -> bool:
    """Whether a recorder holds the folder at this moment; it need not answer (it may hang)."""
    try:
        descriptor = _opened(folder)
    except OSError:
        return False
    try:
        ours = _locked(descriptor, shared=True)
    finally:
        _close(descriptor)
    return answers(folder) if ours is None else not ours


def _opened(folder: Path) -> int | None:
    """A descriptor of the folder that can be locked; None where there are none. Raises `OSError`."""
    return None if fcntl is None else os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # noqa: TID251


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)


def _locked(descriptor: int | None, *, shared: bool = False) -> bool | None:
    """Whether the lock is ours now; None where there are none to be had."""
    if descriptor is None:
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return None
    return True
