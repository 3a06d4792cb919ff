"""The errors a user can cause or meet. Each is one line: what, where, what to do.

The command line turns them into `ccdmon: <line>` on stderr and the exit code below; anything else that
escapes is a bug: one line too, which names the file with its traceback, and an exit code of its own.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")

EXIT_FINE = 0
EXIT_NEGATIVE = 1
EXIT_UNUSABLE = 2
EXIT_DEVICE = 3
EXIT_BUG = 4


class CcdmonError(Exception):
    """Base of all errors meant for the user."""

    exit_code = EXIT_UNUSABLE

    def __str__(self) -> str:
        """One line, whatever stands in a file's name or a message of a library."""
        return " ".join(super().__str__().splitlines())


class InputError(CcdmonError):
    """A file, an option or a configuration cannot be used (exit 2)."""


class DeviceError(CcdmonError):
    """A rig, a port or the link to it failed (exit 3)."""

    exit_code = EXIT_DEVICE


def describe(error: BaseException) -> str:
    """An exception nobody foresaw, on one line, with its place."""
    import traceback  # only where something failed
    from pathlib import Path

    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}{place}"


def told_in_one_line(main: Callable[P, int]) -> Callable[P, int]:
    """A `main` of `python -m ...` whose user errors are a line on stderr and their exit code."""

    @wraps(main)
    def told(*args: P.args, **options: P.kwargs) -> int:
        try:
            return main(*args, **options)
        except CcdmonError as error:
            print(error, file=sys.stderr)
            return error.exit_code

    return told
