"""Tasks in chunks of half a second to a second: long enough that handing them out costs nothing, short enough to lose.

How long a task takes is told from its bytes, by what the tasks before took.
"""

from collections.abc import Iterator, Sequence

from ccdmon.catalogue.keys import Task

CHUNK_S = 0.75
MOST_TASKS = 256
_BYTES_OF_ANY = 100_000  # what opening, judging and writing any file costs beside reading, in bytes of CSV
_FIRST_TASKS = 2  # before a chunk was timed


class Chunks:
    """Takes tasks from an iterator as they are asked for."""

    def __init__(self, tasks: Iterator[Task]) -> None:
        self._tasks = tasks
        self._s_per_byte = self._timed_s = self._timed_bytes = 0.0

    def next(self) -> list[Task]:
        """The next chunk; empty at the end."""
        chunk: list[Task] = []
        cost_s = 0.0
        most = MOST_TASKS if self._timed_s else _FIRST_TASKS
        while cost_s < CHUNK_S and len(chunk) < most:
            task = next(self._tasks, None)
            if task is None:
                break
            chunk.append(task)
            cost_s += _cost_bytes(task) * self._s_per_byte
        return chunk

    def took(self, chunk: Sequence[Task], seconds: float) -> None:
        """A chunk took so long."""
        self._timed_s += seconds
        self._timed_bytes += sum(map(_cost_bytes, chunk))
        self._s_per_byte = self._timed_s / self._timed_bytes


def _cost_bytes(task: Task) -> float:
    return task.size + _BYTES_OF_ANY
