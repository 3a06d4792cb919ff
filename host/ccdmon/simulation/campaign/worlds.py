"""The three worlds a campaign draws from: the cell model, the ladder that was never used to tune, injected recordings.

No figure of one of them stands for the others: the rules were made while looking at the first.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ccdmon.errors import InputError
from ccdmon.simulation.injected.generate import INJECTIONS, inject, recording_of, stock
from ccdmon.simulation.injected.recording import Recording
from ccdmon.simulation.ladder.generate import generate
from ccdmon.simulation.ladder.kinds import KINDS
from ccdmon.simulation.simulate import SCENARIOS, Simulated, simulate

MODEL, LADDER, INJECTED = WORLDS = ("model", "ladder", "injected")


@dataclass(frozen=True)
class World:
    """A name, the kinds of tests it has, and how a kind and a seed become one; None: nothing there can take it."""

    name: str
    kinds: tuple[str, ...]
    make: Callable[[str, int], Simulated | None]


def model_world(max_rows: int | None = None) -> World:
    """The cell model."""
    return World(MODEL, tuple(SCENARIOS), partial(simulate, max_rows=max_rows))


def ladder_world() -> World:
    """The ladder of relaxations."""
    return World(LADDER, tuple(KINDS), generate)


def injected_world(recordings: Sequence[Recording]) -> World:
    """Failures in these recordings."""
    return World(INJECTED, tuple(INJECTIONS), partial(inject, recordings=tuple(recordings)))


def recordings_of(texts: Sequence[str]) -> list[Recording]:
    """Recordings from a shared folder of traces (those known to be healthy) or traces by name. Raises InputError."""
    found: list[Recording] = []
    for text in texts:
        found += stock(Path(text)) if Path(text).is_dir() else [recording_of(text)]
    return found


def add_worlds(parser: argparse.ArgumentParser) -> None:
    """The options that choose the worlds of a campaign."""
    parser.add_argument(
        "--world", action="append", choices=(*WORLDS, "all"), help="draw from these (default: model)"
    )
    parser.add_argument(
        "--recordings",
        nargs="+",
        default=[],
        metavar="TRACE",
        help="healthy recordings, TRACE or TRACE@FROM:TO, or the shared folder of traces; for the injected world",
    )
    parser.add_argument(
        "--max-rows", type=int, metavar="N", help="about how many rows a trace of the model has at most"
    )


def add_draws(parser: argparse.ArgumentParser, seeds: int, first_seed: int, which: str) -> None:
    """The options that choose what a command draws: seeds, processes, worlds; `which` seeds are meant for it."""
    parser.add_argument(
        "--seeds", type=int, default=seeds, metavar="N", help="traces of each kind (default %(default)s)"
    )
    parser.add_argument("--first-seed", type=int, default=first_seed, metavar="N", help=which)
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default %(default)s)")
    add_worlds(parser)


def seeds_of(args: argparse.Namespace) -> range:
    """The seeds that the options of `add_draws` name."""
    return range(args.first_seed, args.first_seed + args.seeds)


def chosen_worlds(args: argparse.Namespace) -> list[World]:
    """The worlds that the options name. Raises InputError for recordings that cannot be used, or that are missing."""
    names = args.world or [MODEL]
    recordings = recordings_of(args.recordings)
    if INJECTED in names and not recordings:
        raise InputError("--world injected needs --recordings TRACE... or the shared folder of traces")
    worlds = [model_world(args.max_rows), ladder_world()]
    worlds += [injected_world(recordings)] if recordings else []
    return [world for world in worlds if "all" in names or world.name in names]
