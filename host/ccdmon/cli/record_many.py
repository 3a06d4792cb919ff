"""`ccdmon record --rig-file A B ...`: many rigs by one process, each into a folder of its name."""

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from ccdmon.cli.recorded import ended, exit_code, options_of, prepare, report_of, rig_of, stopping
from ccdmon.errors import EXIT_DEVICE, EXIT_FINE, CcdmonError, DeviceError, InputError
from ccdmon.link.port import Port, find_board
from ccdmon.record.many import WRITE_WAIT_S, Rig, company_of, record_all
from ccdmon.record.port_reader import PortReader
from ccdmon.record.recording import Company, Recording
from ccdmon.record.serial_link import SerialLink
from ccdmon.record.terminal import Terminal
from ccdmon.rig.rig_file import Rig as RigFile
from ccdmon.run.folder import remove_empty
from ccdmon.run.lock import FolderLock

SCHEMA = "ccdmon.records/1"
SHOWN_EVERY_S = 1.0


def run_many(args: argparse.Namespace) -> int:
    """Record all until stopped; exit 3 if one of them could not begin, sent no sample or did not arm."""
    if args.port is not None:
        raise InputError("--port: each of several rigs has its own; write them under [port] of the rig files")
    terminal = Terminal()
    files = _named(args.rig_file)
    base = args.out or Path("ccdmon-runs") / time.strftime("record-%Y%m%d-%H%M%S")
    with ExitStack() as stack:
        reader = PortReader()
        stack.callback(reader.close)
        company = company_of(len(files))
        rigs: list[Rig] = []
        failed = 0
        for name, (path, file) in files.items():
            mine = argparse.Namespace(**{**vars(args), "rig_file": path})
            say = partial(_said, terminal.say, name)
            try:
                rigs.append(Rig(name, _begun(base / name, mine, file, reader, company, say, stack)))
            except CcdmonError as error:
                failed += 1
                say(f"{error}; the others are recorded")
        if not rigs:
            raise DeviceError("none of the rigs could begin: the lines above say why")
        terminal.begin(f"recording {len(rigs)} of {len(files)} rigs into {base}; Ctrl-C ends it")
        with stopping() as stopped:
            record_all(rigs, lambda: bool(stopped), _Shown(), terminal.say)
        reports = not args.no_report and signal.SIGTERM not in stopped
        codes = [_over(rig, args, reports, terminal.say) for rig in rigs]
    if args.json:
        documents = [document for document, _ in codes if document]
        waited_s = round(reader.latest_s, 3)
        print(json.dumps({"schema": SCHEMA, "records": documents, "longest_wait_at_ports_s": waited_s}))
    return EXIT_DEVICE if failed or any(code for _, code in codes) else EXIT_FINE


def _named(paths: Sequence[Path]) -> dict[str, tuple[Path, RigFile]]:
    """The rig files by the names of their folders: the rig's own, else the file's. Raises `InputError`."""
    read = [(path, rig_of(path)) for path in paths]
    names = [
        "".join(c if c.isalnum() or c in "-_." else "-" for c in rig.name or path.stem) for path, rig in read
    ]
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise InputError(f"{len(paths)} rig files, and two are called '{twice[0]}'; give each another name")
    return dict(zip(names, read, strict=True))


def _said(say: Callable[[str], object], name: str, line: str) -> None:
    """Lines of many rigs tell whose they are; that of a trip stays one to be seen."""
    say(f"{line} ({name})" if line.startswith("TRIP ") else f"{name}: {line}")


def _begun(
    folder: Path, args: argparse.Namespace, file: RigFile, reader: PortReader, company: Company,
    say: Callable[[str], object], stack: ExitStack,
) -> Recording:  # fmt: skip
    """A recording that is ready for its first round. Raises `CcdmonError`."""
    lock = FolderLock(folder)  # before anything in the folder is touched
    try:
        link = SerialLink(find_board(file.port.device), partial(Port, write_wait_s=WRITE_WAIT_S), reader)
        try:
            prepare(folder, args, file, link, say)
            recording = Recording(folder, link, options_of(args, file), say=say, company=company)
        except BaseException:
            link.close()
            raise
    except BaseException:
        lock.close()
        raise
    stack.callback(lock.close)
    return recording


def _over(
    rig: Rig, args: argparse.Namespace, reports: bool, say: Callable[[str], object]
) -> tuple[dict[str, Any], int]:
    """The report of a rig, its document, and what its recording was worth."""
    recording = rig.recording
    if recording.recorder.caught_up and not recording.heard:
        if not args.resume:
            remove_empty(recording.folder)
        print(f"{rig.name}: port {recording.link.name}: no ccdmon firmware answered", file=sys.stderr)
        return {}, EXIT_DEVICE
    report = report_of(recording.folder, say) if reports and recording.recorder.caught_up else None
    document = ended(recording, report)
    return document, EXIT_DEVICE if rig.failed else exit_code(recording, args)


class _Shown:
    """On a terminal a line that counts: rigs, samples, what is not as it should be."""

    def __init__(self) -> None:
        self._due_s = 0.0
        self._shown = sys.stderr.isatty()

    def __call__(self, rigs: Sequence[Rig]) -> None:
        if not self._shown or time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + SHOWN_EVERY_S
        samples = sum(rig.recording.recorder.rows.counts.samples for rig in rigs)
        missing = sum(rig.recording.recorder.rows.counts.missing_samples for rig in rigs)
        down = sum(not rig.recording.link.up for rig in rigs)
        tripped = sum(bool(rig.recording.recorder.trips) for rig in rigs)
        line = f"{len(rigs)} rigs, {samples:,} samples, {missing} missing, {down} away, {tripped} tripped"
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
