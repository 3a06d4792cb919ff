"""`ccdmon flash`: put the firmware on a board and see it answer."""

import argparse
import json
import sys
from pathlib import Path

from ccdmon.errors import EXIT_FINE, InputError
from ccdmon.link.bootsel import bootsel_drives, copy_image
from ccdmon.link.firmware import PICO, board_names
from ccdmon.link.flash import Flashed, await_board, flash, see_it_run
from ccdmon.link.port import find_board, plugged_in
from ccdmon.rigs import load_rigs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "--port", metavar="P", help="the board's serial port (default: the only Pico plugged in)"
    )
    parser.add_argument(
        "--board",
        default=PICO,
        metavar="NAME",
        help=f"{', '.join(board_names())}, or the path of your own description (default: {PICO})",
    )
    parser.add_argument(
        "--drive",
        type=Path,
        metavar="DIR",
        help="where the drive of a Pico in BOOTSEL mode is mounted (default: looked for where no board answers)",
    )
    parser.add_argument("--source", action="store_true", help="deploy source instead of bytecode")
    parser.add_argument(
        "--unproven",
        action="store_true",
        help="also on a board that this firmware was never run on: a Pico 2",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Deploy; exit 3 where the board fails or runs a MicroPython that is too old."""
    if args.port is None and (drive := _waiting_drive(args)) is not None:
        return _drag(drive, args)
    done = flash(find_board(args.port), _say, board=args.board, source=args.source, unproven=args.unproven)
    if done.identity.get("fault"):
        _say(f"a converter does not start: {done.identity['fault']}; check its wiring, then `ccdmon doctor`")
    print(json.dumps(done.document()) if args.json else _text(done))
    return EXIT_FINE


def _waiting_drive(args: argparse.Namespace) -> Path | None:
    """The drive of a Pico in BOOTSEL mode, where one is named or no board answers on a port."""
    if args.drive is not None:
        if args.drive not in bootsel_drives([args.drive]):
            raise InputError(f"--drive {args.drive}: no drive of a Pico in BOOTSEL mode; mount it first")
        return Path(args.drive)
    if plugged_in():
        return None
    drives = bootsel_drives()
    if len(drives) > 1:
        raise InputError(
            f"several Picos wait for an image ({', '.join(map(str, drives))}); name one with --drive"
        )
    return drives[0] if drives else None


def _drag(drive: Path, args: argparse.Namespace) -> int:
    """MicroPython and the firmware in one file, to a board that has neither; then see it answer."""
    image, digest = load_rigs().drag_image(args.board)
    _say(f"{drive}: copying {image.name} (SHA-256 {digest}); what the board kept is gone then")
    before = plugged_in()
    copy_image(image, drive)
    port = await_board(before)
    identity = see_it_run(port, args.board)
    document = {"schema": "ccdmon.flash/1", "port": port, "image": str(image), "sha256": digest,
                "firmware": {name: identity.get(name) for name in ("version", "board", "id")},
                "fault": identity.get("fault")}  # fmt: skip
    runs = f"{port}: firmware {identity['version']} runs as {identity['board']}"
    print(json.dumps(document) if args.json else f"{runs} on MicroPython {identity['micropython']}")
    return EXIT_FINE


def _say(line: str) -> None:
    print(f"ccdmon flash: {line}", file=sys.stderr, flush=True)


def _text(done: Flashed) -> str:
    what = "bytecode" if done.compiled else "source"
    return (
        f"{done.port}: firmware {done.identity['version']} runs as {done.identity['board']} on MicroPython "
        f"{done.micropython}; {done.written} of {done.files} files written as {what}, {done.removed} removed"
    )
