"""`ccdmon arm`: give a board the rig file's limits and close its gate."""

import argparse

from ccdmon.cli.board.options import add_board, add_rig_file, hint, order, rig_of, show
from ccdmon.errors import EXIT_FINE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    add_board(parser)
    add_rig_file(parser, "limits to send first, read back and compared (`ccdmon init`)")


def run(args: argparse.Namespace) -> int:
    """Arm; exit 3 where the board refuses, saying why and what to do."""
    from ccdmon.rig.gate_orders import arm

    rig = rig_of(args)
    state = order(args, lambda device: arm(device, rig), "arm", rig)
    show(args, state)
    if "watched" in state:
        hint(args, f"the gate is closed; the board opens it by itself outside of: {state['watched']}")
        hint(args, "nothing is recorded: `ccdmon record --out DIR BOARD` does")
    hint(args, "`ccdmon disarm BOARD` opens the gate, `ccdmon trip BOARD` opens and latches it")
    return EXIT_FINE
