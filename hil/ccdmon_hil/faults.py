"""Faults brought about while a trace is replayed: `python -m ccdmon_hil.faults [--rig R]... [--only TEXT]`.

One line for each fault: gate at the pin, reason of the trip, samples lost, lost without being counted by anybody, and
what is kept of the trip after a power cycle; exit code 1 if one is not as expected.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, CcdmonError
from ccdmon_hil import pico_faults, pico_flash_faults, replay_faults, unix_inner_faults
from ccdmon_hil.fault import Fault, Outcome, Run, bring_about, table_head
from ccdmon_hil.hooked import PATIENCE_S, open_hooked
from ccdmon_hil.image import find_image
from ccdmon_hil.kept import with_kept
from ccdmon_hil.rigs import open_session
from ccdmon_hil.session import Session
from ccdmon_hil.unix_hooked import HookedUnix
from ccdmon_hil.wire_tap import WireTap

FAULTS: dict[str, Sequence[Fault]] = {
    "unix": replay_faults.faults_of("unix") + unix_inner_faults.FAULTS,
    "pico": replay_faults.faults_of("pico") + pico_faults.FAULTS + pico_flash_faults.FAULTS,
}


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    options = _parser().parse_args(arguments)
    played = wrong = 0
    try:
        print(table_head())
        for rig in options.rig or FAULTS:
            run = runner(rig, options.image)
            for fault in FAULTS[rig]:
                if options.only in fault.name:
                    played += 1
                    wrong += bring_about(rig, fault, run)[1] != ""
    except CcdmonError as error:
        print(f"faults: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{played} faults, {wrong} not as expected")
    return EXIT_NEGATIVE if wrong or not played else EXIT_FINE


def runner(rig: str, image: Path | None = None) -> Run:
    """What brings a fault about on a rig; each on a firmware that starts anew, for a fault leaves traces.

    Raises `DeviceError` where the rig's image is not to be had.
    """
    found = None if rig == "unix" else find_image(image)

    def run(fault: Fault) -> Outcome:
        if isinstance(fault.inject, unix_inner_faults.Inside):
            return unix_inner_faults.run(fault)
        if isinstance(fault.inject, pico_faults.How):
            assert found is not None
            with closing(open_hooked(found)) as session:
                return with_kept(session, pico_faults.bring_about(session, fault))
        with _replaying(rig, found) as session:
            return with_kept(session, replay_faults.run(session, fault))

    return run


@contextmanager
def _replaying(rig: str, image: Path | None) -> Iterator[Session]:
    with ExitStack() as opened:
        if rig == "unix":
            folder = opened.enter_context(TemporaryDirectory(prefix="ccdmon-flash-"))
            session = Session(WireTap(HookedUnix(Path(folder))))
            opened.callback(session.close)
            session.start()
        else:
            session = opened.enter_context(
                open_session(rig, image=image, tap=WireTap, answer_limit_s=PATIENCE_S)
            )
        yield session


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ccdmon_hil.faults", description=__doc__.split("\n")[0])
    parser.add_argument("--rig", action="append", choices=FAULTS, help="where; more than once (default: all)")
    parser.add_argument("--only", default="", metavar="TEXT", help="faults with this in their name")
    parser.add_argument("--image", type=Path, help="MicroPython image of the emulated Pico")
    return parser


if __name__ == "__main__":
    sys.exit(main())
