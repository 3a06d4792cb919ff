"""Half-cycles: the core's segments with names and units, scans and offsets in rests left out, pieces joined."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ccd_fastcore import SEGMENT_FIELDS
from ccdmon.thresholds import (
    COMPLETE,
    LEAST_REST_ROWS,
    MERGED,
    OFFSET_CURRENT,
    ONE_LEVEL,
    SCAN_CHARGE,
    SHORT_TIME,
    SMALLEST_CURRENT,
)

_AT = {name: k for k, name in enumerate(SEGMENT_FIELDS)}
_PROFILE = slice(_AT["p0_V"], _AT["p15_V"] + 1)


@dataclass(frozen=True)
class HalfCycle:
    """One stretch of constant current. `charge_C` counts |I|; voltages `_V` are along the current (V sign(I))."""

    index: int
    cycle: int  # from 1
    first_row: int
    last_row: int
    rows: int
    start_s: float
    end_s: float
    current_A: float  # signed
    charge_C: float
    voltage_mean_V: float  # as measured
    start_V: float
    end_V: float
    noise_V: float
    highest_V: float
    rows_highest: int
    current_end_A: float  # mean of the last rows, along the current
    after_gap: bool  # began, or has a hole, where rows are missing
    interval_s: float
    pressure_start_Pa: float
    pressure_end_Pa: float
    stuck_rows: int  # longest run of one and the same voltage
    profile_V: tuple[float, ...]  # mean of rows 2**k - 1 .. 2**(k + 1) - 2
    before_gap: bool = False  # rows are missing right after it: nobody knows how long it went on

    @cached_property
    def level_A(self) -> float:
        """|current|."""
        return abs(self.current_A)

    @cached_property
    def log_profile(self) -> tuple[float, ...]:
        """ln of `profile_V`; NaN where that is no number above zero."""
        return tuple(math.log(v) if 0 < v < math.inf else math.nan for v in self.profile_V)

    @property
    def duration_s(self) -> float:
        """Charge over current: nearer to the program than the times of the rows at either end."""
        return self.charge_C / self.level_A if self.level_A else 0.0

    @property
    def resistance_start_ohm(self) -> float:
        """After settling."""
        return self.start_V / self.level_A if self.level_A else math.nan

    @property
    def resistance_end_ohm(self) -> float:
        """Of the last rows."""
        return self.end_V / self.level_A if self.level_A else math.nan

    @property
    def resistance_mean_ohm(self) -> float:
        """Of the whole half-cycle, by its size."""
        return abs(self.voltage_mean_V) / self.level_A if self.level_A else math.nan

    @property
    def rise(self) -> float:
        """Growth of V within the half-cycle over its end."""
        return (self.end_V - self.start_V) / self.end_V if self.end_V > 0 else 0.0

    @property
    def slope_V_s(self) -> float:
        """Mean slope of the polarisation, from the rows of `start_V` to the last eight; 0 where too short."""
        if self.start_V not in self.profile_V or self.rows < 32:
            return 0.0
        start_row = 1.5 * 2.0 ** self.profile_V.index(self.start_V) - 0.5
        share = 1.0 - (start_row + 4.5) / self.rows
        return (self.end_V - self.start_V) / (share * self.duration_s) if share * self.duration_s > 0 else 0.0

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
            "polarization_slope_V_s": self.slope_V_s,
            "noise_V": self.noise_V,
        }


def per_area(value: float | None, area_cm2: float | None, scale: float = 1.0) -> float | None:
    """`value * scale` per cm2; None without a value or an area."""
    return None if value is None or area_cm2 is None else value * scale / area_cm2


def times_area(resistance_ohm: float, area_cm2: float | None) -> float | None:
    """Area-specific resistance in ohm cm2; None without an area."""
    return None if area_cm2 is None else resistance_ohm * area_cm2


def half_cycles_of(records: Sequence[tuple[float, ...]]) -> list[HalfCycle]:
    """The core's segment records that are half-cycles, joined and numbered."""
    loaded: list[HalfCycle] = []
    for k, record in enumerate(records):
        if record[_AT["sign"]] == 0 or record[_AT["current_A"]] == 0:
            continue
        cut = k + 1 < len(records) and bool(records[k + 1][_AT["after_gap"]])
        loaded.append(_half_cycle(record, _after_gap(records, k), cut))
    return _numbered(_joined(_without_scans(loaded)))


