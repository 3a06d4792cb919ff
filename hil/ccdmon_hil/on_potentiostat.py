"""A potentiostat in closed loop, no relay in the cell's path: `python -m ccdmon_hil.on_potentiostat [--rig pico]`.

The simulated cell runs its program on an emulated potentiostat (`play/potentiostat.py`); the firmware reads its monitor
outputs, the voltage inverted as BioLogic's connector has it, and its gate's output is the stop input. Beside each run
stands the same cell behind a relay: the verdict must be the same in the same row, and the current gone in the row after
the stop was there. Then plugs are pulled in a run: at the Pico's end the experiment must end with the next row; at the
instrument's, where no stop can reach it any more, the firmware must say so by a trip. One line a run; exit code 1 where
that is not so.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ccdmon.errors import EXIT_FINE, EXIT_NEGATIVE, CcdmonError
from ccdmon.model.front_end import FrontEnd
from ccdmon.simulation.simulate import SCENARIOS, LiveCell, Row, open_cell, simulate
from ccdmon_fw import limits
from ccdmon_hil.chip_boards import ChipTarget
from ccdmon_hil.play.closed_loop import ROWS_AFTER_TRIP, CellSource, Measured
from ccdmon_hil.play.one_run import run_rows, settings_for
from ccdmon_hil.play.potentiostat import Potentiostat, at_the_outputs, pulled
from ccdmon_hil.play.result import ReplayResult
from ccdmon_hil.rigs.image import find_image
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Source
from ccdmon_hil.rigs.unix import UnixTarget

BOARD = "pico_biologic"
VOLTAGE_FULL_SCALE_V = 5.27  # of its divider
RANGE_HEADROOM = 3.3  # of full scale over the I range, `I_MONITOR_V` 1
BEFORE_FAULT, AFTER_FAULT = 300, 60  # rows, on the emulated Pico
PULLED_ROW = 200
PERIOD_US = 100  # the shortest of the plain Pico's converter: a short is confirmed in the second sample
ON_PICO = ("hard_short", "healthy")


class MonitoredUnix(UnixTarget):
    """The rig `unix`, its voltage turned round by the firmware as that board does."""

    before = "from ccdmon_fw.drivers.monitors import mirrored\nboard.read = mirrored(board.read)"


@dataclass(frozen=True)
class Run:
    """What came of one cell. `late_rows`: rows with current after the stop was there."""

    result: ReplayResult
    late_rows: int


@contextmanager
def session_on(target: UnixTarget | ChipTarget) -> Iterator[Session]:
    """The firmware, running."""
    session = Session(target)
    try:
        session.start()
        yield session
    finally:
        session.close()


def play(session: Session, live: LiveCell, rows: range | None, wired: bool, delay_rows: int = 0) -> Run:
    """One cell under the firmware, on a potentiostat (`wired`) or behind a relay; `rows`: only those."""
    for _ in range(rows.start if rows else 0):
        live.next_row()
    instrument = Potentiostat(_until(live, rows), delay_rows if wired else 0)
    front_end = _front_end(live)
    loop = CellSource(instrument, front_end, ROWS_AFTER_TRIP)
    source: Source = at_the_outputs(loop, inverted_voltage=True) if wired else loop
    events = [("hard_short", BEFORE_FAULT)] if rows else []
    result = run_rows(session, source, _settings(live, front_end), closed_loop=True, events=events)
    after = [] if result.trip_row is None else loop.rows[result.trip_row + 1 + delay_rows :]
    return Run(result, sum(_flows(row, front_end) for row in after))


def pull_plug(session: Session, at_pico: bool) -> tuple[ReplayResult, int]:
    """A healthy run whose plug is pulled at the Pico's end or at the instrument's; the rows with current from then on.

    At the instrument's no level reaches it any more, and what its input does by itself its manual does not say: the
    worst, it runs on.
    """
    live = open_cell("healthy", 0)
    rows = _until(live, range(PULLED_ROW + AFTER_FAULT))
    front_end = _front_end(live)
    cell = Potentiostat(rows, unplugged_row=PULLED_ROW) if at_pico else lambda _closed: rows(True)
    loop = CellSource(cell, front_end, ROWS_AFTER_TRIP)
    source = at_the_outputs(loop, inverted_voltage=True)
    if not at_pico:
        source = pulled(source, PULLED_ROW)
    result = run_rows(session, source, _settings(live, front_end), closed_loop=True)
    return result, sum(_flows(row, front_end) for row in loop.rows[PULLED_ROW:])


def _plugs(session: Session) -> int:
    failed = 0
    for end, at_pico in (("Pico", True), ("instrument", False)):
        result, late_rows = pull_plug(session, at_pico)
        well = late_rows == 0 if at_pico else (result.reason, result.trip_row) == ("sensor_fault", PULLED_ROW)
        failed += not well
        print(f"{'plug off, ' + end:<24}{PULLED_ROW:>5}  {_told(result):<56}{late_rows:>9}", flush=True)
    return failed


def _front_end(live: LiveCell) -> FrontEnd:
    return FrontEnd(VOLTAGE_FULL_SCALE_V, RANGE_HEADROOM * _i_range_A(live))


def _settings(live: LiveCell, front_end: FrontEnd) -> list[int]:
    settings = settings_for(front_end, float(np.median(np.diff(live.times_s))), live.setup.configuration)
    settings[limits.SETTINGS.index("sample_period_us")] = PERIOD_US
    return settings


def _flows(row: Measured, front_end: FrontEnd) -> bool:
    return abs(row.current_A) > front_end.current_full_scale_A / 2048


def _until(live: LiveCell, rows: range | None) -> Callable[[bool], Row | None]:
    left = iter(rows) if rows else None
    return lambda runs: live.next_row(runs) if left is None or next(left, None) is not None else None


def _i_range_A(live: LiveCell) -> float:
    """The decade that holds the test's largest current, as one sets it for the experiment."""
    segments = live.setup.program.segments
    largest_A = max(abs(s.current_density_mA_cm2) for s in segments) * live.setup.cell.area_cm2 * 1e-3
    return float(10.0 ** np.ceil(np.log10(largest_A)))


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon_hil.on_potentiostat", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("--rig", choices=("unix", "pico"), default="unix", help="default unix")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="which; more than once")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="cells of each (default 1)")
    parser.add_argument("--image", type=Path, help="MicroPython image")
    options = parser.parse_args(arguments)
    try:
        failed = _on_pico(options) if options.rig == "pico" else _on_unix(options)
    except CcdmonError as error:
        print(f"on_potentiostat: {error}", file=sys.stderr)
        return error.exit_code
    return EXIT_NEGATIVE if failed else EXIT_FINE


