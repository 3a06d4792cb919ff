"""From a trace to the report document: half-cycles, events, protocol, critical current density, verdict.

The rows go once through the streaming core (`ccd_fastcore`); everything here works on its few records.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

from ccd_fastcore import MODES, Stream
from ccdmon.analysis.ambient import Ambient
from ccdmon.analysis.ccd import critical_current_density
from ccdmon.analysis.contact import find_contact_loss, without_recovery
from ccdmon.analysis.events import Event, at_row, verdict_of
from ccdmon.analysis.fake_stable import find_fake_stable, without_formation
from ccdmon.analysis.findings import SYMMETRIC, Findings, findings
from ccdmon.analysis.half_cycles import HalfCycle
from ccdmon.analysis.impedance.comparison import Comparison, compare
from ccdmon.analysis.pressure import with_pressure
from ccdmon.analysis.protocols import recognise
from ccdmon.analysis.segments import half_cycles_of
from ccdmon.analysis.sensors import find_sensor_faults
from ccdmon.analysis.shorts.all_shorts import find_shorts
from ccdmon.errors import InputError
from ccdmon.model.trace import Cell, Trace

SCHEMA = "ccdmon.report/1"


class Options(TypedDict, total=False):
    """How a trace is read. `area_cm2` wins over the sidecar's; `impedance` is that before the test against after.

    `threshold_scale` above 1 asks for more before it tells of a short or contact loss (the campaign's curve;
    `campaign_table.SCALED` says of which thresholds);
    `device_events` are what a monitoring device tripped on.
    """

    area_cm2: float | None
    impedance: Comparison
    threshold_scale: float
    device_events: Sequence[Event]


def analyze(trace: Trace, **options: Unpack[Options]) -> dict[str, Any]:
    """The report document (`ccdmon.report/1`) of one trace. Raises InputError as `StreamingAnalysis`."""
    return analyze_chunks([trace], trace.cell, **options)


def analyze_chunks(chunks: Iterable[Trace], cell: Cell, **options: Unpack[Options]) -> dict[str, Any]:
    """As `analyze`, for rows that come in chunks of any size; memory grows with the half-cycles, not the rows."""
    analysis = StreamingAnalysis(cell, **options)
    for chunk in chunks:
        analysis.feed(chunk)
    return analysis.report()


class StreamingAnalysis:
    """The analysis of a test that is still running: `feed` rows as they come, ask for a `report` at any time.

    Raises InputError for an area that is no area.
    """

    def __init__(self, cell: Cell, **options: Unpack[Options]) -> None:
        area_cm2 = options.get("area_cm2")
        self._area_cm2 = area_cm2 if area_cm2 is not None else cell.electrode_area_cm2
        if self._area_cm2 is not None and not (math.isfinite(self._area_cm2) and self._area_cm2 > 0):
            raise InputError(f"--area-cm2 {self._area_cm2:g}: an electrode area is a number above 0, in cm2")
        self._eis = options.get("impedance") or compare(None, None)
        self._threshold_scale = options.get("threshold_scale", 1.0)
        self._device_events = options.get("device_events", ())
        self._cell = cell
        self._mode = MODES.index(cell.configuration) if cell.configuration in MODES else 0
        self._stream = Stream(self._mode)
        self._ambient = Ambient(cell.stated_temperature_degC, cell.stated_pressure_Pa)
        self._records: Records = ([], [], [])
        self.rows = 0

    def feed(self, chunk: Trace) -> None:
        """Take the next rows, any number of them; their `cell` and `source` are not looked at."""
        columns = (chunk.test_time_s, chunk.voltage_V, chunk.current_A, chunk.pressure_Pa)
        _extend(self._records, self._stream.feed(*columns))
        self._ambient.feed(chunk)
        self.rows += len(chunk)

    def report(self) -> dict[str, Any]:
        """The report document as if the test ended with the last row; the rows go on afterwards as if not asked."""
        return self.snapshot().report()

    def snapshot(self) -> "Snapshot":
        """What is known now, to be reported on later, from another thread too."""
        ending = Stream(self._mode)
        ending.restore(self._stream.save())
        segments, steps, bursts = (
            known + last for known, last in zip(self._records, ending.finish(), strict=True)
        )
        return Snapshot(
            segments, steps, bursts, self._mode, self.rows, self._threshold_scale, self._eis, self._cell,
            self._area_cm2, replace(self._ambient), tuple(self._device_events),
        )  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """The core's records of a test up to some row, those of the open half-cycle included, and what belongs to them."""

    segments: list[Sequence[float]]
    steps: list[Sequence[float]]
    bursts: list[Sequence[float]]
    mode: int
    rows: int
    threshold_scale: float
    eis: Comparison
    cell: Cell
    area_cm2: float | None
    ambient: Ambient
    device_events: Sequence[Event]

    def report(self) -> dict[str, Any]:
        """The whole report document."""
        half_cycles, events = self._found()
        return _document(half_cycles, events, self.area_cm2, self.ambient, self.eis.verdict)

    def events(self) -> dict[str, Any]:
        """`events` of the report document alone, in half the time and a fraction of its memory."""
        cleaned: dict[str, Any] = _finite(
            {"events": [event.document(self.area_cm2) for event in self._found()[1]]}
        )
        return cleaned

    def _found(self) -> tuple[list[HalfCycle], list[Event]]:
        half_cycles = half_cycles_of(self.segments)
        found = findings(half_cycles, self.steps, self.bursts, self.mode, self.rows, self.threshold_scale)
        events = _events(found, self.eis, self.cell, self.ambient)
        return half_cycles, _with_device_events(events, self.device_events, half_cycles)


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


