"""`ccdmon flash`: put the firmware on a board and see it answer."""

import argparse
import json
import sys

from ccdmon.errors import EXIT_FINE
from ccdmon.link.firmware import PICO, board_names
from ccdmon.link.flash import Flashed, flash
from ccdmon.link.port import find_board


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
    parser.add_argument("--source", action="store_true", help="deploy source instead of bytecode")
    parser.add_argument(
        "--unproven",
        action="store_true",
        help="also on a board that this firmware was never run on: a Pico 2",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Deploy; exit 3 where the board fails or runs a MicroPython that is too old."""
    done = flash(find_board(args.port), _say, board=args.board, source=args.source, unproven=args.unproven)
    if done.identity.get("fault"):
        _say(f"a converter does not start: {done.identity['fault']}; check its wiring, then `ccdmon doctor`")
    print(json.dumps(done.document()) if args.json else _text(done))
    return EXIT_FINE


def _say(line: str) -> None:
    print(f"ccdmon flash: {line}", file=sys.stderr, flush=True)


def _text(done: Flashed) -> str:
    what = "bytecode" if done.compiled else "source"
    return (
        f"{done.port}: firmware {done.identity['version']} runs as {done.identity['board']} on MicroPython "
        f"{done.micropython}; {done.written} of {done.files} files written as {what}, {done.removed} removed"
    )
