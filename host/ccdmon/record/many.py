"""Many rigs recorded by one process: a thread reads all ports (`port_reader`), one loop does the rest, rig after rig.

What one rig meets (a cable that is pulled, a trip, a full disk, a bug) ends or delays no other: all of a rig's files
are its own, what takes long is done by threads that all share, and a recording whose round fails is finished and told.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from ccdmon.errors import describe
from ccdmon.record.recording import Company, Recording
from ccdmon.record.trace_parts import ROWS_PER_PART
from ccdmon.run.growing import RECENT_ROWS, Sharing

ROUND_S = 0.2  # of all rigs; their bytes are read meanwhile
WRITE_WAIT_S = 0.1  # a board that takes nothing must not keep the others waiting
SYNC_THREADS = 8  # that wait for the disk
LEAST_ROWS = 1 << 13  # of each rig kept in memory: four seconds at 2 kHz
LEAST_ROWS_PER_PART = 1 << 14


def company_of(rigs: int) -> Company:
    """What so many rigs share: rows in memory and the machine's time for reports together are those of some."""
    reports = Sharing(
        ThreadPoolExecutor(1, "reports"),
        rigs,
        wait_s=0.0,
        recent_rows=max(LEAST_ROWS, RECENT_ROWS // rigs),
    )
    return Company(
        ThreadPoolExecutor(min(SYNC_THREADS, rigs), "sync"),
        reports,
        max(LEAST_ROWS_PER_PART, ROWS_PER_PART // rigs),
    )


@dataclass
class Rig:
    """A recording and how it is called; `failed`: why it ended before its time."""

    name: str
    recording: Recording
    failed: str = ""
    over: bool = False


def record_all(
    rigs: Sequence[Rig],
    stop: Callable[[], bool],
    on_round: Callable[[Sequence[Rig]], object],
    say: Callable[[str], object],
) -> None:
    """Until `stop` says so or the time of each is over; then everything derived is written, rig by rig."""
    try:
        for rig in rigs:
            _do(rig, partial(rig.recording.begin, stop), say)
        while not stop() and (running := [rig for rig in rigs if not rig.over]):
            began_s = time.monotonic()
            for rig in running:
                _do(rig, lambda rig=rig: rig.recording.round(0.0), say)  # type: ignore[misc]
                if rig.recording.over:
                    _end(rig, say)
            on_round(rigs)
            time.sleep(max(0.0, began_s + ROUND_S - time.monotonic()))
    finally:
        for rig in rigs:
            _end(rig, say)


def _do(rig: Rig, work: Callable[[], object], say: Callable[[str], object]) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001  one rig's surprise is no other rig's end
        rig.failed = describe(error)
        say(f"{rig.name}: {rig.failed}; this recording ends, the others go on")
        _end(rig, say)


def _end(rig: Rig, say: Callable[[str], object]) -> None:
    if rig.over:
        return
    rig.over = True
    _do(rig, rig.recording.finish, say)
