"""From a trace to the report document: half-cycles, events, protocol, critical current density, verdict.

The rows go once through the streaming core (`ccd_fastcore`); everything here works on its few records.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypedDict, Unpack

from ccd_fastcore import MODES, RowBlocks, Stream
from ccdmon.analysis.ambient import Ambient, Surroundings
from ccdmon.analysis.ccd import critical_current_density
from ccdmon.analysis.events import Event, reason_of, verdict_of, with_device_events
from ccdmon.analysis.findings import findings, named
from ccdmon.analysis.half_cycles import AT, HalfCycle
from ccdmon.analysis.impedance.comparison import Comparison, compare
from ccdmon.analysis.json_numbers import finite
from ccdmon.analysis.judgement import Judgement, judge
from ccdmon.analysis.level.level_test import LevelTest
from ccdmon.analysis.ocv.standing import has_ocv
from ccdmon.analysis.protocols import recognise
from ccdmon.analysis.segments import half_cycles_of
from ccdmon.analysis.stretches import Stretch
from ccdmon.analysis.unknown_current import Blank
from ccdmon.analysis.whole_test import Seen, open_circuit
from ccdmon.analysis.why.reasons import why
from ccdmon.analysis.why.subject import Subject
from ccdmon.errors import InputError
from ccdmon.model.trace import Cell, Trace

SCHEMA = "ccdmon.report/2"
# Stretches whose blocks are kept, and how many go at once: tests of fewer than all of these together keep all.
FIRST, NEWEST, AT_ONCE = 384, 640, 256
Records = list[Sequence[float]]


class Options(TypedDict, total=False):
    """How a trace is read. `area_cm2` wins over the sidecar's; `impedance` is that before the test against after.

    `device_events` are what a monitoring device tripped on; events less likely than `min_probability` are not told.
    """

    area_cm2: float | None
    impedance: Comparison
    device_events: Sequence[Event]
    min_probability: float


def analyze(trace: Trace, **options: Unpack[Options]) -> dict[str, Any]:
    """The report document (`ccdmon.report/2`) of one trace. Raises InputError as `StreamingAnalysis`."""
    return analyze_chunks([trace], trace.cell, **options)


def analyze_chunks(chunks: Iterable[Trace], cell: Cell, **options: Unpack[Options]) -> dict[str, Any]:
    """As `analyze`, for rows that come in chunks of any size; memory grows with the half-cycles, not the rows."""
    analysis = StreamingAnalysis(cell, **options)
    for chunk in chunks:
        analysis.feed(chunk)
        analysis.look()
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
        self._device_events = options.get("device_events", ())
        self._min_probability = options.get("min_probability", 0.0)
        self._notes: dict[str, None] = {}
        self._cell = cell
        self._mode = MODES.index(cell.configuration) if cell.configuration in MODES else 0
        self._stream = Stream(self._mode)
        self._ambient = Ambient(cell.stated_temperature_degC, cell.stated_pressure_Pa)
        self._segments: Records = []
        self._steps: Records = []
        self._blocks, self._blank = RowBlocks(), Blank()
        self._told: list[bytes] = []  # blocks of the newest segments, those that nobody has looked at
        self._stretches: list[Stretch] = []
        self._level = LevelTest()
        self._let_go_at = FIRST + NEWEST + AT_ONCE
        self._gone, self._seen = 0, Seen()  # before this one, but for the first, all were let go
        self._opened: list[Event] = []  # open circuit, in what was let go
        self.rows = 0

    def feed(self, chunk: Trace) -> None:
        """Take the next rows, any number of them; their `cell` and `source` are not looked at."""
        time_s, volts, amperes = chunk.test_time_s, chunk.voltage_V, chunk.current_A
        segments, steps = self._stream.feed(time_s, volts, amperes, chunk.pressure_Pa)
        self._told += self._blocks.feed(
            time_s, volts, amperes, chunk.temperature_degC, chunk.pressure_Pa, segments, self._stream.running
        )
        self._segments += segments
        self._steps += steps
        self._blank.feed(chunk, self.rows)
        self._ambient.feed(chunk)
        self._notes.update(dict.fromkeys(chunk.notes))
        self.rows += len(chunk)

    def look(self) -> None:
        """Look at the segments that ended since the last look. A report does so, too: this only spreads the work.

        Who feeds a recording asks for reports seldom, and who reads a file has rows to wait for meanwhile.
        """
        told, self._told = self._told, []
        newest = self._segments[len(self._segments) - len(told) :]
        for record, blocks in zip(newest, told, strict=True):
            stretch = Stretch(record, blocks, self._stretches[-1] if self._stretches else None)
            self._stretches.append(stretch)
            self._level.feed(stretch)
            if len(self._stretches) >= self._let_go_at:
                self._let_go()

    def _let_go(self) -> None:
        """Settle what lies far back and keep of it what the core says of whole segments.

        Not of a cell whose V stands on an open-circuit voltage: few cycles of it take weeks.
        """
        stretches, cell = self._stretches, self._cell
        self._let_go_at = len(stretches) + AT_ONCE
        gone, newest = self._gone, len(stretches) - NEWEST
        if has_ocv(stretches[:FIRST], cell.configuration, cell.electrolyte):
            return
        going = stretches[gone:newest]
        self._opened = self._opened or open_circuit(
            going, self._area_cm2, stands=cell.configuration == "half", seen=self._seen
        )
        steps, explain = named(self._steps), Surroundings(stretches).explain
        self._level.settle(FIRST, stretches[newest].first_row, steps, explain)
        for k in range(max(gone, FIRST), newest):
            stretches[k] = stretches[k].let_go(self._segments[k])
        self._gone = newest

    def _ended(self) -> tuple[Records, Records]:
        """The core's last segments and steps, as if the rows ended here."""
        ending = Stream(self._mode)
        ending.restore(self._stream.save())
        return ending.finish()

    def report(self) -> dict[str, Any]:
        """The report document as if the test ended with the last row; the rows go on afterwards as if not asked."""
        return self.snapshot().report()

    def snapshot(self) -> "Snapshot":
        """What is known now, to be reported on later, from another thread too."""
        self.look()
        last_segments, last_steps = self._ended()
        segments, steps = self._segments + last_segments, self._steps + last_steps
        stretches = list(self._stretches)
        for record in last_segments:  # one, of the running segment
            stretches.append(Stretch(record, self._blocks.look(), stretches[-1] if stretches else None))
        level = self._level.ended(stretches[len(self._stretches) :])
        return Snapshot(
            segments, steps, self._mode, self.rows, self._eis, self._cell, self._area_cm2, replace(self._ambient),
            tuple(self._device_events), self._min_probability, tuple(self._notes), stretches, level,
            tuple(self._opened), replace(self._blank),
        )  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """The core's records of a test up to some row, those of the open half-cycle included, and what belongs to them."""

    segments: list[Sequence[float]]
    steps: list[Sequence[float]]
    mode: int
    rows: int
    eis: Comparison
    cell: Cell
    area_cm2: float | None
    ambient: Ambient
    device_events: Sequence[Event]
    min_probability: float
    notes: Sequence[str]
    stretches: Sequence[Stretch]
    level: LevelTest
    opened_before: Sequence[Event]
    blank: Blank

    def report(self) -> dict[str, Any]:
        """The whole report document."""
        half_cycles, judgement = self._found()
        return _document(self, half_cycles, judgement)

    def events(self) -> dict[str, Any]:
        """`events` of the report document alone, in half the time and a fraction of its memory."""
        cleaned: dict[str, Any] = finite(
            {"events": [event.document(self.area_cm2) for event in self._found()[1].events]}
        )
        return cleaned

    @cached_property
    def with_ocv(self) -> bool:
        """Whether V stands on an open-circuit voltage."""
        return has_ocv(self.stretches, self.cell.configuration, self.cell.electrolyte)

    def _found(self) -> tuple[list[HalfCycle], Judgement]:
        ocv = self.with_ocv
        # Where V is held on purpose I is nobody's level; a symmetric cell's compliance is reached, not held.
        held = {s.first_row for s in self.stretches if s.kind == "held" and ocv}
        half_cycles = half_cycles_of([r for r in self.segments if int(r[AT["first_row"]]) not in held])
        found = findings(half_cycles, self.steps, self.mode, self.rows)
        judgement = judge(
            found, self.stretches, self.level, with_ocv=ocv, cell=self.cell, area_cm2=self.area_cm2,
            eis=self.eis, ambient=self.ambient, opened_before=self.opened_before, blank=self.blank,
        )  # fmt: skip
        events = with_device_events(judgement.events, self.device_events, half_cycles)
        events = [event for event in events if event.probability >= self.min_probability]
        reason = None if events else judgement.reason  # a board may have tripped on what the rows do not show
        notes = [*self.notes, *judgement.notes]
        return half_cycles, replace(judgement, events=events, reason=reason, notes=notes)


