"""`ccdmon trip`: the operator's own emergency stop: opens a board's gate and latches it, as any trip does."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ccdmon.cli.board.options import add_board, hint, order, show
from ccdmon.errors import EXIT_FINE

if TYPE_CHECKING:
    from ccdmon.link.device import Device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    add_board(parser)


def run(args: argparse.Namespace) -> int:
    """Open the gate, latched; exit 3 where no board answers."""
    state = order(args, _trip, "trip")
    show(args, state)
    trip_id = (state.get("trip") or state).get("trip_id")
    hint(
        args,
        f"the gate is open, and nothing closes it before `ccdmon reset-trip {trip_id} BOARD` (its self-test does for "
        "a moment) and `ccdmon arm BOARD`",
    )
    return EXIT_FINE


def _trip(device: "Device") -> Mapping[str, Any]:
    from ccdmon.rig.gate_orders import status_document
    from ccdmon_fw import wire

    device.command(wire.FORCE_TRIP)
    return status_document(device)
