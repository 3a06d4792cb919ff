"""A simulated healthy trace that is replayed: faults in its rows, on the wire, in commands.

On `unix` and `pico` each fault has a firmware of its own. The loop is closed, so that the firmware is never ahead of
the host by more than a frame, and what is done half-way is done there. A board stays, and is configured anew; its rows
are fewer and sent ahead.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from ccdmon.errors import DeviceError
from ccdmon.link.decoder import Message
from ccdmon.model.trace import Trace
from ccdmon.simulation.simulate import simulate
from ccdmon_fw import limits
from ccdmon_hil.faults.outcome import Outcome, outcome_of, untouched
from ccdmon_hil.faults.stages.stage import Stage
from ccdmon_hil.play.as_wired import as_wired
from ccdmon_hil.play.replay import detector_settings
from ccdmon_hil.rigs.breakable.unix import HookedUnix
from ccdmon_hil.rigs.open_rig import open_session
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import IDLE, Codes, Source
from ccdmon_hil.rigs.wire_tap import FrameFault, WireTap

ROWS = 1000  # two and a half half-cycles
HALF_WAY = 500
SILENT_S = 120.0  # of the rig's time, else of the machine's: an emulated board may be crowded
SEED = 10_000
VOLTAGE, CURRENT, PRESSURE = 0, 1, 2  # columns
Table = npt.NDArray[np.uint16]  # shape (rows, 3): codes


@dataclass(frozen=True)
class Part:
    """The rows [start, stop) of the trace that are played; `closed_loop`: each waits for the answer to the last."""

    start: int = 0
    stop: int = ROWS
    closed_loop: bool = True

    @property
    def rows(self) -> int:
        """How many."""
        return self.stop - self.start


ALL = Part()


@dataclass(frozen=True)
class Played(Stage):
    """`rows` changes the table of codes in place; `frames` is set while armed; `command` is given half-way, armed.

    `fresh`: the command is given to a firmware that was never configured. `rows_after`: half-way, of those that show
    what comes of it, where a rig plays no more than these.
    """

    rows: Callable[[Table], None] | None = None
    frames: Callable[[], FrameFault] | None = None
    command: Callable[[Session], str] | None = None
    fresh: bool = False
    rows_after: int = 200
    settings: dict[str, int] = field(default_factory=dict)
    part: Part = ALL

    def around_half_way(self) -> "Played":
        """For a board: each row is dear, and they are sent ahead."""
        return replace(self, part=Part(HALF_WAY - 120, HALF_WAY + self.rows_after, closed_loop=False))

    @contextmanager
    def opened(self, rig: str, image: Path | None) -> Iterator[Session]:
        """Behind a `WireTap`; on `unix` with a flash that outlives the firmware."""
        with ExitStack() as opened:
            if rig == "unix":
                folder = opened.enter_context(TemporaryDirectory(prefix="ccdmon-flash-"))
                session = Session(WireTap(HookedUnix(Path(folder))))
                opened.callback(session.close)
                session.start()
            else:
                session = opened.enter_context(open_session(rig, image=image, tap=WireTap))
            yield session

    def bring_about(self, session: Session, *, opens: bool = True) -> Outcome:  # noqa: ARG002  # the rows end anyway
        """Behind a `WireTap`, on a firmware that has just started or is to be configured anew."""
        part = self.part
        table, settings = _healthy(self.settings)
        if self.rows:
            self.rows(table)
        if self.fresh:
            assert self.command
            return untouched(session, self.command(session))
        tap = session.target
        assert isinstance(tap, WireTap)
        session.configure(settings)
        tap.play(_source(table[part.start : part.stop], part.closed_loop), part.closed_loop)
        session.arm()
        missed = session.decoder.counts.missing_samples
        tap.disturb(self.frames() if self.frames else None)
        warnings = _pump_to(session, HALF_WAY - part.start)
        answer = self.command(session) if self.command else ""
        warnings += _pump_to(session, part.rows)
        tap.disturb(None)
        return outcome_of(session, answer, missed, part.rows, warnings)


def _pump_to(session: Session, rows: int) -> list[str]:
    """Until so many rows were seen; what was warned of meanwhile, in brackets. `DeviceError` where none comes."""
    warnings = []
    seen, since_s = session.samples_seen, session.now_s()
    while session.samples_seen < rows:
        if session.samples_seen > seen:
            seen, since_s = session.samples_seen, session.now_s()
        elif session.now_s() - since_s > SILENT_S:
            raise DeviceError(f"rig {session.target.name}: no sample for {SILENT_S:.0f} s after row {seen}")
        for event in session.pump():
            if (
                isinstance(event, Message)
                and event.name == "event"
                and event.fields["action"] == limits.ACTION_WARN
            ):
                warnings.append(f"({limits.REASONS[event.fields['reason']]})")
    return warnings


def _source(table: Table, closed_loop: bool) -> Source:
    """In a closed loop no current flows, and no voltage stands, while the gate is open."""
    rows: list[Codes] = [(row[VOLTAGE], row[CURRENT], row[PRESSURE]) for row in table.tolist()]

    def source(row: int, gate_closed: bool) -> Codes | None:
        if row >= len(rows):
            return None
        return rows[row] if gate_closed or not closed_loop else IDLE

    return source


def _healthy(changed: dict[str, int]) -> tuple[Table, list[int]]:
    """Codes of a healthy cell through the wiring as it is built, and the settings that fit them."""
    trace = _trace()
    front_end, errors, calibrated = as_wired(trace, SEED)
    settings = detector_settings(trace, front_end, **calibrated)
    for name, value in changed.items():
        settings[limits.SETTINGS.index(name)] = value
    return np.array(errors.codes(front_end, trace), dtype=np.uint16), settings


@cache
def _trace() -> Trace:
    return simulate("healthy", SEED, max_rows=4 * ROWS).trace