Records = tuple[list[Sequence[float]], list[Sequence[float]], list[Sequence[float]]]


def _extend(records: Records, more: Records) -> None:
    for known, new in zip(records, more, strict=True):
        known.extend(new)


def _events(found: Findings, eis: Comparison, cell: Cell, ambient: Ambient) -> list[Event]:
    """All events in the order of their rows."""
    shorts = find_shorts(found)
    end = next((event.row for event in shorts if event.kind == "hard_short"), found.rows)
    lived = [h for h in found.half_cycles if h.last_row < end]
    fake: list[Event] = []
    if end == found.rows or eis.verdict != "shorted":
        fake = find_fake_stable(lived, eis, found.mode, ambient.temperature_degC)
    events = without_formation(shorts, fake, found.half_cycles)
    contact = _contact(found, cell, [*events, *fake], end)
    events = without_recovery(events, contact) + contact
    # The voltage of a dead cell may stand still.
    events += [event for event in find_sensor_faults(found) if event.row < end]
    pressed = [with_pressure(event, found.half_cycles) for event in events + fake]
    return sorted(pressed, key=lambda event: event.row)


def _contact(found: Findings, cell: Cell, known: list[Event], end: int) -> list[Event]:
    """Contact loss or limit; half-cycles with a soft short in them are no measure of the resistance.

    A growth that a hard short ended was its precursor (review, 2.2.3), and in a cell that is fake stable the leak tells
    nothing of the contact: the provisional event is dropped.
    """
    soft = [event for event in known if event.kind == "soft_short"]
    sound = [h for h in found.half_cycles if not any(_overlaps(h, event) for event in soft)]
    events = find_contact_loss(sound, cell.electrolyte, end, found.scale, steady=found.mode == SYMMETRIC)
    ended = end < found.rows or any(event.kind == "fake_stable" for event in known)
    return [event for event in events if not (ended and event.provisional)]


def _overlaps(h: HalfCycle, event: Event) -> bool:
    return h.last_row >= event.row and (event.end_s is None or h.start_s <= event.end_s)


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


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: null says that a number is not there."""
    if isinstance(value, dict):
        return {
            key: item if type(item) is float and math.isfinite(item) else _finite(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
