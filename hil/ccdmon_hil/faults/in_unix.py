"""Faults inside the firmware of the rig `unix`, on its flash and with its host, while a healthy trace is replayed.

As in `replay_faults.py` each has a firmware of its own, here with a flash that outlives it (`unix_hooked.py`). Longer
than 250 lines: the table, and what it is made of.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ccdmon.errors import DeviceError
from ccdmon.link.decoder import Message
from ccdmon.link.device import RefusedError
from ccdmon_fw import limits, wire
from ccdmon_hil.faults.black_box import compare_box, streamed
from ccdmon_hil.faults.fault import Fault, Outcome, which_firmware
from ccdmon_hil.faults.kept import with_kept
from ccdmon_hil.rigs.breakable.hooks import hook, in_fragments, settings, trip_in_fragments
from ccdmon_hil.rigs.breakable.unix import SEND_WITHOUT_WAITING, HookedUnix
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Codes

IDLE: Codes = (32768, 32768, 32768)
ROWS = 1000
HALF_WAY = 500
STALL_S = 10.0
STALL_PERIOD_us = (
    2_500  # ten seconds at 400 Hz; at 4 kHz they would take ten times the rows, and show no more
)
TRIP_AND_BOX = 300  # rows after a trip until its black box is written
TOLD_TWICE_ROWS = 3_000 * 4  # virtual 3 s: an alarm that comes each second comes again
RING_SAMPLES = 1024  # as in firmware/ccdmon_fw/app.py
Act = Callable[[Session, HookedUnix], str]


@dataclass(frozen=True)
class Inside:
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


def run(fault: Fault) -> Outcome:
    """Bring the fault about on a firmware of its own."""
    how = fault.inject
    assert isinstance(how, Inside)
    with tempfile.TemporaryDirectory(prefix="ccdmon-flash-") as folder:
        rig = HookedUnix(Path(folder), how.before)
        session = Session(rig)
        try:
            session.start()
            return with_kept(session, _run(session, rig, how))
        except DeviceError as error:
            if session.device.identity and not rig.edges:  # refused by the host, before anything
                return Outcome("open", "none", 0, 0, which_firmware(error))
            raise
        finally:
            session.close()


def _run(session: Session, rig: HookedUnix, how: Inside) -> Outcome:
    session.configure(settings(**how.settings))
    rig.play(_cell(how), closed_loop=True)
    session.arm()
    missed = session.decoder.counts.missing_samples
    pump_to(session, HALF_WAY)
    answer = how.act(session, rig)
    if how.stays:
        pump_to(session, how.rows)
    if session.status()["reason"]:
        session.device.wait(lambda: session.trip is not None, "why it opened the gate")
    reason = limits.REASONS[session.trip["reason"]] if session.trip else "none"
    lost = session.samples_seen - int(session.codes(session.samples_seen)[1].sum())
    counted = session.decoder.counts.missing_samples - missed
    return Outcome("closed" if rig.edges[-1].closed else "open", reason, lost, max(0, lost - counted), answer)


def _cell(how: Inside) -> Callable[[int, bool], Codes | None]:
    """A steady cell whose rows the pressure tells apart; no current flows while the gate is open."""

    def source(row: int, gate_closed: bool) -> Codes | None:
        if row >= how.rows + TOLD_TWICE_ROWS * how.welded:
            return None
        flows = gate_closed or how.welded
        return (40000 + 16 * (row % 5), 40000, 1600 + row % 50_000) if flows else IDLE

    return source


def pump_to(session: Session, rows: int) -> None:
    """Until so many rows were seen; `DeviceError` where they do not come."""
    for reached in [*range(session.samples_seen + HALF_WAY, rows, HALF_WAY), rows]:
        session.device.wait(lambda reached=reached: session.samples_seen >= reached, f"with row {reached}")  # type: ignore[misc]


# -- acts


def python(text: str) -> Act:
    """Let the firmware carry out `text`."""

    def act(session: Session, _rig: HookedUnix) -> str:
        hook(session, text)
        return ""

    return act


def dies(text: str) -> Act:
    """`text` ends the firmware; it boots again from its flash."""

    def act(session: Session, rig: HookedUnix) -> str:
        rig.send(wire.encode(wire.KEEP_ALIVE, 1, text.encode()))
        try:
            while True:
                session.pump()
        except DeviceError:
            opened = not rig.edges[-1].closed
        _boot(session, rig)
        return "opened by itself" if opened else "left closed"

    return act


def _boot(session: Session, rig: HookedUnix) -> None:
    rig.restart()
    session.device.identify()


def stall(session: Session, rig: HookedUnix) -> str:
    """The host reads nothing for ten seconds; what the board and the host count afterwards."""
    rig.narrow_wire()
    hook(session, SEND_WITHOUT_WAITING)
    rig.stalled = True
    until = rig.rows_given + round(STALL_S * 1e6 / STALL_PERIOD_us)
    while rig.rows_given < until:
        session.pump()
    rig.stalled = False
    pump_to(session, until + HALF_WAY)
    counts = session.decoder.counts
    same = counts.device_dropped == counts.missing_samples
    return "both count the same" if same else f"{counts.device_dropped}, {counts.missing_samples}"


def cut_power(session: Session, rig: HookedUnix) -> str:
    """Between two samples."""
    rig.cut_power()
    _boot(session, rig)
    return ""


def cut_after_trip(session: Session, rig: HookedUnix) -> str:
    """The black box after a power cycle holds what was streamed before it."""
    session.command(wire.FORCE_TRIP)
    session.wait_for_trip()
    assert session.trip
    trip_id = session.trip["trip_id"]
    pump_to(session, session.trip["sample"] + TRIP_AND_BOX)
    known = streamed(session)
    rig.cut_power()
    session.trip = None
    _boot(session, rig)
    return compare_box(session, trip_id, known)


def full_at_trip(session: Session, rig: HookedUnix) -> str:
    """A trip that cannot be kept is latched all the same, and told."""
    rig.fill_flash(True)
    session.command(wire.FORCE_TRIP)
    event = next(alarms(session, limits.SELF_CHECK), None)
    return f"told: self_check {event['value']}" if event else "not told"


def full_at_settings(session: Session, rig: HookedUnix) -> str:
    """Settings that cannot be kept are refused; those in force stay."""
    session.command(wire.DISARM)
    before = session.device.settings()
    rig.fill_flash(True)
    try:
        session.device.configure(settings(confirm_samples=5))
        result = "ok"
    except RefusedError as refused:
        result = refused.result
    kept = session.device.settings() == before
    session.device.arm()
    return f"{'older' if kept else 'newer'}: {result}"


def tear(*slots: int) -> Act:
    """Disarm, cut slots of the settings short, boot again, and ask for the gate. None: a bit of the newest flips."""

    def act(session: Session, rig: HookedUnix) -> str:
        session.command(wire.DISARM)
        older = session.device.settings()
        session.device.configure(settings(confirm_samples=3))
        newest = session.device.ask(wire.GET_CONFIG, "config").fields["slot"]
        rig.cut_power()
        for slot in slots or (newest,):
            path = rig.store / f"config{slot}"
            data = path.read_bytes()
            path.write_bytes(data[:-3] if slots else data[:-4] + bytes([data[-4] ^ 1]) + data[-3:])
        _boot(session, rig)
        kept = "older" if session.device.settings() == older else "defaults"
        try:
            session.device.arm()
        except RefusedError as refused:
            return f"{kept}: {refused.result}"
        return f"{kept}: ok"

    return act


def alarm_until_acknowledged(session: Session, _rig: HookedUnix) -> str:
    """Trip, and count the alarms before and after the trip is acknowledged after them."""
    session.command(wire.FORCE_TRIP)
    session.wait_for_trip()
    seen = alarms(session, limits.GATE_STUCK)
    told = sum(1 for _ in (next(seen, None), next(seen, None)) if _ is not None)
    session.acknowledge_trip()
    until = session.samples_seen + TOLD_TWICE_ROWS // 2
    after = sum(1 for _ in alarms(session, limits.GATE_STUCK, until))
    return f"gate_stuck {told} times, then {after}"


def alarms(session: Session, reason: int, until: int = ROWS + TOLD_TWICE_ROWS) -> Iterator[dict[str, int]]:
    """Events of that reason, until so many rows were seen."""
    while session.samples_seen < min(until, ROWS + TOLD_TWICE_ROWS):
        for event in session.pump():
            if isinstance(event, Message) and event.name == "event" and event.fields["reason"] == reason:
                yield event.fields


def wrap_clock(session: Session, _rig: HookedUnix) -> str:
    """The board's clock is near 2**30 us all at once, and wraps: late samples that it counts (one: the jump)."""
    before = session.status()["overruns"]
    hook(session, "board._ticks = ((1 << 30) - 50_000) // board._period_us")
    pump_to(session, ROWS)
    wrapped = session.samples[-1].time_us < 1 << 29
    return f"{'wrapped' if wrapped else 'not wrapped'}, {session.status()['overruns'] - before} late"


