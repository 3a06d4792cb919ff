"""`ccdmon disarm`: open a board's gate without a trip."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ccdmon.cli.board.options import add_board, order, show
from ccdmon.errors import EXIT_FINE

if TYPE_CHECKING:
    from ccdmon.link.device import Device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    add_board(parser)


def run(args: argparse.Namespace) -> int:
    """Open the gate; exit 3 where no board answers."""
    show(args, order(args, _disarm, "disarm"))
    return EXIT_FINE


def _disarm(device: "Device") -> Mapping[str, Any]:
    from ccdmon.rig.gate_orders import status_document
    from ccdmon_fw import wire

    device.command(wire.DISARM)
    return status_document(device)
