"""The same on dask.distributed: workers of a scheduler, or of this machine, write their own parts into the catalogue.

They must see the traces and the catalogue under the same paths. Dask suspects a killer's innocent neighbours
(dask/distributed issue 5234), so a chunk that it gives up is tried task by task in the end, each with nothing beside.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from ccdmon.catalogue.chunks import Chunks
from ccdmon.catalogue.keys import Task, core_hash
from ccdmon.catalogue.parts import judge_into, part_name
from ccdmon.catalogue.supervisor import write_killed
from ccdmon.errors import CcdmonError, InputError

CHUNKS_PER_WORKER = 3  # in flight
# What Dask watches of itself, many times a second, costs as much as some of the traces.
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "2s",
    "distributed.scheduler.work-stealing": False,  # what waits is little
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.cycle": "10s",
    "distributed.admin.system-monitor.interval": "10s",
}
EXTRA = 'pip install "ccdmon[cluster]"'


def run_on_cluster(
    address: str,
    tasks: Iterator[Task],
    parts: Path,
    generation: int,
    options: Mapping[str, Any],
    done: Callable[[int], object],
) -> None:
    """Judge the tasks into `parts`. `address`: of a scheduler, or `local:N`. Raises `InputError`."""
    with _client(address) as client:
        _check(client)
        job = _Job(client, parts, generation, options, done)
        job.run(Chunks(tasks))


@contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise InputError(f"--cluster needs dask.distributed: {EXTRA}") from None
    kind, _, number = address.partition(":")
    if kind != "local":
        try:
            client = Client(address, timeout="10s")
        except (OSError, ValueError) as error:
            raise InputError(
                f"--cluster {address}: no scheduler answers ({error}); start one, or use local:N"
            ) from error
        with client:
            yield client
        return
    if not number.isdecimal() or int(number) < 1:
        raise InputError(f"--cluster {address}: write local:N with the number of workers, or tcp://HOST:PORT")
    with (
        dask.config.set(QUIET),
        LocalCluster(
            n_workers=int(number), threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0",
            silence_logs="CRITICAL",
        ) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        yield client


def _check(client: Any) -> None:
    """Workers of another version would judge otherwise under our name."""
    client.wait_for_workers(1, timeout=60)
    for worker, core in client.run(core_hash).items():
        if core != core_hash():
            raise InputError(
                f"worker {worker}: judges with other code ({core}, here {core_hash()}); install the same"
            )


def _judge_chunk(part: str, tasks: list[Task], options: Mapping[str, Any]) -> float:
    from ccdmon.catalogue.worker import one_thread

    one_thread()
    began_s = perf_counter()
    judge_into(Path(part), tasks, options)
    return perf_counter() - began_s


class _Job:
    def __init__(
        self,
        client: Any,
        parts: Path,
        generation: int,
        options: Mapping[str, Any],
        done: Callable[[int], object],
    ) -> None:
        self._client, self._parts, self._generation = client, parts, generation
        self._options, self._done = dict(options), done
        self._suspects: list[Task] = []

    def run(self, chunks: Chunks) -> None:
        """All chunks, some at once; then the suspects, each alone."""
        from distributed import as_completed

        running: dict[str, list[Task]] = {}
        finished = as_completed()
        most = CHUNKS_PER_WORKER * max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))
        while True:
            while len(running) < most and (chunk := chunks.next()):
                future = self._submit(chunk)
                running[future.key] = chunk
                finished.add(future)
            if not running:
                break
            future = next(finished)
            self._take(future, running.pop(future.key), chunks)
        for task in self._suspects:
            future = self._submit([task])
            future.exception()
            self._take_alone(future, task)

    def _submit(self, chunk: list[Task]) -> Any:
        part = self._parts / part_name(self._generation, chunk)
        return self._client.submit(_judge_chunk, str(part), chunk, self._options, pure=False)

    def _take(self, future: Any, chunk: list[Task], chunks: Chunks) -> None:
        if future.status == "finished":
            chunks.took(chunk, future.result())
            self._done(len(chunk))
        else:
            _raise_unless_killed(future)
            self._suspects += chunk
        future.release()

    def _take_alone(self, future: Any, task: Task) -> None:
        if future.status != "finished":
            _raise_unless_killed(future)
            write_killed(self._parts, self._generation, task, "its worker ended")
        self._done(1)
        future.release()


def _raise_unless_killed(future: Any) -> None:
    from distributed import KilledWorker

    error = future.exception()
    if isinstance(error, KilledWorker):
        return
    if isinstance(error, OSError):
        raise CcdmonError(
            f"a worker cannot write its part ({error}); is the catalogue's folder shared?"
        ) from error
    raise error
