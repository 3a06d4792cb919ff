"""Faults on the emulated Pico while it is armed: inside the firmware, at its pins, on its port."""

from ccdmon.link.decoder import Message
from ccdmon.link.device import RefusedError
from ccdmon_fw import limits, wire
from ccdmon_hil.faults.fault import Fault
from ccdmon_hil.faults.outcome import EMPTY, SINCE_BOOT, UNTIL_TRIP
from ccdmon_hil.faults.stages.on_pico import QUICK, Act, OnPico, wait_for_opening
from ccdmon_hil.rigs.breakable.hooks import hook, settings
from ccdmon_hil.rigs.breakable.pico import HookedTarget, run_for
from ccdmon_hil.rigs.pico_firmware import PICO_PINS
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Codes

SHORTED: Codes = (32784, 40000, 32768)
ALARM_WITHIN_US = 1_100_000.0
PERIOD_us = 250
DEAD_us = 8 * PERIOD_us  # without an edge for so long the pump pin is dead
DIES_WITHIN_MS = 200  # before the watchdog bites, and with it the gate opens
TEAR = "file = open('/ccdmon/config%d', 'wb'); file.write(b'torn'); file.close()"


def _external(session: Session, rig: HookedTarget) -> str:
    rig.set_pin(PICO_PINS.external_trip, True)
    run_for(session, 2_000)
    rig.set_pin(PICO_PINS.external_trip, False)
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
    rig.await_reset()
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
        session.device.configure(settings(**QUICK, confirm_samples=3))
        for slot in slots or (session.device.ask(wire.GET_CONFIG, "config").fields["slot"],):
            hook(session, TEAR % slot)
        power_cycle(session, rig)
        kept = "older" if session.device.settings() == settings(**QUICK) else "defaults"
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
    Fault("timer stops", OnPico("pico._timer.deinit()", mend="pass"), "open", "overrun", kept=UNTIL_TRIP),
    Fault("ticks take too long", OnPico("trouble[0] = busy(500, 40)", mend="trouble[0] = None", valued=True), "open",
          "overrun", answer="value 21"),
    Fault("tick raises an exception", OnPico("trouble[0] = fail", mend="pass", valued=True), "open", "exception",
          answer="value 0"),
    Fault("timer too slow", OnPico("board.start_timer(360, edge.sampler.tick)", mend="pass", valued=True), "open",
          "self_check", answer="value 4"),
    Fault("setting changes in memory",
          OnPico("edge.detector.memory[detector.SETTINGS_AT + 1] += 1",
              mend="edge.detector.memory[detector.SETTINGS_AT + 1] -= 1", valued=True),
          "open", "self_check", answer="value 1"),
    Fault("write behind the ring",
          OnPico("edge.ring.records[4096] = 0", mend="edge.ring.records[4096] = limits.CANARY", valued=True),
          "open", "self_check", answer="value 2"),
    Fault("gate pin does not follow",
          OnPico("machine_pin = pico._gate_pin; machine_pin.init(machine_pin.IN)",
              mend="machine_pin.init(machine_pin.OUT, value=0)", valued=True),
          "open", "self_check", answer="value 3"),
    Fault("host falls silent", OnPico("pass", settings={"host_timeout_ms": 30}, mend="pass"), "open", "host_silent"),
)  # fmt: skip

RIG_FAULTS = (
    Fault("external comparator trips", OnPico(act=_external), "open", "external"),
    Fault("gate welded: current flows on", OnPico(act=_alarm, welded=True), "open", "command",
          answer="gate_stuck once, then 0"),
    Fault("contact says open while closed", OnPico(act=_contact(True), settings={"gate_feedback": 1}), "open",
          "gate_stuck"),
    Fault("contact says closed while open", OnPico(act=_contact(False, _alarm), settings={"gate_feedback": 1}), "open",
          "command", answer="gate_stuck once, then 0"),
    Fault("timer stops: the pump pin, too", OnPico(act=_pump("pico._timer.deinit()"), settings={"gate_drive": 1},
          mend="pass"), "open", "overrun", answer="one a tick, stops", kept=UNTIL_TRIP),
    Fault("processor dies: the pump pin, too",
          OnPico(act=_pump("import machine\nmachine.disable_irq()\nwhile True: pass"), settings={"gate_drive": 1}),
          "open", "watchdog", answer="one a tick, stops", kept=SINCE_BOOT),
    Fault("main loop hangs", OnPico(act=_hang), "open", "watchdog", kept=SINCE_BOOT),
    Fault("brown-out while armed", OnPico(act=power_cycle), "open"),
    Fault("power fails in the black box", OnPico(act=_cut_in_black_box), "open", "command", kept=EMPTY),
    Fault("host disconnects and returns", OnPico(act=_disconnect)),
)  # fmt: skip
FAULTS = FIRMWARE_FAULTS + RIG_FAULTS
