"""Faults on the emulated Pico while it is armed: inside the firmware, at its pins, in its flash, on its port.

`run` leaves the chip mended, so that a test may bring several about on one; what some leave all the same (flash,
watchdog, heap) is why `faults.py` boots anew for each.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field

from ccdmon.errors import DeviceError
from ccdmon.link.decoder import Message
from ccdmon.link.device import RefusedError
from ccdmon_fw import limits, wire
from ccdmon_hil.faults.fault import EMPTY, SINCE_BOOT, UNTIL_TRIP, Fault, Outcome
from ccdmon_hil.rigs.breakable import pico as hooked
from ccdmon_hil.rigs.breakable.pico import HookedTarget, hook, run_for
from ccdmon_hil.rigs.pico_firmware import PICO_PINS
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Codes

SHORTED: Codes = (32784, 40000, 32768)
IDLE: Codes = (32768, 32768, 32768)
QUICK = {"self_test_ms": 20, "overrun_limit": 20}
OPENS_WITHIN_S = 3.0  # virtual
ALARM_WITHIN_US = 1_100_000.0
PERIOD_us = 250
DEAD_us = 8 * PERIOD_us  # without an edge for so long the pump pin is dead
DIES_WITHIN_MS = 200  # before the watchdog bites, and with it the gate opens
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
    outcome = bring_about(session, fault)
    _mend(session, fault.inject, outcome.gate)
    return outcome


def bring_about(session: Session, fault: Fault) -> Outcome:
    """Bring the fault about on a chip that is booted."""
    how, rig = fault.inject, session.target
    assert isinstance(how, How)
    assert isinstance(rig, HookedTarget)
    session.configure(hooked.settings(**QUICK | how.settings))
    mode = wire.EVERY_SAMPLE if how.streamed else wire.EVENTS_ONLY
    session.command(wire.STREAM, wire.pack(wire.STREAM, mode, 0))
    rig.play(lambda row, gate_closed: _healthy(row) if gate_closed or how.welded else IDLE)
    session.arm()
    run_for(session, 3_000)
    missed = session.decoder.counts.missing_samples
    if how.python:
        hook(session, how.python)
    answer = how.act(session, rig) if how.act else ""
    if fault.gate == "open":
        wait_for_opening(session)
    return _outcome(session, how, answer, missed)


def _healthy(row: int) -> Codes:
    """A steady cell whose rows the pressure tells apart."""
    return (40000, 40000, 1600 + 16 * (row % 3000))


def wait_for_opening(session: Session) -> None:
    """Until the gate's pin has opened, or should have long ago."""
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
    return Outcome(gate, limits.REASONS[reason], lost, max(0, lost - counted), answer)


def _mend(session: Session, how: How, gate: str) -> None:
    if gate == "closed":
        session.command(wire.DISARM)
    rig = session.target
    assert isinstance(rig, HookedTarget)
    rig.contact = operator.not_
    rig.move_contact()
    rig.play(lambda _row, _closed: IDLE)
    rig.set_converters(IDLE)  # until the gate closes again
    if how.mend:
        hook(session, how.mend + "\nedge._configure(True)")


def _external(session: Session, rig: HookedTarget) -> str:
    rig.set_pin(PICO_PINS.external_trip, False)
    run_for(session, 2_000)
    rig.set_pin(PICO_PINS.external_trip, True)
    return ""


def _hang(session: Session, rig: HookedTarget) -> str:
    rig.send(wire.encode(wire.KEEP_ALIVE, 1, b"while True: pass"))
    wait_for_opening(session)
    return _booted(session, rig)


def power_cycle(session: Session, rig: HookedTarget) -> str:
    """Power fails, and comes back."""
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
    return power_cycle(session, rig)