def _on_unix(options: argparse.Namespace) -> int:
    print(f"{'scenario':<24}{'seed':>5}  {'on the potentiostat':<28}{'behind a relay':<28}{'late rows':>9}")
    failed = 0
    with session_on(MonitoredUnix()) as wired, session_on(UnixTarget()) as relay:
        for scenario in options.scenario or SCENARIOS:
            for seed in range(options.seeds):
                run = play(wired, open_cell(scenario, seed), None, wired=True)
                beside = play(relay, open_cell(scenario, seed), None, wired=False)
                failed += _told(run.result) != _told(beside.result) or run.late_rows > 0
                print(
                    f"{scenario:<24}{seed:>5}  {_told(run.result):<28}{_told(beside.result):<28}{run.late_rows:>9}",
                    flush=True,
                )
        failed += _plugs(wired)
    return failed


def _on_pico(options: argparse.Namespace) -> int:
    print(f"{'scenario':<24}{'seed':>5}  {'on the potentiostat':<28}{'virtual us':>10}{'late rows':>11}")
    failed = 0
    with session_on(ChipTarget(find_image(options.image), BOARD)) as wired:
        for scenario in options.scenario or ON_PICO:
            for seed in range(options.seeds):
                truth = simulate(scenario, seed).truth
                fault = truth["first_faulty_row"]
                start = max(0, (fault if fault is not None else BEFORE_FAULT) - BEFORE_FAULT)
                rows = range(start, start + BEFORE_FAULT + AFTER_FAULT)
                run = play(wired, open_cell(scenario, seed), rows, wired=True)
                must = scenario == "hard_short"
                failed += (
                    run.late_rows > 0
                    or (must and run.result.reason != "hard_short")
                    or (truth["class"] == "healthy" and run.result.tripped)
                )
                virtual_us = run.result.document()["latency"]["virtual_us"]
                print(
                    f"{scenario:<24}{seed:>5}  {_told(run.result):<28}{virtual_us or '-':>10}{run.late_rows:>11}",
                    flush=True,
                )
    return failed


def _told(result: ReplayResult) -> str:
    return f"{result.reason} in row {result.trip_row}" if result.tripped else f"runs, {result.rows} rows"


if __name__ == "__main__":
    sys.exit(main())
