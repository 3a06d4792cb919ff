"""A catalogue brought up to date: what is named is judged where it was not, and the tables are written anew."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccdmon.catalogue.keys import Task, task_of
from ccdmon.catalogue.parts import PARTS_DIR, generation_of, parts_of, settled, tabled
from ccdmon.catalogue.subjects import subjects_of
from ccdmon.catalogue.supervisor import Supervisor
from ccdmon.catalogue.tables import Listed, listed, merged, write_tables
from ccdmon.errors import InputError
from ccdmon.run.lock import FolderLock


@dataclass(frozen=True)
class Order:
    """What is asked for. `options`: how a file is read and judged, as `ccdmon analyze` has them; JSON values only."""

    names: Sequence[str]
    folder: Path
    options: Mapping[str, Any]
    jobs: int = 1
    cluster: str | None = None
    again: str = "changed"  # or "all"


@dataclass(frozen=True)
class Built:
    """The files of a call, and how many of them had to be judged."""

    files: list[Listed]
    judged: int


def build(order: Order, progress: Callable[[int], object] = lambda _: None) -> Built:
    """Judge what is new and write the tables. Raises `InputError`. `progress` is told how many more are judged."""
    parts = order.folder / PARTS_DIR
    with _held(order.folder, parts):
        before, there = listed(order.folder), parts_of(order.folder)
        generation = 1 + max(map(generation_of, there), default=0)
        survey = _Survey(order, settled(there) if order.again == "changed" else set())
        _judge(order, survey.tasks(), parts, generation, progress)
        write_tables(order.folder, merged(before, survey.files), parts_of(order.folder))
    return Built(survey.files, survey.judged)


def _judge(
    order: Order, tasks: Iterator[Task], parts: Path, generation: int, progress: Callable[[int], object]
) -> None:
    if order.cluster is not None:
        from ccdmon.catalogue.cluster import run_on_cluster

        run_on_cluster(order.cluster, tasks, parts, generation, order.options, progress)
    else:
        Supervisor(tasks, parts, generation, order.options, progress).run(order.jobs)


class _Survey:
    """Goes over the files as the workers ask for them: each is listed, each content judged once."""

    def __init__(self, order: Order, known: set[str]) -> None:
        self._order, self._known = order, known
        self.files: list[Listed] = []
        self.judged = 0

    def tasks(self) -> Iterator[Task]:
        """What is to be judged."""
        for subject in subjects_of(self._order.names, self._order.folder):
            task = task_of(subject, self._order.options)
            self.files.append(Listed(tabled(task.path), task.core, task.key, task.sha256))
            if task.key not in self._known:
                self._known.add(task.key)
                self.judged += 1
                yield task


@contextmanager
def _held(folder: Path, parts: Path) -> Iterator[None]:
    """The catalogue is ours until the end."""
    lock = FolderLock(folder, "another call is writing this catalogue; wait for it")
    try:
        try:
            parts.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot write ({error.strerror}); choose another folder") from error
        for torn in parts.glob("*.unfinished"):  # of a call that was killed
            torn.unlink(missing_ok=True)
        yield
    finally:
        lock.close()
