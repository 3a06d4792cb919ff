"""Hard, partial and soft shorts (Lu et al. 2021, 2.2.3), from the core's steps and bursts and between half-cycles.

A step is a sudden drop of V inside a half-cycle. Deep: hard short. Slight, and it lasts, and V is as quiet as before:
partial short. A burst is a stretch where V swings up and down more than it used to while its mean is lower: soft short,
recovered when the swinging ends and the resistance is back. A short that happens in a reversal or while V still
settles shows no step; it shows when the half-cycle is compared, position by position, with the one before of the same
sign (`boundaries`).
"""

from collections.abc import Sequence
from dataclasses import replace

from ccdmon.analysis.events import Event, at_row
from ccdmon.analysis.findings import Findings
from ccdmon.analysis.shorts.hard import hard_shorts
from ccdmon.analysis.shorts.noisy_half_cycles import noisy_half_cycles
from ccdmon.analysis.shorts.partial import partial_shorts, within
from ccdmon.analysis.shorts.soft import soft_shorts, touch
from ccdmon.analysis.voltage_limit import limits


def find_shorts(found: Findings) -> list[Event]:
    """All shorts of a trace in the order of their rows; nothing is reported after a hard short that stays."""
    hard = hard_shorts(found)
    first = min((event.row for event in hard if event.fatal), default=found.rows)
    first = min(first, _limit_row(found))
    found = replace(found, steps=[step for step in found.steps if step["row"] < first])
    soft = [event for event in soft_shorts(found) if event.row < first - 3]
    partial = [event for event in partial_shorts(found, soft, first) if event.row < first - 3]
    known = [*soft, *partial]
    noisy = [
        event for event in noisy_half_cycles(found, first) if not any(_covers(e, event, found) for e in known)
    ]
    partial = [event for event in partial if not any(within(event, soft) for soft in noisy)]
    events = _without_doubles(sorted([*hard, *soft, *noisy, *partial], key=lambda event: event.row), found)
    return [event for event in events if event.row <= first or event.kind == "hard_short"]


def _limit_row(found: Findings) -> int:
    """From here on the cycler held the voltage: what V or I do then is no short."""
    limit = next(limits(found.half_cycles), None)
    return found.rows if limit is None else limit.row


def _covers(known: Event, noisy: Event, found: Findings) -> bool:
    """Is it the same fluctuation, told by the rows themselves? They place it better than the half-cycle does."""
    h = at_row(found.half_cycles, noisy.row)
    if known.kind == "partial_short":
        return h is not None and h.first_row <= known.row <= h.last_row
    return h is not None and known.row <= h.last_row and (known.end_s is None or h.start_s <= known.end_s)


def _without_doubles(events: Sequence[Event], found: Findings) -> list[Event]:
    """One soft short is one event, however many drops it has."""
    kept: list[Event] = []
    for event in events:
        last = kept[-1] if kept else None
        soft = last is not None and event.kind == last.kind == "soft_short"
        if last is not None and soft and (touch(last, event, found) or event.start_s <= (last.end_s or 0.0)):
            ends = [e.end_s for e in (last, event) if e.end_s is not None]
            recovered = event.recovered
            kept[-1] = replace(last, end_s=max(ends) if recovered and ends else None, recovered=recovered)
        else:
            kept.append(event)
    return kept
