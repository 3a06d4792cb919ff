"""A healthy recording as a circuit: its stretches, its own resistance, its smooth voltage and the noise on it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ccdmon.model.trace import FloatArray, Trace

SAME_CURRENT = 0.2  # of the largest: rows whose currents differ by less belong to one stretch
SOURCE_V = 1.5  # a cell that never shows less has a source of its own
GROWS = 1.5  # by so much within a stretch, and contact loss is a fair reading of the recording itself
SMOOTHED_ROWS = 9


@dataclass(frozen=True)
class Stretch:
    """Rows [start, stop) of one constant current in A, 0 for a rest."""

    start: int
    stop: int
    current_A: float

    @property
    def rows(self) -> slice:
        return slice(self.start, self.stop)

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Recording:
    """The healthy rows of one trace; rows without voltage or time are left out."""

    name: str
    trace: Trace

    @classmethod
    def of(cls, name: str, trace: Trace, start: int = 0, stop: int | None = None) -> "Recording":
        """The rows [start, stop) of a trace. Raises ValueError for fewer than 40 rows."""
        healthy = trace.rows(start, stop)
        known = np.isfinite(healthy.voltage_V) & np.isfinite(healthy.test_time_s)
        if known.sum() < 40:
            raise ValueError(
                f"{name}: {int(known.sum())} rows; a fault needs some before and after it, 40 at least"
            )
        return cls(
            name,
            Trace(
                healthy.test_time_s[known],
                healthy.voltage_V[known],
                np.nan_to_num(healthy.current_A[known]),
                cell=trace.cell,
            ),
        )

    @cached_property
    def stretches(self) -> list[Stretch]:
        """All rows in stretches; a held voltage, whose current decays, falls into several."""
        current = _running_median(self.trace.current_A)
        near = SAME_CURRENT * float(np.max(np.abs(current)))
        stretches, start = [], 0
        for row in range(1, len(current) + 1):
            if row == len(current) or abs(current[row] - current[start]) > near:
                middle = float(np.median(current[start:row]))
                stretches.append(Stretch(start, row, middle if abs(middle) > near / 2 else 0.0))
                start = row
        return stretches

    @cached_property
    def loaded(self) -> list[Stretch]:
        """Stretches of a dozen rows and more under constant current, those at a held voltage left out."""
        return [s for s in self.stretches if s.current_A and len(s) >= 12 and not self._held(s)]

    def _held(self, stretch: Stretch) -> bool:
        """The voltage stands and the current decays."""
        current, voltage = self.trace.current_A[stretch.rows], self.trace.voltage_V[stretch.rows]
        third = len(stretch) // 3
        decays = abs(np.median(current[:third])) > 1.02 * abs(np.median(current[-third:]))
        return bool(decays and np.ptp(voltage[2:]) < 2e-3 * np.max(np.abs(voltage)))

    @cached_property
    def smooth_V(self) -> FloatArray:
        """The voltage without its noise: a running median within each stretch, shape (rows,)."""
        voltage = self.trace.voltage_V
        smooth = voltage.copy()
        for stretch in self.stretches:
            if len(stretch) > SMOOTHED_ROWS:
                smooth[stretch.rows] = _running_median(voltage[stretch.rows])
        return smooth

    @cached_property
    def noise_V(self) -> FloatArray:
        """What the smoothing left out, shape (rows,)."""
        return self.trace.voltage_V - self.smooth_V

    @cached_property
    def has_source(self) -> bool:
        """The cell has a voltage of its own (a full or a half cell): V does not follow the sign of I."""
        current, voltage = self.trace.current_A, self.smooth_V
        flows = np.abs(current) > SAME_CURRENT * np.max(np.abs(current))
        against = float(np.mean(voltage[flows] * current[flows] < 0))
        return against > 0.2 or float(np.min(np.abs(voltage[flows]))) > SOURCE_V

    @cached_property
    def own_ohm(self) -> FloatArray:
        """The cell's own resistance at each row: |V/I| without a source, the voltage's steps with one."""
        rows = np.arange(len(self.trace))
        if not self.has_source:
            current = self.trace.current_A
            flows = np.zeros(len(rows), dtype=bool)
            for stretch in self.loaded:
                flows[stretch.rows] = True
            return np.interp(rows, rows[flows], np.abs(self.smooth_V[flows] / current[flows]))
        steps = [
            abs((self.smooth_V[s.start] - self.smooth_V[s.start - 1]) / change)
            for s in self.stretches[1:]
            if abs(change := self.trace.current_A[s.start] - self.trace.current_A[s.start - 1])
            > 0.5 * np.max(np.abs(self.trace.current_A))
        ]
        fallback = (
            0.05 * float(np.median(np.abs(self.smooth_V))) / float(np.max(np.abs(self.trace.current_A)))
        )
        return np.full(len(rows), float(np.median(steps)) if steps else fallback)

    @cached_property
    def grows(self) -> bool:
        """Its polarisation grows by itself within a stretch, as before a limiting current or with voids."""
        ratios = [
            abs(self.smooth_V[s.stop - 1]) / max(abs(self.smooth_V[s.start + len(s) // 10]), 1e-9)
            for s in self.loaded
        ]
        return not self.has_source and max(ratios, default=1.0) > GROWS

    @cached_property
    def row_s(self) -> float:
        """The usual time between rows."""
        return float(np.median(np.diff(self.trace.test_time_s)))

    def mirrored(self) -> "Recording":
        """The same cell the other way round: what was plated is stripped."""
        turned = replace(self.trace, voltage_V=-self.trace.voltage_V, current_A=-self.trace.current_A)
        return Recording(f"{self.name}, mirrored", turned)

    def noise_like(self, rows: int, rng: np.random.Generator) -> FloatArray:
        """Noise for rows that the recording does not have, drawn from its own, shape (rows,)."""
        return rng.choice(self.noise_V, rows)


def _running_median(values: FloatArray) -> FloatArray:
    """Median of `SMOOTHED_ROWS` rows around each, shape as given."""
    padded = np.pad(values, SMOOTHED_ROWS // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, SMOOTHED_ROWS)
    return np.asarray(np.median(windows, axis=1))
