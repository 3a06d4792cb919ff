"""What a running test was told and is not told any more: `python -m ccdmon.simulation.campaign.prefixes`.

Each trace is read as far as some of its prefixes and to its end. An event that a prefix told and did not call
provisional must be there, of the same kind and at about the same row, in every longer prefix.
"""

import argparse
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ccdmon.analysis.document import StreamingAnalysis
from ccdmon.errors import told_in_one_line
from ccdmon.simulation.campaign.measure import CHECK_SEED, NEAR_ROWS
from ccdmon.simulation.campaign.worlds import World, add_draws, chosen_worlds, seeds_of
from ccdmon.simulation.simulate import Simulated


@dataclass(frozen=True)
class Vanished:
    """An event that was told as settled, and the first prefix, in rows, that does not tell it."""

    world: str
    scenario: str
    seed: int
    kind: str
    row: int
    told_at_rows: int
    gone_at_rows: int
    instead: tuple[str, ...]  # kinds told near that row in its place


def settled_events(document: dict[str, Any]) -> list[tuple[str, int]]:
    """Kind and row of each event that is not called provisional."""
    return [(event["kind"], event["row"]) for event in document["events"] if not event["provisional"]]


def documents(made: Simulated, prefixes: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows and document of each prefix of a trace, the whole of it last."""
    stream, row = StreamingAnalysis(made.trace.cell), 0
    for k in range(1, prefixes + 1):
        end = len(made.trace) * k // prefixes
        stream.feed(made.trace.rows(row, end))
        row = end
        yield end, stream.report()


def vanished_of(made: Simulated, world: str, prefixes: int) -> tuple[int, list[Vanished]]:
    """How many settled events a trace's prefixes told, and those that a later one does not."""
    told: dict[tuple[str, int], int] = {}
    gone: list[Vanished] = []
    for rows, document in documents(made, prefixes):
        now = [(event["kind"], event["row"]) for event in document["events"]]
        for (kind, row), told_at in list(told.items()):
            if not any(k == kind and abs(r - row) <= NEAR_ROWS for k, r in now):
                near = tuple(sorted({k for k, r in now if abs(r - row) <= NEAR_ROWS}))
                truth = made.truth
                gone.append(Vanished(world, truth["scenario"], truth["seed"], kind, row, told_at, rows, near))
                del told[kind, row]
        for kind, row in settled_events(document):
            if not any(k == kind and abs(r - row) <= NEAR_ROWS for k, r in told):
                told[kind, row] = rows
    return len(told) + len(gone), gone


def _run(task: tuple[World, str, int], prefixes: int) -> tuple[int, list[Vanished]]:
    world, kind, seed = task
    made = world.make(kind, seed)
    return (0, []) if made is None else vanished_of(made, world.name, prefixes)


@told_in_one_line
def main(argv: Sequence[str] | None = None) -> int:
    """Count what vanishes and list it; exit 1 if more than one in 200 does."""
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon.simulation.campaign.prefixes", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--prefixes", type=int, default=20, metavar="N", help="of each trace (default 20)")
    add_draws(parser, 2, CHECK_SEED, "30000 on: not calibrated on")
    args = parser.parse_args(argv)
    worlds = chosen_worlds(args)
    seeds = seeds_of(args)
    tasks = [(world, kind, seed) for world in worlds for kind in world.kinds for seed in seeds]
    work = partial(_run, prefixes=args.prefixes)
    if args.jobs <= 1:
        found = [work(task) for task in tasks]
    else:
        with multiprocessing.Pool(args.jobs) as pool:
            found = pool.map(work, tasks, chunksize=4)
    told, gone = sum(count for count, _ in found), [v for _, some in found for v in some]
    print("\n".join([*map(_line, gone), f"{len(gone)} of {told} settled events vanished or changed kind"]))
    print(f"{len(tasks)} traces, {args.prefixes} prefixes each")
    return int(len(gone) * 200 > told)


def _line(v: Vanished) -> str:
    instead = f", now {'+'.join(v.instead)}" if v.instead else ""
    return (
        f"{v.world} {v.scenario} {v.seed}: {v.kind} at row {v.row}, told at {v.told_at_rows}, "
        f"gone at {v.gone_at_rows}{instead}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