def speak_of(name: str, value: object) -> str:
    """The firmware states another value of a constant."""
    module, _, constant = name.partition(".")
    return f"{module}.{constant} = {value!r}\n"


CONTACT = "board.feedback = lambda: not board._gate_level\n"  # to ground, closes with the gate
HOG = "hog = []\nwhile True: hog.append(bytearray(1000))"
# The places stay where they are in memory; within a ring's length from now on the count wraps.
WRAP_RING = f"""
move = (1 << 30) - {RING_SAMPLES} - edge.ring.control[ring.HEAD] // {RING_SAMPLES} * {RING_SAMPLES}
edge.ring.control[ring.HEAD] += move
edge.ring._tail += move
"""
STUCK = "gate_stuck 2 times, then 0"
OTHER = "one line: another firmware"
FEEDBACK = {"gate_feedback": 1}

FAULTS = (
    Fault("host stalls for 10 s", Inside(stall, settings={"sample_period_us": STALL_PERIOD_us}, rows=6000), lost=None,
          answer="both count the same"),
    Fault("tick raises an exception", Inside(python("trouble[0] = fail")), "open", "exception"),
    Fault("samples come late",
          Inside(python("def late(_memory): board._ticks += 3\ntrouble[0] = late"), settings={"overrun_limit": 20}),
          "open", "overrun"),
    Fault("main loop raises an exception", Inside(dies("edge.alarms = None"), stays=False), "open", "exception",
          answer="opened by itself"),
    Fault("heap exhausted in the main loop", Inside(dies(HOG), stays=False), "open", "exception",
          answer="opened by itself"),
    Fault("heap in fragments", Inside(in_fragments), answer="identified"),
    Fault("trip with the heap in fragments", Inside(trip_in_fragments), "open", "command", answer="told"),
    Fault("clock wraps while armed", Inside(wrap_clock), answer="wrapped, 1 late"),
    Fault("place in the ring wraps while armed", Inside(python(WRAP_RING), rows=HALF_WAY + 2 * RING_SAMPLES)),
    Fault("newest slot of the settings damaged", Inside(tear(), stays=False), answer="older: ok"),
    Fault("both slots of the settings torn", Inside(tear(0, 1), settings={"settle_samples": 9}, stays=False), "open",
          answer="defaults: no_configuration"),
    Fault("flash full when settings come", Inside(full_at_settings, stays=False), answer="older: flash_failed"),
    Fault("flash full when a trip is kept", Inside(full_at_trip), "open", "command", answer="told: self_check 5",
          kept="not latched"),
    Fault("power fails while armed", Inside(cut_power, stays=False), "open"),
    Fault("power fails after a trip", Inside(cut_after_trip, rows=2000, stays=False), "open", "command",
          answer="512 samples as streamed"),
    Fault("gate welded: current flows on", Inside(alarm_until_acknowledged, welded=True), "open", "command",
          answer=STUCK),
    Fault("contact says open while closed", Inside(python("board.feedback = lambda: 1"), CONTACT, FEEDBACK), "open",
          "gate_stuck"),
    Fault("contact says closed while open",
          Inside(lambda session, rig: python("board.feedback = lambda: 0")(session, rig)
                 or alarm_until_acknowledged(session, rig), CONTACT, FEEDBACK, rows=ROWS + TOLD_TWICE_ROWS), "open",
          "command", answer=STUCK),
    Fault("another firmware version", Inside(cut_power, speak_of("limits.VERSION", "0.0.1")), "open", answer=OTHER),
    Fault("another wire protocol", Inside(cut_power, speak_of("wire.PROTOCOL", 99)), "open", answer=OTHER),
    Fault("another settings schema", Inside(cut_power, speak_of("limits.SCHEMA", 1)), "open", answer=OTHER),
    Fault("something else answers", Inside(cut_power, speak_of("limits.VERSION", None)), "open",
          answer="one line: no firmware of ccdmon"),
)  # fmt: skip
