"""Counts how many told events are real: `python -m ccdmon.simulation.campaign.calibrate` prints the tables.

For each rule (the evidence's criterion) the told events are put in order of their strength and cut into groups; a
group's share of real ones, pooled with its neighbour where it does not rise with the strength by more than chance,
stands from its lowest strength to its highest, straight lines between. `KINDS` are counted on the
events of rules that told too few. Seeds
below 30000, so that the reliability table is checked on others. The rules themselves are not changed here.
"""

import argparse
import itertools
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
MOST_GROUPS = 12
# Half a real and half a false event before anything was counted (Jeffreys): a group never says 0 or 1.
PRIOR = 0.5
ALIKE = 1.5  # standard errors between two shares: closer, and nothing says that they differ

Points = tuple[tuple[float, ...], tuple[float, ...]]


def groups(events: Sequence[tuple[float, bool]]) -> list[tuple[float, float, float, int]]:
    """Lowest and highest strength, share that is real and number of each group, all rising; ties stay together."""
    ordered = sorted(events)
    count = min(MOST_GROUPS, max(1, len(ordered) // LEAST_EVENTS))
    pools: list[list[tuple[float, bool]]] = []
    for part in np.array_split(np.arange(len(ordered)), count):
        chunk = [ordered[k] for k in part]
        if pools and chunk and chunk[0][0] == pools[-1][-1][0]:
            pools[-1] += chunk
        else:
            pools.append(chunk)
    while len(pools) > 1:
        apart = [_apart(*pair) for pair in itertools.pairwise(pools)]
        k = int(np.argmin(apart))
        if apart[k] > ALIKE:
            break
        pools[k : k + 2] = [pools[k] + pools[k + 1]]
    return [(pool[0][0], pool[-1][0], _share(pool), len(pool)) for pool in pools]


def _apart(weak: Sequence[tuple[float, bool]], strong: Sequence[tuple[float, bool]]) -> float:
    """By how many standard errors the stronger of two groups has the larger share."""
    shares = _share(weak), _share(strong)
    variance = sum(p * (1 - p) / (len(x) + 2 * PRIOR) for p, x in zip(shares, (weak, strong), strict=True))
    return float((shares[1] - shares[0]) / np.sqrt(variance))


def _share(pool: Sequence[tuple[float, bool]]) -> float:
    return (sum(real for _, real in pool) + PRIOR) / (len(pool) + 2 * PRIOR)


def tables_of(
    told: Iterable[Told], key: Callable[[Told], str], least: int = LEAST_EVENTS
) -> dict[str, Points]:
    """Strengths and probabilities for each key that told so many events at least."""
    events: defaultdict[str, list[tuple[float, bool]]] = defaultdict(list)
    for event in told:
        events[key(event)].append((strength(event.kind, event.evidence), event.real))
    counted = {name: found for name, found in sorted(events.items()) if len(found) >= least}
    return {name: _points(groups(found)) for name, found in counted.items()}


def by_kind(told: Told) -> str:
    """For rules that told too few."""
    return told.kind


def by_rule(told: Told) -> str:
    """The key of `probability.TABLES`."""
    return key_of(told.kind, told.evidence)


def _points(found: Sequence[tuple[float, float, float, int]]) -> Points:
    """A group's share from its lowest strength to its highest; one group is one point."""
    if len(found) == 1:
        return (round(found[0][0], 2),), (round(found[0][2], 2),)
    strengths, shares = zip(*((s, g[2]) for g in found for s in g[:2]), strict=True)
    return tuple(round(s, 2) for s in strengths), tuple(round(p, 2) for p in shares)


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
    rules = tables_of(told, by_rule)
    few = [event for event in told if by_rule(event) not in rules]
    for name, tables in (("KINDS", tables_of(few, by_kind, 1)), ("TABLES", rules)):
        print(name)
        for which, (strengths, shares) in tables.items():
            print(f'    "{which}": ({strengths}, {shares}),')
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
