"""The emulated Pico with Python of ours in its firmware, pins that we set and power that fails, on a steady cell."""

import operator
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ccdmon.errors import DeviceError
from ccdmon_fw import wire
from ccdmon_hil.faults.outcome import Outcome, outcome_of
from ccdmon_hil.faults.stages.stage import Stage
from ccdmon_hil.rigs.breakable import pico as breakable
from ccdmon_hil.rigs.breakable.hooks import hook, settings
from ccdmon_hil.rigs.breakable.pico import HookedTarget, open_hooked, run_for
from ccdmon_hil.rigs.image import find_image
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import IDLE, Codes

QUICK = {"self_test_ms": 20, "overrun_limit": 20}
OPENS_WITHIN_S = 3.0  # virtual
Act = Callable[[Session, HookedTarget], str]


@dataclass(frozen=True)
class OnPico(Stage):
    """`python` runs inside the firmware, or `act` is done to the rig and gives an answer; `mend` is Python again.

    `valued`: the answer is the value that the trip tells. `streamed`: every sample is sent. `welded`: current flows
    on when the gate is open.
    """

    python: str = ""
    act: Act | None = None
    mend: str = ""
    settings: dict[str, int] = field(default_factory=dict)
    valued: bool = False
    streamed: bool = False
    welded: bool = False

    @contextmanager
    def opened(self, rig: str, image: Path | None) -> Iterator[Session]:  # noqa: ARG002  # there is one
        """A chip that has booted."""
        with closing(open_hooked(find_image(image))) as session:
            yield session

    def bring_about(self, session: Session, *, opens: bool) -> Outcome:
        """On a chip that is booted; what some faults leave (flash, watchdog, heap) is why each has its own."""
        rig = _rig(session)
        session.configure(settings(**QUICK | self.settings))
        mode = wire.EVERY_SAMPLE if self.streamed else wire.EVENTS_ONLY
        session.command(wire.STREAM, wire.pack(wire.STREAM, mode, 0))
        rig.play(lambda row, gate_closed: _healthy(row) if gate_closed or self.welded else IDLE)
        session.arm()
        run_for(session, 3_000)
        missed = session.decoder.counts.missing_samples
        if self.python:
            hook(session, self.python)
        answer = self.act(session, rig) if self.act else ""
        if opens:
            wait_for_opening(session)
        found = outcome_of(session, answer, missed)
        return (
            replace(found, answer=f"value {session.trip['value']}") if self.valued and session.trip else found
        )

    def mended(self, session: Session) -> None:
        """The chip as it was, so that a test may bring several about on one."""
        rig = _rig(session)
        if rig.edges[-1].closed:
            session.command(wire.DISARM)
        rig.contact = operator.not_
        rig.move_contact()
        rig.play(lambda _row, _closed: IDLE)
        rig.set_converters(IDLE)  # until the gate closes again
        if self.mend:
            hook(session, self.mend + "\nedge._configure(True)")


def _rig(session: Session) -> HookedTarget:
    assert isinstance(session.target, HookedTarget)
    return session.target


def _healthy(row: int) -> Codes:
    """A steady cell whose rows the pressure tells apart."""
    return (40000, 40000, 1600 + 16 * (row % 3000))


def wait_for_opening(session: Session) -> None:
    """Until the gate's pin has opened, or should have long ago."""
    try:
        breakable.wait_for_opening(session, OPENS_WITHIN_S)
    except DeviceError:
        return  # the pin tells
