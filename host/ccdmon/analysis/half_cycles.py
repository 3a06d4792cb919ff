"""Half-cycles: stretches of constant current, with names and units."""

import math
from array import array
from collections.abc import Sequence
from typing import Any, cast

from ccd_fastcore import SEGMENT_FIELDS
from ccdmon.analysis.thresholds import ALIKE

AT = {name: k for k, name in enumerate(SEGMENT_FIELDS)}
_PROFILE = slice(AT["p0_V"], AT["p15_V"] + 1)


def _number(name: str) -> float:
    at = AT[name]
    return cast(float, property(lambda half_cycle: half_cycle.record[at]))


def _count(name: str) -> int:
    at = AT[name]
    return cast(int, property(lambda half_cycle: int(half_cycle.record[at])))


class HalfCycle:
    """One stretch of constant current. `charge_C` counts |I|; voltages `_V` are along the current (V sign(I)).

    It names the numbers of a record of the core (`SEGMENT_FIELDS`) and holds none itself: a test may have tens of
    thousands.
    """

    __slots__ = ("after_gap", "before_gap", "cycle", "index", "level_A", "record")

    first_row = _count("first_row")
    last_row = _count("last_row")
    rows = _count("rows")
    start_s = _number("start_s")
    end_s = _number("end_s")
    current_A = _number("current_A")  # signed
    charge_C = _number("charge_C")
    voltage_mean_V = _number("voltage_mean_V")  # as measured
    start_V = _number("start_V")
    end_V = _number("end_V")
    noise_V = _number("noise_V")
    highest_V = _number("highest_V")
    rows_highest = _count("rows_highest")
    current_end_A = _number("current_end_A")  # mean of the last rows, along the current
    interval_s = _number("interval_s")
    pressure_start_Pa = _number("pressure_start_Pa")
    pressure_end_Pa = _number("pressure_end_Pa")
    stuck_rows = _count("stuck_rows")  # longest run of one and the same voltage

    def __init__(self, record: Sequence[float], *, after_gap: bool = False, before_gap: bool = False) -> None:
        self.record = record
        self.after_gap = after_gap  # began, or has a hole, where rows are missing
        self.before_gap = before_gap  # rows are missing right after it: nobody knows how long it went on
        self.index, self.cycle = 0, 0  # until `segments` numbers it; cycles from 1
        self.level_A = abs(record[AT["current_A"]])  # |current|

    def changed(self, profile_V: Sequence[float] = (), **numbers: float) -> "HalfCycle":
        """Another with some of the record's numbers changed, not numbered yet."""
        record = array("d", self.record)
        for name, number in numbers.items():
            record[AT[name]] = number
        if profile_V:
            record[_PROFILE] = array("d", profile_V)
        return HalfCycle(record, after_gap=self.after_gap, before_gap=self.before_gap)

    @property
    def profile_V(self) -> Sequence[float]:
        """Mean of rows 2**k - 1 .. 2**(k + 1) - 2 at place k."""
        return self.record[_PROFILE]

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
    def slope_V_s(self) -> float:
        """Mean slope of the polarisation, from the rows of `start_V` to the last eight; 0 where too short."""
        profile_V = self.profile_V
        if self.start_V not in profile_V or self.rows < 32:
            return 0.0
        start_row = 1.5 * 2.0 ** profile_V.index(self.start_V) - 0.5
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


def same_level(a_A: float, b_A: float) -> bool:
    """Two |currents| of one level."""
    return abs(a_A - b_A) <= ALIKE * max(a_A, b_A)
