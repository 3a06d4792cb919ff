"""Faults brought about while a trace is replayed: `python -m ccdmon_hil.faults [--rig R]... [--only TEXT]`.

One line for each fault: gate at the pin, reason of the trip, samples lost, and lost without being counted by anybody;
exit code 1 if one is not as expected.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, CcdmonError
from ccdmon_hil import pico_faults, pico_flash_faults, unix_faults, unix_inner_faults
from ccdmon_hil.fault import Fault, Outcome, Run, table_head, table_row
from ccdmon_hil.hooked import open_hooked
from ccdmon_hil.image import find_image

FAULTS: dict[str, Sequence[Fault]] = {
    "unix": unix_faults.FAULTS + unix_inner_faults.FAULTS,
    "pico": pico_faults.FAULTS + pico_flash_faults.FAULTS,
}


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    options = _parser().parse_args(arguments)
    played = wrong = 0
    try:
        print(table_head())
        for rig in options.rig or FAULTS:
            faults = [fault for fault in FAULTS[rig] if options.only in fault.name]
            with runner(rig, options.image) as run:
                for fault in faults:
                    outcome = run(fault)
                    played += 1
                    wrong += bool(fault.problem(outcome))
                    print(table_row(rig, fault, outcome), flush=True)
    except CcdmonError as error:
        print(f"faults: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{played} faults, {wrong} not as expected")
    return EXIT_NEGATIVE if wrong or not played else EXIT_FINE


@contextmanager
def runner(rig: str, image: Path | None = None) -> Iterator[Run]:
    """What brings a fault about on a rig; each on an emulated Pico that boots anew, for a fault leaves traces."""
    if rig == "unix":
        yield lambda fault: _of(fault).run(fault)
        return
    found = find_image(image)

    def run(fault: Fault) -> Outcome:
        session = open_hooked(found)
        try:
            return pico_faults.run(session, fault)
        finally:
            session.close()

    yield run


def _of(fault: Fault) -> ModuleType:
    return unix_inner_faults if isinstance(fault.inject, unix_inner_faults.Inside) else unix_faults


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ccdmon_hil.faults", description=__doc__.split("\n")[0])
    parser.add_argument("--rig", action="append", choices=FAULTS, help="where; more than once (default: all)")
    parser.add_argument("--only", default="", metavar="TEXT", help="faults with this in their name")
    parser.add_argument("--image", type=Path, help="MicroPython image of --rig pico")
    return parser


if __name__ == "__main__":
    sys.exit(main())
