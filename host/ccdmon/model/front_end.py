"""The analogue front end between a cell and the converter: volts, amperes and pascals to 16-bit codes and
back.

Codes are what the firmware sees, on every rig the same: a 12-bit converter's reading in the upper bits of 16,
as the Raspberry Pi Pico's own delivers it (`reading << 4`). Voltage and current are offset-binary (zero at
32768), pressure is unipolar. Reading 0 and 4095 are the rails: the firmware takes them for a broken sensor,
so `for_trace` leaves room.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.model.trace import FloatArray, Trace
from ccdmon_fw import wire

CodeArray = npt.NDArray[np.uint16]

READING_MAX = 4095
READING_ZERO = 2048  # of a bipolar channel
CODE_SHIFT = 4  # from the 12-bit reading to the 16-bit code
CODE_ZERO = READING_ZERO << CODE_SHIFT
HEADROOM = 1.1
SMALLEST_FULL_SCALE = 1e-6
CHANNELS = ("voltage", "current", "pressure", "temperature")
VOLTAGE_LIMIT_V = 5.0  # firmware's default limit on |V|
VOLTAGE_FULL_SCALE_PER_LIMIT = 4.0  # beyond the limit is a limit; so far beyond, a wire is off


@dataclass(frozen=True)
class Linear:
    """What calibration knows of a channel: value = gain * nominal value + offset, in the channel's unit."""

    gain: float = 1.0
    offset: float = 0.0

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Linear":
        """From a table with `gain` and `offset`, either may be missing."""
        return cls(table.get("gain", 1.0), table.get("offset", 0.0))

    def value(self, nominal: FloatArray) -> FloatArray:
        """Calibrated values."""
        return self.gain * nominal + self.offset

    def nominal(self, value: FloatArray) -> FloatArray:
        """What an ideal channel would have to see to be taken for `value`."""
        return (value - self.offset) / self.gain


@dataclass(frozen=True)
class FrontEnd:
    """Full scales: voltage and current that reach the rails (either sign), pressure that reaches the upper."""

    voltage_full_scale_V: float
    current_full_scale_A: float
    pressure_full_scale_Pa: float | None = None  # None: no pressure sensor, a constant mid-range code
    voltage: Linear = Linear()
    current: Linear = Linear()
    pressure: Linear = Linear()
    temperature: Linear = Linear()  # of the board, which tells degrees itself

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "FrontEnd":
        """From the table `[front_end]` of a rig file or a run folder."""
        return cls(
            table["voltage_full_scale_V"],
            table["current_full_scale_A"],
            table.get("pressure_full_scale_Pa"),
            *(Linear.from_table(table.get(channel, {})) for channel in CHANNELS),
        )

    @classmethod
    def for_trace(
        cls,
        trace: Trace,
        voltage_full_scale_V: float | None = None,
        current_full_scale_A: float | None = None,
        voltage_limit_V: float = VOLTAGE_LIMIT_V,
    ) -> "FrontEnd":
        """Ranges a bench would choose for this trace: the 1-2-5 step with a tenth of headroom over the
        largest value.

        A given full scale wins. The chosen voltage range never exceeds 4 times the voltage limit.
        """
        pressure = trace.pressure_Pa
        return cls(
            voltage_full_scale_V
            or min(range_step(trace.voltage_V), VOLTAGE_FULL_SCALE_PER_LIMIT * voltage_limit_V),
            current_full_scale_A or range_step(trace.current_A),
            None if pressure is None or not np.isfinite(pressure).any() else range_step(pressure),
        )

    def codes(self, trace: Trace) -> CodeArray:
        """Codes of every row, shape (rows, 3): voltage, current, pressure; an empty field holds the last."""
        return np.column_stack(
            [
                _bipolar_code(self.voltage.nominal(_hold(trace.voltage_V)), self.voltage_full_scale_V),
                _bipolar_code(self.current.nominal(_hold(trace.current_A)), self.current_full_scale_A),
                self._pressure_code(trace),
            ]
        )

    def _pressure_code(self, trace: Trace) -> CodeArray:
        if self.pressure_full_scale_Pa is None or trace.pressure_Pa is None:
            return np.full(len(trace), CODE_ZERO, dtype=np.uint16)
        nominal = self.pressure.nominal(_hold(trace.pressure_Pa))
        reading = np.rint(nominal / self.pressure_full_scale_Pa * (READING_MAX + 1))
        return _code(reading)

    def voltage_V(self, code: npt.NDArray[np.uint16] | int) -> FloatArray:
        """Voltage of a code, V; the inverse of `codes` within half a step."""
        return self.voltage.value(_bipolar_value(code, self.voltage_full_scale_V))

    def current_A(self, code: npt.NDArray[np.uint16] | int) -> FloatArray:
        """Current of a code, A."""
        return self.current.value(_bipolar_value(code, self.current_full_scale_A))

    def pressure_Pa(self, code: npt.NDArray[np.uint16] | int) -> FloatArray:
        """Pressure of a code, Pa; NaN without a pressure sensor."""
        full_scale = math.nan if self.pressure_full_scale_Pa is None else self.pressure_full_scale_Pa
        return self.pressure.value(np.asarray(code, dtype=np.float64) / (1 << 16) * full_scale)

    def temperature_degC(self, tenths: npt.NDArray[np.int16]) -> FloatArray:
        """Temperature of the board as it tells it, shape (n,), degrees Celsius; NaN where it was not measured."""
        measured = np.where(tenths == wire.NO_TEMPERATURE, np.nan, tenths / 10)
        return self.temperature.value(measured)

    def code_of(self, voltage_V: float, current_A: float) -> tuple[int, int, int]:
        """Codes of one sample without a pressure sensor: what a closed loop feeds, sample by sample."""
        voltage = _bipolar_code(self.voltage.nominal(np.array([voltage_V])), self.voltage_full_scale_V)
        current = _bipolar_code(self.current.nominal(np.array([current_A])), self.current_full_scale_A)
        return int(voltage[0]), int(current[0]), CODE_ZERO


def range_step(values: FloatArray) -> float:
    """Smallest of 1, 2, 5 x 10^n with a tenth of headroom over the largest finite |value|."""
    finite = np.abs(values[np.isfinite(values)])
    needed = float(finite.max()) * HEADROOM if finite.size else 0.0
    if needed <= SMALLEST_FULL_SCALE:
        return SMALLEST_FULL_SCALE
    decade = 10.0 ** math.floor(math.log10(needed))
    steps = (float(f"{step * decade:.6g}") for step in (1, 2, 5, 10, 20))
    return next(step for step in steps if step >= needed)


def _hold(values: FloatArray) -> FloatArray:
    """Each non-finite value replaced by the last finite one before it, by zero where there is none."""
    known = np.isfinite(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(last >= 0, values[last], 0.0)


def _bipolar_code(values: FloatArray, full_scale: float) -> CodeArray:
    return _code(np.rint(READING_ZERO + values / full_scale * READING_ZERO))


def _code(reading: FloatArray) -> CodeArray:
    clipped = np.clip(reading, 0, READING_MAX).astype(np.uint16)
    return np.left_shift(clipped, CODE_SHIFT, dtype=np.uint16)


def _bipolar_value(code: npt.NDArray[np.uint16] | int, full_scale: float) -> FloatArray:
    return (np.asarray(code, dtype=np.float64) - CODE_ZERO) / CODE_ZERO * full_scale
