"""From half-cycles, steps and the level to events: which kind of cell it is decides what is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.ambient import Ambient, Surroundings
from ccdmon.analysis.events import Event, at_row
from ccdmon.analysis.fake_stable import find_fake_stable, told_already
from ccdmon.analysis.findings import FULL_CELL, Findings
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.impedance.comparison import Comparison
from ccdmon.analysis.level.cells import combined
from ccdmon.analysis.level.level_test import WARM, LevelTest
from ccdmon.analysis.memory import slow_loss
from ccdmon.analysis.ocv.cells import judged
from ccdmon.analysis.ocv.dips import dips_of
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.running_away import runs_away, runs_into_limit
from ccdmon.analysis.sensors import lead_off
from ccdmon.analysis.stretches import Stretch
from ccdmon.analysis.unknown_current import Blank
from ccdmon.analysis.whole_test import (
    implausible,
    in_mA,
    not_judged,
    open_circuit,
    shorted_from_the_start,
)
from ccdmon.model.trace import Cell

WARMED_REMAINS = th.HARD_REMAINS * th.MOST  # of a slide of a cell whose temperature nobody knows


@dataclass(frozen=True)
class Judgement:
    """Events in the order of their rows; `reason` where nothing could be judged; words about what is not likely."""

    events: list[Event]
    reason: str | None
    notes: list[str]


def judge(
    found: Findings,
    stretches: Sequence[Stretch],
    level: LevelTest,
    *,
    with_ocv: bool,
    cell: Cell,
    area_cm2: float | None,
    eis: Comparison,
    ambient: Ambient,
    opened_before: Sequence[Event] = (),
    blank: Blank | None = None,
) -> Judgement:
    """Everything that is asked of a test.

    `opened_before`: its open circuit in stretches that were let go; `blank`: rows at its end without a current.
    """
    notes = implausible(stretches, area_cm2, with_ocv=with_ocv)
    stands = with_ocv or cell.configuration == "half"
    opened = list(opened_before) or open_circuit(stretches, area_cm2, stands=stands)
    opened = opened or (blank.opened(stretches, stands=stands) if blank is not None else [])
    reason = not_judged(stretches)
    if reason is not None and not opened and eis.verdict != "shorted":
        return Judgement([], reason, notes)
    dead = [] if in_mA(stretches, area_cm2) else shorted_from_the_start(stretches, area_cm2)
    if dead:
        events = find_fake_stable(found.half_cycles, eis, found.mode, ambient.temperature_degC) or dead
    elif with_ocv:
        events = judged([s for s in stretches if s.is_kept], found.rows, found.steps)
        if eis.verdict == "shorted" and not told_already(events, eis):
            events += find_fake_stable(found.half_cycles, eis, FULL_CELL)
    else:
        events = _of_level(found, stretches, level, cell, eis, ambient)
    for last in filter(None, (opened, lead_off(stretches))):  # nothing is told by what follows
        half = at_row(found.half_cycles, last[0].row)
        begin = (
            {"contact_loss": half.first_row} if half is not None else {}
        )  # growth is told by a half-cycle's end
        events = [e for e in events if e.row < min(begin.get(e.kind, e.row + 1), last[0].row - 12)] + last
    return Judgement(_numbered(_marked_as_open(events, found, stretches), found.half_cycles), None, notes)


def _of_level(
    found: Findings,
    stretches: Sequence[Stretch],
    level: LevelTest,
    cell: Cell,
    eis: Comparison,
    ambient: Ambient,
) -> list[Event]:
    surroundings = Surroundings(stretches)
    by_level = [
        e
        for e in level.events(found.steps, surroundings.explain)
        if surroundings.knows_temperature or not _may_be_warming(e)
    ]
    if len(level.leveled) < 2:  # one long half-cycle has no other to be compared with
        first = [s for s in stretches if s.kind == "current" and s.count >= th.LEAST_ROWS][:1]
        dips = dips_of(first, found.rows, th.FALL)
        by_level = [*dips, *(e for e in by_level if not dips or e.kind == "hard_short")]
    events = combined(found, by_level, level.halves, eis, cell, ambient, surroundings.explain)
    end = min((e.row for e in events if e.kind == "hard_short"), default=found.rows)
    before = [h for h in found.half_cycles if h.last_row < end]
    # A pair of spectra may say that nothing leaks.
    if before and eis.verdict != "consistent" and not any(e.kind == "fake_stable" for e in events):
        rows = before[0].first_row, before[-1].last_row
        leaks = slow_loss(before, th.HARD_REMAINS)
        if leaks and not surroundings.knows_temperature:  # it may be warming
            leaks = slow_loss(before, WARMED_REMAINS)
        events += [e for e in leaks if not surroundings.explain(*rows, e.evidence["ratio"])]
    if not any(e.kind == "limit" or e.fatal for e in events):
        events += runs_away(stretches) or _at_a_limit(found, stretches)
    return events


def _at_a_limit(found: Findings, stretches: Sequence[Stretch]) -> list[Event]:
    """The first half-cycle in which V runs into a limit, and to the highest of the test."""
    highest_V = max((h.highest_V for h in found.half_cycles), default=0.0)
    rows = {
        h.first_row: h.rows_highest for h in found.half_cycles if h.highest_V > (1 - th.STANDS) * highest_V
    }
    for s in stretches:
        if (
            s.first_row in rows
            and s.kind == "current"
            and s.is_kept
            and (into := runs_into_limit(s, rows[s.first_row]))
        ):
            return into
    return []


def _may_be_warming(e: Event) -> bool:
    """A slide by no more than warming leaves."""
    return e.kind == "fake_stable" and bool(e.evidence["ratio"] > WARMED_REMAINS)


def _marked_as_open(events: Sequence[Event], found: Findings, stretches: Sequence[Stretch]) -> list[Event]:
    """What later half-cycles may still show as something else is open until they are there.

    A short that heals by then was soft, V at its limit may come back, and what fluctuates may die. Where the circuit
    is open no half-cycle may follow, only the time of some.
    """
    half_cycles = found.half_cycles
    if len(half_cycles) <= max(WARM, th.SOFT_WITHIN):
        return [replace(e, open=True) for e in events]
    from_s = half_cycles[-th.SOFT_WITHIN].start_s
    waited_s = th.SOFT_WITHIN * middle([h.duration_s for h in half_cycles[-th.LEAST_ROWS :]])

    def is_open(e: Event) -> bool:
        last_s = e.start_s if e.end_s is None else e.end_s
        waits = e.kind not in ("contact_loss", "limit") or stretches[-1].end_s - last_s < waited_s
        return from_s < last_s and waits

    return [replace(e, open=True) if is_open(e) else e for e in events]


def _numbered(events: Sequence[Event], half_cycles: Sequence[HalfCycle]) -> list[Event]:
    """In the order of their rows, with the cycle each lies in."""
    placed = []
    for event in sorted(events, key=lambda e: e.row):
        h = at_row(half_cycles, event.row)
        placed.append(replace(event, cycle=None if h is None else h.cycle) if event.cycle is None else event)
    return placed
