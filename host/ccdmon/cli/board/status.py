"""`ccdmon status`: who a board is and how it stands."""

import argparse

from ccdmon.cli.board.options import add_board, order, show
from ccdmon.errors import EXIT_FINE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    add_board(parser)


def run(args: argparse.Namespace) -> int:
    """Print the board's state; exit 3 where none answers."""
    from ccdmon.rig.gate_orders import status_document

    show(args, order(args, status_document, "state"))
    return EXIT_FINE
