"""What the reasons are read from: the records of one test, as the rest of the analysis leaves them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ccdmon.analysis.ambient import Ambient
from ccdmon.analysis.events import Event
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.impedance.comparison import Comparison
from ccdmon.analysis.protocols import TestProtocol
from ccdmon.analysis.stretches import Stretch
from ccdmon.model.kinds import SHORTS
from ccdmon.model.trace import Cell

Told = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """One test. `area_cm2` None: what is per area is None; `stretches` are those with rows, rests included."""

    half_cycles: Sequence[HalfCycle]
    stretches: Sequence[Stretch]
    events: Sequence[Event]
    protocol: TestProtocol
    ccd: Told  # the report's
    cell: Cell
    area_cm2: float | None
    ambient: Ambient
    eis: Comparison
    with_ocv: bool  # V stands on an open-circuit voltage: V / I is no resistance

    @property
    def loaded(self) -> list[Stretch]:
        """Stretches at constant current that last: scans and pulses of a hundredth of the charge are left out."""
        most_C = max((s.charge_C for s in self.stretches), default=0.0)
        return [
            s for s in self.stretches if s.kind == "current" and s.count >= 4 and s.charge_C > 0.02 * most_C
        ]

    @cached_property
    def ends_row(self) -> float:
        """The row from which a short carries current: what comes later says nothing of the cell's own."""
        kinds = (*SHORTS, "sensor_fault")
        return min((float(e.row) for e in self.events if e.kind in kinds), default=float("inf"))


def told(section: str, text: str, **numbers: Any) -> Told:
    """One finding: a line of text, the section of the review (Adv. Funct. Mater. 2021, 31, 2009925), its numbers."""
    return {"section": section, "text": text, **numbers}


def plain(value: float, unit: str = "", digits: int = 3) -> str:
    """A number for a line of text."""
    return f"{value:.{digits}g} {unit}".strip()
