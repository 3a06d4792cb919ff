"""What the edge detector finds and what it trips on by mistake: `python -m ccdmon_hil.edge_campaign`.

Simulated traces of every scenario with known truth, each row one sample. `--rig model` runs the detector on CPython
(the golden model), `--rig unix` the whole firmware on MicroPython's unix port; the verdicts are the same. Seeds below
10000 are for tuning, those from 10000 on for checking. `--healthy-rows N` plays healthy cells only (reversals, rests,
warming, impedance excitation, noise, gaps) until N rows are through. Exit code 1: a false trip, or hard shorts missed.
"""

import argparse
import json
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ccdmon.errors import CcdmonError
from ccdmon.model.front_end import FrontEnd
from ccdmon.model.trace import Trace
from ccdmon.simulation.simulate import SCENARIOS, simulate
from ccdmon_fw.detector import Detector
from ccdmon_hil.edge_campaign.score import EdgeScore, score
from ccdmon_hil.edge_campaign.table import table_text
from ccdmon_hil.outputs import output_folder, write_output
from ccdmon_hil.play import replay
from ccdmon_hil.play.front_ends import FRONT_ENDS, errors_text, voltage_zero_V
from ccdmon_hil.play.imperfect import Imperfect
from ccdmon_hil.rigs.open_rig import open_session
from ccdmon_hil.rigs.session import Session

CHECK_SEED = 10_000
RECALL = 0.99
HEALTHY = tuple(name for name, recipe in SCENARIOS.items() if recipe.class_ == "healthy")

PERFECT, EACH = "perfect", "each"
IDLE_ROWS = 64

Judge = Callable[[Trace, str], npt.NDArray[np.uint16]]  # a trace, a front end of `FRONT_ENDS`


def model_verdicts(trace: Trace, name: str = PERFECT) -> npt.NDArray[np.uint16]:
    """The golden model's verdict on every row, shape (rows,), behind a front end of `FRONT_ENDS`."""
    front_end = FrontEnd.for_trace(trace)
    zero_V = voltage_zero_V(name, front_end)
    detector = Detector(replay.detector_settings(trace, front_end, voltage_zero_V=zero_V))
    errors = Imperfect.parse(errors_text(name, front_end))
    if name != PERFECT:
        _take_zeros(detector, errors.idle(front_end, IDLE_ROWS).astype(int))
    codes = errors.codes(front_end, trace).tolist()
    return np.array([detector.step(*row) for row in codes], dtype=np.uint16)


