"""Half-cycles and events: the core's records with names, units and their place in the report."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ccd_fastcore import HALF_CYCLE_FIELDS

# Below this part of the largest current it is an offset or a scan in a rest, not a half-cycle.
SMALLEST_CURRENT = 0.02
SMALLEST_ROWS = 2
# Parts of the typical half-cycle's time and charge: what is below both is an excitation, not a half-cycle.
SMALLEST_TIME = 0.1
SMALLEST_CHARGE = 0.05
FATAL = ("hard_short", "fake_stable", "limit")


@dataclass(frozen=True)
class HalfCycle:
    """One stretch of constant current. `charge_C` counts |I|; resistances are V sign(I) / |I|."""

    index: int
    cycle: int  # from 1
    first_row: int
    last_row: int
    rows: int
    start_s: float
    end_s: float
    current_A: float
    charge_C: float
    voltage_mean_V: float
    resistance_start_ohm: float
    resistance_end_ohm: float
    noise_V: float

    @property
    def duration_s(self) -> float:
        """From its first row to the first row after it."""
        return self.end_s - self.start_s

    def document(self, area_cm2: float | None) -> dict[str, Any]:
        """Its entry in the report; area-specific numbers are null without an area."""
        return {
            "index": self.index,
            "cycle": self.cycle,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "current_A": self.current_A,
            "current_density_mA_cm2": per_area(self.current_A, area_cm2, 1e3),
            "capacity_mAh": self.charge_C / 3.6,
            "capacity_mAh_cm2": per_area(self.charge_C, area_cm2, 1 / 3.6),
            "voltage_mean_V": self.voltage_mean_V,
            "resistance_start_ohm": self.resistance_start_ohm,
            "resistance_end_ohm": self.resistance_end_ohm,
            "resistance_start_ohm_cm2": times_area(self.resistance_start_ohm, area_cm2),
            "resistance_end_ohm_cm2": times_area(self.resistance_end_ohm, area_cm2),
            "noise_V": self.noise_V,
        }


@dataclass(frozen=True)
class Event:
    """Something that happened to the cell, with the numbers that decided it."""

    kind: str
    start_s: float
    row: int
    cycle: int | None
    current_A: float
    end_s: float | None = None
    provisional: bool = False
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def recovered(self) -> bool:
        """The cell came back."""
        return self.end_s is not None

    @property
    def fatal(self) -> bool:
        """Ends the ramp: the cell failed here."""
        return self.kind in FATAL and not self.provisional

    def recover(self, end_s: float, resistance_ohm: float) -> "Event":
        """The same event, over at `end_s`. A short that heals was a soft one (review, 2.2.3)."""
        evidence = {**self.evidence, "resistance_recovered_ohm": resistance_ohm}
        return replace(self, kind="soft_short", end_s=end_s, evidence=evidence)

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
            "provisional": self.provisional,
            "evidence": self.evidence,
        }


def per_area(value: float | None, area_cm2: float | None, scale: float = 1.0) -> float | None:
    """`value * scale` per cm2; None without a value or an area."""
    return None if value is None or area_cm2 is None else value * scale / area_cm2


def times_area(resistance_ohm: float, area_cm2: float | None) -> float | None:
    """Area-specific resistance in ohm cm2; None without an area."""
    return None if area_cm2 is None else resistance_ohm * area_cm2


def half_cycles_of(records: Sequence[tuple[float, ...]]) -> list[HalfCycle]:
    """The core's records that are half-cycles; cycles are not numbered yet."""
    all_of_them = [_half_cycle(dict(zip(HALF_CYCLE_FIELDS, record, strict=True))) for record in records]
    largest = max((abs(h.current_A) for h in all_of_them), default=0.0)
    kept = [h for h in all_of_them if h.rows >= SMALLEST_ROWS and abs(h.current_A) >= SMALLEST_CURRENT * largest]
    typical = _typical(kept)
    return [
        replace(h, index=index)
        for index, h in enumerate(h for h in kept if typical is None or not _excitation(h, typical))
    ]


def _half_cycle(record: dict[str, float]) -> HalfCycle:
    counts = {name: int(record.pop(name)) for name in ("first_row", "last_row", "rows")}
    return HalfCycle(index=0, cycle=0, **counts, **record)


def _typical(half_cycles: Sequence[HalfCycle]) -> HalfCycle | None:
    """The half-cycle in whose middle half of all charge had passed: scans carry next to none."""
    half_C = sum(h.charge_C for h in half_cycles) / 2
    passed_C = 0.0
    for half_cycle in sorted(half_cycles, key=lambda h: h.duration_s):
        passed_C += half_cycle.charge_C
        if passed_C >= half_C:
            return half_cycle
    return None


def _excitation(half_cycle: HalfCycle, typical: HalfCycle) -> bool:
    return (
        half_cycle.duration_s < SMALLEST_TIME * typical.duration_s
        and half_cycle.charge_C < SMALLEST_CHARGE * typical.charge_C
    )


def number_cycles(half_cycles: Sequence[HalfCycle]) -> list[HalfCycle]:
    """Two half-cycles of opposite sign are a cycle; one that finds no partner is a cycle of its own."""
    numbered: list[HalfCycle] = []
    for half_cycle in half_cycles:
        last = numbered[-1] if numbered else None
        paired = len(numbered) > 1 and numbered[-2].cycle == numbered[-1].cycle
        opposite = last is not None and last.current_A * half_cycle.current_A < 0
        cycle = 1 if last is None else last.cycle + (0 if opposite and not paired else 1)
        numbered.append(replace(half_cycle, cycle=cycle))
    return numbered
