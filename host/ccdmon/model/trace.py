"""A recorded or simulated trace: one cell, columns of equal length, and what is known of the cell."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.model.kinds import SYMMETRIC

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """What the sidecar says of the cell. `electrode_area_cm2` None: nothing area-specific can be computed."""

    electrode_area_cm2: float | None = None
    configuration: str = SYMMETRIC  # one of kinds.CONFIGURATIONS
    electrolyte: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)  # the whole sidecar, as read
    stated_temperature_degC: float | None = None  # what was set and not measured: no column of a trace
    stated_pressure_Pa: float | None = None

    def with_stated_of(self, other: "Cell") -> "Cell":
        """With the conditions that `other` states and this does not."""
        names = ("stated_temperature_degC", "stated_pressure_Pa")
        lacking = [name for name in names if getattr(self, name) is None]
        return replace(self, **{name: getattr(other, name) for name in lacking})


@dataclass(frozen=True)
class Trace:
    """Columns of one cell's test, each of shape (rows,), float64; NaN marks an empty field.

    `test_time_s` never decreases (repeats are normal); positive `current_A` plates lithium on the counter
    side. Optional columns are None when the source has none.
    """

    test_time_s: FloatArray
    voltage_V: FloatArray
    current_A: FloatArray
    pressure_Pa: FloatArray | None = None
    temperature_degC: FloatArray | None = None
    unix_time_s: FloatArray | None = None
    cycle_count: FloatArray | None = None
    step_count: FloatArray | None = None
    cell: Cell = field(default_factory=Cell)
    source: Path | None = None
    row_numbers: npt.NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()  # what was assumed or left out when the source was read

    def __len__(self) -> int:
        return len(self.test_time_s)

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """The number of each row in its source."""
        return np.arange(len(self)) if self.row_numbers is None else self.row_numbers

    @property
    def source_rows(self) -> int:
        """How many rows the source has."""
        return len(self) if self.row_numbers is None else int(self.row_numbers[-1]) + 1 if len(self) else 0

    def rows(self, start: int, stop: int | None) -> "Trace":
        """The rows [start, stop), all columns; views, no copy."""
        columns: dict[str, Any] = {
            name: None if column is None else column[start:stop]
            for name in COLUMN_FIELDS
            for column in [getattr(self, name)]
        }
        numbers = None if self.row_numbers is None else self.row_numbers[start:stop]
        return Trace(**columns, cell=self.cell, source=self.source, row_numbers=numbers, notes=self.notes)


COLUMN_FIELDS = (
    "test_time_s",
    "voltage_V",
    "current_A",
    "pressure_Pa",
    "temperature_degC",
    "unix_time_s",
    "cycle_count",
    "step_count",
)


def joined(traces: list[Trace]) -> Trace:
    """Traces of one cell one after the other; a column that one of them lacks is NaN there."""
    if len(traces) == 1:
        return traces[0]
    columns: dict[str, Any] = {
        name: np.concatenate([_column(trace, name) for trace in traces])
        for name in COLUMN_FIELDS
        if any(getattr(trace, name) is not None for trace in traces)
    }
    return Trace(**columns, cell=traces[0].cell, source=traces[0].source, notes=traces[0].notes)


def _column(trace: Trace, name: str) -> FloatArray:
    column: FloatArray | None = getattr(trace, name)
    return np.full(len(trace), np.nan) if column is None else column
