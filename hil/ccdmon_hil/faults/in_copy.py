"""A job in a copy of this process, which itself stays as it was: a rig boots once, and many faults begin there.

The copy is a fork, so a process with threads must not ask for one.
"""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

from ccdmon.errors import DeviceError

Result = TypeVar("Result")


def in_copy(job: Callable[[], Result]) -> Result:
    """What `job` returns there, pickled on its way; `DeviceError` where the copy ends without it."""
    fork = get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    process = fork.Process(target=_run, args=(job, sender))
    process.start()
    sender.close()
    try:
        result: Result = receiver.recv()
    except EOFError:
        process.join()
        raise DeviceError(f"rig pico: its process ended with {process.exitcode}") from None
    process.join()
    return result


def _run(job: Callable[[], object], sender: Connection) -> None:
    sender.send(job())
