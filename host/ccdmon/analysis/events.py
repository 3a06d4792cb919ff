"""What happened to a cell, and what that makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ccdmon.analysis.half_cycles import HalfCycle, per_area
from ccdmon.analysis.probability import probability_of


@dataclass(frozen=True)
class Event:
    """Something that happened to the cell, with the numbers that decided it."""

    kind: str
    start_s: float
    row: int
    cycle: int | None
    current_A: float
    end_s: float | None = None
    recovered: bool = False
    provisional: bool = False
    evidence: dict[str, Any] = field(default_factory=dict)
    failed_row: int | None = None  # where it ended the test, if not where it began
    open: bool = (
        False  # the half-cycles to come may show it as something else; it ends the ramp unless they do
    )

    @property
    def fatal(self) -> bool:
        """Ends the ramp: the contract's rule of `failed`."""
        if self.kind in ("hard_short", "fake_stable"):
            return True
        if self.kind == "contact_loss":
            return not self.provisional and not self.recovered
        return self.kind == "soft_short" and not self.recovered and not self.provisional

    @property
    def probability(self) -> float:
        """That it is real, 0 to 1."""
        return probability_of(self.kind, self.evidence)

    def document(self, area_cm2: float | None) -> dict[str, Any]:
        """Its entry in the report."""
        return {
            "kind": self.kind,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "row": self.row,
            "cycle": self.cycle,
            "current_A": self.current_A,
            "current_density_mA_cm2": per_area(self.current_A, area_cm2, 1e3),
            "recovered": self.recovered,
            "provisional": self.provisional or self.open,
            "probability": self.probability,
            "evidence": self.evidence,
        }


def verdict_of(events: Sequence[Event]) -> str:
    """`failed` for an event that ends the ramp; `suspect` for any other."""
    if any(event.fatal for event in events):
        return "failed"
    return "suspect" if events else "healthy"


def reason_of(events: Sequence[Event]) -> str:
    """What the verdict rests on, in words: the first event that ends the ramp, else how many there are."""
    if not events:
        return "no event was found"
    first = next((event for event in events if event.fatal), None)
    if first is None:
        return f"{len(events)} event{'s' if len(events) > 1 else ''}, none of which ended the test"
    why = first.evidence.get("criterion")
    return f"{first.kind.replace('_', ' ')} from row {first.row} on" + (f": {why}" if why else "")


def at_row(half_cycles: Sequence[HalfCycle], row: int) -> HalfCycle | None:
    """The half-cycle a row lies in, or the last one before it."""
    low, high = 0, len(half_cycles)
    while low < high:
        middle = (low + high) // 2
        if half_cycles[middle].first_row <= row:
            low = middle + 1
        else:
            high = middle
    return half_cycles[low - 1] if low else None


def with_device_events(
    events: list[Event], device_events: Sequence[Event], half_cycles: Sequence[HalfCycle]
) -> list[Event]:
    """What a monitoring device tripped on, unless the rows show the same kind of event themselves."""
    known = {event.kind for event in events}
    added = [event for event in device_events if event.kind not in known]
    placed = [replace(event, cycle=_cycle_of(half_cycles, event.row)) for event in added]
    return sorted([*events, *placed], key=lambda event: event.row)


def _cycle_of(half_cycles: Sequence[HalfCycle], row: int) -> int | None:
    half_cycle = at_row(half_cycles, row)
    return None if half_cycle is None else half_cycle.cycle
