"""From a trace to the report document: half-cycles, events, protocol, critical current density, verdict.

The rows go once through the streaming core (`ccd_fastcore`); everything here works on its few records.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ccd_fastcore import MODES, Stream
from ccdmon.ccd import critical_current_density
from ccdmon.errors import InputError
from ccdmon.half_cycles import Event, HalfCycle, half_cycles_of, number_cycles
from ccdmon.protocols import recognise
from ccdmon.trace import Cell, FloatArray, Trace

SCHEMA = "ccdmon.report/1"
# Half of the impedance gone after the test: a short (the review's own cell, 2.3.2: 70-80 ohm before, 6 after).
EIS_SHORTED_BELOW = 0.5


class Impedance(Protocol):
    """What the verdict needs of an impedance spectrum."""

    @property
    def resistance_ohm(self) -> float:
        """Bulk and interface resistance together, ohm."""


@dataclass
class Ambient:
    """Running means of temperature and pressure over all rows that have them."""

    temperature_sum: float = 0.0
    temperatures: int = 0
    pressure_sum: float = 0.0
    pressures: int = 0

    def feed(self, trace: Trace) -> None:
        """Take a chunk of rows."""
        self.temperature_sum, self.temperatures = _add(
            trace.temperature_degC, self.temperature_sum, self.temperatures
        )
        self.pressure_sum, self.pressures = _add(trace.pressure_Pa, self.pressure_sum, self.pressures)

    @property
    def temperature_degC(self) -> float | None:
        """Mean temperature, None without one."""
        return self.temperature_sum / self.temperatures if self.temperatures else None

    @property
    def pressure_MPa(self) -> float | None:
        """Mean stack pressure, None without one."""
        return self.pressure_sum / self.pressures / 1e6 if self.pressures else None


def analyze(
    trace: Trace,
    *,
    area_cm2: float | None = None,
    eis_before: Impedance | None = None,
    eis_after: Impedance | None = None,
) -> dict[str, Any]:
    """The report document (`ccdmon.report/1`) of one trace; `area_cm2` wins over the sidecar's."""
    return analyze_chunks([trace], trace.cell, area_cm2=area_cm2, eis_before=eis_before, eis_after=eis_after)


def analyze_chunks(
    chunks: Iterable[Trace],
    cell: Cell,
    *,
    area_cm2: float | None = None,
    eis_before: Impedance | None = None,
    eis_after: Impedance | None = None,
) -> dict[str, Any]:
    """As `analyze`, for rows that come in chunks of any size; memory does not grow with them.

    Raises InputError for an area that is no area.
    """
    area = area_cm2 if area_cm2 is not None else cell.electrode_area_cm2
    if area is not None and not (math.isfinite(area) and area > 0):
        raise InputError(f"--area-cm2 {area:g}: an electrode area is a number above 0, in cm2")
    stream = Stream(MODES.index(cell.configuration))
    ambient = Ambient()
    half_records: list[tuple[float, ...]] = []
    event_records: list[tuple[float, ...]] = []
    for chunk in chunks:
        halves, events = stream.feed(chunk.test_time_s, chunk.voltage_V, chunk.current_A)
        half_records += halves
        event_records += events
        ambient.feed(chunk)
    halves, events = stream.finish()
    half_cycles = number_cycles(half_cycles_of(half_records + halves))
    found = _events(event_records + events, half_cycles)
    eis = eis_verdict(eis_before, eis_after)
    if eis == "shorted" and not any(event.kind == "hard_short" for event in found):
        found.append(_fake_stable(half_cycles, eis_before, eis_after))
    return _document(half_cycles, found, area, ambient, eis)


def eis_verdict(before: Impedance | None, after: Impedance | None) -> str:
    """`unvalidated` without a pair, `shorted` when the resistance fell suddenly (review 2.3.2), else `consistent`."""
    if before is None or after is None:
        return "unvalidated"
    return "shorted" if after.resistance_ohm < EIS_SHORTED_BELOW * before.resistance_ohm else "consistent"


def verdict_of(events: Sequence[Event]) -> str:
    """`failed` for a hard short, a fake-stable cell, or an event that reached its limit; `suspect` for any other."""
    if any(event.fatal for event in events):
        return "failed"
    return "suspect" if events else "healthy"


def _events(records: Sequence[tuple[float, ...]], half_cycles: Sequence[HalfCycle]) -> list[Event]:
    events: list[Event] = []
    for recovery, row, time_s, current_A, before_ohm, after_ohm, reference in records:
        if recovery:
            events[-1] = events[-1].recover(time_s, after_ohm)
            continue
        events.append(
            Event(
                kind="hard_short",
                start_s=time_s,
                row=int(row),
                current_A=current_A,
                cycle=next((h.cycle for h in half_cycles if h.first_row <= row <= h.last_row), None),
                evidence={
                    "resistance_before_ohm": before_ohm,
                    "resistance_after_ohm": after_ohm,
                    "ratio": after_ohm / before_ohm if before_ohm else None,
                    "reference": ("running", "earlier half-cycles", "voltage")[int(reference)],
                },
            )
        )
    return events


def _fake_stable(
    half_cycles: Sequence[HalfCycle], before: Impedance | None, after: Impedance | None
) -> Event:
    assert before is not None and after is not None
    first = half_cycles[0] if half_cycles else None
    return Event(
        kind="fake_stable",
        start_s=first.start_s if first else 0.0,
        row=first.first_row if first else 0,
        cycle=first.cycle if first else None,
        current_A=first.current_A if first else 0.0,
        evidence={"eis_before_ohm": before.resistance_ohm, "eis_after_ohm": after.resistance_ohm},
    )


def _document(
    half_cycles: list[HalfCycle], events: list[Event], area: float | None, ambient: Ambient, eis: str
) -> dict[str, Any]:
    protocol = recognise(half_cycles, next((e.row for e in events if e.fatal), None))
    ccd = critical_current_density(half_cycles, events, protocol, area)
    ccd.update(
        temperature_degC=ambient.temperature_degC, pressure_MPa=ambient.pressure_MPa, area_cm2=area, eis=eis
    )
    document = {
        "schema": SCHEMA,
        "verdict": verdict_of(events),
        "protocol": protocol.document(area),
        "half_cycles": [half_cycle.document(area) for half_cycle in half_cycles],
        "events": [event.document(area) for event in events],
        "ccd": ccd,
    }
    cleaned: dict[str, Any] = _finite(document)
    return cleaned


def _add(column: FloatArray | None, total: float, count: int) -> tuple[float, int]:
    if column is None:
        return total, count
    known = column[np.isfinite(column)]
    return math.fsum([total, *known.tolist()]), count + len(known)


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: null says that a number is not there."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
