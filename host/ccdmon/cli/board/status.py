"""`ccdmon status`: who a board is and how it stands."""

import argparse

from ccdmon.cli.board.options import add_board, add_rig_file, order, rig_of, show
from ccdmon.errors import EXIT_FINE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    add_board(parser)
    add_rig_file(parser, "whose port is asked, and in whose units a trip is told")


def run(args: argparse.Namespace) -> int:
    """Print the board's state; exit 3 where none answers."""
    from ccdmon.rig.gate_orders import status_document

    rig = rig_of(args)
    show(args, order(args, lambda device: status_document(device, rig), "state", rig))
    return EXIT_FINE
