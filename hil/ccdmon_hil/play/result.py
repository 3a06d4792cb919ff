"""What a run on a rig showed, and the contract's document of it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon_fw import detector, limits

SCHEMA = "ccdmon.replay/1"


@dataclass(frozen=True)
class ReplayResult:
    """One run. Rows count from the beginning of the file, also where a window was played.

    `codes` has shape (rows played, 4), uint16: voltage, current, pressure, verdict; a sample that never came
    is zero.
    """

    rig: str
    rows: int
    samples_received: int
    crc_errors: int
    gate_closed: bool  # at the pin, when the rows ended
    firmware: dict[str, str]
    codes: npt.NDArray[np.uint16]
    reason: str | None = None  # of the trip
    trip_row: int | None = None  # the row whose sample moved the pin
    trip_time_s: float | None = None  # test time of that row
    first_faulty_row: int | None = None
    # From the sample instant of the first faulty row to the pin's edge: on an emulator's clock, on a board's.
    virtual_us: float | None = None
    real_us: float | None = None
    file_rows: npt.NDArray[np.intp] | None = field(
        default=None, repr=False
    )  # of those played; None: from 0 on
    identity: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def tripped(self) -> bool:
        """Whether the firmware opened the gate."""
        return self.trip_row is not None

    @property
    def dropped(self) -> int:
        """Rows whose sample never arrived."""
        return self.rows - self.samples_received

    @property
    def verdicts(self) -> npt.NDArray[np.uint16]:
        """The detector's verdict on every row, shape (rows,)."""
        return self.codes[:, 3]

    @property
    def warnings(self) -> list[dict[str, str | int]]:
        """What the detector warned of while the gate was closed: reason, and row in the file, each once it began."""
        rows = np.flatnonzero(
            (self.verdicts & detector.ACTION_MASK) == limits.ACTION_WARN << detector.ACTION_SHIFT
        )
        reasons = self.verdicts[rows] & detector.REASON_MASK
        return [
            {"reason": limits.REASONS[reason], "row": row}
            for row, reason in zip(self._in_file(rows), reasons.tolist(), strict=True)
            if self.trip_row is None or row < self.trip_row
        ]

    def _in_file(self, rows: npt.NDArray[np.intp]) -> list[int]:
        numbers: list[int] = (rows if self.file_rows is None else self.file_rows[rows]).tolist()
        return numbers

    def meets(self, expectation: str) -> bool:
        """Whether `trip`, `no-trip` or the name of a reason is what happened."""
        if expectation == "no-trip":
            return not self.tripped
        return self.tripped and expectation in ("trip", self.reason)

    def document(self) -> dict[str, Any]:
        """`ccdmon.replay/1`."""
        samples = None
        if self.trip_row is not None and self.first_faulty_row is not None:
            samples = self.trip_row - self.first_faulty_row
        return {
            "schema": SCHEMA,
            "rig": self.rig,
            "rows": self.rows,
            "samples_received": self.samples_received,
            "dropped": self.dropped,
            "crc_errors": self.crc_errors,
            "tripped": self.tripped,
            "reason": self.reason,
            "trip_row": self.trip_row,
            "warnings": self.warnings,
            "trip_time_s": self.trip_time_s,
            "gate": "closed" if self.gate_closed else "open",
            "latency": {"samples": samples, "virtual_us": self.virtual_us, "real_us": self.real_us},
            "firmware": self.firmware,
        }


def first_pending_row(verdicts: npt.NDArray[np.uint16], trip_row: int) -> int:
    """First row of the unbroken suspicion that ended in the trip at `trip_row`."""
    row = trip_row
    while row > 0 and verdicts[row - 1] & detector.PENDING:
        row -= 1
    return row
