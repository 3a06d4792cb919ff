"""Counts how many told events are real: `python -m ccdmon.simulation.campaign.calibrate` prints the tables.

For each rule (the evidence's criterion) the told events are put in order of their strength and cut into groups; a
group's share of real ones, pooled with its neighbour where it would fall with the strength (isotonic regression),
stands at its median strength. `KINDS` are for rules that told too few. Seeds below 30000, so that the reliability
table is checked on others. The rules themselves are not changed here.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ccdmon.analysis.probability import key_of, strength
from ccdmon.errors import told_in_one_line
from ccdmon.simulation.campaign.reliability import scores_of
from ccdmon.simulation.campaign.score import Told
from ccdmon.simulation.campaign.worlds import add_draws, chosen_worlds, seeds_of

CALIBRATION_SEED = 10_000
LEAST_EVENTS = 12  # in a group
MOST_GROUPS = 4
# One real and one false event before anything was counted (Laplace): a group of twelve never says 0 or 1.
PRIOR = 1.0

Points = tuple[tuple[float, ...], tuple[float, ...]]


def groups(events: Sequence[tuple[float, bool]]) -> list[tuple[float, float, int]]:
    """Median strength, share that is real and number of each group, rising in both; ties stay together."""
    ordered = sorted(events)
    count = min(MOST_GROUPS, max(1, len(ordered) // LEAST_EVENTS))
    pools: list[list[tuple[float, bool]]] = []
    for part in np.array_split(np.arange(len(ordered)), count):
        chunk = [ordered[k] for k in part]
        if pools and chunk and chunk[0][0] == pools[-1][-1][0]:
            pools[-1] += chunk
        else:
            pools.append(chunk)
    k = 0
    while k + 1 < len(pools):
        if _share(pools[k]) > _share(pools[k + 1]):
            pools[k : k + 2] = [pools[k] + pools[k + 1]]
            k = max(k - 1, 0)
        else:
            k += 1
    return [(float(np.median([s for s, _ in pool])), _share(pool), len(pool)) for pool in pools]


def _share(pool: Sequence[tuple[float, bool]]) -> float:
    return (sum(real for _, real in pool) + PRIOR) / (len(pool) + 2 * PRIOR)


def tables_of(told: Iterable[Told], key: Callable[[Told], str]) -> dict[str, Points]:
    """Strengths and probabilities for each key that told a group of events at least."""
    events: defaultdict[str, list[tuple[float, bool]]] = defaultdict(list)
    for event in told:
        events[key(event)].append((strength(event.kind, event.evidence), event.real))
    counted = {name: found for name, found in sorted(events.items()) if len(found) >= LEAST_EVENTS}
    return {name: _points(groups(found)) for name, found in counted.items()}


def by_kind(told: Told) -> str:
    """For rules that told too few."""
    return told.kind


def by_rule(told: Told) -> str:
    """The key of `probability.TABLES`."""
    return key_of(told.kind, told.evidence)


def _points(found: Sequence[tuple[float, float, int]]) -> Points:
    return tuple(round(g[0], 2) for g in found), tuple(round(g[1], 2) for g in found)


@told_in_one_line
def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables, to be put into `ccdmon/analysis/probability.py`."""
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon.simulation.campaign.calibrate", description=__doc__.split("\n")[0]
    )
    add_draws(parser, 20, CALIBRATION_SEED, "below 30000")
    args = parser.parse_args(argv)
    worlds = chosen_worlds(args)
    scores = scores_of(worlds, seeds_of(args), args.jobs)
    told = [told for found in scores.values() for s in found if not s.excluded for told in s.told]
    for name, key in (("KINDS", by_kind), ("TABLES", by_rule)):
        print(name)
        for which, (strengths, shares) in tables_of(told, key).items():
            print(f'    "{which}": ({strengths}, {shares}),')
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
