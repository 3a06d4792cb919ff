"""Faults of the safety path itself on the emulated Pico: its inputs, its time, and what its self-checks look at."""

from ccdmon.link.device import RefusedError
from ccdmon_fw import wire
from ccdmon_hil.faults.fault import Fault
from ccdmon_hil.faults.outcome import SINCE_BOOT
from ccdmon_hil.faults.stages.on_pico import OnPico, wait_for_opening
from ccdmon_hil.rigs.breakable.hooks import hook
from ccdmon_hil.rigs.breakable.pico import HookedTarget, run_for
from ccdmon_hil.rigs.pico_firmware import PICO_PINS
from ccdmon_hil.rigs.session import Session

STOP_US = 100_000
WATCHDOG_US = 550_000.0
USB_US = 20_000.0
CHECKED_WITHIN_US = 2_500_000.0
# With interrupts off nothing ticks; then the timer catches up with a burst.
STOP = f"""
held = board.lock()
begun = time.ticks_us()
while time.ticks_diff(time.ticks_us(), begun) < {STOP_US}: pass
board.unlock(held)
"""
# The gate closes, and in the same breath all stops for ever.
STOP_AT_CLOSING = """
closing = edge.gate.close
def close():
    closing()
    board.lock()
    while True: pass
edge.gate.close = close
"""


def _reset_usb(session: Session, rig: HookedTarget) -> str:
    """The host resets the bus, as at each plugging in of a hub: RP2040-E5 takes GP15 then. Does the pin stay?"""
    edges = len(rig.edges)
    rig.reset_usb()
    run_for(session, USB_US)
    return f"{len(rig.edges) - edges} edges"


def _unsafe_before_arming(session: Session, rig: HookedTarget) -> str:
    session.command(wire.DISARM)
    rig.set_pin(PICO_PINS.external_trip, True)
    try:
        session.command(wire.ARM)
        answer = "ok"
    except RefusedError as refused:
        answer = refused.result
    rig.set_pin(PICO_PINS.external_trip, False)
    return answer


def _level_without_edge(session: Session, rig: HookedTarget) -> str:
    """The input's interrupt is dead; the next tick sees the level."""
    hook(session, "pico._external_pin.irq(None)")
    begun_us = rig.virtual_us()
    rig.set_pin(PICO_PINS.external_trip, True)
    run_for(session, 5_000)
    rig.set_pin(PICO_PINS.external_trip, False)
    last = rig.edges[-1]
    fast = not last.closed and last.at_us is not None and last.at_us - begun_us < 1_000
    return "within 1 ms" if fast else "later"


def _stop_at_closing(session: Session, rig: HookedTarget) -> str:
    """Between arming and the watchdog's next feeding."""
    session.command(wire.DISARM)
    run_for(session, 20_000)
    hook(session, STOP_AT_CLOSING)
    rig.send(wire.encode(wire.ARM, 1))
    while not rig.edges[-1].closed:
        session.pump()
    closed_us = rig.virtual_us()
    while rig.edges[-1].closed and rig.virtual_us() < closed_us + 2 * WATCHDOG_US:
        session.pump()
    fast = not rig.edges[-1].closed and rig.virtual_us() - closed_us <= WATCHDOG_US
    if not rig.edges[-1].closed:
        wait_for_opening(session)
        rig.await_reset()
        session.device.identify()
    return "within 0.55 s" if fast else "later"


# A check by its number, in a firmware that may have none.
CHECK = "for number, check in getattr(pico, 'SELF_CHECKS', ()):\n  if number == {}: {}"
PWM_0 = 0x40050004  # four words of which some bits are always 0: RAM that is stuck
RAM_STUCK = CHECK.format(6, f"check.begin, check.at, check.end = {PWM_0}, {PWM_0}, {PWM_0 + 16}")
SHORT_PROGRAM = CHECK.format(7, "check.size = 4096; check.begin(0)")
SHORT_PASS_US = 300_000
OFTEN = "try:\n  from ccdmon_fw.chips import selfchecks\n  selfchecks._REFERENCE_MS = 10\nexcept ImportError: pass"
IN_PROGRAM, STACK_BOTTOM = 0x10000F00, 0x20040000


def _flip_in_program(session: Session, rig: HookedTarget) -> str:
    """The flash forgets a bit; the pass over it is made short, for a whole one takes half a minute."""
    hook(session, SHORT_PROGRAM)
    run_for(session, SHORT_PASS_US)
    still = rig.edges[-1].closed
    rig.write_word(IN_PROGRAM, 0x12345678)
    return _valued(session, rig) if still else "before it"


def _in_stack(session: Session, rig: HookedTarget) -> str:
    rig.write_word(STACK_BOTTOM + 4, 0x20001234)
    return _valued(session, rig)


def _processor_clock(session: Session, rig: HookedTarget) -> str:
    rig.slow_processor_clock(0.75)
    answer = _valued(session, rig)
    rig.slow_processor_clock(1)
    return answer


def _reference(session: Session, rig: HookedTarget) -> str:
    """The supply, by which the converter measures, falls by a fifth: all voltages read higher."""
    hook(session, OFTEN)
    run_for(session, 30_000)
    still = rig.edges[-1].closed
    rig.set_temperature_degC(-75.0)  # as the sensor then reads
    return _valued(session, rig) if still else "before it"


def _multiplexer(session: Session, rig: HookedTarget) -> str:
    """All channels read the voltage: what answers to the current is the voltage itself."""
    hook(session, OFTEN)
    run_for(session, 30_000)
    rig.stands_on = PICO_PINS.voltage_channel
    answer = _valued(session, rig)
    rig.stands_on = None
    return answer


def _valued(session: Session, rig: HookedTarget) -> str:
    """The value that the trip tells."""
    until_us = rig.virtual_us() + CHECKED_WITHIN_US
    while rig.edges[-1].closed and rig.virtual_us() < until_us:
        session.pump()
    if rig.edges[-1].closed:
        return "not noticed"
    session.wait_for_trip()
    assert session.trip
    return f"value {session.trip['value']}"


FAULTS = (
    Fault("USB reset while armed", OnPico(act=_reset_usb), answer="0 edges"),
    Fault("external trip's level, its interrupt dead", OnPico(act=_level_without_edge), "open", "external",
          answer="within 1 ms"),
    Fault("external trip not safe before arming", OnPico(act=_unsafe_before_arming), "open", answer="not_safe"),
    Fault("ticks and main loop stop for 100 ms", OnPico(STOP, mend="pass"), "open", "overrun"),
    Fault("all stops as the gate closes", OnPico(act=_stop_at_closing), "open", "watchdog", answer="within 0.55 s",
          kept=SINCE_BOOT),
    Fault("bits of RAM are stuck", OnPico(RAM_STUCK, act=_valued), "open", "self_check", answer="value 6"),
    Fault("a word of the program changes in flash", OnPico(act=_flip_in_program), "open", "self_check",
          answer="value 7"),
    Fault("the stack grows into its last words", OnPico(act=_in_stack), "open", "self_check", answer="value 8"),
    Fault("the processor's clock is off by a quarter", OnPico(act=_processor_clock), "open", "self_check",
          answer="value 9"),
    Fault("the converter's reference leaps", OnPico(act=_reference), "open", "self_check", answer="value 10"),
    Fault("the converter's multiplexer stands still", OnPico(act=_multiplexer), "open", "self_check",
          answer="value 10"),
)  # fmt: skip
