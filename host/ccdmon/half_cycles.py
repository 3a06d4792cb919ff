"""Half-cycles: stretches of constant current, with names and units."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ccdmon.thresholds import ONE_LEVEL


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


def same_level(a_A: float, b_A: float) -> bool:
    """Two |currents| of one level."""
    return abs(a_A - b_A) <= ONE_LEVEL * max(a_A, b_A)
