"""Faults inside the firmware of the rig `unix`, on its flash and with its host, while a steady cell is played."""

from collections.abc import Iterator

from ccdmon.errors import DeviceError
from ccdmon.link.decoder import Message
from ccdmon.link.device import RefusedError
from ccdmon_fw import limits, wire
from ccdmon_hil.faults.black_box import compare_box, streamed
from ccdmon_hil.faults.fault import Fault
from ccdmon_hil.faults.stages.on_unix import (
    HALF_WAY,
    ROWS,
    TOLD_TWICE_ROWS,
    Act,
    OnUnix,
    pump_to,
)
from ccdmon_hil.rigs.breakable.hooks import hook, in_fragments, settings, trip_in_fragments
from ccdmon_hil.rigs.breakable.unix import SEND_WITHOUT_WAITING, HookedUnix
from ccdmon_hil.rigs.session import Session

STALL_S = 10.0
STALL_PERIOD_us = (
    2_500  # ten seconds at 400 Hz; at 4 kHz they would take ten times the rows, and show no more
)
TRIP_AND_BOX = 300  # rows after a trip until its black box is written
RING_SAMPLES = 1024  # as in firmware/ccdmon_fw/app.py


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
    rig.await_wish()  # so that what is lost is the same in each run
    session.pump()
    rig.stalled = True
    until = rig.rows_given + round(STALL_S * 1e6 / STALL_PERIOD_us)
    while rig.rows_given < until:
        session.pump()
    rig.await_wish()
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


def _after_disarming(text: str) -> Act:
    """Disarm, let the firmware carry out `text`, and ask for the gate and for a self-test."""

    def act(session: Session, _rig: HookedUnix) -> str:
        session.command(wire.DISARM)
        hook(session, text)
        said = []
        for name, kind in (("arm", wire.ARM), ("self-test", wire.SELF_TEST)):
            try:
                session.command(kind)
                said.append(f"{name}: ok")
            except RefusedError as refused:
                said.append(f"{name}: {refused.result}")
        return ", ".join(said)

    return act


arm_unsafe = _after_disarming("loop[0] = 1")
arm_faulty = _after_disarming("board.FAULT = 'adc: no answer'")


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
    """The board's clock is near 2**30 us all at once, and wraps: late samples that it counts."""
    before = session.status()["overruns"]
    jump = "board._ticks = ((1 << 30) - 50_000) // board._period_us"
    hook(
        session, f"{jump}\nedge.ring.control[ring.TIME_US] = board.time_us()"
    )  # no stall: it stood there before
    pump_to(session, ROWS)
    wrapped = session.samples[-1].time_us < 1 << 29
    return f"{'wrapped' if wrapped else 'not wrapped'}, {session.status()['overruns'] - before} late"


def speak_of(name: str, value: object) -> str:
    """The firmware states another value of a constant."""
    module, _, constant = name.partition(".")
    return f"{module}.{constant} = {value!r}\n"


# A loop through GP14, as the Pico has it: read with each sample.
EXTERNAL = """
loop = [0]
board.unsafe = lambda: loop[0]
converted = board.read
def read_with_loop(memory):
    converted(memory)
    return loop[0]
board.read = read_with_loop
"""
STOP = """
def stop(_memory):
    trouble[0] = None
    board._ticks += 400
trouble[0] = stop
"""
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
    Fault("host stalls for 10 s", OnUnix(stall, settings={"sample_period_us": STALL_PERIOD_us}, rows=6000), lost=None,
          answer="both count the same"),
    Fault("tick raises an exception", OnUnix(python("trouble[0] = fail")), "open", "exception"),
    Fault("samples come late",
          OnUnix(python("def late(_memory): board._ticks += 3\ntrouble[0] = late"), settings={"overrun_limit": 20}),
          "open", "overrun"),
    Fault("samples stop for 100 ms", OnUnix(python(STOP)), "open", "overrun"),
    Fault("external trip's level, no edge", OnUnix(python("loop[0] = 1"), EXTERNAL), "open", "external"),
    Fault("external trip not safe before arming", OnUnix(arm_unsafe, EXTERNAL, stays=False), "open",
          answer="arm: not_safe, self-test: not_safe"),
    Fault("external trip not safe, and not connected", OnUnix(python("loop[0] = 1"), EXTERNAL, {"external_trip": 0})),
    Fault("converter did not start", OnUnix(arm_faulty, stays=False), "open", answer="arm: faulty, self-test: faulty"),
    Fault("main loop raises an exception", OnUnix(dies("edge.alarms = None"), stays=False), "open", "exception",
          answer="opened by itself"),
    Fault("heap exhausted in the main loop", OnUnix(dies(HOG), stays=False), "open", "exception",
          answer="opened by itself"),
    Fault("heap in fragments", OnUnix(in_fragments), answer="identified"),
    Fault("trip with the heap in fragments", OnUnix(trip_in_fragments), "open", "command", answer="told"),
    Fault("clock wraps while armed", OnUnix(wrap_clock), answer="wrapped, 0 late"),
    Fault("place in the ring wraps while armed", OnUnix(python(WRAP_RING), rows=HALF_WAY + 2 * RING_SAMPLES)),
    Fault("newest slot of the settings damaged", OnUnix(tear(), stays=False), answer="older: ok"),
    Fault("both slots of the settings torn", OnUnix(tear(0, 1), settings={"settle_samples": 9}, stays=False), "open",
          answer="defaults: no_configuration"),
    Fault("flash full when settings come", OnUnix(full_at_settings, stays=False), answer="older: flash_failed"),
    Fault("flash full when a trip is kept", OnUnix(full_at_trip), "open", "command", answer="told: self_check 5",
          kept="not latched"),
    Fault("power fails while armed", OnUnix(cut_power, stays=False), "open"),
    Fault("power fails after a trip", OnUnix(cut_after_trip, rows=2000, stays=False), "open", "command",
          answer="512 samples as streamed"),
    Fault("gate welded: current flows on", OnUnix(alarm_until_acknowledged, welded=True), "open", "command",
          answer=STUCK),
    Fault("contact says open while closed", OnUnix(python("board.feedback = lambda: 1"), CONTACT, FEEDBACK), "open",
          "gate_stuck"),
    Fault("contact says closed while open",
          OnUnix(lambda session, rig: python("board.feedback = lambda: 0")(session, rig)
                 or alarm_until_acknowledged(session, rig), CONTACT, FEEDBACK, rows=ROWS + TOLD_TWICE_ROWS), "open",
          "command", answer=STUCK),
    Fault("another firmware version", OnUnix(cut_power, speak_of("limits.VERSION", "0.0.1")), "open", answer=OTHER),
    Fault("another wire protocol", OnUnix(cut_power, speak_of("wire.PROTOCOL", 99)), "open", answer=OTHER),
    Fault("another settings schema", OnUnix(cut_power, speak_of("limits.SCHEMA", 1)), "open", answer=OTHER),
    Fault("something else answers", OnUnix(cut_power, speak_of("limits.VERSION", None)), "open",
          answer="one line: no firmware of ccdmon"),
)  # fmt: skip