def tear(*slots: int) -> Act:
    """Disarm, damage slots of the settings (none: the newest), boot again, and ask for the gate."""

    def tear(session: Session, rig: HookedTarget) -> str:
        session.command(wire.DISARM)
        session.device.configure(hooked.settings(**QUICK, confirm_samples=3))
        for slot in slots or (session.device.ask(wire.GET_CONFIG, "config").fields["slot"],):
            hook(session, TEAR % slot)
        power_cycle(session, rig)
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


def _alarm(session: Session, rig: HookedTarget) -> str:
    """Trip, wait for the alarm that the gate does not open, and acknowledge: no second one comes."""
    session.command(wire.FORCE_TRIP)
    session.wait_for_trip()
    if not _alarms(session, rig):
        return "no alarm"
    session.acknowledge_trip()
    return f"gate_stuck once, then {_alarms(session, rig)}"


def _alarms(session: Session, rig: HookedTarget) -> int:
    until_us = rig.virtual_us() + ALARM_WITHIN_US
    while rig.virtual_us() < until_us:
        for event in session.pump():
            if (
                isinstance(event, Message)
                and event.name == "event"
                and event.fields["reason"] == limits.GATE_STUCK
            ):
                return 1
    return 0


def _contact(level: bool, then: Act | None = None) -> Act:
    """The contact stays at a level whatever the gate does."""

    def act(session: Session, rig: HookedTarget) -> str:
        rig.contact = lambda _closed: level
        rig.move_contact()
        return then(session, rig) if then else ""

    return act


def _pump(text: str) -> Act:
    """`text` kills what drives the pump pin: its edges before, and for how many periods it goes on."""

    def act(session: Session, rig: HookedTarget) -> str:
        rig.pump_us.clear()
        begun_us = rig.virtual_us()
        run_for(session, 20_000)
        ticks = (rig.virtual_us() - begun_us) / PERIOD_us
        each = abs(len(rig.pump_us) - ticks) <= 2
        rig.send(wire.encode(wire.KEEP_ALIVE, 1, text.encode()))
        for _ in range(DIES_WITHIN_MS):  # the chip compiles the text first
            run_for(session, 1_000)
            if dead := rig.virtual_us() - rig.pump_us[-1] > DEAD_us:
                break
        stopped = dead and rig.edges[-1].closed
        wait_for_opening(session)
        if "disable_irq" in text:
            rig.await_reset()
            session.device.identify()
        return f"{'one' if each else 'not one'} a tick, {'stops' if stopped else 'goes on'}"

    return act


FIRMWARE_FAULTS = (
    Fault("timer stops", How("pico._timer.deinit()", mend="pass"), "open", "overrun", kept=UNTIL_TRIP),
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
    Fault("gate welded: current flows on", How(act=_alarm, welded=True), "open", "command",
          answer="gate_stuck once, then 0"),
    Fault("contact says open while closed", How(act=_contact(True), settings={"gate_feedback": 1}), "open",
          "gate_stuck"),
    Fault("contact says closed while open", How(act=_contact(False, _alarm), settings={"gate_feedback": 1}), "open",
          "command", answer="gate_stuck once, then 0"),
    Fault("timer stops: the pump pin, too", How(act=_pump("pico._timer.deinit()"), settings={"gate_drive": 1},
          mend="pass"), "open", "overrun", answer="one a tick, stops", kept=UNTIL_TRIP),
    Fault("processor dies: the pump pin, too",
          How(act=_pump("import machine\nmachine.disable_irq()\nwhile True: pass"), settings={"gate_drive": 1}), "open",
          "watchdog", answer="one a tick, stops", kept=SINCE_BOOT),
    Fault("main loop hangs", How(act=_hang), "open", "watchdog", kept=SINCE_BOOT),
    Fault("brown-out while armed", How(act=power_cycle), "open"),
    Fault("power fails in the black box", How(act=_cut_in_black_box), "open", "command", kept=EMPTY),
    Fault("host disconnects and returns", How(act=_disconnect)),
)  # fmt: skip
FAULTS = FIRMWARE_FAULTS + RIG_FAULTS
