"""What is left of a trip after a reset: gate open at the pin, the same trip latched, its black box to be read."""

from dataclasses import replace
from typing import Any

from ccdmon.link.device import RefusedError
from ccdmon_fw import wire
from ccdmon_hil.faults.black_box import Codes, read_box
from ccdmon_hil.faults.outcome import EMPTY, SINCE_BOOT, UNTIL_TRIP, WHOLE, Outcome
from ccdmon_hil.rigs.session import Session

EACH_SIDE = 256  # samples of a whole box until the trip, and after it
BOX_MS = 3_000  # of the board's uptime, until a black box is on flash: it waits 2 s for samples
Box = tuple[dict[str, int], dict[int, Codes]]


def with_kept(session: Session, outcome: Outcome) -> Outcome:
    """The outcome with what is kept of its trip; as it was where nothing tripped. The rig is one with a `restart`."""
    if outcome.reason == "none" or outcome.reason.startswith("("):
        return outcome
    return replace(outcome, kept=_kept(session))


def _kept(session: Session) -> str:
    rig: Any = session.target
    before = session.status()
    written = _written_box(session, before["trip_id"])
    rig.restart()
    session.device.identify()
    status = session.status()
    if session.target.edges[-1].closed or status["gate"]:
        return "gate closed"
    if any(status[name] != before[name] for name in ("trip_id", "reason")):
        return "not latched"
    try:
        session.command(wire.ARM)
        return "armed"
    except RefusedError as refused:
        if refused.result != "latched":
            return refused.result
    try:
        box = read_box(session, before["trip_id"])
    except RefusedError as refused:
        return f"latched, {refused.result}"
    if box[0]["reason"] != before["reason"] or written not in (None, box) or not _as_streamed(session, *box):
        return "latched, another box"
    return _extent(*box)


def _written_box(session: Session, trip_id: int) -> Box | None:
    """The black box as soon as it is on flash; None where that does not come."""
    until_ms = session.status()["uptime_ms"] + BOX_MS
    while session.status()["uptime_ms"] < until_ms:
        try:
            return read_box(session, trip_id)
        except RefusedError:
            continue  # samples are still to come
    return None


def _as_streamed(session: Session, head: dict[str, int], codes: dict[int, Codes]) -> bool:
    """Whether each sample of the box is what came over the wire, as far as that came."""
    return all(
        codes.get(part.first_sample + n, tuple(seen)) == tuple(seen)
        for part in session.samples
        if part.run == head["run"]
        for n, seen in enumerate(part.codes.tolist())
    )


def _extent(head: dict[str, int], codes: dict[int, Codes]) -> str:
    """Which samples the box holds, the one of the trip being the last of those before."""
    before = sum(number <= head["sample"] for number in codes)
    after = len(codes) - before
    if not codes:
        return EMPTY
    if after == EACH_SIDE and (before == EACH_SIDE or min(codes) == 0):
        return WHOLE if before == EACH_SIDE else SINCE_BOOT
    return UNTIL_TRIP if (before, after) == (EACH_SIDE, 0) else f"latched, box of {before} + {after}"
