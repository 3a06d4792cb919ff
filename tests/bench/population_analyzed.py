"""`python -m tests.bench.population_analyzed --cells 600`: populations whose cells went through the analysis.

Simulated ramps of ten levels of 0.2 mA cm-2 that short where their critical current density, drawn log-normal around 1,
is passed, or never, and by nothing before; judged by `ccdmon analyze --catalogue` and read as `ccdmon population` does.
Populations are drawn from them with replacement, once as they are and once as they were read: what the detector's
errors add is the difference. True is the median of all of them as they are.
"""

import argparse
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ccdmon.catalogue.build import Order, build
from ccdmon.formats.bdf.write import write_bdf
from ccdmon.population.cells import read_population
from ccdmon.population.lognormal import Intervals, difference, fit
from ccdmon.simulation.cell_faults import HardShort
from ccdmon.simulation.draws import Options, log_uniform
from ccdmon.simulation.recipes import starve
from ccdmon.simulation.scenarios import draw_setup
from ccdmon.simulation.setup import half_cycle_after, loaded_segments
from ccdmon.simulation.simulate import LiveCell, recorded
from tests.host.catalogue.cells import OPTIONS
from tests.host.population.made import LEVELS

SPREAD = 0.4
SUPPLY = 2 * LEVELS[-1]
RAMP = Options(
    protocol="time_control", configuration="symmetric", levels=len(LEVELS), first_mA_cm2=LEVELS[0], step_mA_cm2=0.2,
    half_cycle_s=600.0, row_interval_s=15.0, area_cm2=0.785,
)  # fmt: skip
Bounds = tuple[float, float]


def write_cell(path: Path, seed: int) -> Bounds:
    """(endured, failed at) of the cell that is written."""
    rng = np.random.default_rng([seed, 5])
    steps = [0.0, *LEVELS, math.inf]
    critical = math.exp(SPREAD * rng.standard_normal())
    level = next(k for k, density in enumerate(steps[1:]) if critical <= density)
    setup = draw_setup("hard_short" if level < len(LEVELS) else "healthy", seed, RAMP)
    starve(setup, SUPPLY, setup.cell.void_capacity_mAh_cm2, 0.0)  # no voids take its contact before it shorts
    if level < len(LEVELS):
        at = [(s, start_s) for s, start_s in loaded_segments(setup)[1:] if s.level == level]
        segment, start_s = at[int(rng.integers(len(at)))]
        moment_s = start_s + float(rng.uniform(0.02, 0.9)) * segment.duration_s
        setup.fault = HardShort(moment_s, log_uniform(rng, 1e-3, 0.05), seed=seed)
        setup.stop_s = half_cycle_after(setup, moment_s, int(rng.integers(1, 5)))
    write_bdf(recorded(LiveCell(setup)).trace, str(path))
    return steps[level], steps[level + 1]


def nearest(bounds: Bounds) -> Bounds:
    """The bounds as levels of the program: what is told of them is measured."""

    def of(value: float) -> float:
        return value if value in (0.0, math.inf) else min(LEVELS, key=lambda level: abs(level - value))

    return of(bounds[0]), of(bounds[1])


def _intervals(bounds: Sequence[Bounds]) -> Intervals:
    return Intervals(*zip(*bounds, strict=True))


def table(true: dict[str, Bounds], told: dict[str, Bounds], cells: int, repeats: int) -> list[str]:
    """Coverage, bias, false differences of so many populations, as they are and as read."""
    lines, names, rng = [], sorted(told), np.random.default_rng(7)
    truth = fit(_intervals([true[name] for name in names])).median
    for title, bounds in (("as they are", true), ("as read", told)):
        covered = false = 0
        medians = []
        for _ in range(repeats):
            drawn = rng.choice(len(names), (2, cells))
            one, other = (_intervals([bounds[names[k]] for k in half]) for half in drawn)
            found = fit(one)
            medians.append(found.median)
            covered += (found.low or 0.0) <= truth <= (found.high or math.inf)
            false += difference(one, other) < 0.05
        bias = 100 * (float(np.median(medians)) / truth - 1)
        lines.append(
            f"| {cells} | {title} | {100 * covered / repeats:.1f} % | {bias:+.1f} % | {100 * false / repeats:.1f} % |"
        )
    return lines


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--first-seed", type=int, default=60_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        traces, catalogue = Path(place) / "traces", Path(place) / "catalogue"
        traces.mkdir()
        true = {
            name: write_cell(traces / name, seed)
            for seed in range(args.first_seed, args.first_seed + args.cells)
            if (name := f"c{seed}.bdf.csv")
        }
        build(Order([str(traces)], catalogue, OPTIONS))
        population = read_population(catalogue, [])
        told = {Path(cell.file).name: nearest((cell.low, cell.high)) for cell in population.cells}
    off = {name: bounds for name, bounds in told.items() if bounds != true[name]}
    later = sum(bounds[1] > true[name][1] for name, bounds in off.items())
    print(
        f"{len(told)} of {len(true)} cells say something ({dict(population.left_out)}); {len(off)} otherwise than they "
        f"are, {later} of them later; {len({cell.protocol for cell in population.cells})} protocol"
    )
    print("| cells | bounds | covered | bias of the median | false differences |\n|---|---|---|---|---|")
    for cells in (20, 60):
        print("\n".join(table(true, told, cells, args.repeats)), flush=True)


if __name__ == "__main__":
    main()
