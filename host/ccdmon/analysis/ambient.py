"""Temperature and stack pressure of a test as one number each."""

from dataclasses import dataclass

from ccd_fastcore import add_known
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
