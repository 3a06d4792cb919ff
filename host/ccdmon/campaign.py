"""The detection campaign: `python -m ccdmon.campaign` scores the analysis on simulated traces.

Seeds below 10000 are for tuning, those from 10000 on for checking: the README's figures come from the latter.
One command regenerates the whole table and, with `--curve`, the trade of detection against false alarms.
"""

import argparse
import inspect
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from ccdmon.campaign_score import Score, score
from ccdmon.campaign_table import curve_text, table_text, write_curve_plot
from ccdmon.cellmodel import SCENARIOS, simulate
from ccdmon.formats.eis_csv import write_eis_csv

CHECK_SEED = 10_000
SCALES = (0.4, 0.5, 0.63, 0.8, 1.0, 1.25, 1.6, 2.0, 2.5)


def run_one(
    task: tuple[str, int],
    *,
    scales: Sequence[float] = (1.0,),
    with_eis: bool = True,
    max_rows: int | None = None,
) -> list[Score]:
    """Simulate a trace, analyse it at each threshold scale, score; an analysis that raises is a result too."""
    from ccdmon.analysis import analyze

    scenario, seed = task
    made = simulate(scenario, seed, max_rows=max_rows)
    scores = []
    with tempfile.TemporaryDirectory() as folder:
        extra: dict[str, Any] = {}
        if with_eis and scenario == "fake_stable":
            for when, spectrum in made.eis.items():
                extra[f"eis_{when}"] = Path(folder) / f"{when}.csv"
                write_eis_csv(spectrum, extra[f"eis_{when}"])
        for scale in scales:
            scaled: dict[str, Any] = {"threshold_scale": scale} if scale != 1.0 else {}
            try:
                scores.append(score(made.truth, analyze(made.trace, **extra, **scaled)))
            except Exception as error:  # noqa: BLE001  # the campaign goes on and shows it
                line = f"{type(error).__name__}: {error}".splitlines()[0][:150]
                scores.append(Score(scenario, seed, None, 0, error=line))
    return scores


def run_many(
    scenarios: Iterable[str],
    seeds: Sequence[int],
    jobs: int = 1,
    *,
    scales: Sequence[float] = (1.0,),
    with_eis: bool = True,
    max_rows: int | None = None,
) -> dict[float, list[Score]]:
    """Scores of all scenarios and seeds, in that order, per threshold scale."""
    tasks = [(scenario, seed) for scenario in scenarios for seed in seeds]
    work = partial(run_one, scales=scales, with_eis=with_eis, max_rows=max_rows)
    if jobs <= 1:
        rows = [work(task) for task in tasks]
    else:
        with multiprocessing.Pool(jobs) as pool:
            rows = pool.map(work, tasks, chunksize=4)
    return {scale: [row[k] for row in rows] for k, scale in enumerate(scales)}


def can_scale() -> bool:
    """Whether the analysis takes a threshold scale."""
    from ccdmon.analysis import analyze

    return "threshold_scale" in inspect.signature(analyze).parameters


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ccdmon.campaign", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--seeds", type=int, default=200, metavar="N", help="traces per scenario (default 200)"
    )
    parser.add_argument("--first-seed", type=int, default=CHECK_SEED, metavar="N", help="10000 on: checking")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, metavar="NAME", help="only these")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default 2)")
    parser.add_argument("--max-rows", type=int, metavar="N", help="about how many rows per trace at most")
    parser.add_argument("--no-eis", action="store_true", help="give fake stable cells no impedance pair")
    parser.add_argument(
        "--curve", metavar="PLOT", help="also sweep the thresholds; write the plot (.svg or .png)"
    )
    parser.add_argument("--failures", action="store_true", help="list every trace that was read wrongly")
    parser.add_argument("--json", metavar="F", help="write every score")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign and print its tables."""
    args = _parser().parse_args(argv)
    if args.curve and not can_scale():
        print("campaign: the analysis takes no threshold scale; no curve", file=sys.stderr)
        return 2
    scores = run_many(
        args.scenario or list(SCENARIOS),
        range(args.first_seed, args.first_seed + args.seeds),
        args.jobs,
        scales=SCALES if args.curve else (1.0,),
        with_eis=not args.no_eis,
        max_rows=args.max_rows,
    )
    print(table_text(scores[1.0]))
    if args.failures:
        print("\n".join(_complaints(scores[1.0])))
    if args.json:
        Path(args.json).write_text(json.dumps([asdict(s) for s in scores[1.0]]) + "\n")
    if args.curve:
        print(curve_text(scores))
        write_curve_plot(scores, Path(args.curve))
    return 0


def _complaints(scores: Iterable[Score]) -> Iterable[str]:
    for s in scores:
        wrong = [f"error {s.error}"] if s.error else []
        wrong += ["missed"] if s.expected and not s.found and s.expected != "limit" else []
        wrong += [f"false {'+'.join(s.false_kinds)}"] if s.false_kinds else []
        wrong += [f"also {'+'.join(sorted(set(s.other_kinds)))}"] if s.other_kinds else []
        wrong += ["ccd"] if s.ccd_right is False else []
        wrong += ["protocol"] if s.protocol_right is False else []
        if wrong:
            yield f"{s.scenario} {s.seed}: {', '.join(wrong)}"


if __name__ == "__main__":
    sys.exit(main())
