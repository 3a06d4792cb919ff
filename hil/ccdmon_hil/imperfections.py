"""Imperfect front ends times faults: `python -m ccdmon_hil.imperfections`.

Simulated cells are played to the firmware through front ends with zero errors up to what the board allows, gain errors,
noise, and through one whose channels die, freeze or lose their wire in the middle of a half-cycle. Never may the gate
stay closed in front of a channel that is not measured, never open without a fault; and a hard short is cut off through
each of them. The table tells how many gates opened and after how many rows (median, longest); exit code 1: not as it
must be. `--rig pico --worst 12`: the slowest ones on the emulated Pico.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from ccdmon.errors import CcdmonError
from ccdmon.model.front_end import FrontEnd
from ccdmon.model.trace import Trace
from ccdmon.simulation.simulate import simulate
from ccdmon_hil.play import replay
from ccdmon_hil.play.front_ends import FRONT_ENDS, errors_text, voltage_zero_V
from ccdmon_hil.play.imperfect import CHANNELS, FAULTS
from ccdmon_hil.rigs.open_rig import open_session
from ccdmon_hil.rigs.session import Session

FIRST_SEED = 10_000  # of those for checking
MAX_ROWS = 1_500
HEALTHY = ("healthy", "healthy_rests", "healthy_warming", "healthy_low_voltage", "healthy_polymer")
SHORT, NONE = "hard short", "none"
BLIND = tuple(f"{kind} {channel}" for channel, kind in product(CHANNELS, FAULTS))
CASES = (NONE, SHORT, *BLIND)
# A load cell without noise that keeps its value looks like a stack that does; no short is told by it.
MAY_STAY_CLOSED = ("frozen pressure",)
AT_ONCE_ROWS = 2  # a dead channel
SHORT_ROWS = 20
STEPS = 2  # of the current, by which a voltage that answers no more, or a current that does not step, must be found
STILL_ROWS = 30 * 4  # blocks in which a front end that rustles must stir


@dataclass(frozen=True)
class Run:
    """One cell through one front end. `at`: row of the fault, `latest`: by when the gate must be open."""

    front_end: str
    case: str
    scenario: str
    seed: int
    begin: int = 0  # first row that is played where each costs much: three steps before
    at: int = 0
    latest: int | None = None  # None: it must stay closed
    opened: int | None = None  # the row
    reason: str | None = None

    @property
    def delay(self) -> int | None:
        """Rows from the fault to the open gate."""
        return None if self.opened is None else self.opened - self.at

    @property
    def as_it_must(self) -> bool:
        """Open in time and for a fault, or closed without one."""
        if self.case in MAY_STAY_CLOSED and self.opened is None:
            return True
        if self.opened is None or self.latest is None:
            return self.opened is None and self.latest is None
        return self.at <= self.opened <= self.latest


def steps_of(trace: Trace) -> npt.NDArray[np.intp]:
    """Rows at which the current steps, shape (n,)."""
    current = np.nan_to_num(trace.current_A)
    return np.flatnonzero(np.abs(np.diff(current)) > 0.1 * np.abs(current).max()) + 1


def fault_row(trace: Trace, steps: npt.NDArray[np.intp]) -> int:
    """In the middle of the first half-cycle behind the middle of the trace."""
    current = np.abs(np.nan_to_num(trace.current_A))
    middles = (steps[:-1] + steps[1:]) // 2
    flows = current[middles] > 0.1 * current.max()
    return int(middles[flows & (middles >= len(trace) // 2)][0])


def planned(run: Run, trace: Trace, truth_row: int | None) -> Run:
    """The run with the row of its fault and the row by which its gate must be open."""
    if run.case == NONE:
        return run
    if run.case == SHORT:
        assert truth_row is not None
        return replace(run, at=truth_row, latest=truth_row + SHORT_ROWS)
    steps = steps_of(trace)
    at = fault_row(trace, steps)
    after = steps[steps > at]
    latest = int(after[STEPS - 1]) + SHORT_ROWS if len(after) >= STEPS else len(trace)
    if run.case.startswith("dead") or run.case == "open pressure":
        latest = at + AT_ONCE_ROWS
    elif FRONT_ENDS[run.front_end].get("noise", 0.0) >= 3 and not run.case.startswith("open"):
        latest = max(at + STILL_ROWS, latest)
    before = steps[steps <= at]
    return replace(run, begin=int(before[-min(3, len(before))]), at=at, latest=latest)


def played(session: Session, run: Run, max_rows: int = MAX_ROWS) -> Run:
    """The run with what the gate did."""
    made = simulate("hard_short" if run.case == SHORT else run.scenario, run.seed, max_rows=max_rows)
    events = made.truth["events"]
    run = planned(run, made.trace, events[0]["row"] if events else None)
    front_end = FrontEnd.for_trace(made.trace)
    text = errors_text(run.front_end, front_end)
    if run.case in BLIND:
        kind, channel = run.case.split()
        text = ",".join(filter(None, (text, f"{kind}={channel}@{run.at}")))
    calibrated_V = voltage_zero_V(run.front_end, front_end)
    start, stop = (run.begin, run.latest) if session.target.name == "pico" else (0, None)
    result = replay.replay_on(
        session, made.trace, start=start, stop=stop, imperfect=text, voltage_zero_V=calibrated_V
    )
    return replace(run, opened=result.trip_row, reason=result.reason)


def all_runs(seeds: Iterable[int]) -> Iterator[Run]:
    """Every front end, case, cell."""
    for seed, name, case in product(seeds, FRONT_ENDS, CASES):
        for scenario in HEALTHY if case != SHORT else ("hard_short",):
            yield Run(name, case, scenario, seed)


def slowest(runs: Iterable[Run], count: int) -> list[Run]:
    """Those whose gate opened latest after a fault."""
    return sorted((run for run in runs if run.delay is not None), key=lambda run: -(run.delay or 0))[:count]


def table_text(runs: list[Run]) -> str:
    """A line for each case, a column for each front end: gates opened of all, rows to it."""
    lines = ["| case | " + " | ".join(FRONT_ENDS) + " |", "|---|" + "---|" * len(FRONT_ENDS)]
    for case in CASES:
        cells = (
            _cell([run for run in runs if (run.case, run.front_end) == (case, name)]) for name in FRONT_ENDS
        )
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(runs: list[Run]) -> str:
    if not runs:
        return "-"
    delays = sorted(run.delay for run in runs if run.delay is not None)
    wrong = sum(not run.as_it_must for run in runs)
    shown = f"{len(delays)}/{len(runs)}" + (f" ({delays[len(delays) // 2]}, {delays[-1]})" if delays else "")
    return shown + (f" **{wrong} wrong**" if wrong else "")


def main(arguments: list[str] | None = None) -> int:
    """Play, print, judge."""
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon_hil.imperfections", description=(__doc__ or "").split("\n\n")[0]
    )
    add = parser.add_argument
    add("--rig", choices=("model", "unix", "pico"), default="unix", help="where (default: %(default)s)")
    add("--seeds", type=int, default=1, metavar="N", help="cells of each scenario (default %(default)s)")
    add("--first-seed", type=int, default=FIRST_SEED, metavar="N", help="10000 on: checking")
    add("--worst", type=int, metavar="N", help="only the N that took longest on the rig `model`")
    add("--image", metavar="F", help="MicroPython image of --rig pico")
    options = parser.parse_args(arguments)
    runs = list(all_runs(range(options.first_seed, options.first_seed + options.seeds)))
    try:
        if options.worst:
            with open_session("model") as session:
                runs = slowest([played(session, run) for run in runs], options.worst)
        with open_session(options.rig, image=options.image) as session:
            runs = [played(session, run) for run in runs]
    except CcdmonError as error:
        print(f"imperfections: {error}", file=sys.stderr)
        return error.exit_code
    print(table_text(runs))
    wrong = [run for run in runs if not run.as_it_must]
    for run in wrong:
        print(
            f"{run.front_end}, {run.case}, {run.scenario} {run.seed}: fault at row {run.at}, to be open by "
            f"{run.latest}, opened at {run.opened} ({run.reason})"
        )
    print(f"{len(runs) - len(wrong)} of {len(runs)} as they must be on {options.rig}")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
