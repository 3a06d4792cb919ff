"""`python -m tests.bench.population --repeats 400`: what the population's figures promise, on populations drawn anew.

Ramps of ten levels of 0.2 mA cm-2, log-normal critical current densities with a median of 1, one in twenty found fake
stable: how often the 95 % interval holds the median, how far the median is off, how often two equal groups are called
different, how often one and a half times the median is found, and what the usual ways say of the same cells.
"""

import argparse
import math

import numpy as np
from scipy.stats import mannwhitneyu

from ccdmon.population.lognormal import Intervals, difference, fit
from tests.host.population.made import ramps


def naive(low: list[float]) -> float:
    """The median of what cells endured, as most papers tell it."""
    return float(np.median(low))


def line(cells: int, repeats: int, spread: float, seed: int) -> str:
    """One row of the table."""
    rng = np.random.default_rng(seed)
    covered, false, found, naive_false = 0, 0, 0, 0
    medians, naives = [], []
    for _ in range(repeats):
        sets = [ramps(rng, cells, spread=spread) for _ in range(2)] + [
            ramps(rng, cells, median=1.5, spread=spread)
        ]
        one, other, better = (Intervals(*cells_of) for cells_of in sets)
        told = fit(one)
        medians.append(told.median)
        naives.append(naive(sets[0][0]))
        covered += (told.low or 0.0) <= 1.0 <= (told.high or math.inf)
        false += difference(one, other) < 0.05
        found += difference(one, better) < 0.05
        naive_false += bool(mannwhitneyu(sets[0][0], sets[1][0]).pvalue < 0.05)
    shares = (f"{100 * n / repeats:.1f} %" for n in (covered, false, found, naive_false))
    bias, other_bias = (100 * (float(np.median(m)) - 1) for m in (medians, naives))
    covered_text, false_text, found_text, naive_text = shares
    return (
        f"| {cells} | {spread} | {covered_text} | {bias:+.1f} % | {other_bias:+.1f} % | {false_text} | {found_text} | "
        f"{naive_text} |"
    )


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--seed", type=int, default=2026)
    args = parser.parse_args()
    print(
        "| cells | spread | covered | bias of the median | of the endured values' | false differences "
        "| 1.5 times found | Mann-Whitney's false |\n|---|---|---|---|---|---|---|---|"
    )
    for cells in (20, 60):
        for spread in (0.3, 0.4, 0.6):
            print(line(cells, args.repeats, spread, args.seed), flush=True)


if __name__ == "__main__":
    main()
