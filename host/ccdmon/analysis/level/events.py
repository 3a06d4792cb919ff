"""From excursions of the level to events.

| the level | is |
|---|---|
| falls at once, is dead to the end | hard short |
| dead to the end, but slid there | fake stable: a leak carries the current |
| falls at once by a tenth or more and stays, below all that the cell kept | partial short |
| falls and comes back, alone far or often a little | soft short |
| falls slowly | nothing: warming, conditioning, wetting |
| rises and comes back | nothing: contact, a jolt |
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.level.dips import dips_of, fluctuating
from ccdmon.analysis.level.excursions import Excursion
from ccdmon.analysis.level.falls import dead, lasting
from ccdmon.analysis.level.first_half_cycles import first_half_cycles
from ccdmon.analysis.level.line import Line, block_at
from ccdmon.analysis.order_statistics import middle


def of_excursions(
    line: Line,
    excursions: Sequence[Excursion],
    steps: Sequence[dict[str, float]],
    blocks: float,
    explained: Any,
    before: float = math.inf,
) -> list[Event]:
    """Events of those that are not settled and began in a half-cycle before number `before`; then not of open ones."""
    events: list[Event] = []
    down = [e for e in excursions if e.sign < 0]
    up = [e for e in excursions if e.sign > 0]

    def asked(e: Excursion) -> bool:
        return e.number < before and not (e.settled or (e.state == "open" and before < math.inf))

    for excursion in filter(asked, down):
        e = _for_good(excursion, blocks)
        if e.state != "back" and e.ratio < th.HARD_REMAINS:
            died = dead(line, e, steps, explained)
            events += died
            if any(x.kind == "hard_short" for x in died):  # it may have been soft before
                events += fluctuating(line, replace(e, end_row=died[0].row - 1), excursions)
        elif swings := fluctuating(line, e, excursions):
            events += swings
        elif e.state in ("lasting", "open"):
            events += lasting(line, e, excursions, steps, blocks, explained)
    events += dips_of(line, [e for e in down if e.state == "back"], up, steps, blocks, asked)
    return [x for x in events if not _surrounding(line, x, blocks, explained)]


def of_the_first(
    line: Line,
    excursions: Sequence[Excursion],
    steps: Sequence[dict[str, float]],
    blocks: float,
    explained: Any,
    known: Sequence[Event],
) -> list[Event]:
    """Events of the first half-cycles beside those `known`; `line` begins with it."""
    events = first_half_cycles(line, steps, [e for e in excursions if e.sign > 0], known)
    kinds = "soft_short", "partial_short"
    return [x for x in events if not _surrounding(line, x, blocks, explained, kinds)]


def _for_good(e: Excursion, blocks: float) -> Excursion:
    """What was dead for longer than soft shorts last is, whatever comes back afterwards; else as it is."""
    usual = middle(e.levels)
    dead_long = usual < th.HARD_REMAINS * e.kept and len(e.levels) > th.SOFT_WITHIN * blocks
    return replace(e, state="lasting", level=usual) if dead_long else e


def _surrounding(
    line: Line, event: Event, blocks: float, explained: Any, kinds: Sequence[str] = ("soft_short",)
) -> bool:
    """One of some kinds that temperature or pressure of the half-cycles around it explain."""
    if event.kind not in kinds:
        return False
    k, around = block_at(line, event.row), int(2 * blocks)
    rows = line.row[max(k - around, 0)], line.row[min(k + around, line.row.size - 1)]
    return bool(explained(*rows, event.evidence["ratio"]))
