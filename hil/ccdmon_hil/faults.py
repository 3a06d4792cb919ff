"""Faults brought about while a trace is replayed: `python -m ccdmon_hil.faults [--rig R]... [--only TEXT]`.

One line for each fault: gate at the pin, reason of the trip, samples lost, and lost without being counted by anybody;
exit code 1 if one is not as expected.
"""

import argparse
import sys
from collections.abc import Sequence

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, CcdmonError
from ccdmon_hil import unix_faults
from ccdmon_hil.fault import Fault, Run, table_head, table_row

RIGS = ("unix",)


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    options = _parser().parse_args(arguments)
    played = wrong = 0
    try:
        print(table_head())
        for rig in options.rig or RIGS:
            run, faults = campaign(rig)
            for fault in faults:
                if options.only in fault.name:
                    outcome = run(fault)
                    played += 1
                    wrong += bool(fault.problem(outcome))
                    print(table_row(rig, fault, outcome), flush=True)
    except CcdmonError as error:
        print(f"faults: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{played} faults, {wrong} not as expected")
    return EXIT_NEGATIVE if wrong or not played else EXIT_FINE


def campaign(rig: str) -> tuple[Run, Sequence[Fault]]:
    """How a fault is run on a rig, and the rig's faults."""
    return {"unix": (unix_faults.run, unix_faults.FAULTS)}[rig]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ccdmon_hil.faults", description=__doc__.split("\n")[0])
    parser.add_argument("--rig", action="append", choices=RIGS, help="where; more than once (default: all)")
    parser.add_argument("--only", default="", metavar="TEXT", help="faults with this in their name")
    return parser


if __name__ == "__main__":
    sys.exit(main())
