"""A worker process: chunks come on stdin, one JSON line each; on stdout it tells which task it begins and what is done.

    {"part": PATH, "tasks": [...]}    ->   {"at": 0} {"at": 1} ... {"seconds": 0.71} or {"refused": "disk full"}

It ends when stdin does: with its main process, however that ended.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pyarrow as pa

from ccdmon.catalogue.keys import Task
from ccdmon.catalogue.parts import judge_into


def main() -> None:
    """Serve until stdin ends. `sys.argv[1]`: the options as JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process ends this
    one_thread()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a reader of files prints is no answer
    options = json.loads(sys.argv[1])

    def tell(**answer: float | str) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    for line in sys.stdin:
        order = json.loads(line)
        began_s = time.perf_counter()
        tasks = [Task(**task) for task in order["tasks"]]
        try:
            judge_into(Path(order["part"]), tasks, options, lambda at: tell(at=at))
        except OSError as error:  # no trace raises: its part could not be written
            tell(refused=f"{order['part']}: cannot write ({error.strerror or error})")
            continue
        tell(seconds=time.perf_counter() - began_s)


def one_thread() -> None:
    """Of several processes on one machine each keeps to one core."""
    pa.set_cpu_count(1)


if __name__ == "__main__":
    main()
