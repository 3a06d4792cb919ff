"""What really happened in a simulated test: events by row and time, endured and failed current density."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from ccdmon.model.program import Segment
from ccdmon.model.trace import Trace
from ccdmon.simulation.physics import CellModel
from ccdmon.simulation.setup import Setup, loaded_segments

TRUTH_SCHEMA = "ccdmon.truth/1"
# Contact loss begins, for the truth, where voids have raised the cell's resistance by this factor.
CONTACT_LOSS_FACTOR = 1.3
FIRST_VOIDS_FACTOR = 1.08
LEAST_ROWS_AFTER = 16
# A logger may stop a little before the program: a half-cycle is complete with this share of it.
COMPLETE = 0.75


@dataclass
class _Seen:
    row: int
    time_s: float
    segment: Segment
    rows_into_half_cycle: int


class Watch:
    """Follows one run from inside and notes the first row of what the truth file tells."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.fault: _Seen | None = None
        self.fault_end: _Seen | None = None
        self.voids: _Seen | None = None
        self.first_voids: _Seen | None = None
        self.limit: _Seen | None = None
        self.most_growth = 1.0  # of the resistance by voids
        self.outrun: _Seen | None = None  # stripping takes more than diffusion and creep bring (eq. 10, 11)
        self.last: _Seen | None = None
        self.passed_levels: set[int] = set()  # a half-cycle of them ran to its end, its current as planned
        self._segment_row = 0
        self._limited = False

    def see(self, row: int, time_s: float, cell: CellModel, segment: Segment, gate_closed: bool) -> None:
        if self.last is None or self.last.segment is not segment:
            if self.last is not None and not self.last.segment.rest and not self._limited:
                self.passed_levels.add(self.last.segment.level)
            self._segment_row, self._limited = row, False
        self._limited = self._limited or cell.state.limited
        seen = self.last = _Seen(row, time_s, segment, row - self._segment_row)
        fault, now_s = self.setup.fault, cell.state.time_s
        if fault and not segment.rest and gate_closed:
            if self.fault is None and now_s > fault.onset_s:
                self.fault = seen
            if self.fault_end is None and now_s > fault.end_s:
                self.fault_end = seen
        if self.limit is None and cell.state.limited:
            self.limit = seen
        if not segment.rest:
            self._see_voids(seen, cell)
            stripped = 1e3 * abs(cell.state.ionic_A) / self.setup.cell.area_cm2
            if self.outrun is None and stripped > cell.supply_mA_cm2():
                self.outrun = seen

    def _see_voids(self, seen: _Seen, cell: CellModel) -> None:
        whole = cell.ionic_ohm()
        lost = sum(cell.interface_ohm(k) * (1 - cell.contact(k)) for k in (0, 1))
        growth = whole / (whole - lost)
        self.most_growth = max(self.most_growth, growth)
        if growth > FIRST_VOIDS_FACTOR and self.first_voids is None:
            # They began to grow with this half-cycle.
            self.first_voids = replace(seen, row=self._segment_row)
        if growth > CONTACT_LOSS_FACTOR and self.voids is None:
            self.voids = seen

    def first_suspect_row(self) -> int | None:
        """From this row on a careful reader may say something: earlier than the event where a fault grows."""
        early = self.fault if self.setup.fault else self.first_voids
        return early.row if early else None

    def precursor_row(self) -> int | None:
        """From this row on voids precede a hard short, and contact loss is a fair reading."""
        found = "precursor_growth" in self.setup.conditions and self.first_voids
        return found.row if found else None


def truth_document(watch: Watch, trace: Trace) -> dict[str, Any]:
    """The truth file's content, plain JSON types."""
    setup = watch.setup
    events = _events(watch)
    return {
        "schema": TRUTH_SCHEMA,
        "scenario": setup.scenario,
        "seed": setup.seed,
        "class": _class(setup, events),
        "rows": len(trace),
        "first_faulty_row": events[0]["row"] if events else None,
        "first_suspect_row": watch.first_suspect_row(),
        "levels_seen": watch.last.segment.level + 1 if watch.last else 0,
        "levels_passed": len(watch.passed_levels),
        "undecidable": _undecidable(watch, trace, events),
        "half_cycles_before": _half_cycles_before(watch),
        "precursor_row": watch.precursor_row(),
        "cycles_seen": watch.last.segment.cycle + 1 if watch.last else 0,
        "settling_rows": _settling_rows(setup),
        "events": events,
        "ccd": _ccd(watch, events),
        "stripping": _stripping(watch),
        "protocol": {
            "kind": setup.program.kind,
            "levels_mA_cm2": list(setup.program.levels_mA_cm2),
            "half_cycle_s": setup.program.half_cycle_s,
            "half_cycle_mAh_cm2": setup.program.half_cycle_mAh_cm2,
            "cycles_per_level": setup.program.cycles_per_level,
        },
        "parameters": _parameters(setup),
    }


def _class(setup: Setup, events: list[dict[str, Any]]) -> str:
    if setup.class_ in ("limit", "healthy"):
        return events[0]["kind"] if events else "healthy"
    return setup.class_


