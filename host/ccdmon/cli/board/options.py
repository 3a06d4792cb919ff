"""What `status`, `arm`, `disarm` and `reset-trip` share: which board, and how its state is printed."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccdmon.errors import InputError

if TYPE_CHECKING:
    from ccdmon.link.device import Device
    from ccdmon.rig.rig_file import Rig


def add_board(parser: argparse.ArgumentParser) -> None:
    """`--port`, `--run-folder`, `--rig-file` and `--json`."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--port", metavar="P", help="the board's serial port (default: the only Pico plugged in)"
    )
    which.add_argument(
        "--run-folder", type=Path, metavar="DIR", help="the folder of the `ccdmon record` that owns the port"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def rig_of(args: argparse.Namespace) -> "Rig | None":
    """The rig file, checked before the board is touched."""
    from ccdmon.rig.rig_file import read_rig

    return None if args.rig_file is None else read_rig(args.rig_file)


def order(
    args: argparse.Namespace,
    on_device: "Callable[[Device], Mapping[str, Any]]",
    action: str,
    rig: "Rig | None" = None,
    **fields: Any,
) -> Mapping[str, Any]:
    """Carry out an order on the board's port, or hand it to the recorder; the state afterwards."""
    from ccdmon.link.port import find_board
    from ccdmon.rig import gate_orders

    if args.run_folder is not None:
        if rig is not None:
            raise InputError(
                "--rig-file: the recorder has its own; start `ccdmon record --rig-file ... --arm`"
            )
        return gate_orders.through_recorder(args.run_folder, action, **fields)
    with gate_orders.open_device(find_board(args.port or (rig.port.device if rig else None))) as device:
        return on_device(device)


def show(args: argparse.Namespace, state: Mapping[str, Any]) -> None:
    """The state as JSON or as lines; what leaves the cell less watched than it seems goes to stderr, first."""
    if args.json:
        print(json.dumps(state))
        return
    for line in state.get("weak") or ():
        print(f"NOT AS WATCHED AS IT SEEMS: {line}", file=sys.stderr)
    if waiting := state.get("not_notified"):
        print(f"NOBODY WAS TOLD: {waiting} messages of a trip are not sent yet", file=sys.stderr)
    for name, value in state.items():
        if name not in ("schema", "weak") and value is not None:
            print(f"{name:<17} {value}")
