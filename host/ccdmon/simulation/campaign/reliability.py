"""The reliability table: `python -m ccdmon.simulation.campaign.reliability` holds told probabilities against truth.

Of the events told with a probability in a bin, the share that is real. An event is real where its kind is what the
truth says, or as good a reading, from the fault's begin on. On seeds that the calibration has not seen (30000 on).
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence

from ccdmon.errors import told_in_one_line
from ccdmon.simulation.campaign.measure import CHECK_SEED, run_many
from ccdmon.simulation.campaign.score import Score, Told
from ccdmon.simulation.campaign.worlds import World, add_draws, chosen_worlds, seeds_of

BINS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.0))


def told_of(scores: Iterable[Score]) -> list[Told]:
    """Every event that was told with a probability."""
    return [told for s in scores if not s.excluded for told in s.told if told.probability is not None]


def reliability_text(by_world: Mapping[str, Sequence[Told]]) -> str:
    """A row for each bin: events, share that is real in each world and in all; then all by kind."""
    every = [told for events in by_world.values() for told in events]
    columns = {**by_world, "all": every} if len(by_world) > 1 else dict(by_world)
    lines = ["| told with | middle | " + " | ".join(columns) + " |", "|---|--:|" + "--:|" * len(columns)]
    for low, high in BINS:
        cells = [_bin_text([t for t in events if _inside(t, low, high)]) for events in columns.values()]
        lines.append(f"| {low:g}-{high:g} | {100 * (low + high) / 2:.0f} % | " + " | ".join(cells) + " |")
    lines += [
        "",
        "| kind | " + " | ".join(f"{low:g}-{high:g}" for low, high in BINS) + " |",
        "|---|" + "--:|" * 4,
    ]
    for kind in sorted({told.kind for told in every}):
        of_kind = [told for told in every if told.kind == kind]
        cells = [_bin_text([t for t in of_kind if _inside(t, low, high)]) for low, high in BINS]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _inside(told: Told, low: float, high: float) -> bool:
    assert told.probability is not None
    return low <= told.probability < high or (high == 1.0 and told.probability == 1.0)


def _bin_text(events: Sequence[Told]) -> str:
    if not events:
        return "-"
    real = sum(told.real for told in events)
    return f"{100 * real / len(events):.0f} % of {len(events)}"


def scores_of(worlds: Sequence[World], seeds: Sequence[int], jobs: int) -> dict[str, list[Score]]:
    """Every kind and seed of these worlds, read once, delays left out."""
    return {w.name: run_many(w.kinds, seeds, jobs, world=w, delays=False)[0.0] for w in worlds}


@told_in_one_line
def main(argv: Sequence[str] | None = None) -> int:
    """Print the reliability table."""
    parser = argparse.ArgumentParser(
        prog="python -m ccdmon.simulation.campaign.reliability", description=__doc__.split("\n")[0]
    )
    add_draws(parser, 20, CHECK_SEED, "30000 on: not calibrated on")
    args = parser.parse_args(argv)
    worlds = chosen_worlds(args)
    scores = scores_of(worlds, seeds_of(args), args.jobs)
    print(reliability_text({name: told_of(found) for name, found in scores.items()}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
