"""What a rig showed after a fault."""

from collections.abc import Sequence
from dataclasses import dataclass

from ccdmon.errors import DeviceError
from ccdmon_fw import limits
from ccdmon_hil.rigs.session import Session

WHOLE = "latched, whole box"
UNTIL_TRIP = "latched, box until the trip"
SINCE_BOOT = "latched, box since the boot"
EMPTY = "latched, empty box"


@dataclass(frozen=True)
class Outcome:
    """What a rig showed after a fault. Losses in samples; `uncounted`: losses and damages that nobody counted."""

    gate: str  # at the pin: "open" or "closed"
    reason: str  # of the first TRIP message, by name; in brackets: of a warning, without a trip
    lost: int
    uncounted: int
    answer: str = ""  # to the command that is the fault, by name
    kept: str = "-"  # of the trip after a reset, see `kept.py`; "-": nothing tripped, or the rig has no flash


def outcome_of(
    session: Session, answer: str, missed_before: int, rows: int | None = None, warnings: Sequence[str] = ()
) -> Outcome:
    """What the rig shows now, of the first so many rows of the run (None: of all that were seen).

    `missed_before`: samples that the decoder had counted as missing when the run began.
    """
    if session.status()["reason"]:
        session.wait_for_trip()
    reason = limits.REASONS[session.trip["reason"]] if session.trip else [*warnings, "none"][0]
    seen = session.samples_seen if rows is None else rows
    lost = seen - int(session.codes(seen)[1].sum())
    counted = session.decoder.counts.missing_samples - missed_before
    gate = "closed" if session.target.edges[-1].closed else "open"
    return Outcome(gate, reason, lost, max(0, lost - counted), answer)


def untouched(session: Session, answer: str) -> Outcome:
    """Of a rig on which nothing was played."""
    return Outcome("closed" if session.status()["gate"] else "open", "none", 0, 0, answer)


def refused(error: DeviceError) -> Outcome:
    """Of a firmware that the host does not take for its own, told in one line."""
    return Outcome("open", "none", 0, 0, which_firmware(error))


def which_firmware(error: DeviceError) -> str:
    """What a host says, in one line, of a firmware that is not its own."""
    lines = str(error).splitlines()
    assert len(lines) == 1
    return "one line: " + ("another firmware" if "runs firmware" in lines[0] else "no firmware of ccdmon")