def _after_gap(records: Sequence[tuple[float, ...]], k: int) -> bool:
    """Does a hole come before it? A row or two right after the hole may be means across a reversal."""
    before = records[k - 1] if k else None
    crumb = before is not None and before[_AT["rows"]] < 3 and bool(before[_AT["after_gap"]])
    return crumb or bool(records[k][_AT["after_gap"]])


def _half_cycle(record: tuple[float, ...], after_gap: bool, before_gap: bool) -> HalfCycle:
    def at(name: str) -> float:
        return record[_AT[name]]

    return HalfCycle(
        0, 0, int(at("first_row")), int(at("last_row")), int(at("rows")), at("start_s"), at("end_s"),
        at("current_A"), at("charge_C"), at("voltage_mean_V"), at("start_V"), at("end_V"), at("noise_V"),
        at("highest_V"), int(at("rows_highest")), at("current_end_A"), after_gap, at("interval_s"),
        at("pressure_start_Pa"), at("pressure_end_Pa"), int(at("stuck_rows")), record[_PROFILE], before_gap,
    )  # fmt: skip


def _without_scans(loaded: list[HalfCycle]) -> list[HalfCycle]:
    """Without what scans, offsets and noise leave in rests; noise beside noise goes when its neighbour has gone."""
    while True:
        kept: list[HalfCycle] = []
        for h, later in zip(loaded, _next_larger(loaded), strict=True):
            beside = [x for x in (kept[-1] if kept else None, later) if x is not None]
            if _goes_on(h, kept) or not any(_is_scan(h, x) for x in beside):
                kept.append(h)
        if len(kept) == len(loaded):
            return kept
        loaded = kept


def _goes_on(h: HalfCycle, kept: Sequence[HalfCycle]) -> bool:
    """The rest of a half-cycle behind a hole, however little it is beside the levels to come."""
    last = kept[-1] if kept else None
    return (
        last is not None
        and h.after_gap
        and h.current_A * last.current_A > 0
        and same_level(h.level_A, last.level_A)
    )


def _is_scan(h: HalfCycle, beside: HalfCycle) -> bool:
    if h.level_A < OFFSET_CURRENT * beside.level_A or (
        h.rows < 3 and h.charge_C < OFFSET_CURRENT * beside.charge_C
    ):
        return True
    goes_on = (
        0 < h.first_row - beside.last_row <= LEAST_REST_ROWS and h.current_A * beside.current_A > 0
    )  # a current gives way
    if h.charge_C < SCAN_CHARGE * beside.charge_C and not (same_level(h.level_A, beside.level_A) or goes_on):
        return h.first_row < beside.first_row or h.level_A < beside.level_A
    return h.level_A < SMALLEST_CURRENT * beside.level_A and h.duration_s < SHORT_TIME * beside.duration_s


def _next_larger(loaded: Sequence[HalfCycle]) -> list[HalfCycle | None]:
    """For each segment the next one that moves five times its charge."""
    found: list[HalfCycle | None] = []
    ahead: list[HalfCycle] = []  # later segments, each larger than all between it and here; the nearest last
    for h in reversed(loaded):
        while ahead and ahead[-1].charge_C <= h.charge_C:
            ahead.pop()
        low, high = 0, len(ahead)
        while low < high:  # charges fall towards the end: the last one above the bound is the nearest
            middle = (low + high) // 2
            low, high = (middle + 1, high) if ahead[middle].charge_C > 5 * h.charge_C else (low, middle)
        found.append(ahead[low - 1] if low else None)
        ahead.append(h)
    return found[::-1]


