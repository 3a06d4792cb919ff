"""See the package."""

import argparse
from collections.abc import Sequence

from ccdmon.analysis.impedance.arcs import fit_arcs
from ccdmon.analysis.impedance.changes import choose
from tests.bench.why.spectra import CIRCUITS, LADDER, MODEL, draw


def percent(good: Sequence[bool]) -> str:
    """Share and number."""
    return f"{100 * sum(good) / len(good):.0f} % of {len(good)}" if good else "-"


def circuits(seeds: Sequence[int], noise: float) -> None:
    """A table: right circuit, resistances within 5 %."""
    print(f"\n| circuits, noise {100 * noise:g} % | right, model | within 5 % | right, ladder | within 5 % |")
    print("|---|--:|--:|--:|--:|")
    for circuit in CIRCUITS:
        cells = []
        for world in (MODEL, LADDER):
            right, near = [], []
            for seed in seeds:
                drawn = draw(circuit, seed, world, noise)
                best = choose(fit_arcs(drawn.before), drawn.after).best
                right.append(best.name == circuit)
                near.append(best.name == circuit and drawn.off(best) < 0.05)
            cells += [percent(right), percent(near)]
        print(f"| {circuit} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.why", description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=60_000, help="below 50000 is for tuning")
    args = parser.parse_args()
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    circuits(seeds, 0.01)


if __name__ == "__main__":
    main()
