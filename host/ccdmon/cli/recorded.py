"""What recording one rig and recording many share: options, the folder, its report, the end."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccdmon.errors import EXIT_DEVICE, EXIT_FINE, InputError, describe

if TYPE_CHECKING:
    from ccdmon.record.recording import Options, Recording
    from ccdmon.record.serial_link import SerialLink
    from ccdmon.rig.rig_file import Rig

SCHEMA = "ccdmon.record/1"
ASSUMED_FRONT_END = {"voltage_full_scale_V": 6.0, "current_full_scale_A": 0.01, "assumed": True}


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
    if not recording.recorder.caught_up:
        told = f"{recording.folder}: ended while what lay there was read; `ccdmon report` of it reads all"
        print(told, file=sys.stderr)
        return {"schema": SCHEMA, "run_dir": str(recording.folder), "samples": None}
    print(
        f"{recording.folder}: {counts.samples} samples, {counts.missing_samples} missing, "
        f"{counts.crc_errors} damaged frames; "
        + (f"read it with `ccdmon report {recording.folder}`" if report is None else f"report: {report}"),
        file=sys.stderr,
    )
    if recording.gate == "closed":
        print("the board watches on, its gate is closed: `ccdmon disarm` opens it", file=sys.stderr)
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
    """A recording without a sample, one that lost its board or was to arm it and never did, one whose end the disk
    never took or that somebody deleted (the line is said), is a failure of the rig.
    """
    failed, recorder = [], recording.recorder
    if recorder.caught_up and recorder.rows.counts.samples == 0:
        failed.append("the board answered and sent no sample: `ccdmon doctor` looks at it")
    if recording.lost:
        failed.append("the board was lost and did not come back: nobody knows its gate, look at its LED")
    if args.arm and not recording.armed:
        failed.append("--arm: the board never closed its gate: the lines above say why")
    for line in failed:
        print(f"ccdmon record: {line}", file=sys.stderr)
    lost = recorder.frames.dropped_bytes or recorder.frames.deleted
    return EXIT_DEVICE if failed or lost else EXIT_FINE


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
