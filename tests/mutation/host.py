"""Mutants of what records, shows and controls: `python -m tests.mutation.host`, with cosmic-ray's operators.

Of each module group below (link, recorder, page, rig file, control) `--mutants N` are drawn by `--seed`, and the tests
named for the module run on each; survivors are printed with their place. All of them (some 3000) take a day of a
processor, `--mutants 0` runs them. A mutant whose module does not even import says nothing of the tests: left out.

Each mutant's tests run in a process forked from one that has the libraries loaded already, on a copy of the project.
Exit 1: fewer than `--least` of a group were noticed.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutation.copies import copy_project, environment

LEAST = 0.9
_LINK, _RECORD, _RUN, _RIG, _LIVE = (
    f"tests/host/{name}/test_" for name in ("link", "record", "run", "rig", "live")
)
# Those that start processes take ten times as long as all others together.
SLOW = (
    "idle_sockets", "folder_that_is_moved", "terminal_that_hangs_up", "stopped_for_a_while", "over_another_run",
    "second_recorder_touches", "during_a_flood", "others_are_wrong_and_many", "cut_off_at_any_byte",
    "recorder_that_hangs", "who_is_wrong_waits_and_nobody_else", "few_sockets",
)  # fmt: skip
_HOST = "host/ccdmon/"

# Modules of a group, and the tests of each; test files as far as they take seconds.
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "link": {
        "link/decoder.py": (f"{_LINK}decoder.py", f"{_RECORD}hostile_frames.py"),
        "link/identity.py": (f"{_LINK}identity.py", f"{_RECORD}hostile_frames.py"),
        "link/bounds.py": (f"{_LINK}identity.py", f"{_RECORD}hostile_frames.py", f"{_RUN}schema.py"),
        "link/command_queue.py": (f"{_LINK}command_queue.py",),
        "link/retries.py": (f"{_LINK}command_queue.py", f"{_LINK}device.py"),
        "link/device.py": (f"{_LINK}device.py",),
        "link/port.py": (f"{_LINK}port.py",),
        "link/board_clock.py": (f"{_LINK}board_clock.py",),
    },
    "recorder": {
        "record/recorder.py": (
            f"{_RECORD}recorder_counts.py",
            f"{_RECORD}recorder.py",
            f"{_RECORD}watch.py",
            f"{_RECORD}beside.py",
        ),
        "record/event_log.py": (f"{_RECORD}beside.py",),
        "record/beside.py": (
            f"{_RECORD}recorder_counts.py",
            f"{_RECORD}beside.py",
        ),
        "record/notify.py": (f"{_RECORD}notify.py",),
        "record/rule_events.py": (
            f"{_RECORD}recorder_counts.py",
            f"{_RECORD}recorder.py",
        ),
        "record/serial_link.py": (
            f"{_RECORD}recorder_counts.py",
            f"{_RECORD}serial_link.py",
        ),
        "record/trace_parts.py": (f"{_RECORD}trace_parts.py",),
        "record/watch.py": (f"{_RECORD}recorder_counts.py", f"{_RECORD}watch.py", f"{_RECORD}beside.py"),
        "run/frame_files.py": (f"{_RUN}frame_files.py", f"{_RECORD}beside.py"),
        "run/untold.py": (f"{_RECORD}notify.py",),
    },
    "page": {
        "live/controls.py": (f"{_LIVE}controls.py",),
        "live/guard.py": (f"{_LIVE}guard_counts.py", f"{_LIVE}guard_sessions.py"),
        "live/health.py": (f"{_LIVE}health_complaints.py",),
    },
    "rig file": {
        "rig/rig_file.py": (f"{_RIG}rig_file.py", f"{_RIG}settings.py"),
        "rig/settings.py": (f"{_RIG}settings.py", f"{_RIG}rig_file.py"),
        "rig/physical.py": (f"{_RIG}physical.py", f"{_RIG}settings.py"),
        "run/schema.py": (f"{_RUN}schema.py",),
    },
    "control": {
        "link/control_socket.py": (
            f"{_LINK}control_socket.py",
            f"{_LINK}control_door.py",
            f"{_RECORD}requests.py",
        ),
        "record/requests.py": (f"{_RECORD}requests.py",),
        "rig/gate_orders.py": (f"{_RIG}gate_orders.py", "tests/host/cli/board/test_gate_orders.py"),
        "run/lock.py": (f"{_RUN}lock.py", f"{_RECORD}beside.py"),
    },
}


def main() -> int:
    """Copy the project and run the mutants there."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.host", description=__doc__.split("\n")[0])
    parser.add_argument("--mutants", type=int, default=60, metavar="N", help="of each group; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="which ones are drawn")
    parser.add_argument("--group", choices=GROUPS)
    parser.add_argument("--module", metavar="NAME", help="of this one only, as link/decoder.py")
    parser.add_argument("--again", type=Path, metavar="LOG", help="only those that survived in this output")
    parser.add_argument("--least", type=float, default=LEAST)
    parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = copy_project(Path(name))
        command = [sys.executable, "-m", "tests.mutation.forked", *sys.argv[1:]]
        return subprocess.run(
            command, cwd=folder, env=environment(folder) | {"CCDMON_MUTANTS": "1"}
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
