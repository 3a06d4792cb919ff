"""The rig `unix` with Python of ours in its firmware, and a flash that outlives it, while a steady cell is played."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from ccdmon.errors import DeviceError
from ccdmon_hil.faults.outcome import Outcome, outcome_of, refused
from ccdmon_hil.faults.stages.stage import Stage
from ccdmon_hil.rigs.breakable.hooks import settings
from ccdmon_hil.rigs.breakable.unix import HookedUnix
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import IDLE, Codes

ROWS = 1000
HALF_WAY = 500
TOLD_TWICE_ROWS = 3_000 * 4  # virtual 3 s: an alarm that comes each second comes again
Act = Callable[[Session, HookedUnix], str]


@dataclass(frozen=True)
class OnUnix(Stage):
    """`act` is done half-way, armed, and gives the answer; `before` is Python that runs before the firmware.

    `stays`: rows go on afterwards, to `rows`; False: `act` has ended the replay. `welded`: current flows on when the
    gate is open.
    """

    act: Act
    before: str = ""
    settings: dict[str, int] = field(default_factory=dict)
    rows: int = ROWS
    stays: bool = True
    welded: bool = False

    @contextmanager
    def opened(self, rig: str, image: Path | None) -> Iterator[Session]:  # noqa: ARG002  # there is one
        """Not started: the host may refuse who answers."""
        with TemporaryDirectory(prefix="ccdmon-flash-") as folder:
            session = Session(HookedUnix(Path(folder), self.before))
            try:
                yield session
            finally:
                session.close()

    def bring_about(self, session: Session, *, opens: bool) -> Outcome:  # noqa: ARG002  # the rows end anyway
        """Start the firmware, play the cell, act half-way."""
        try:
            session.start()
            return self._played(session)
        except DeviceError as error:
            if session.device.identity and not session.target.edges:  # refused by the host, before anything
                return refused(error)
            raise

    def _played(self, session: Session) -> Outcome:
        rig = session.target
        assert isinstance(rig, HookedUnix)
        session.configure(settings(**self.settings))
        rig.play(self._cell(), closed_loop=True)
        session.arm()
        missed = session.decoder.counts.missing_samples
        pump_to(session, HALF_WAY)
        answer = self.act(session, rig)
        if self.stays:
            pump_to(session, self.rows)
        return outcome_of(session, answer, missed)

    def _cell(self) -> Callable[[int, bool], Codes | None]:
        """A steady cell whose rows the pressure tells apart; no current flows while the gate is open."""

        def source(row: int, gate_closed: bool) -> Codes | None:
            if row >= self.rows + TOLD_TWICE_ROWS * self.welded:
                return None
            flows = gate_closed or self.welded
            return (40000 + 16 * (row % 5), 40000, 1600 + row % 50_000) if flows else IDLE

        return source


def pump_to(session: Session, rows: int) -> None:
    """Until so many rows were seen; `DeviceError` where they do not come."""
    for reached in [*range(session.samples_seen + HALF_WAY, rows, HALF_WAY), rows]:
        session.device.wait(lambda reached=reached: session.samples_seen >= reached, f"with row {reached}")  # type: ignore[misc]
