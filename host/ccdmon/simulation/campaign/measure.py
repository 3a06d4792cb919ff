"""The detection campaign: `python -m ccdmon.simulation.campaign` scores the analysis on simulated traces.

Seeds below 30000 are for tuning, those from 30000 on for checking: the README's figures come from the latter.
One command regenerates the whole table and, with `--curve`, the trade of detection against false alarms. With
`--world` the other worlds are drawn from, too (`worlds.py`), and a table sets them side by side.
"""

import argparse
import json
import multiprocessing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from ccdmon.analysis.document import Options, StreamingAnalysis, analyze
from ccdmon.analysis.impedance.comparison import compare
from ccdmon.errors import told_in_one_line
from ccdmon.model.trace import Trace
from ccdmon.simulation.campaign.score import Score, score, settled_row
from ccdmon.simulation.campaign.table import FIRST_WAY, curve_text, table_text, write_curve_plot
from ccdmon.simulation.campaign.worlds import MODEL, World, add_worlds, chosen_worlds, model_world
from ccdmon.simulation.campaign.worlds_table import kinds_text, worlds_text
from ccdmon.simulation.simulate import Simulated

CHECK_SEED = 30_000
ASKED = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)  # probabilities below which an event is not told, on the curve


PROTOCOL_LOWEST_HZ = 0.1  # `impedance_to_Hz` of a rig file's [protocol] that says nothing else
NEAR_ROWS = 64  # a fluctuation's first drop may be placed a little differently once more of it is known
# What a reader of a fake stable cell is given: the review's three ways of telling one (section 2.3.2).
WAYS = {FIRST_WAY: ("before", "after"), "impedance before": ("before",), "no impedance": ()}
# Rows after an event's onset at which the analysis is asked again, until it reports the event: each, then ever fewer.
ASKED_AFTER = (*range(25), 28, 32, 36, 40, 48, 56, 64, 80, 100, 130, 160, 200, 260, 400, 800, 1600)


def run_one(
    task: tuple[str, int],
    world: World,
    *,
    asked: Sequence[float] = (0.0,),
    delays: bool = True,
    lowest_Hz: float | None = None,
) -> list[list[Score]]:
    """Make a trace of a world, analyse it, score its events from each probability on; what raises is a result, too.

    For each probability a list: fake stable cells with spectra are read in each of the three ways, others once; empty
    where the world has no such trace. With `lowest_Hz` the test's protocol has impedance: every cell with spectra is
    read with the pair, scanned down to there.
    """
    kind, seed = task
    made = world.make(kind, seed)
    if made is None:
        return [[] for _ in asked]
    made = made if lowest_Hz is None else _scanned(made, lowest_Hz)
    ways: dict[str, tuple[str, ...]] = WAYS if kind == "fake_stable" and made.eis else {"": ()}
    if lowest_Hz is not None and made.eis:
        ways = {way if way in ways else "": spectra for way, spectra in WAYS.items() if way == FIRST_WAY}
    return [[_read(made, way, spectra, least, delays) for way, spectra in ways.items()] for least in asked]


def _scanned(made: Simulated, lowest_Hz: float) -> Simulated:
    """The same with no frequency below."""
    kept = {
        when: replace(s, frequency_Hz=s.frequency_Hz[few], impedance_ohm=s.impedance_ohm[few])
        for when, s in made.eis.items()
        for few in [s.frequency_Hz >= lowest_Hz]
    }
    return replace(made, eis=kept)


def _read(made: Simulated, way: str, spectra: Sequence[str], least: float, delays: bool) -> Score:
    try:
        before, after = (made.eis[when] if when in spectra else None for when in ("before", "after"))
        options: Options = {"min_probability": least, "impedance": compare(before, after)}
        result = score(made.truth, analyze(made.trace, **options), way)
        if delays and least == 0.0 and result.reported_row is not None:
            told = (result.expected, *made.truth.get("accept", ()))
            confirmed = confirmed_row(made.trace, told, result.reported_row, options)
            result.delay_rows = max(0, confirmed - settled_row(made.truth))
    except Exception as error:  # noqa: BLE001  # the campaign goes on and shows it
        line = f"{type(error).__name__}: {error}".splitlines()[0][:150]
        return Score(made.truth["scenario"], made.truth["seed"], None, 0, way=way, error=line)
    return result


