"""Cells whose V follows I: the level's own events, the core's bursts, contact, impedance."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.ambient import Ambient
from ccdmon.analysis.contact import find_contact_loss, without_recovery
from ccdmon.analysis.events import Event
from ccdmon.analysis.fake_stable import find_fake_stable, told_already
from ccdmon.analysis.findings import SYMMETRIC, Findings
from ccdmon.analysis.impedance.comparison import Comparison
from ccdmon.analysis.level.excursions import Excursion
from ccdmon.analysis.level.line import Line
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.pressure import with_pressure
from ccdmon.analysis.sensors import find_sensor_faults
from ccdmon.analysis.shorts.noisy_half_cycles import noisy_half_cycles
from ccdmon.analysis.shorts.soft import soft_shorts
from ccdmon.analysis.voltage_limit import limits
from ccdmon.model.trace import Cell


def combined(
    found: Findings,
    level: list[Event],
    line: Line,
    excursions: Sequence[Excursion],
    eis: Comparison,
    cell: Cell,
    ambient: Ambient,
    explained: Any,
) -> list[Event]:
    limit = next(limits(found.half_cycles), None)
    end = min((e.row for e in level if e.kind == "hard_short"), default=found.rows)
    stop = min(end, limit.row if limit else found.rows)
    level = [e for e in level if e.row <= stop]
    soft = [e for e in soft_shorts(found) if e.row < stop - 3 and _lowered(e, line)]
    noisy = [e for e in noisy_half_cycles(found, stop) if _lowered(e, line)]
    softs = _merged(
        sorted([*(e for e in level if e.kind == "soft_short"), *soft, *noisy], key=lambda e: e.row), found
    )
    others = [e for e in level if e.kind != "soft_short"]
    softs = [e for e in softs if not any(_explains(o, e) for o in others)]
    shorts = [
        e
        for e in others
        if e.kind != "partial_short"
        or not any(s.row - 64 <= e.row and (s.end_s is None or e.start_s <= s.end_s) for s in softs)
    ] + softs
    fake = []
    if eis.verdict != "consistent":
        fake = [
            e
            for e in find_fake_stable(
                [h for h in found.half_cycles if h.last_row < end], eis, found.mode, ambient.temperature_degC
            )
            if e.evidence["criterion"] != "shape"
        ]
        if eis.verdict == "shorted" and told_already(shorts, eis):
            fake = []
    else:
        shorts = [e for e in shorts if e.kind != "fake_stable"]
    if fake:
        slid = next((e for e in shorts if e.kind == "fake_stable"), None)
        if slid is not None:  # the level tells when
            fake = [replace(slid, evidence={**slid.evidence, **fake[0].evidence})]
        shorts = [e for e in shorts if e.kind != "fake_stable"]
    contact = [
        e
        for e in _contact(found, cell, [*shorts, *fake], end)
        if not explained(max(0, e.row - 300), min(found.rows - 1, e.row + 300), e.evidence.get("growth", 1.0))
    ]
    if (
        not contact
        and end == found.rows
        and not any(e.kind in ("fake_stable", "hard_short") for e in [*shorts, *fake])
    ):
        contact = [
            e for e in _grown(line, shorts) if not explained(line.row[0], line.row[-1], e.evidence["growth"])
        ]
    shorts = [_back(e, line, excursions) for e in shorts]
    shorts = without_recovery(shorts, contact)
    faults = [e for e in find_sensor_faults(found) if e.row < end]
    return sorted(
        [with_pressure(e, found.half_cycles) for e in [*shorts, *fake, *contact, *faults]],
        key=lambda e: e.row,
    )


def _back(event: Event, line: Line, excursions: Sequence[Excursion]) -> Event:
    """A soft short is over when the level is back for the last rows of the test."""
    if (
        event.kind != "soft_short"
        or event.recovered
        or any(e.state == "open" and e.sign < 0 for e in excursions)
    ):
        return event
    dips = [
        e
        for e in excursions
        if e.sign < 0 and e.row >= event.row - 64 and e.state == "back" and e.depth > 0.2
    ]
    if not dips:
        return event
    last = dips[-1]
    calm = line.row[-1] + line.rows[-1] - (last.end_row or 0)
    return replace(event, recovered=True, end_s=last.end_s) if calm >= 8 else event


def _explains(o: Event, soft: Event) -> bool:
    """A fluctuation that only is the fall itself."""
    return o.kind in ("fake_stable",) and soft.row >= o.row - 64


def _lowered(event: Event, line: Line) -> bool:
    """Is the level lower while it lasts, and more below than above what it was?"""
    inside = (line.row >= event.row) & ((line.time_s <= event.end_s) if event.end_s is not None else True)
    before = (line.row < event.row) & (line.row > event.row - 1500)
    if inside.sum() < 1 or before.sum() < 8:
        return bool(event.evidence.get("ratio", 1.0) < 0.9)
    near = line.level[before][-64:]
    usual = max(middle(near), middle(line.level[before][-192:]))
    after = (line.time_s > event.end_s) if event.end_s is not None else np.zeros(line.row.size, bool)
    if after.sum() >= 8:  # what drifts is between them
        usual = 0.5 * (usual + middle(line.level[after][:64]))
    if usual <= 0:  # nothing was left to be lowered
        return False
    scatter = 1.4826 * middle(np.abs(near - usual)) / usual
    rel = np.where(line.error[inside] < 0.2, line.level[inside] / usual - 1, 0.0)
    w = line.rows[inside]
    below, above = float(np.sum(w * np.minimum(rel, 0))), float(np.sum(w * np.maximum(rel, 0)))
    sure = max(th.LOWERED, 4 * scatter / max(float(np.sum(inside)), 1.0) ** 0.5)
    return -below > 2 * above and -below - above > sure * float(np.sum(w))


def _merged(events: Sequence[Event], found: Findings) -> list[Event]:
    kept: list[Event] = []
    for event in events:
        last = kept[-1] if kept else None
        if last is not None and (last.end_s is None or event.start_s <= last.end_s + 3 * _half_s(found)):
            ends = [e.end_s for e in (last, event) if e.end_s is not None]
            recovered = len(ends) == 2 and (event.recovered or last.recovered)
            kept[-1] = replace(last, end_s=max(ends) if recovered else None, recovered=recovered)
        else:
            kept.append(event)
    return kept


def _half_s(found: Findings) -> float:
    spans = sorted(h.duration_s for h in found.half_cycles)
    return spans[len(spans) // 2] if spans else 0.0


def _contact(found: Findings, cell: Cell, known: list[Event], end: int) -> list[Event]:
    soft = [e for e in known if e.kind == "soft_short"]
    sound = [
        h
        for h in found.half_cycles
        if not any(h.last_row >= e.row and (e.end_s is None or h.start_s <= e.end_s) for e in soft)
    ]
    events = find_contact_loss(sound, cell.electrolyte, end, found.scale, steady=found.mode == SYMMETRIC)
    ended = end < found.rows or any(e.kind == "fake_stable" for e in known)
    return [e for e in events if not (ended and e.provisional)]


def _grown(line: Line, shorts: Sequence[Event]) -> list[Event]:
    """The level at any time since the step has grown, and goes on to: voids, or salt that no reversal gives back."""
    shorted = np.zeros(line.row.size, bool)  # what is back from a short has not grown
    for e in shorts:
        shorted |= (line.row >= e.row) & (line.time_s <= (np.inf if e.end_s is None else e.end_s))
    numbers = np.setdiff1d(np.unique(line.number), np.unique(line.number[shorted]))
    if numbers.size < 4:
        return []
    halves = []  # of each half-cycle: where salt runs out, the later one alone grows
    for n in numbers:
        idx = np.flatnonzero((line.number == n) & (line.error < 0.2))
        h = idx.size // 2
        halves.append([middle(line.level[k]) if k.size >= 2 else np.nan for k in (idx[:h], idx[h:])])
    m = np.min(np.array(halves), axis=1)
    good = np.flatnonzero(np.isfinite(m))
    if good.size < 4:
        return []
    m, numbers = m[good], numbers[good]
    low = int(np.argmin(np.array([middle(m[max(0, k - 1) : k + 2]) for k in range(m.size)])[:-2]))
    base = middle(m[max(0, low - 1) : low + 2])
    if base <= 0:
        return []
    growth = float(min(m[-2:]) / base)
    slow = m.size - low > 2 * th.NOISY_WINDOW
    if growth < (th.CONTACT_AGED if slow else th.CONTACT_GROWTH) or m[-1] < 0.9 * m.max():
        return []
    first = next(k for k in range(low, m.size) if m[k:].min() > 1.08 * base)
    k = int(np.flatnonzero(line.number == numbers[first])[0])
    return [
        Event(
            "contact_loss",
            float(line.time_s[k]),
            int(line.row[k]),
            None,
            float(line.current_A[k]),
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
