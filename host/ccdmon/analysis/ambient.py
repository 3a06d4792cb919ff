"""Temperature and stack pressure of a test: one number each for all of it, and what they may explain of a change."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ccd_fastcore import add_known
from ccdmon.analysis import thresholds as th
from ccdmon.analysis.arrhenius import inverse_eV
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.stretches import Stretch
from ccdmon.model.trace import Trace


@dataclass
class Ambient:
    """Running means of temperature and pressure over all rows that have them; summed row by row, so in any chunks.

    Where no row has one, what was set counts (`stated_...`).
    """

    stated_temperature_degC: float | None = None
    stated_pressure_Pa: float | None = None
    temperature_sum: float = 0.0
    temperatures: int = 0
    pressure_sum: float = 0.0
    pressures: int = 0

    def feed(self, trace: Trace) -> None:
        """Take a chunk of rows."""
        if trace.temperature_degC is not None:
            self.temperature_sum, count = add_known(trace.temperature_degC, self.temperature_sum)
            self.temperatures += count
        if trace.pressure_Pa is not None:
            self.pressure_sum, count = add_known(trace.pressure_Pa, self.pressure_sum)
            self.pressures += count

    @property
    def temperature_degC(self) -> float | None:
        """Mean temperature, else the one set, None without one."""
        return self.temperature_sum / self.temperatures if self.temperatures else self.stated_temperature_degC

    @property
    def pressure_MPa(self) -> float | None:
        """Mean stack pressure, else the one set, None without one."""
        mean_Pa = self.pressure_sum / self.pressures if self.pressures else self.stated_pressure_Pa
        return None if mean_Pa is None else mean_Pa / 1e6


class Surroundings:
    """Temperature and stack pressure over the test, as far as they are known: what they may explain of a change."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._stretches = stretches

    @cached_property
    def _columns(self) -> tuple[Array, Array, Array]:
        """Row, temperature in degC and pressure in Pa of each block; of what was let go those of its middle."""
        if not self._stretches:
            return (np.zeros(0),) * 3
        of_each = [
            (s.row, s.blocks.temperature_degC, s.blocks.pressure_Pa)
            if s.is_kept
            else ([s.first_row], [s.temperature_degC], [s.pressure_Pa])
            for s in self._stretches
        ]
        row, degC, Pa = (np.concatenate(column) for column in zip(*of_each, strict=True))
        return row, degC, Pa

    @property
    def knows_temperature(self) -> bool:
        """Is there a column of it?"""
        return bool(np.isfinite(self._columns[1]).any())

    def explain(self, first_row: float, last_row: float, ratio: float) -> bool:
        """May they have changed the resistance by this ratio between these rows?"""
        if ratio <= 0:
            return False
        room = 0.0
        _, degC, Pa = self._columns
        before_Pa, after_Pa = self._at(Pa, first_row), self._at(Pa, last_row)
        if (
            before_Pa > 0
            and after_Pa > 0
            and abs(after_Pa / before_Pa - 1) > th.ALIKE
            and (after_Pa > before_Pa) == (ratio < 1)
        ):
            room += th.PRESSURE_EXPONENT * abs(math.log(after_Pa / before_Pa))
        before_degC, after_degC = self._at(degC, first_row), self._at(degC, last_row)
        if abs(after_degC - before_degC) > 1 and (after_degC > before_degC) == (ratio < 1):
            room += th.ACTIVATION_eV * abs(inverse_eV(after_degC) - inverse_eV(before_degC))
        return 0.0 < abs(math.log(ratio)) <= room

    def _at(self, column: Array, row: float) -> float:
        """Median around a row; NaN where nothing is known."""
        k = int(np.searchsorted(self._columns[0], row, "right")) - 1
        near = column[max(0, k - 1) : k + 2]
        near = near[np.isfinite(near)]
        return middle(near) if near.size else math.nan