def confirmed_row(trace: Trace, kinds: Sequence[str | None], onset_row: int, options: Options) -> int:
    """The row that had to be there before the analysis of all rows so far reported the event: how late it really is.

    Asked at growing distances from the reported onset, so it may say a little too late, never too early.
    """
    stream, row = StreamingAnalysis(trace.cell, **options), 0
    for after in ASKED_AFTER:
        end = min(onset_row + after + 1, len(trace))
        stream.feed(trace.rows(row, end))
        row = end
        events = stream.report()["events"]
        if row == len(trace) or any(
            e["kind"] in kinds and abs(e["row"] - onset_row) <= NEAR_ROWS for e in events
        ):
            break
    return row - 1


def run_many(
    kinds: Iterable[str],
    seeds: Sequence[int],
    jobs: int = 1,
    *,
    world: World | None = None,
    asked: Sequence[float] = (0.0,),
    delays: bool = True,
    lowest_Hz: float | None = None,
) -> dict[float, list[Score]]:
    """Scores of all kinds and seeds of a world (the cell model), in that order, per least probability."""
    tasks = [(kind, seed) for kind in kinds for seed in seeds]
    work = partial(run_one, world=world or model_world(), asked=asked, delays=delays, lowest_Hz=lowest_Hz)
    if jobs <= 1:
        rows = [work(task) for task in tasks]
    else:
        with multiprocessing.Pool(jobs) as pool:
            rows = pool.map(work, tasks, chunksize=4)
    return {least: [score for row in rows for score in row[k]] for k, least in enumerate(asked)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon.simulation.campaign", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--seeds", type=int, default=200, metavar="N", help="traces per scenario (default 200)"
    )
    parser.add_argument("--first-seed", type=int, default=CHECK_SEED, metavar="N", help="30000 on: checking")
    parser.add_argument("--scenario", action="append", metavar="NAME", help="only these kinds of tests")
    add_worlds(parser)
    parser.add_argument(
        "--eis", nargs="?", const=PROTOCOL_LOWEST_HZ, type=float, metavar="HZ",
        help="the protocol has impedance: each cell is read with its spectra before and after, scanned down to HZ"
        " (default 0.1, as 'ccdmon protocol --eis' writes it)",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default 2)")
    parser.add_argument(
        "--curve",
        nargs="?",
        const="",
        metavar="PLOT",
        help="also sweep --min-probability; plot it (.svg or .png)",
    )
    parser.add_argument("--failures", action="store_true", help="list every trace that was read wrongly")
    parser.add_argument("--json", metavar="F", help="write every score")
    return parser


@told_in_one_line
def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign and print its tables."""
    args = _parser().parse_args(argv)
    worlds = chosen_worlds(args)
    asked = (0.0,) if args.curve is None else ASKED
    by_world = {}
    for world in worlds:
        kinds = [kind for kind in args.scenario or world.kinds if kind in world.kinds]
        seeds = range(args.first_seed, args.first_seed + args.seeds)
        by_world[world.name] = run_many(kinds, seeds, args.jobs, world=world, asked=asked, lowest_Hz=args.eis)
    _print(by_world, args)
    return 0


def _print(by_world: Mapping[str, Mapping[float, Sequence[Score]]], args: argparse.Namespace) -> None:
    plain = {name: scores[0.0] for name, scores in by_world.items()}
    every = [score for scores in plain.values() for score in scores]
    if MODEL in plain:
        print(table_text(plain[MODEL]))
    for name in (name for name in plain if name != MODEL):
        print(kinds_text(name, plain[name]))
    if len(plain) > 1:
        print(worlds_text(plain))
    if args.failures:
        print("\n".join(_complaints(every)))
    if args.json:
        Path(args.json).write_text(json.dumps([asdict(s) for s in every]) + "\n", encoding="utf-8")
    if args.curve is not None and MODEL in by_world:
        print(curve_text(by_world[MODEL]))
    if args.curve:
        write_curve_plot(by_world[MODEL], Path(args.curve))


def _complaints(scores: Iterable[Score]) -> Iterable[str]:
    for s in scores:
        wrong = [f"error {s.error}"] if s.error else []
        wrong += [s.way] if s.way else []
        wrong += ["missed"] if s.expected not in (None, "limit") and not (s.found or s.excluded) else []
        wrong += [f"false {'+'.join(s.false_kinds)}"] if s.false_kinds else []
        wrong += [f"also {'+'.join(sorted(set(s.other_kinds)))}"] if s.other_kinds else []
        wrong += ["ccd"] if s.ccd_right is False else []
        wrong += ["protocol"] if s.protocol_right is False else []
        if len(wrong) > bool(s.way):
            yield f"{s.scenario} {s.seed}: {', '.join(wrong)}"
