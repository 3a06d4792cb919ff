"""Faults on the emulated Pico while it is armed: inside the firmware, at its pins, in its flash, on its port.

All are brought about on one chip, one after the other, which `run` leaves mended.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ccdmon.device import RefusedError
from ccdmon.errors import DeviceError
from ccdmon.link import Message
from ccdmon_fw import limits, wire
from ccdmon_hil import hooked
from ccdmon_hil.fault import Fault, Outcome
from ccdmon_hil.hooked import HookedTarget, hook, run_for
from ccdmon_hil.session import Session
from ccdmon_hil.target import Codes

HEALTHY: Codes = (40000, 40000, 32768)
IDLE: Codes = (32768, 32768, 32768)
QUICK = {"self_test_ms": 20, "overrun_limit": 20}
EXTERNAL_TRIP_PIN = 14
OPENS_WITHIN_S = 60.0  # of the machine's time
ALARM_WITHIN_US = 900_000.0
TEAR = "file = open('/ccdmon/config%d', 'wb'); file.write(b'torn'); file.close()"

Act = Callable[[Session, HookedTarget], str]


@dataclass(frozen=True)
class How:
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


def run(session: Session, fault: Fault) -> Outcome:
    """Bring the fault about on a chip that is booted, and mend it."""
    how, rig = fault.inject, session.target
    assert isinstance(how, How)
    assert isinstance(rig, HookedTarget)
    session.configure(hooked.settings(**QUICK | how.settings))
    mode = wire.EVERY_SAMPLE if how.streamed else wire.EVENTS_ONLY
    session.command(wire.STREAM, wire.pack(wire.STREAM, mode, 0))
    rig.play(lambda _, gate_closed: HEALTHY if gate_closed or how.welded else IDLE)
    session.arm()
    run_for(session, 3_000)
    missed = session.decoder.counts.missing_samples
    if how.python:
        hook(session, how.python)
    answer = how.act(session, rig) if how.act else ""
    if fault.gate == "open":
        _wait_for_opening(session)
    return _outcome(session, how, answer, missed)


def _wait_for_opening(session: Session) -> None:
    try:
        hooked.wait_for_opening(session, OPENS_WITHIN_S)
    except DeviceError:
        return  # the pin tells


def _outcome(session: Session, how: How, answer: str, missed: int) -> Outcome:
    gate = "closed" if session.target.edges[-1].closed else "open"
    reason = session.status()["reason"]
    if reason:
        session.wait_for_trip()
        assert session.trip
        if how.valued:
            answer = f"value {session.trip['value']}"
    lost = session.samples_seen - int(session.codes(session.samples_seen)[1].sum())
    counted = session.decoder.counts.missing_samples - missed
    if gate == "closed":
        session.command(wire.DISARM)
    rig = session.target
    assert isinstance(rig, HookedTarget)
    rig.play(lambda _row, _closed: IDLE)
    rig.set_converters(IDLE)  # until the gate closes again
    if how.mend:
        hook(session, how.mend + "\nboard.start_timer(250, edge.sampler.tick)")
    return Outcome(gate, limits.REASONS[reason], lost, max(0, lost - counted), answer)


def _external(session: Session, rig: HookedTarget) -> str:
    rig.set_pin(EXTERNAL_TRIP_PIN, False)
    run_for(session, 2_000)
    rig.set_pin(EXTERNAL_TRIP_PIN, True)
    return ""


def _hang(session: Session, rig: HookedTarget) -> str:
    rig.send(wire.encode(wire.KEEP_ALIVE, 1, b"while True: pass"))
    _wait_for_opening(session)
    return _booted(session, rig)


def _power_cycle(session: Session, rig: HookedTarget) -> str:
    rig.restore_power()
    session.device.identify()
    return ""


def _booted(session: Session, rig: HookedTarget) -> str:
    """The chip resets itself: until it samples again."""
    rig._run_until_sampling()
    session.device.identify()
    return ""


def _cut_in_black_box(session: Session, rig: HookedTarget) -> str:
    rig.cut_power_at(12, torn_bytes=100)  # the latch is kept by then
    rig.send(wire.encode(wire.FORCE_TRIP, 1))
    while not rig.power_cut:
        session.pump()
    return _power_cycle(session, rig)


def _tear(*slots: int) -> Act:
    """Disarm, damage slots of the settings, boot again, and ask for the gate."""

    def tear(session: Session, rig: HookedTarget) -> str:
        session.command(wire.DISARM)
        session.device.configure(hooked.settings(**QUICK, confirm_samples=3))
        for slot in slots or (session.device.ask(wire.GET_CONFIG, "config").fields["slot"],):
            hook(session, TEAR % slot)
        _power_cycle(session, rig)
        kept = "older" if session.device.settings() == hooked.settings(**QUICK) else "defaults"
        try:
            session.device.self_test()
            session.arm()
        except RefusedError as refused:
            return f"{kept}: {refused.result}"
        return f"{kept}: ok"

    return tear


def _disconnect(session: Session, rig: HookedTarget) -> str:
    rig.open_console(False)
    run_for(session, 100_000)
    rig.open_console(True)
    return ""


def _trip_welded(session: Session, rig: HookedTarget) -> str:
    """Trip, and wait for the alarm that a gate is due which does not open."""
    session.command(wire.FORCE_TRIP)
    until_us = rig.virtual_us() + ALARM_WITHIN_US
    while rig.virtual_us() < until_us:
        for event in session.pump():
            if isinstance(event, Message) and event.name == "event":
                return str(limits.REASONS[event.fields["reason"]])
    return ""


FIRMWARE_FAULTS = (
    Fault("timer stops", How("pico._timer.deinit()", mend="pass"), "open", "overrun"),
    Fault("ticks take too long", How("trouble[0] = busy(500, 40)", mend="trouble[0] = None", valued=True), "open",
          "overrun", answer="value 21"),
    Fault("tick raises an exception", How("trouble[0] = fail", mend="pass", valued=True), "open", "exception",
          answer="value 0"),
    Fault("timer too slow", How("board.start_timer(360, edge.sampler.tick)", mend="pass", valued=True), "open",
          "self_check", answer="value 4"),
    Fault("setting changes in memory",
          How("edge.detector.memory[detector.SETTINGS_AT + 1] += 1",
              mend="edge.detector.memory[detector.SETTINGS_AT + 1] -= 1", valued=True),
          "open", "self_check", answer="value 1"),
    Fault("write behind the ring",
          How("edge.ring.records[4096] = 0", mend="edge.ring.records[4096] = limits.CANARY", valued=True),
          "open", "self_check", answer="value 2"),
    Fault("gate pin does not follow",
          How("machine_pin = pico._gate_pin; machine_pin.init(machine_pin.IN)",
              mend="machine_pin.init(machine_pin.OUT, value=0)", valued=True),
          "open", "self_check", answer="value 3"),
    Fault("host falls silent", How("pass", settings={"host_timeout_ms": 30}, mend="pass"), "open", "host_silent"),
)  # fmt: skip

RIG_FAULTS = (
    Fault("external comparator trips", How(act=_external), "open", "external"),
    Fault("gate welded: current flows on", How(act=_trip_welded, welded=True), "open", "command", answer="gate_stuck"),
    Fault("main loop hangs", How(act=_hang), "open", "watchdog"),
    Fault("brown-out while armed", How(act=_power_cycle), "open"),
    Fault("power fails in the black box", How(act=_cut_in_black_box), "open", "command"),
    Fault("both slots of the settings torn", How(act=_tear(0, 1)), "open", answer="defaults: no_configuration"),
    Fault("host disconnects and returns", How(act=_disconnect)),
)  # fmt: skip
FAULTS = FIRMWARE_FAULTS + RIG_FAULTS