def _document(test: Snapshot, half_cycles: list[HalfCycle], judgement: Judgement) -> dict[str, Any]:
    area = test.area_cm2
    judged = half_cycles if judgement.reason is None else []  # what is not judged endured nothing
    protocol = recognise(judged)
    ccd = critical_current_density(half_cycles, judgement.events, protocol, area)
    ccd.update(
        temperature_degC=test.ambient.temperature_degC, pressure_MPa=test.ambient.pressure_MPa, area_cm2=area,
        eis=test.eis.verdict,
    )  # fmt: skip
    subject = Subject(
        half_cycles, test.stretches, judgement.events, protocol, ccd, test.cell, area, test.ambient, test.eis,
        test.with_ocv,
    )  # fmt: skip
    document = {
        "schema": SCHEMA,
        "verdict": "not_judged" if judgement.reason is not None else verdict_of(judgement.events),
        "reason": judgement.reason or reason_of(judgement.events),
        "notes": judgement.notes,
        "protocol": protocol.document(area),
        "half_cycles": [],
        "events": [event.document(area) for event in judgement.events],
        "ccd": ccd,
        "why": why(subject),
    }
    cleaned: dict[str, Any] = finite(document)
    cleaned["half_cycles"] = [half_cycle.document(area) for half_cycle in half_cycles]
    return cleaned
