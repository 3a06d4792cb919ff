"""Cells whose V follows I: the level's own events, contact, impedance."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.ambient import Ambient
from ccdmon.analysis.contact import find_contact_loss, without_recovery
from ccdmon.analysis.events import Event, at_row
from ccdmon.analysis.fake_stable import find_fake_stable, told_already
from ccdmon.analysis.findings import SYMMETRIC, Findings
from ccdmon.analysis.impedance.comparison import Comparison
from ccdmon.analysis.order_statistics import middle, of_three
from ccdmon.analysis.pressure import with_pressure
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.sensors import find_sensor_faults
from ccdmon.analysis.voltage_limit import limits
from ccdmon.model.trace import Cell


def combined(
    found: Findings,
    level: list[Event],
    halves: Array,
    eis: Comparison,
    cell: Cell,
    ambient: Ambient,
    explained: Any,
) -> list[Event]:
    """Events of the level up to the first short or limit, and what half-cycles and impedance say beside them."""
    limit = next(limits(found.half_cycles), None)
    end = min((e.row for e in level if e.kind == "hard_short"), default=found.rows)
    stop = min(end, limit.row if limit else found.rows)
    shorts = _with_impedance(_shorts([e for e in level if e.row <= stop]), found, end, eis, ambient)
    contact = _lost_contact(found, cell, halves, shorts, end, explained)
    shorts = without_recovery(shorts, contact)
    faults = [e for e in find_sensor_faults(found) if e.row < end]
    return sorted(
        (with_pressure(e, found.half_cycles) for e in [*shorts, *contact, *faults]), key=lambda e: e.row
    )


def _shorts(level: Sequence[Event]) -> list[Event]:
    """Soft shorts that touch as one; a fall within one of them is part of it."""
    softs = _merged([e for e in level if e.kind == "soft_short"])
    return softs + [
        e
        for e in level
        if e.kind not in ("soft_short", "partial_short")
        or (e.kind == "partial_short" and not any(_within(e, s) for s in softs))
    ]


def _within(e: Event, soft: Event) -> bool:
    return soft.row <= e.row and (soft.end_s is None or e.start_s <= soft.end_s)


def _with_impedance(
    shorts: list[Event], found: Findings, end: int, eis: Comparison, ambient: Ambient
) -> list[Event]:
    """Impedance decides on a fake stable cell, the level tells when it became one."""
    if eis.verdict == "consistent":
        return [e for e in shorts if e.kind != "fake_stable"]
    before = [h for h in found.half_cycles if h.last_row < end]
    fake = find_fake_stable(before, eis, found.mode, ambient.temperature_degC)
    if not fake or (eis.verdict == "shorted" and told_already(shorts, eis)):
        return shorts
    slid = next((e for e in shorts if e.kind == "fake_stable"), None)
    told = fake[0] if slid is None else replace(slid, evidence={**slid.evidence, **fake[0].evidence})
    return [e for e in shorts if e.kind != "fake_stable"] + [told]


def _around(found: Findings, e: Event) -> tuple[int, int]:
    """Rows of an event's half-cycle and as many on both sides of it."""
    h = at_row(found.half_cycles, e.row)
    first, last = (h.first_row, h.last_row) if h is not None else (e.row, e.row)
    return max(2 * first - last, 0), min(2 * last - first, found.rows - 1)


def _while_it_grew(found: Findings, e: Event) -> tuple[int, int]:
    """Rows of the lowest half-cycle before an event, and of the highest from it on."""
    lived = [h for h in found.half_cycles if h.end_V > 0]
    before = [h for h in lived if h.last_row < e.row]
    after = [h for h in lived if h.last_row >= e.row]
    low = min(before, key=lambda h: h.resistance_end_ohm).last_row if before else e.row
    return low, max(after, key=lambda h: h.resistance_end_ohm).last_row if after else e.row


def _lost_contact(
    found: Findings, cell: Cell, halves: Array, shorts: Sequence[Event], end: int, explained: Any
) -> list[Event]:
    """By the half-cycles; else by the level, where nothing has shorted the cell."""
    contact = [
        e
        for e in _contact(found, cell, shorts, end)
        if not any(
            explained(*rows(found, e), e.evidence.get("growth", 1.0)) for rows in (_around, _while_it_grew)
        )
    ]
    if contact or end < found.rows or any(e.kind in ("fake_stable", "hard_short") for e in shorts):
        return contact
    first_row, last_row = halves[:2]
    return [
        e for e in _grown(halves, shorts) if not explained(first_row[0], last_row[-1], e.evidence["growth"])
    ]


def _merged(events: Sequence[Event]) -> list[Event]:
    kept: list[Event] = []
    for event in events:
        last = kept[-1] if kept else None
        if last is not None and (last.end_s is None or event.start_s <= last.end_s):
            ends = [e.end_s for e in (last, event) if e.end_s is not None]
            recovered = len(ends) == 2 and (event.recovered or last.recovered)
            kept[-1] = replace(last, end_s=max(ends) if recovered else None, recovered=recovered)
        else:
            kept.append(event)
    return kept


def _contact(found: Findings, cell: Cell, known: Sequence[Event], end: int) -> list[Event]:
    soft = [e for e in known if e.kind == "soft_short"]
    sound = [
        h
        for h in found.half_cycles
        if not any(h.last_row >= e.row and (e.end_s is None or h.start_s <= e.end_s) for e in soft)
    ]
    events = find_contact_loss(sound, cell.electrolyte, end, steady=found.mode == SYMMETRIC)
    ended = end < found.rows or any(e.kind == "fake_stable" for e in known)
    return [e for e in events if not (ended and e.provisional)]


def _grown(halves: Array, shorts: Sequence[Event]) -> list[Event]:
    """The level at any time since the step has grown, and goes on to: voids, or salt that no reversal gives back.

    Where salt runs out, the later half of a half-cycle alone grows.
    """
    first_row, last_row, first_s, current_A, lower_ohm = halves
    shorted = np.zeros(first_row.size, bool)  # what is back from a short has not grown
    for e in shorts:
        shorted |= (last_row >= e.row) & (first_s <= (np.inf if e.end_s is None else e.end_s))
    good = np.flatnonzero(~shorted & np.isfinite(lower_ohm))
    if good.size < 4:
        return []
    m = lower_ohm[good]
    low = int(np.argmin(_of_neighbours(m)[:-2]))
    base = middle(m[max(0, low - 1) : low + 2])
    if base <= 0:
        return []
    growth = float(min(m[-2:]) / base)
    slow = m.size - low > 2 * th.LEAST_ROWS
    if growth < (th.AGED if slow else th.GROWN) or m[-1] < th.WHOLE * m.max():
        return []
    lowest_later = np.minimum.accumulate(m[::-1])[::-1]
    k = good[low + int(np.argmax(lowest_later[low:] > (1 + th.FALL) * base))]
    return [
        Event(
            "contact_loss",
            float(first_s[k]),
            int(first_row[k]),
            None,
            float(current_A[k]),
            None,
            False,
            True,
            {
                "criterion": "the level grows from half-cycle to half-cycle",
                "resistance_before_ohm": base,
                "resistance_highest_ohm": float(m.max()),
                "growth": growth,
            },
        )
    ]


def _of_neighbours(m: Array) -> Array:
    """The median of each number and its neighbours; of the first and the last with the one they have."""
    return np.concatenate([[m[:2].mean()], of_three(m), [m[-2:].mean()]])
