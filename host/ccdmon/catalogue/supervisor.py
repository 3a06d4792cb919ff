"""Worker processes that may die: what was in flight is done again, and a trace that kills its workers is named.

A worker tells which task it begins, so that of a chunk whose worker died the suspect is known. The others go back to
the queue; the suspect is tried alone, and after `MOST_DEATHS` workers it gets a row that says so.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ccdmon.catalogue.chunks import Chunks
from ccdmon.catalogue.judge import failed
from ccdmon.catalogue.keys import Task
from ccdmon.catalogue.parts import part_name, write_part
from ccdmon.errors import CcdmonError, InputError

# Not the folder that the user is in, whatever lies there (-P).
COMMAND = (sys.executable, "-P", "-m", "ccdmon.catalogue.worker")
MOST_DEATHS = 3  # at the same task: a chance kill hits it once
MOST_IDLE_DEATHS = 20  # one after the other, by signals, before any task was begun


@dataclass
class Worker:
    """A process and what it was given."""

    process: subprocess.Popen[bytes]
    chunk: list[Task] = field(default_factory=list)
    at: int = -1  # in the chunk; -1 before it began
    heard: bytes = b""  # of a line that is not whole


class Supervisor:
    """Judges `tasks` with `jobs` processes into the folder `parts`; `done` is told how many tasks are done."""

    def __init__(
        self, tasks: Iterator[Task], parts: Path, generation: int, options: Mapping[str, Any],
        done: Callable[[int], object], command: Sequence[str] = COMMAND,
    ) -> None:  # fmt: skip
        self._chunks, self._parts, self._generation = Chunks(tasks), parts, generation
        self._options, self._done, self._command = options, done, command
        self._waiting: deque[list[Task]] = deque()  # chunks of dead workers
        self._deaths: dict[str, int] = {}  # by key
        self._idle_deaths = 0  # workers that died with no task begun, since one answered
        self._selector = selectors.DefaultSelector()
        self._workers: list[Worker] = []

    def run(self, jobs: int) -> None:
        """Until all tasks have their row."""
        try:
            for _ in range(jobs):
                if not self._employ():
                    break
            while self._workers:
                for key, _ in self._selector.select():
                    self._hear(key.data)
        finally:
            for worker in self._workers:
                worker.process.kill()
                worker.process.wait()
            self._selector.close()

    def _employ(self) -> bool:
        """A new worker with its first chunk; False where there is nothing left to do."""
        chunk = self._next_chunk()
        if not chunk:
            return False
        process = subprocess.Popen(
            [*self._command, json.dumps(dict(self._options))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        worker = Worker(process)
        self._workers.append(worker)
        assert process.stdout is not None
        self._selector.register(process.stdout, selectors.EVENT_READ, worker)
        self._give(worker, chunk)
        return True

    def _next_chunk(self) -> list[Task]:
        return self._waiting.popleft() if self._waiting else self._chunks.next()

    def _give(self, worker: Worker, chunk: list[Task]) -> None:
        worker.chunk, worker.at = chunk, -1
        path = self._parts / part_name(self._generation, chunk)
        order = json.dumps({"part": str(path), "tasks": [asdict(task) for task in chunk]}) + "\n"
        assert worker.process.stdin is not None
        with suppress(OSError):  # it has died: its end is heard
            worker.process.stdin.write(order.encode())
            worker.process.stdin.flush()

    def _hear(self, worker: Worker) -> None:
        assert worker.process.stdout is not None
        data = os.read(worker.process.stdout.fileno(), 1 << 16)
        if not data:
            self._bury(worker)
            return
        *lines, worker.heard = (worker.heard + data).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            if "at" in answer:
                worker.at, self._idle_deaths = answer["at"], 0
            elif "refused" in answer:
                raise InputError(f"{answer['refused']}; make space, and call again: what is done stays")
            else:
                self._finished(worker, answer["seconds"])

    def _finished(self, worker: Worker, seconds: float) -> None:
        self._chunks.took(worker.chunk, seconds)
        self._done(len(worker.chunk))
        chunk = self._next_chunk()
        if chunk:
            self._give(worker, chunk)
        else:
            self._dismiss(worker)

    def _dismiss(self, worker: Worker) -> None:
        """It ends by itself: nothing comes any more."""
        assert worker.process.stdin is not None
        worker.chunk = []
        with suppress(OSError):
            worker.process.stdin.close()

    def _bury(self, worker: Worker) -> None:
        """A worker has ended: as told, or with a chunk in its hands."""
        assert worker.process.stdout is not None
        self._selector.unregister(worker.process.stdout)
        self._workers.remove(worker)
        worker.process.stdout.close()
        code = worker.process.wait()
        if worker.chunk:
            self._give_back(worker, code)
        self._employ()

    def _give_back(self, worker: Worker, code: int) -> None:
        """The suspect alone, the others together."""
        chunk, at = worker.chunk, worker.at
        if at < 0:
            self._idle_deaths += 1
            if code > 0 or self._idle_deaths > MOST_IDLE_DEATHS:
                raise CcdmonError(f"workers end before they begin ({_said(code)}); see what they said above")
            self._waiting.append(chunk)
            return
        suspect, others = chunk[at], chunk[:at] + chunk[at + 1 :]
        if others:
            self._waiting.append(others)
        self._deaths[suspect.key] = self._deaths.get(suspect.key, 0) + 1
        if self._deaths[suspect.key] < MOST_DEATHS:
            self._waiting.append([suspect])
            return
        write_killed(self._parts, self._generation, suspect, _said(code))
        self._done(1)


def write_killed(parts: Path, generation: int, task: Task, how: str) -> None:
    """The row of a trace that kills its workers."""
    row = failed(task, "killed", f"kills the process that analyses it ({how}), each of {MOST_DEATHS} times")
    write_part(parts / part_name(generation, [task]), [row])


def _said(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
