"""`ccdmon reset-trip`: clear a board's latched trip, by its id so that it is the one somebody has looked at."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ccdmon.cli.board.options import add_board, add_rig_file, hint, order, rig_of, show
from ccdmon.errors import EXIT_FINE, InputError

if TYPE_CHECKING:
    from ccdmon.link.device import Device
    from ccdmon.rig.rig_file import Rig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("trip_id", nargs="?", type=_trip_id, metavar="ID", help="id of the latched trip")
    parser.add_argument("--list", action="store_true", help="only say which trip is latched, and why")
    add_board(parser)
    add_rig_file(
        parser, "whose port is asked, in whose units a trip is told, whose settings a board without any gets"
    )


def run(args: argparse.Namespace) -> int:
    """Clear the trip; the gate stays open. Exit 3 where another or none is latched."""
    if (args.trip_id is None) != args.list:
        raise InputError("say which trip: `ccdmon reset-trip ID`; `--list` shows the latched one")
    rig = rig_of(args)
    if args.list:
        latched = _latched(order(args, lambda device: _state(device, rig), "state", rig))
        show(args, latched)
        if latched["trip_id"] is None:
            hint(args, "no trip is latched")
        return EXIT_FINE
    show(
        args,
        order(
            args, lambda device: _reset(device, args.trip_id, rig), "reset_trip", rig, trip_id=args.trip_id
        ),
    )
    hint(args, "the trip is cleared, the gate is open; `ccdmon arm BOARD` closes it")
    return EXIT_FINE


def _trip_id(text: str) -> int:
    number = int(text)
    if not 0 < number < 1 << 32:
        raise ValueError(text)
    return number


def _state(device: "Device", rig: "Rig | None") -> Mapping[str, Any]:
    from ccdmon.rig.gate_orders import status_document

    return status_document(device, rig)


def _latched(state: Mapping[str, Any]) -> dict[str, Any]:
    trip = state.get("trip") or {}  # as the recorder tells it
    return {
        "trip_id": trip.get("trip_id", state.get("trip_id")),
        "reason": trip.get("rule", state.get("reason")),
        "what": trip.get("what", state.get("what")),
        "gate": state["gate"],
    }


def _reset(device: "Device", trip_id: int, rig: "Rig | None") -> Mapping[str, Any]:
    from ccdmon.rig.gate_orders import saying_what_tripped, wanted_settings

    if (
        rig is not None and device.status()["config_crc"] == 0
    ):  # flashed anew: its self-test asks for settings
        device.configure(wanted_settings(rig, device.identity))
    with saying_what_tripped(device, rig):
        device.reset_trip(trip_id)
    return _state(device, rig)
