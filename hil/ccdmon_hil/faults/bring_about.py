"""Faults brought about while a trace is replayed: `python -m ccdmon_hil.faults [--rig R]... [--only TEXT]`.

With `--rig board --port P` on a real board whose rows are injected: those in rows, on the wire and in commands.

One line for each fault: gate at the pin, reason of the trip, samples lost, lost without being counted by anybody, and
what is kept of the trip after a power cycle; exit code 1 if one is not as expected.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, CcdmonError, InputError
from ccdmon_hil.faults import in_pico, in_pico_flash, in_rows_wire_commands, in_unix, safety_in_pico
from ccdmon_hil.faults.fault import Fault, Run, table_head, told
from ccdmon_hil.faults.in_copy import in_copy
from ccdmon_hil.faults.kept import with_kept
from ccdmon_hil.faults.outcome import Outcome
from ccdmon_hil.faults.stages.stage import Stage
from ccdmon_hil.rigs.image import find_image
from ccdmon_hil.rigs.open_rig import JOBS_HELP, PORT_HELP, count, open_session
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.wire_tap import WireTap

BOARD_PATIENCE_S = 300.0  # for an answer: an emulated board may be crowded

FAULTS: dict[str, Sequence[Fault[Stage]]] = {
    "unix": (*in_rows_wire_commands.faults_of("unix"), *in_unix.FAULTS),
    "pico": (
        *in_rows_wire_commands.faults_of("pico"),
        *in_pico.FAULTS,
        *safety_in_pico.FAULTS,
        *in_pico_flash.FAULTS,
    ),
    "board": in_rows_wire_commands.faults_of("board"),
}


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    options = _parser().parse_args(arguments)
    played = wrong = 0
    try:
        print(table_head())
        for rig in options.rig or ("unix", "pico"):
            for _, _, problem in bring_about_each(rig, options, options.only):
                played += 1
                wrong += problem != ""
    except CcdmonError as error:
        print(f"faults: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{played} faults, {wrong} not as expected")
    return EXIT_NEGATIVE if wrong or not played else EXIT_FINE


def bring_about_each(
    rig: str, options: argparse.Namespace, only: str = ""
) -> Iterator[tuple[Fault[Stage], Outcome | None, str]]:
    """Faults with `only` in their name, each with what `fault.told` gives as it ends.

    `options`: `image`, `port` and `jobs` of the command line; so many emulated Picos run at once.
    """
    places = [place for place, fault in enumerate(FAULTS.get(rig, ())) if only in fault.name]
    each: Iterable[tuple[Outcome | None, str]]
    if rig == "pico":
        image = find_image(options.image)  # its lack is one error, not one of each fault
        # Not in this process even where it is one job: who forks must have no threads, and a campaign has some.
        with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
            each = pool.map(partial(_on_copy_of_pico, image), places)
            yield from ((FAULTS[rig][place], *one) for place, one in zip(places, each, strict=True))
    else:
        with runner(rig, options.image, options.port) as run:
            for place in places:
                yield FAULTS[rig][place], *told(rig, FAULTS[rig][place], run)


_booted: dict[type[Stage], Session] = {}
_open = ExitStack()  # as long as the process


def _on_copy_of_pico(image: Path, place: int) -> tuple[Outcome | None, str]:
    """On a copy of a chip that has booted: a fault leaves traces, and a boot takes time."""
    fault = FAULTS["pico"][place]
    kind = type(fault.stage)
    if kind not in _booted:
        _booted[kind] = _open.enter_context(fault.stage.opened("pico", image))
    session = _booted[kind]
    return in_copy(lambda: told("pico", fault, lambda _: with_kept(session, fault.bring_about(session))))


def runner(rig: str, image: Path | None = None, port: str | None = None) -> AbstractContextManager[Run]:
    """What brings a fault about on the rig `unix` or `board`, for as long as the block.

    Each on a firmware that starts anew, for a fault leaves traces; on a board, that has no flash to leave them in, only
    where the fault wants a firmware that was never configured. Raises `DeviceError` where the board is not to be had.
    """
    return _on_board(image, port) if rig == "board" else _each_anew(rig)


@contextmanager
def _each_anew(rig: str) -> Iterator[Run]:
    def run(fault: Fault[Stage]) -> Outcome:
        with fault.stage.opened(rig, None) as session:
            return with_kept(session, fault.bring_about(session))

    yield run


@contextmanager
def _on_board(image: Path | None, port: str | None) -> Iterator[Run]:
    with open_session(
        "board", image=image, port=port, tap=WireTap, answer_limit_s=BOARD_PATIENCE_S
    ) as session:
        if hasattr(session.target, "edge_settings"):
            raise InputError("faults: rows must be injected here; name a wiring file without a stimulus")

        failed = False

        def run(fault: Fault[Stage]) -> Outcome:
            nonlocal failed
            if fault.stage.fresh or failed:
                session.close()
                session.start()
            failed = True  # unless it comes to its end
            outcome = fault.bring_about(session)
            failed = False
            return outcome

        yield run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ccdmon_hil.faults", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--rig", action="append", choices=FAULTS, help="where; more than once (default: unix and pico)"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="faults with this in their name")
    parser.add_argument("--port", help=PORT_HELP)
    parser.add_argument("--jobs", type=count, default=1, metavar="N", help=JOBS_HELP)
    parser.add_argument("--image", type=Path, help="MicroPython image of the emulated Pico")
    return parser
