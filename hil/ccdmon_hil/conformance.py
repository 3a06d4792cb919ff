"""What every rig must do, as one function: ours and a vendor's are checked by it.

    from ccdmon_hil.conformance import check
    check(MyTarget())      # AssertionError names what it did otherwise

`python -m ccdmon_hil.conformance --rig unix --rig pico --rig board --port emulated` checks ours, prints a line for each
case, and ends with 1 where a rig does something else.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, CcdmonError
from ccdmon.rigs import RIGS
from ccdmon_fw import limits, wire
from ccdmon_hil.play.one_run import run_rows
from ccdmon_hil.rigs.open_rig import PORT_HELP, open_session
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Codes, Target

REST: Codes = (32768, 32768, 32768)
HEALTHY: Codes = (40000, 40000, 32768)
SHORTED: Codes = (32800, 40000, 32768)
SHORT_ROW = 40
ROWS = 60


def check(target: Target) -> None:
    """Start the rig, play all cases, close it."""
    session = Session(target)
    try:
        session.start()
        check_session(session)
    finally:
        session.close()


def check_session(session: Session) -> None:
    """The cases, on a rig that runs."""
    for case in CASES:
        case(session)


def rows_arrive_as_played(session: Session) -> None:
    """Each row is one sample, with its codes, in order, and nothing trips on a healthy cell."""
    played = [REST] * 5 + [HEALTHY if row % 7 else (40016, 40000, 32768) for row in range(ROWS - 5)]
    result = run_rows(session, _source(played), _settings(), rows=ROWS)
    assert not result.tripped, f"tripped on a healthy cell: {result.reason}"
    assert result.gate_closed, "the pin is open at the end of a run without a trip"
    assert result.samples_received == ROWS, f"{ROWS} rows gave {result.samples_received} samples"
    channels = getattr(session.target, "channels", 3)
    largest = int(np.abs(result.codes[:, :channels].astype(int) - np.array(played)[:, :channels]).max())
    allowed = getattr(session.target, "tolerance_codes", 0)
    assert largest <= allowed, (
        f"other codes than were played, by up to {largest} (its converters may be {allowed} off)"
    )


def a_short_opens_the_pin(session: Session) -> None:
    """The pin opens with the confirming sample and not before; the rows go on."""
    played = [HEALTHY] * SHORT_ROW + [SHORTED] * (ROWS - SHORT_ROW)
    result = run_rows(session, _source(played), _settings(), rows=ROWS)
    assert result.reason == "hard_short", f"a short gave {result.reason}"
    assert result.trip_row == SHORT_ROW + limits.CONFIRM_SAMPLES - 1, f"tripped at row {result.trip_row}"
    assert not result.gate_closed, "the pin is closed after a trip"
    assert result.rows == result.samples_received == ROWS, "rows after the trip are missing"


def latency_has_the_clocks_name(session: Session) -> None:
    """A rig with a clock measures the trip on it, and under its name alone."""
    played = [HEALTHY] * SHORT_ROW + [SHORTED] * (ROWS - SHORT_ROW)
    latency = run_rows(session, _source(played), _settings(), rows=ROWS).document()["latency"]
    clock = session.target.clock
    for name in ("virtual", "real"):
        assert (latency[f"{name}_us"] is not None) == (clock == name), f"clock {clock}, but {latency}"
    if clock != "none":
        period_us = session.device.identify()["sample_period_us"]
        assert 0 < latency[f"{clock}_us"] < (limits.CONFIRM_SAMPLES + 1) * period_us, f"latency {latency}"


def a_closed_loop_waits_for_the_pin(session: Session) -> None:
    """A row is asked for with the pin's answer to the one before."""
    seen: list[bool] = []

    def source(row: int, gate_closed: bool) -> Codes | None:
        if row == ROWS // 2 + 6:
            return None
        seen.append(gate_closed)
        return HEALTHY if row < ROWS // 2 else SHORTED

    result = run_rows(session, source, _settings(), closed_loop=True)
    assert result.reason == "hard_short", f"a short gave {result.reason}"
    trip_row = result.trip_row
    assert trip_row is not None
    assert seen == [True] * (trip_row + 1) + [False] * (len(seen) - trip_row - 1), (
        "asked before the pin's answer"
    )


def a_latched_trip_keeps_the_pin_open(session: Session) -> None:
    """While a trip is latched, arming is refused; the case clears it."""
    from ccdmon.link.device import RefusedError

    played = [HEALTHY] * SHORT_ROW + [SHORTED] * 5
    run_rows(session, _source(played), _settings(), rows=len(played))
    try:
        session.command(wire.ARM)
    except RefusedError as refused:
        assert refused.result == "latched", f"refused for another reason: {refused.result}"
    else:
        raise AssertionError("armed with a latched trip")
    assert not session.target.edges[-1].closed, "the pin is closed with a latched trip"


CASES: tuple[Callable[[Session], None], ...] = (
    rows_arrive_as_played,
    a_short_opens_the_pin,
    latency_has_the_clocks_name,
    a_closed_loop_waits_for_the_pin,
    a_latched_trip_keeps_the_pin_open,
)


def _source(rows: list[Codes]) -> Callable[[int, bool], Codes | None]:
    return lambda row, _: rows[row] if row < len(rows) else None


def _settings() -> list[int]:
    return list(limits.default_settings())


def main(arguments: list[str] | None = None) -> int:
    """Print what each rig does."""
    options = _parser().parse_args(arguments)
    failed = 0
    try:
        for rig in options.rig or ["unix"]:
            with open_session(rig, image=options.image, port=options.port) as session:
                for case in CASES:
                    problem = _problem(case, session)
                    failed += bool(problem)
                    print(f"{rig:<7}{case.__name__.replace('_', ' '):<40}{problem or 'yes'}", flush=True)
    except CcdmonError as error:
        print(f"conformance: {error}", file=sys.stderr)
        return error.exit_code
    return EXIT_NEGATIVE if failed else EXIT_FINE


def _problem(case: Callable[[Session], None], session: Session) -> str:
    try:
        case(session)
    except AssertionError as error:
        return f"NO: {error}"
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon_hil.conformance", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--rig", action="append", choices=RIGS, help="which; more than once (default: unix)")
    parser.add_argument("--port", help=PORT_HELP)
    parser.add_argument("--image", type=Path, help="MicroPython image of the emulated Pico")
    return parser


if __name__ == "__main__":
    sys.exit(main())
