"""`ccdmon doctor`: is this machine, and the board on it, fit to watch a cell?"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ccdmon.errors import EXIT_DEVICE, EXIT_FINE, EXIT_NEGATIVE

if TYPE_CHECKING:
    from ccdmon.rig.doctor import Check


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument(
        "--port",
        metavar="P",
        help="the board's serial port (default: the rig file's, else the only Pico plugged in)",
    )
    parser.add_argument("--rig-file", type=Path, metavar="FILE", help="compare the board with this rig file")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="where recordings go: is there room (default: here)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Exit 0 where all is fine, 1 where something is to be mended, 3 where the board or its link fails."""
    from ccdmon.rig.doctor import check_machine
    from ccdmon.rig.doctor_board import check_board
    from ccdmon.rig.rig_file import read_rig

    rig = None if args.rig_file is None else read_rig(args.rig_file)
    checks = check_machine(rig, args.out) + check_board(args.port, rig)
    code = _exit_code(checks)
    if args.json:
        verdict = {EXIT_FINE: "fine", EXIT_NEGATIVE: "negative", EXIT_DEVICE: "failed"}[code]
        found = [check.document() for check in checks]
        print(json.dumps({"schema": "ccdmon.doctor/1", "verdict": verdict, "checks": found}))
    else:
        print("\n".join(_line(check) for check in checks))
    return code


def _exit_code(checks: Sequence["Check"]) -> int:
    states = {check.state for check in checks}
    if "failed" in states:
        return EXIT_DEVICE
    return EXIT_NEGATIVE if "negative" in states else EXIT_FINE


def _line(check: "Check") -> str:
    mend = f"; {check.mend}" if check.mend else ""
    return f"{check.state:<9}{check.name:<14}{check.finding}{mend}"
