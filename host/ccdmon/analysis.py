"""From a trace to the report document: half-cycles, events, protocol, critical current density, verdict.

The rows go once through the streaming core (`ccd_fastcore`); everything here works on its few records.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ccd_fastcore import MODES, Stream
from ccdmon.ccd import critical_current_density
from ccdmon.contact import find_contact_loss
from ccdmon.eis import Comparison, compare_files
from ccdmon.errors import InputError
from ccdmon.events import Event, at_row, verdict_of
from ccdmon.fake_stable import find_fake_stable
from ccdmon.half_cycles import HalfCycle, half_cycles_of
from ccdmon.protocols import recognise
from ccdmon.shorts import Findings, find_shorts, findings
from ccdmon.trace import Cell, FloatArray, Trace

SCHEMA = "ccdmon.report/1"


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
    eis_before: Path | None = None,
    eis_after: Path | None = None,
    device_events: Sequence[Event] = (),
) -> dict[str, Any]:
    """The report document (`ccdmon.report/1`) of one trace; `area_cm2` wins over the sidecar's.

    `eis_before` and `eis_after` are files of impedance spectra. Raises InputError for one that cannot be read.
    """
    return analyze_chunks(
        [trace],
        trace.cell,
        area_cm2=area_cm2,
        eis_before=eis_before,
        eis_after=eis_after,
        device_events=device_events,
    )


def analyze_chunks(
    chunks: Iterable[Trace],
    cell: Cell,
    *,
    area_cm2: float | None = None,
    eis_before: Path | None = None,
    eis_after: Path | None = None,
    device_events: Sequence[Event] = (),
) -> dict[str, Any]:
    """As `analyze`, for rows that come in chunks of any size; memory does not grow with them.

    Raises InputError for an area that is no area, or an impedance file that cannot be read.
    """
    area = area_cm2 if area_cm2 is not None else cell.electrode_area_cm2
    if area is not None and not (math.isfinite(area) and area > 0):
        raise InputError(f"--area-cm2 {area:g}: an electrode area is a number above 0, in cm2")
    eis = compare_files(eis_before and str(eis_before), eis_after and str(eis_after))
    mode = MODES.index(cell.configuration) if cell.configuration in MODES else 0
    stream, ambient = Stream(mode), Ambient()
    records: Records = ([], [], [])
    rows = 0
    for chunk in chunks:
        rows += len(chunk)
        columns = (chunk.test_time_s, chunk.voltage_V, chunk.current_A, chunk.pressure_Pa)
        _extend(records, stream.feed(*columns))
        ambient.feed(chunk)
    _extend(records, stream.finish())
    half_cycles = half_cycles_of(records[0])
    found = findings(half_cycles, records[1], records[2], mode, rows)
    events = _with_device_events(_events(found, eis, cell), device_events, half_cycles)
    return _document(half_cycles, events, area, ambient, eis.verdict)


def _with_device_events(
    events: list[Event], device_events: Sequence[Event], half_cycles: Sequence[HalfCycle]
) -> list[Event]:
    """What a monitoring device tripped on, unless the rows show the same kind of event themselves."""
    known = {event.kind for event in events}
    added = [event for event in device_events if event.kind not in known]
    placed = [replace(event, cycle=_cycle_of(half_cycles, event.row)) for event in added]
    return sorted([*events, *placed], key=lambda event: event.row)


def _cycle_of(half_cycles: Sequence[HalfCycle], row: int) -> int | None:
    half_cycle = at_row(half_cycles, row)
    return None if half_cycle is None else half_cycle.cycle


Records = tuple[list[tuple[float, ...]], list[tuple[float, ...]], list[tuple[float, ...]]]


def _extend(records: Records, more: Records) -> None:
    for known, new in zip(records, more, strict=True):
        known.extend(new)


def _events(found: Findings, eis: Comparison, cell: Cell) -> list[Event]:
    """All events in the order of their rows."""
    shorts = find_shorts(found)
    end = next((event.row for event in shorts if event.kind == "hard_short"), found.rows)
    lived = [h for h in found.half_cycles if h.last_row < end]
    events = shorts + find_contact_loss(found.half_cycles, cell.electrolyte, end)
    hard = any(event.kind == "hard_short" for event in shorts)
    if not (hard and eis.verdict == "shorted"):
        events += find_fake_stable(lived, eis, found.mode)
    return sorted(events, key=lambda event: event.row)


def _document(
    half_cycles: list[HalfCycle], events: list[Event], area: float | None, ambient: Ambient, eis: str
) -> dict[str, Any]:
    protocol = recognise(half_cycles)
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