def _joined(loaded: list[HalfCycle]) -> list[HalfCycle]:
    """Pieces of one half-cycle put together: holes in the data, and a current that gives way at the limit."""
    joined: list[HalfCycle] = []
    for k, h in enumerate(loaded):
        last = joined[-1] if joined else None
        if last is not None and _one(last, h, loaded[max(0, k - 8) : k + 9]):
            joined[-1] = _together(last, h)
        else:
            joined.append(h)
    return joined


def _one(a: HalfCycle, b: HalfCycle, around: Sequence[HalfCycle]) -> bool:
    if a.current_A * b.current_A < 0:
        return False
    near = same_level(a.level_A, b.level_A)
    if b.first_row - a.last_row <= 3 and not b.after_gap:
        gives_way = b.level_A < a.level_A and b.highest_V >= 0.98 * a.highest_V and b.end_V > 0.9 * a.end_V
        return near or gives_way or min(a.rows, b.rows) < 4
    # Across a hole: a half-cycle of the other sign may hide in it, as long as the longest of this level is.
    longest_s = max(h.duration_s for h in [a, b, *around] if same_level(h.level_A, a.level_A))
    if near and b.start_s - a.end_s < COMPLETE * longest_s:
        return True
    # Or all of it together is no longer than a whole half-cycle of this charge or this time.
    middle = len(around) // 2
    charge_s = sorted(h.charge_C for h in around)[middle] / a.level_A
    time_s = sorted(h.duration_s for h in around)[middle]
    return near and b.end_s - a.start_s <= MERGED * max(longest_s, charge_s, time_s) + 2 * b.interval_s


def same_level(a_A: float, b_A: float) -> bool:
    """Two |currents| of one level."""
    return abs(a_A - b_A) <= ONE_LEVEL * max(a_A, b_A)


def _together(a: HalfCycle, b: HalfCycle) -> HalfCycle:
    rows = a.rows + b.rows
    hole_s = max(b.start_s - a.end_s, 0.0)
    long = a if a.rows >= b.rows else b
    start = a if a.rows >= 8 else long
    return replace(
        a,
        last_row=b.last_row,
        rows=rows,
        end_s=b.end_s,
        # The program's current is the one before it gave way.
        current_A=a.current_A if a.rows >= 4 and a.level_A > b.level_A else _mean_A(a, b),
        charge_C=a.charge_C + b.charge_C + 0.5 * (a.level_A + b.level_A) * max(hole_s - b.interval_s, 0.0),
        voltage_mean_V=(a.voltage_mean_V * a.rows + b.voltage_mean_V * b.rows) / rows,
        start_V=start.start_V,
        end_V=b.end_V if b.rows >= 4 else a.end_V,
        noise_V=long.noise_V,
        highest_V=max(a.highest_V, b.highest_V),
        rows_highest=a.rows_highest + b.rows_highest if b.highest_V > 0.99 * a.highest_V else a.rows_highest,
        current_end_A=b.current_end_A,
        pressure_end_Pa=b.pressure_end_Pa,
        profile_V=start.profile_V,
        after_gap=a.after_gap or b.after_gap,
        before_gap=b.before_gap,
    )


def _mean_A(a: HalfCycle, b: HalfCycle) -> float:
    return (a.current_A * a.rows + b.current_A * b.rows) / (a.rows + b.rows)


def _numbered(half_cycles: list[HalfCycle]) -> list[HalfCycle]:
    """Two half-cycles of opposite sign are a cycle; one that finds no partner is a cycle of its own."""
    numbered: list[HalfCycle] = []
    paired = True
    for index, h in enumerate(half_cycles):
        last = numbered[-1] if numbered else None
        new = paired or last is None or last.current_A * h.current_A > 0
        paired = not new
        cycle = (last.cycle if last else 0) + (1 if new else 0)
        numbered.append(_placed(h, index, cycle))
    return numbered


def _placed(h: HalfCycle, index: int, cycle: int) -> HalfCycle:
    """As `replace`, which takes five times as long: a test may have tens of thousands."""
    placed = object.__new__(HalfCycle)
    vars(placed).update(vars(h), index=index, cycle=cycle)
    return placed
