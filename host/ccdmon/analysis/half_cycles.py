"""Half-cycles: stretches of constant current, with names and units."""

import math
from array import array
from collections.abc import Sequence
from typing import Any, cast

from ccd_fastcore import SEGMENT_FIELDS, Named
from ccdmon.analysis.json_numbers import finite
from ccdmon.analysis.thresholds import ALIKE

AT = {name: k for k, name in enumerate(SEGMENT_FIELDS)}
_PROFILE = slice(AT["p0_V"], AT["p15_V"] + 1)


class HalfCycle(Named):
    """One stretch of constant current. `charge_C` counts |I|; voltages `_V` are along the current (V sign(I)).

    `after_gap`: it began, or has a hole, where rows are missing; `before_gap`: rows are missing right after it, nobody
    knows how long it went on. `index`, and `cycle` from 1 on, are 0 until `segments` numbers it.
    """

    __slots__ = ()

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
    def slope_V_s(self) -> float:
        """Mean slope of the polarisation, from the rows of `start_V` to the last eight; 0 where too short."""
        profile_V = self.profile_V
        if self.start_V not in profile_V or self.rows < 32:
            return 0.0
        start_row = 1.5 * 2.0 ** profile_V.index(self.start_V) - 0.5
        share = 1.0 - (start_row + 4.5) / self.rows
        return (self.end_V - self.start_V) / (share * self.duration_s) if share * self.duration_s > 0 else 0.0

    def document(self, area_cm2: float | None) -> dict[str, Any]:
        """Its entry in the report; area-specific numbers are null without an area, as are numbers that are none."""
        current_A, charge_C = self.current_A, self.charge_C
        start_ohm, end_ohm = self.resistance_start_ohm, self.resistance_end_ohm
        told = {
            "index": self.index,
            "cycle": self.cycle,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "current_A": current_A,
            "current_density_mA_cm2": per_area(current_A, area_cm2, 1e3),
            "capacity_mAh": charge_C / 3.6,
            "capacity_mAh_cm2": per_area(charge_C, area_cm2, 1 / 3.6),
            "voltage_mean_V": self.voltage_mean_V,
            "resistance_start_ohm": start_ohm,
            "resistance_end_ohm": end_ohm,
            "resistance_start_ohm_cm2": times_area(start_ohm, area_cm2),
            "resistance_end_ohm_cm2": times_area(end_ohm, area_cm2),
            "polarization_slope_V_s": self.slope_V_s,
            "noise_V": self.noise_V,
        }
        whole = math.isfinite(sum(filter(None, told.values())))
        return told if whole else cast(dict[str, Any], finite(told))


def per_area(value: float | None, area_cm2: float | None, scale: float = 1.0) -> float | None:
    """`value * scale` per cm2; None without a value or an area."""
    return None if value is None or area_cm2 is None else value * scale / area_cm2


def times_area(resistance_ohm: float, area_cm2: float | None) -> float | None:
    """Area-specific resistance in ohm cm2; None without an area."""
    return None if area_cm2 is None else resistance_ohm * area_cm2


def same_level(a_A: float, b_A: float) -> bool:
    """Two |currents| of one level."""
    return abs(a_A - b_A) <= ALIKE * max(a_A, b_A)
