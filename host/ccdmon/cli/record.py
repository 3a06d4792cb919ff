"""`ccdmon record`: write down what a board sends, for hours or weeks, whatever happens meanwhile."""

import argparse
import json
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ccdmon.cli.options import positive
from ccdmon.cli.recorded import ended, exit_code, options_of, prepare, report_of, rig_of, stopping
from ccdmon.errors import DeviceError
from ccdmon.record.memory import spare

if TYPE_CHECKING:
    from ccdmon.record.recording import Recording
    from ccdmon.record.terminal import Terminal
    from ccdmon.rig.rig_file import Rig

START_LIMIT_S = 30.0  # an emulated board is twenty times slower than a real one
UNITS_S = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
# Without a rig file and without a board that states its own: +-6 V, +-10 mA.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", metavar="P", help="serial port of the board (default: the only one)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default ./ccdmon-runs/TIME)")
    parser.add_argument(
        "--rig-file",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="cell, front end, limits: `ccdmon init`; several: a process for all, each into DIR/NAME",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the recording that lies in DIR")
    parser.add_argument("--arm", action="store_true", help="send the rig file's limits and close the gate")
    parser.add_argument(
        "--stop-after", type=duration_s, metavar="TIME", help="for example 90s, 30min, 12h, 7d"
    )
    parser.add_argument(
        "--rotate-mb",
        type=positive,
        metavar="MB",
        help="begin a new frames file after so much (default 1000)",
    )
    parser.add_argument("--no-report", action="store_true", help="end without writing the report")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout at the end")


def duration_s(text: str) -> float:
    """Seconds of `90s`, `30min`, `12h`, `7d` or a plain number of seconds, for argparse."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|h|d)?", text.strip())
    if match is None or not float(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 90s, 30min, 12h or 7d")
    return float(match[1]) * UNITS_S[match[2] or "s"]


def run(args: argparse.Namespace) -> int:
    """Record until stopped (Ctrl-C, SIGTERM, --stop-after), then write the report.

    Exit 3 where no board answers in the beginning.
    """
    spare()
    if args.rig_file is not None and len(args.rig_file) > 1:
        from ccdmon.cli.record_many import run_many

        return run_many(args)
    from ccdmon.record.terminal import Terminal
    from ccdmon.run.lock import FolderLock

    args.rig_file = args.rig_file[0] if args.rig_file else None
    terminal = Terminal()
    rig = None if args.rig_file is None else rig_of(args.rig_file)
    folder = args.out or Path("ccdmon-runs") / time.strftime("record-%Y%m%d-%H%M%S")
    lock = FolderLock(folder)  # before anything in the folder is touched
    try:
        recording, stopped = _record(folder, args, rig, terminal)
        if recording.recorder.caught_up and not recording.heard:
            _take_back(folder, recording.link.name, resumed=args.resume)
    finally:
        lock.close()
    # Who ends this with SIGTERM (a machine that shuts down) does not wait for a report.
    hurried = signal.SIGTERM in stopped or not recording.recorder.caught_up
    report = None if args.no_report or hurried else report_of(folder, terminal.say)
    document = ended(recording, report)
    if args.json:
        print(json.dumps(document))
    return exit_code(recording, args)


def _record(
    folder: Path, args: argparse.Namespace, rig: "Rig | None", terminal: "Terminal"
) -> tuple["Recording", list[int]]:
    """The recording, when it is over, and the signals that ended it."""
    from ccdmon.link.port import find_board
    from ccdmon.record.recording import Recording
    from ccdmon.record.serial_link import SerialLink

    link = SerialLink(find_board(args.port or (rig.port.device if rig else None)))
    try:
        prepare(folder, args, rig, link, terminal.say)
        recording = Recording(folder, link, options_of(args, rig), say=terminal.say)
    except BaseException:
        link.close()
        raise
    terminal.begin(f"recording {link.name} into {folder}; Ctrl-C ends it")
    with stopping() as stopped, terminal.state_line() as show:
        recording.run(lambda: bool(stopped) or _silent(recording), lambda running: show(running.state))
    return recording, stopped


def _take_back(folder: Path, port: str, *, resumed: bool) -> NoReturn:
    """Nobody answered: the folder as it was before."""
    from ccdmon.run.folder import remove_empty

    if not resumed:
        remove_empty(folder)
    raise DeviceError(
        f"port {port}: no ccdmon firmware answers; is it the right port? `ccdmon flash` puts it on a board"
    )


def _silent(recording: "Recording") -> bool:
    """No board has answered since the beginning."""
    return not recording.heard and recording.running_s() > START_LIMIT_S
