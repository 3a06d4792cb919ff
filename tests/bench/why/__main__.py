"""See the package."""

import argparse
from collections.abc import Sequence
from typing import Any

from ccdmon.analysis.impedance.arcs import fits_of_arcs
from ccdmon.analysis.impedance.changes import choose
from ccdmon.simulation.ladder.generate import generate
from tests.bench.why.bound import best_share
from tests.bench.why.cells import limited, model, stripped, warmed
from tests.bench.why.spectra import CIRCUITS, LADDER, MODEL, draw

STEPS = {
    MODEL: ("contact_loss", "limiting_current", "hard_short", "partial_short", "soft_short", "fake_stable",
            "healthy", "healthy_rests", "healthy_gaps", "healthy_warming"),
    LADDER: ("contact_relief", "opened", "hard", "partial", "soft_switching", "time_control", "endurable_time",
             "long_cycling", "rests", "temperature"),
}  # fmt: skip


def percent(good: Sequence[bool]) -> str:
    """Share and number."""
    return f"{100 * sum(good) / len(good):.0f} % of {len(good)}" if good else "-"


def stripping(seeds: Sequence[int]) -> None:
    """Levels by which the critical current of stripping is off."""
    print(
        "\n| critical current of stripping | exact | within one level | outrun, exact | within one | none, none told |"
    )
    print("|---|--:|--:|--:|--:|--:|")
    for world in (MODEL, LADDER):
        found = [stripped(world, seed) for seed in seeds]
        for name, which in (
            (f"{world}, all", found),
            (f"{world}, voids seen", [f for f in found if f["seen"]]),
        ):
            reached = [abs(f["off"]) for f in which if f["reached"]]
            every = [abs(f["off"]) for f in which]
            none = [f["off"] == 0 for f in which if not f["reached"]]
            cells = [percent([x <= most for x in off]) for off in (every, reached) for most in (0, 1)]
            print(f"| {name} | " + " | ".join([*cells, percent(none)]) + " |", flush=True)


def activation(seeds: Sequence[int]) -> None:
    """Activation energies of warming tests."""
    print(
        "\n| activation energy | warming tests | told | within 10 % of those told | of all | within two errors |"
    )
    print("|---|--:|--:|--:|--:|--:|")
    for world in (MODEL, LADDER):
        found: list[dict[str, Any]] = [f for seed in seeds if (f := warmed(world, seed)) is not None]
        told = [f for f in found if f["off"] is not None]
        near = [abs(f["off"]) < 0.1 for f in told]
        honest = [abs(f["errors"]) < 2 for f in told]
        share = percent(near + [False] * (len(found) - len(told)))
        print(
            f"| {world} | {len(found)} | {len(told)} | {percent(near)} | {share} | {percent(honest)} |",
            flush=True,
        )


def steps(seeds: Sequence[int]) -> None:
    """The limiting step."""
    print("\n| limiting step | right |\n|---|--:|")
    for world, make in ((MODEL, model), (LADDER, generate)):
        every: list[bool] = []
        for kind in STEPS[world]:
            told = [t for seed in seeds if (t := limited(make, kind, seed)) is not None]
            every += told
            print(f"| {world}, {kind} | {percent(told)} |", flush=True)
        print(f"| {world}, all | {percent(every)} |", flush=True)


def circuits(seeds: Sequence[int], noise: float = 0.01) -> None:
    """The right circuit, and resistances within 5 %; of the ladder how often that can be at all (`bound`)."""
    print(
        f"\n| circuits, noise {100 * noise:g} % | right, model | within 5 % | right, ladder | within 5 % | at best |"
    )
    print("|---|--:|--:|--:|--:|--:|")
    for circuit in CIRCUITS:
        cells = []
        for world in (MODEL, LADDER):
            right, near = [], []
            for seed in seeds:
                drawn = draw(circuit, seed, world, noise)
                best = choose(fits_of_arcs(drawn.before), drawn.before, drawn.after).best
                right.append(best.name == circuit)
                near.append(best.name == circuit and drawn.off(best) < 0.05)
            cells += [percent(right), percent(near)]
        cells.append(f"{100 * best_share(circuit, seeds, noise):.0f} %")
        print(f"| {circuit} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.why", description=__doc__)
    parser.add_argument(
        "--seeds", type=int, default=40, help="of each (default 40; of each limiting step a fifth)"
    )
    parser.add_argument("--first-seed", type=int, default=60_000, help="below 50000 is for tuning")
    parser.add_argument("--only", choices=("stripping", "activation", "steps", "circuits"))
    args = parser.parse_args()
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    for name, table in (("stripping", stripping), ("activation", activation), ("circuits", circuits)):
        if args.only in (None, name):
            table(seeds)
    if args.only in (None, "steps"):
        steps(seeds[: max(args.seeds // 5, 1)])


if __name__ == "__main__":
    main()
