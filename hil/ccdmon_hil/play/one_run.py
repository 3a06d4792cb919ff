"""One run on one rig: configure, arm, play rows, watch the gate, collect the samples."""

from collections.abc import Callable, Sequence
from typing import Any

from ccdmon.errors import DeviceError, InputError
from ccdmon.model.front_end import FrontEnd
from ccdmon_fw import limits, wire
from ccdmon_hil.play.result import ReplayResult, first_pending_row
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import IDLE, Codes, Source, Target

# Called with (rows played so far, rows in all or None, gate closed?).
Progress = Callable[[int, int | None, bool], None]
# (kind, row) of known events, rows as played.
Events = Sequence[tuple[str, int]]
# Called once the firmware answered, before the gate closes: identity, settings, front end, row interval in s.
OnStart = Callable[[dict[str, Any], list[int], FrontEnd, float], None]
STALL_LIMIT_S = 20.0


def settings_for(
    front_end: FrontEnd, row_interval_s: float, configuration: str = "symmetric", **physical: Any
) -> list[int]:
    """The detector's integers behind a front end; `physical`: as `limits.detector_settings` takes them."""
    try:
        return list(
            limits.detector_settings(
                front_end.voltage_full_scale_V,
                front_end.current_full_scale_A,
                row_interval_s,
                configuration,
                pressure_full_scale_Pa=front_end.pressure_full_scale_Pa,
                **physical,
            )
        )
    except ValueError as error:
        raise InputError(str(error)) from error


def run_rows(
    session: Session,
    source: Source,
    settings: list[int],
    *,
    rows: int | None = None,
    closed_loop: bool = False,
    events: Events = (),
    on_progress: Progress | None = None,
    idle: Sequence[Codes] = (IDLE,),
) -> ReplayResult:
    """Play `source` to the firmware; row 0 is the first sample after the gate closed that the rig can reach.

    `rows` None: until the source ends. `events`: what is known to happen when; without a fitting one, latency
    counts from the row where the firmware's own suspicion began. Raises `DeviceError` where the rig or the
    link to it fails. `idle`: what the converters read while nothing plays, over and over.
    """
    counted = _Counted(source, rows)
    session.target.stand_idle(idle)
    session.configure(_for_rig(session.target, settings, closed_loop))
    crc_errors = _crc_errors(session)
    session.target.play(counted, closed_loop)
    session.arm()
    _collect(session, counted, on_progress)
    if hasattr(session.target, "await_pins"):
        session.target.await_pins()
    if not session.target.edges:
        raise DeviceError(f"rig {session.target.name}: armed, but the gate pin did not close")
    gate_closed = session.target.edges[-1].closed
    trip = _trip(session, events)
    assert counted.rows is not None
    if trip and session.trip and session.trip["sample"] - session.lead >= counted.rows:
        trip, gate_closed = {}, True  # of the zeros after the last row: a full cell that is taken away
    crc_errors = _crc_errors(session) - crc_errors
    session.command(wire.DISARM)
    codes, came = session.codes(counted.rows)
    if trip and trip["first_faulty_row"] is None:
        trip["first_faulty_row"] = first_pending_row(codes[:, 3], trip["trip_row"])
    return ReplayResult(
        rig=session.target.name,
        rows=counted.rows,
        samples_received=int(came.sum()),
        crc_errors=crc_errors,
        gate_closed=gate_closed,
        firmware={name: str(session.identity.get(name)) for name in ("version", "micropython", "board")},
        codes=codes,
        identity=session.identity,
        **trip,
        **_latency_us(session, trip),
    )


def _for_rig(target: Target, settings: list[int], closed_loop: bool) -> list[int]:
    """The settings, with what the rig itself needs of the edge's."""
    needed = target.edge_settings(closed_loop) if hasattr(target, "edge_settings") else {}
    return [needed.get(name, value) for name, value in zip(limits.SETTINGS, settings, strict=True)]


class _Counted:
    """A source that knows how many rows it gave."""

    def __init__(self, source: Source, rows: int | None) -> None:
        self._source = source
        self.rows = rows
        self.given = 0

    def __call__(self, row: int, gate_closed: bool) -> tuple[int, int, int] | None:
        codes = self._source(row, gate_closed)
        if codes is None:
            self.rows = row
        else:
            self.given = row + 1
        return codes


def _collect(session: Session, counted: _Counted, on_progress: Progress | None) -> None:
    progressed_s = session.now_s()
    stall_limit_s = STALL_LIMIT_S * session.patience
    seen = 0
    while counted.rows is None or session.samples_seen < counted.rows:
        session.pump()
        if session.samples_seen > seen:
            seen = session.samples_seen
            progressed_s = session.now_s()
            if on_progress:
                edges = session.target.edges
                on_progress(min(seen, counted.given), counted.rows, bool(edges) and edges[-1].closed)
        elif session.now_s() - progressed_s > stall_limit_s:
            raise DeviceError(
                f"rig {session.target.name}: no sample for {stall_limit_s:.0f} s "
                f"after row {seen} of {counted.rows}"
            )


def _trip(session: Session, events: Events) -> dict[str, Any]:
    """Row, reason and first faulty row of the gate's opening; empty if it stayed closed."""
    opened = next((edge for edge in session.target.edges if not edge.closed), None)
    if opened is None:
        return {}
    session.wait_for_trip()
    session.acknowledge_trip()
    assert session.trip is not None
    trip_row = opened.rows_converted - 1
    reason = limits.REASONS[session.trip["reason"]]
    known = [row for kind, row in events if kind == reason and row <= trip_row]
    return {"reason": reason, "trip_row": trip_row, "first_faulty_row": max(known, default=None)}


def _latency_us(session: Session, trip: dict[str, Any]) -> dict[str, Any]:
    """Time from the first faulty row's sample to the pin's edge, under the name of the rig's clock."""
    target = session.target
    edge = next((edge for edge in target.edges if not edge.closed), None)
    if not trip or edge is None or edge.at_us is None:
        return {}
    sampled_us = target.sampled_us(trip["first_faulty_row"])
    return {} if sampled_us is None else {f"{target.clock}_us": round(edge.at_us - sampled_us, 3)}


def _crc_errors(session: Session) -> int:
    """Frames damaged on the way, either direction."""
    return session.decoder.counts.crc_errors + session.status()["crc_errors"]