def _take_zeros(detector: Detector, idle: npt.NDArray[np.int64]) -> None:
    """As the board does before arming, from samples of an open gate (`zeros.py`)."""
    stirs = [-(-int(bends.sum()) // len(bends)) for bends in np.abs(np.diff(idle, n=2, axis=0)).T]
    detector.take_zero(round(idle[:, 1].mean()), (stirs[1] + 1) >> 1, (stirs[0] + 1) >> 1)
    detector.take_stirring(stirs)
    detector.reset()


def run_one(
    task: tuple[str, int],
    judge: Judge = model_verdicts,
    max_rows: int | None = None,
    front_end: str = PERFECT,
) -> EdgeScore:
    """Simulate, judge, score."""
    scenario, seed = task
    made = simulate(scenario, seed, max_rows=max_rows)
    return score(made.truth, judge(made.trace, _front_end(front_end, seed)))


def _front_end(name: str, seed: int) -> str:
    """Its name; of `EACH` one after the other."""
    return list(FRONT_ENDS)[seed % len(FRONT_ENDS)] if name == EACH else name


def _tasks(options: argparse.Namespace) -> Iterator[tuple[str, int]]:
    scenarios = options.scenario or (HEALTHY if options.healthy_rows else list(SCENARIOS))
    seeds = sys.maxsize if options.healthy_rows else options.seeds
    for seed in range(options.first_seed, options.first_seed + seeds):
        for scenario in scenarios:
            yield scenario, seed


def _scores(options: argparse.Namespace, judge: Judge) -> Iterator[EdgeScore]:
    work = partial(run_one, judge=judge, max_rows=options.max_rows, front_end=options.front_end)
    if options.jobs <= 1 or options.rig != "model":
        yield from map(work, _tasks(options))
        return
    with multiprocessing.Pool(options.jobs) as pool:
        yield from pool.imap(work, _tasks(options))


def run(options: argparse.Namespace) -> list[EdgeScore]:
    """Scores of all tasks, or until enough healthy rows were played."""
    if options.rig == "model":
        return _collect(_scores(options, model_verdicts), options.healthy_rows)
    with open_session(options.rig) as session:
        return _collect(_scores(options, partial(_played, session)), options.healthy_rows)


def _played(session: Session, trace: Trace, name: str) -> npt.NDArray[np.uint16]:
    """The firmware's verdicts on a rig."""
    front_end = FrontEnd.for_trace(trace)
    result = replay.replay_on(
        session,
        trace,
        imperfect=errors_text(name, front_end),
        voltage_zero_V=voltage_zero_V(name, front_end),
    )
    return result.verdicts


def _collect(scores: Iterator[EdgeScore], healthy_rows: int | None) -> list[EdgeScore]:
    listed: list[EdgeScore] = []
    played = 0
    for one in scores:
        listed.append(one)
        played += one.rows
        if sys.stderr.isatty():
            print(f"\r{len(listed)} traces, {played} rows", end="", file=sys.stderr)
        if healthy_rows and played >= healthy_rows:
            break
    return listed


def _parser() -> argparse.ArgumentParser:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon_hil.edge_campaign", description=__doc__.split("\n\n")[0]
    )
    add = parser.add_argument
    add("--rig", choices=("model", "unix"), default="model", help="where it runs (default: %(default)s)")
    add("--seeds", type=int, default=100, metavar="N", help="traces per scenario (default %(default)s)")
    add("--first-seed", type=int, default=CHECK_SEED, metavar="N", help="10000 on: checking")
    add("--scenario", action="append", choices=SCENARIOS, metavar="NAME", help="only these")
    add("--healthy-rows", type=int, metavar="N", help="healthy cells only, until N rows were played")
    names = (*FRONT_ENDS, EACH)
    add(
        "--front-end", choices=names, default=PERFECT, help="each: one after the other (default: %(default)s)"
    )
    add("--max-rows", type=int, metavar="N", help="about how many rows per trace at most")
    add("--jobs", type=int, default=1, metavar="N", help="processes of --rig model (default %(default)s)")
    add("--failures", action="store_true", help="list every trace that went wrong")
    add("--json", type=Path, metavar="F", help="write every score")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; exit code 1 if a cell was cut off by mistake or a hard short was not."""
    options = _parser().parse_args(arguments)
    try:
        if options.json:
            output_folder(options.json.parent)
        scores = run(options)
        print(table_text(scores))
        if options.failures:
            print("\n".join(_complaints(scores)))
        if options.json:
            told = [asdict(one) | {"told": sorted(one.told)} for one in scores]
            write_output(options.json, json.dumps(told) + "\n")
    except CcdmonError as error:
        print(f"edge_campaign: {error}", file=sys.stderr)
        return error.exit_code
    shorted = [one for one in scores if one.scenario == "hard_short"]
    found = sum(one.delay_rows is not None for one in shorted)
    return int(any(one.false_trip for one in scores) or found < RECALL * len(shorted))


def _complaints(scores: list[EdgeScore]) -> Iterator[str]:
    for one in scores:
        name = f"{one.scenario} {one.seed}"
        if one.false_trip:
            yield f"{name}: tripped {one.trip} at row {one.trip_row} of {one.rows}, healthy up to {one.healthy_rows}"
        elif one.scenario == "hard_short" and one.trip != "hard_short":
            yield f"{name}: missed ({one.trip or 'no trip'})"
        elif one.delay_rows is not None and one.delay_rows > 3:
            yield f"{name}: {one.delay_rows} rows late"
        elif one.trip == "hard_short" and one.scenario != "hard_short":
            yield f"{name}: cut off at row {one.trip_row}"
        for reason, times in one.false_warnings.items():
            yield f"{name}: warned of {reason} {times} times"
