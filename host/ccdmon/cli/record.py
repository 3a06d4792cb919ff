"""`ccdmon record`: write down what a board sends, for hours or weeks, whatever happens meanwhile."""

import argparse
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ccdmon.cli.options import positive
from ccdmon.errors import EXIT_DEVICE, EXIT_FINE, DeviceError, InputError, describe

if TYPE_CHECKING:
    from ccdmon.record.recording import Options, Recording
    from ccdmon.record.serial_link import SerialLink
    from ccdmon.record.terminal import Terminal
    from ccdmon.rig.rig_file import Rig

SCHEMA = "ccdmon.record/1"
START_LIMIT_S = 30.0  # an emulated board is twenty times slower than a real one
UNITS_S = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
# Without a rig file and without a board that states its own: +-6 V, +-10 mA.
ASSUMED_FRONT_END = {"voltage_full_scale_V": 6.0, "current_full_scale_A": 0.01, "assumed": True}


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
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 90s, 30min, 12h or 7d")
    return float(match[1]) * UNITS_S[match[2] or "s"]


def run(args: argparse.Namespace) -> int:
    """Record until stopped (Ctrl-C, SIGTERM, --stop-after), then write the report.

    Exit 3 where no board answers in the beginning.
    """
    # Arrow, which is not imported yet, takes memory from the C library, which gives back what is freed (`give_back`):
    # a pool of its own keeps 20 MB.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
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
        if not recording.heard:
            _take_back(folder, recording.link.name, resumed=args.resume)
    finally:
        lock.close()
    # Who ends this with SIGTERM (a machine that shuts down) does not wait for a report.
    report = None if args.no_report or signal.SIGTERM in stopped else report_of(folder, terminal.say)
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


def report_of(folder: Path, say: Callable[[str], object]) -> Path | None:
    """The report, in the folder, which is complete without it; None where there is none."""
    say("writing the report; Ctrl-C skips it")
    try:
        from ccdmon.report.run_report import write_run_report

        write_run_report(folder)
    except KeyboardInterrupt:
        say(f"no report; `ccdmon report {folder}` writes it")
    except InputError as error:
        say(f"no report: {error}")
    except Exception as error:  # noqa: BLE001  the recording is complete without it
        say(f"no report: {describe(error)}; `ccdmon report {folder}` tries again")
    else:
        return folder / "report.html"
    return None


def ended(recording: "Recording", report: Path | None) -> dict[str, Any]:
    """Say what was recorded; the document of it."""
    from dataclasses import asdict

    from ccdmon.run.stored_rows import RunRows

    counts = recording.recorder.rows.counts
    try:
        clock = RunRows(recording.folder).clock
    except InputError as error:  # the folder was moved, or the disk is away: what was counted is known
        print(f"ccdmon record: {error}", file=sys.stderr)
        clock = None
    print(
        f"{recording.folder}: {counts.samples} samples, {counts.missing_samples} missing, "
        f"{counts.crc_errors} damaged frames; "
        + (f"read it with `ccdmon report {recording.folder}`" if report is None else f"report: {report}"),
        file=sys.stderr,
    )
    return {
        "schema": SCHEMA,
        "run_dir": str(recording.folder),
        "samples": counts.samples,
        "missing_samples": counts.missing_samples,
        "crc_errors": counts.crc_errors,
        "trip_ids": sorted(recording.recorder.trips),
        "report": None if report is None else str(report),
        "clock": None if clock is None else asdict(clock),
    }


def exit_code(recording: "Recording", args: argparse.Namespace) -> int:
    """A recording without a sample, or one that was to arm the board and never did, is a failure of the rig."""
    failed = []
    if recording.recorder.rows.counts.samples == 0:
        failed.append("the board answered and sent no sample: `ccdmon doctor` looks at it")
    if args.arm and not recording.armed:
        failed.append("--arm: the board never closed its gate: the lines above say why")
    for line in failed:
        print(f"ccdmon record: {line}", file=sys.stderr)
    return EXIT_DEVICE if failed else EXIT_FINE


def rig_of(path: Path) -> "Rig":
    from ccdmon.rig.rig_file import read_rig

    return read_rig(path)


def options_of(args: argparse.Namespace, rig: "Rig | None") -> "Options":
    from ccdmon.record.recording import Options
    from ccdmon.rig.settings import settings_of
    from ccdmon.run.frame_files import ROTATE_BYTES

    rotate_MB = args.rotate_mb if args.rotate_mb is not None else (rig.recording.rotate_MB if rig else None)
    return Options(
        rig={} if rig is None else rig.document(),
        settings=None if rig is None else partial(settings_of, rig),
        arm=args.arm,
        stop_after_s=args.stop_after,
        rotate_bytes=ROTATE_BYTES if rotate_MB is None else int(rotate_MB * 1e6),
    )


def prepare(
    folder: Path,
    args: argparse.Namespace,
    rig: "Rig | None",
    link: "SerialLink",
    say: Callable[[str], object],
) -> None:
    """Make the run folder, or find the one to resume."""
    from ccdmon.run.document import config_of
    from ccdmon.run.folder import create, is_run_folder, read_config

    if args.resume and is_run_folder(folder):
        read_config(folder)
        return
    document: dict[str, Any] = {} if rig is None else rig.document()
    if "front_end" not in document:
        document["front_end"] = dict(ASSUMED_FRONT_END)
        say("no --rig-file: scales as the board states them, else +-6 V and +-10 mA; no cell is declared")
    source = "recorded from a board" if args.rig_file is None else f"recorded from a board, {args.rig_file}"
    create(folder, config_of(document, link.name, source))


@contextmanager
def stopping() -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM end the recording in good order: the signals that came.

    A terminal that is closed, a login that breaks off, is nobody's wish to end it.
    """
    asked: list[int] = []
    ends = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGBREAK", signal.SIGINT)}  # SIGBREAK: Windows
    before = {number: signal.signal(number, lambda number, _frame: asked.append(number)) for number in ends}
    if hangs_up := getattr(signal, "SIGHUP", None):  # Unix
        before[hangs_up] = signal.signal(hangs_up, signal.SIG_IGN)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
