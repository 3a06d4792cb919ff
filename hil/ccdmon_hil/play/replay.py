"""Replays on a rig, and the front door of all rigs: what the entry point `ccdmon.rigs` loads for the verbs.

    from ccdmon.rigs import load_rigs
    rigs = load_rigs()                                    # this module

    rigs.replay(trace, rig="unix") -> ReplayResult        # .document() is the contract's ccdmon.replay/1
    rigs.replay(trace, rig="pico", image=F, start=2200, stop=2300, on_bytes=recorder.feed, on_progress=show)

    live = ccdmon.simulation.simulate.open_cell("hard_short", 7)
    loop = rigs.run_closed_loop(live.next_row, front_end, rig="pico", row_interval_s=1.0,
                                configuration="symmetric", on_bytes=recorder.feed, on_progress=show)
    loop.result        ReplayResult, trip_row counts the rows of the loop
    loop.rows          list of what `live.next_row` returned, one per firmware sample
    rigs.best_rig()    "pico" if an image is at hand or comes in seconds, else "unix"

`next_row(gate_closed)` returns an object with `test_time_s`, `voltage_V` and `current_A`, or None after the
last row. It is asked once per firmware sample, in lock-step: once the pin has opened it is asked with False,
and no current may flow. After the gate opened, `rows_after_trip` more rows are played, then the run ends.

`on_bytes(data)` gets the telemetry exactly as received; `on_progress(row, rows_or_None, gate_closed)` at most
once per frame. `on_start(identity, settings, front_end, row_interval_s)` is called once the firmware has
answered, before the gate closes: what a recorder needs for `run.toml`. All errors are
`ccdmon.errors.InputError` or `DeviceError`.
"""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ccdmon.errors import InputError
from ccdmon.model.front_end import CodeArray, FrontEnd
from ccdmon.model.trace import Trace
from ccdmon_hil.play.closed_loop import LoopResult, run_closed_loop
from ccdmon_hil.play.imperfect import Imperfect
from ccdmon_hil.play.one_run import Events, OnStart, Progress, run_rows, settings_for
from ccdmon_hil.play.result import ReplayResult
from ccdmon_hil.rigs.drag_image import drag_image
from ccdmon_hil.rigs.image import build_into_cache, find_image, vouched
from ccdmon_hil.rigs.open_rig import best_rig, open_session
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Codes

IDLE_ROWS = 64  # what stands at the converters before the first row repeats after so many samples
__all__ = [
    "LoopResult",
    "ReplayResult",
    "best_rig",
    "build_into_cache",
    "detector_settings",
    "drag_image",
    "find_image",
    "open_session",
    "replay",
    "replay_on",
    "run_closed_loop",
    "vouched",
]


def detector_settings(trace: Trace, front_end: FrontEnd, **physical: Any) -> list[int]:
    """The detector's integers for a trace, by its configuration and median row interval."""
    if physical.get("pressure_limit_Pa") is not None and front_end.pressure_full_scale_Pa is None:
        raise InputError(f"{trace.source or 'trace'}: no pressure was measured that a limit could hold for")
    try:
        return settings_for(
            front_end,
            row_interval_s(trace),
            trace.cell.configuration,
            **{"area_cm2": trace.cell.electrode_area_cm2} | physical,
        )
    except InputError as error:
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
    imperfect: str = "",
    **physical: Any,
) -> ReplayResult:
    """Feed the rows [start, stop) of a trace to the firmware on a rig, one sample per row, and tell what it
    did.

    The gate's opening does not stop the rows: the trace is played to its end. Rows without a voltage or a current are
    left out. `imperfect`: the front end's errors, as
    `--imperfect` takes them (`imperfect.py`); `InputError` for what it does not know. `physical`: limits, as keyword
    arguments of `ccdmon_fw.limits.detector_settings`.
    """
    with open_session(rig, image=image, port=port, on_bytes=on_bytes) as session:
        return replay_on(
            session, trace, start=start, stop=stop, on_start=on_start, on_progress=on_progress,
            front_end=front_end, imperfect=imperfect, **physical,
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
    imperfect: str | Imperfect = "",
    **physical: Any,
) -> ReplayResult:
    """As `replay`, on a rig that runs already: booting once serves many traces."""
    window = trace.rows(start, stop)
    if not len(window):
        raise InputError(f"{trace.source or 'trace'}: no rows in {start}:{stop}, it has {len(trace)}")
    front_end = front_end or FrontEnd.for_trace(trace)
    settings = detector_settings(trace, front_end, **physical)
    errors = imperfect if isinstance(imperfect, Imperfect) else Imperfect.parse(imperfect)
    known = known_rows(trace)
    known = known[(known >= start) & (known < start + len(window))]
    if not known.size:
        raise InputError(f"{trace.source or 'trace'}: no row in {start}:{stop} has a voltage and a current")
    rows = _codes(errors.codes(front_end, trace)[known])
    if on_start:
        on_start(session.identity, settings, front_end, row_interval_s(trace))
    result = run_rows(
        session,
        lambda row, _: rows[row] if row < len(rows) else None,
        settings,
        rows=len(rows),
        events=[
            (kind, int(np.searchsorted(known, row)))
            for kind, row in _known_events(trace.source)
            if row >= start
        ],
        on_progress=on_progress,
        idle=_codes(errors.idle(front_end, IDLE_ROWS)),
    )
    return _in_file(result, trace, known)


def known_rows(trace: Trace) -> npt.NDArray[np.intp]:
    """The rows that are samples, shape (n,): a row without a voltage or a current is one that nobody measured."""
    return np.flatnonzero(np.isfinite(trace.voltage_V) & np.isfinite(trace.current_A))


def _codes(table: CodeArray) -> list[Codes]:
    return [tuple(row) for row in table.tolist()]


def _in_file(result: ReplayResult, trace: Trace, known: npt.NDArray[np.intp]) -> ReplayResult:
    """The result with its rows counted from the beginning of the file."""
    result = dataclasses.replace(result, file_rows=known)
    if result.trip_row is None or result.first_faulty_row is None:
        return result
    row = int(known[result.trip_row])
    return dataclasses.replace(
        result,
        trip_row=row,
        trip_time_s=float(trace.test_time_s[row]),
        first_faulty_row=int(known[result.first_faulty_row]),
    )


def _known_events(source: Path | None) -> Events:
    """(kind, row) of the events in the truth file beside a simulated trace, if there is one."""
    if source is None:
        return []
    truth = source.with_name(source.name.split(".bdf.")[0] + ".truth.json")
    try:
        events = json.loads(truth.read_text())["events"]
        return [(str(event["kind"]), int(event["row"])) for event in events]
    except (OSError, ValueError, KeyError, TypeError):
        return []
