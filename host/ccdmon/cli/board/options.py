"""What `status`, `arm`, `disarm` and `reset-trip` share: which board, and how its state is printed."""

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccdmon.errors import InputError

if TYPE_CHECKING:
    from ccdmon.link.device import Device
    from ccdmon.rig.rig_file import Rig

NOT_SHOWN = (
    "schema",
    "weak",
    "watched",
    "heard_unix_s",
    "silent_s",
    "sampled_unix_s",
    "no_samples_s",
    "unix_s",
)
# What a recorder knows from its board alone.
OF_THE_BOARD = (
    "test_time_s", "voltage_V", "current_A", "pressure_Pa", "temperature_degC", "armed", "trip", "device_dropped",
    "overruns",
)  # fmt: skip
OF_ROWS = ("test_time_s", "voltage_V", "current_A", "pressure_Pa")
SILENT_S = 5.0  # a board answers each second


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


def add_rig_file(parser: argparse.ArgumentParser, help_: str) -> None:
    """`--rig-file`: whose port and scales count."""
    parser.add_argument("--rig-file", type=Path, metavar="FILE", help=help_)


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
    if args.port is None and rig is not None and rig.port.device != "auto":
        args.port = rig.port.device
    with gate_orders.open_device(find_board(args.port)) as device:
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
    of_before = _last_heard(state)
    of_rows = of_before or _last_sampled(state)
    for name, value in state.items():
        if name not in NOT_SHOWN and value is not None:
            since = of_rows if name in OF_ROWS else of_before if name in OF_THE_BOARD else ""
            of_then = f"  ({since})" if since else ""
            print(f"{name:<17} {_shown(value)}{of_then}")


def hint(args: argparse.Namespace, text: str) -> None:
    """What to do next, for a person: on stderr, with the options that name the same board."""
    if not args.json:
        print(text.replace(" BOARD", _same_board(args)), file=sys.stderr)


def _same_board(args: argparse.Namespace) -> str:
    if args.run_folder is not None:
        return f" --run-folder {shlex.quote(str(args.run_folder))}"
    return f" --port {shlex.quote(args.port)}" if args.port else ""


def _shown(value: Any) -> Any:
    """A trip as a recorder tells it is a table: its number and what it was."""
    if isinstance(value, Mapping) and "trip_id" in value:
        return f"{value['trip_id']}: {value.get('what', value.get('rule'))}"
    return value


def _last_heard(state: Mapping[str, Any]) -> str:
    """Of a recorder whose board is not heard: since when; what it says of the board is of then. Empty: it is heard."""
    silent_s, heard_s = state.get("silent_s"), state.get("heard_unix_s")
    if "link" not in state or (state["link"] == "up" and (silent_s is None or silent_s < SILENT_S)):
        return ""
    if silent_s is None or heard_s is None:
        return "never heard"
    return _ago(heard_s, silent_s)


def _last_sampled(state: Mapping[str, Any]) -> str:
    """The same of the rows, of a board that is heard and sends none."""
    silent_s, sampled_s = state.get("no_samples_s"), state.get("sampled_unix_s")
    return "" if silent_s is None or sampled_s is None or silent_s < SILENT_S else _ago(sampled_s, silent_s)


def _ago(then_s: float, silent_s: float) -> str:
    return f"last heard {time.strftime('%H:%M:%S', time.localtime(then_s))}, {silent_s:.0f} s ago"