def _half_cycles_before(watch: Watch) -> int:
    """Whole half-cycles before the fault; all of the program without one."""
    onset_s = watch.setup.fault.onset_s if watch.setup.fault else math.inf
    return sum(start_s + s.duration_s <= onset_s for s, start_s in loaded_segments(watch.setup))


def _stripping(watch: Watch) -> dict[str, Any]:
    """The first level that stripped more than was supplied, None if none did, its row, and what voids made of R."""
    seen = watch.outrun
    levels = watch.setup.program.levels_mA_cm2
    return {
        "critical_mA_cm2": levels[seen.segment.level] if seen else None,
        "row": seen.row if seen else None,
        "growth": watch.most_growth,
    }


def _undecidable(watch: Watch, trace: Trace, events: list[dict[str, Any]]) -> str | None:
    """Why nobody could tell the event from the rows of this trace, None if one can."""
    if not events:
        return None
    event, settling_rows = events[0], _settling_rows(watch.setup)
    second = event["cycle"] == 0 and watch.fault is not None and watch.fault.segment.half == 1
    if event["kind"] == "partial_short" and second and event["rows_into_half_cycle"] <= settling_rows:
        return (
            "in the first reversal: a fresh cell conditions there by as much, and nothing before it compares"
        )
    if event["kind"] == "contact_loss" and len(trace) - event["row"] < LEAST_ROWS_AFTER:
        return f"fewer than {LEAST_ROWS_AFTER} rows follow, and growth needs some to be seen"
    return None


def _settling_rows(setup: Setup) -> int:
    """Rows after a step until the interfaces have charged (three time constants), at least 2."""
    return max(2, math.ceil(3 * setup.cell.interface_tau_s / setup.instrument.row_interval_s))


def _events(watch: Watch) -> list[dict[str, Any]]:
    if watch.fault is not None and watch.setup.fault is not None:
        return [_event(watch.setup.fault.kind, watch.fault, watch.fault_end)]
    # Whatever the scenario wanted: a cell whose voids outgrew their healing has lost contact.
    if watch.voids is not None and watch.setup.class_ in ("contact_loss", "healthy"):
        return [_event("contact_loss", watch.voids, None) | {"reached_limit": watch.limit is not None}]
    if watch.setup.class_ == "limit" and watch.limit is not None:
        return [_event("limit", watch.limit, None)]
    return []


def _event(kind: str, seen: _Seen, end: _Seen | None) -> dict[str, Any]:
    return {
        "kind": kind,
        "row": seen.row,
        "start_s": seen.time_s,
        "end_row": end.row if end else None,
        "end_s": end.time_s if end else None,
        "recovered": end is not None,
        "cycle": seen.segment.cycle,
        "level": seen.segment.level,
        "rows_into_half_cycle": seen.rows_into_half_cycle,
        "current_density_mA_cm2": seen.segment.current_density_mA_cm2,
    }


def _ccd(watch: Watch, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Last level endured, level failed in (contract: a partial or recovered soft short ends nothing)."""
    levels = watch.setup.program.levels_mA_cm2
    failing = [e for e in events if _ends_the_ramp(e)]
    if failing:
        level = failing[0]["level"]
        if failing[0]["kind"] == "contact_loss" and watch.limit is not None:
            level = watch.limit.segment.level
        return {
            "endured_mA_cm2": levels[level - 1] if level else None,
            "failed_at_mA_cm2": levels[level],
            "lower_bound": False,
            "limited_by": failing[0]["kind"],
        }
    return {
        "endured_mA_cm2": levels[_last_complete_level(watch)],
        "failed_at_mA_cm2": None,
        "lower_bound": True,
        "limited_by": None,
    }


def _ends_the_ramp(event: dict[str, Any]) -> bool:
    if event["kind"] == "contact_loss":
        return bool(event["reached_limit"])
    return event["kind"] in ("hard_short", "fake_stable") or (
        event["kind"] == "soft_short" and not event["recovered"]
    )


def _last_complete_level(watch: Watch) -> int:
    """The last level whose last half-cycle is in the recording, or nearly all of it."""
    assert watch.last is not None
    level = watch.last.segment.level
    last, start_s = [(s, t) for s, t in loaded_segments(watch.setup) if s.level == level][-1]
    complete = watch.last.time_s >= start_s + COMPLETE * last.duration_s
    return level if complete else max(level - 1, 0)


def _parameters(setup: Setup) -> dict[str, Any]:
    parts = {
        "cell": setup.cell,
        "instrument": setup.instrument,
        "chamber": setup.chamber,
        "fault": setup.fault,
        "excitation": setup.excitation,
    }
    found = {name: _plain(part) for name, part in parts.items() if part is not None}
    rests = sorted({s.duration_s for s in setup.program.segments if s.rest})
    return found | {
        "configuration": setup.configuration,
        "electrolyte": setup.electrolyte.name,
        "rests_s": rests,
        "gaps_s": [list(gap) for gap in setup.gaps_s],
        **setup.conditions,
    }


def _plain(part: Any) -> dict[str, Any]:
    """A dataclass as JSON types; JSON has no infinity: it becomes null ("never")."""
    values = asdict(part)
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}
