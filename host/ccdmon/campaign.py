"""The detection campaign: `python -m ccdmon.campaign` scores the analysis on simulated traces.

Seeds below 10000 are for tuning, those from 10000 on for checking: the README's figures come from the latter.
One command regenerates the whole table and, with `--curve`, the trade of detection against false alarms.
"""

import argparse
import inspect
import json
import multiprocessing
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from ccdmon.campaign_score import Score, score
from ccdmon.campaign_table import curve_text, table_text, write_curve_plot
from ccdmon.cellmodel import SCENARIOS, simulate

CHECK_SEED = 10_000
SCALES = (0.4, 0.5, 0.63, 0.8, 1.0, 1.25, 1.6, 2.0, 2.5)


def run_one(
    task: tuple[str, int], *, scale: float = 1.0, with_eis: bool = True, max_rows: int | None = None
) -> Score:
    """Simulate, analyse and score one trace; an exception of the analysis is a result too."""
    from ccdmon.analysis import analyze

    scenario, seed = task
    made = simulate(scenario, seed, max_rows=max_rows)
    extra = {"threshold_scale": scale} if scale != 1.0 else {}
    if with_eis and scenario == "fake_stable":
        extra |= {"eis_before": made.eis["before"], "eis_after": made.eis["after"]}  # type: ignore[dict-item]
    try:
        return score(made.truth, analyze(made.trace, **extra))  # type: ignore[arg-type]
    except Exception as error:  # noqa: BLE001  # the campaign goes on and shows it
        return Score(scenario, seed, None, 0, error=f"{type(error).__name__}: {error}")


def run_many(
    scenarios: Iterable[str],
    seeds: Sequence[int],
    jobs: int = 1,
    *,
    scale: float = 1.0,
    with_eis: bool = True,
    max_rows: int | None = None,
) -> list[Score]:
    """Scores of all scenarios and seeds, in that order."""
    tasks = [(scenario, seed) for scenario in scenarios for seed in seeds]
    work = partial(run_one, scale=scale, with_eis=with_eis, max_rows=max_rows)
    if jobs <= 1:
        return [work(task) for task in tasks]
    with multiprocessing.Pool(jobs) as pool:
        return pool.map(work, tasks, chunksize=4)


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
    scenarios = args.scenario or list(SCENARIOS)
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    run = partial(run_many, scenarios, seeds, args.jobs, with_eis=not args.no_eis, max_rows=args.max_rows)
    scores = run()
    print(table_text(scores))
    if args.failures:
        print("\n".join(_complaints(scores)))
    if args.json:
        Path(args.json).write_text(json.dumps([asdict(s) for s in scores]) + "\n")
    if args.curve:
        if not can_scale():
            print("campaign: the analysis takes no threshold scale; no curve", file=sys.stderr)
            return 1
        curve = {scale: scores if scale == 1.0 else run(scale=scale) for scale in SCALES}
        print(curve_text(curve))
        write_curve_plot(curve, Path(args.curve))
    return 0


def _complaints(scores: Iterable[Score]) -> Iterable[str]:
    for s in scores:
        wrong = [f"error {s.error}"] if s.error else []
        wrong += ["missed"] if s.expected and not s.found and s.expected != "limit" else []
        wrong += [f"false {'+'.join(s.false_kinds)}"] if s.false_kinds else []
        wrong += [f"also {'+'.join(s.other_kinds)}"] if s.other_kinds else []
        wrong += ["ccd"] if s.ccd_right is False else []
        wrong += ["protocol"] if s.protocol_right is False else []
        if wrong:
            yield f"{s.scenario} {s.seed}: {', '.join(wrong)}"


if __name__ == "__main__":
    sys.exit(main())
