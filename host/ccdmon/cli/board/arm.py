"""`ccdmon arm`: give a board the rig file's limits and close its gate."""

import argparse
from pathlib import Path

from ccdmon.cli.board.options import add_board, order, rig_of, show
from ccdmon.errors import EXIT_FINE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    add_board(parser)
    parser.add_argument(
        "--rig-file",
        type=Path,
        metavar="FILE",
        help="limits to send first, read back and compared (`ccdmon init`)",
    )


def run(args: argparse.Namespace) -> int:
    """Arm; exit 3 where the board refuses, saying why and what to do."""
    from ccdmon.rig.gate_orders import arm

    rig = rig_of(args)
    show(args, order(args, lambda device: arm(device, rig), "arm", rig))
    return EXIT_FINE
