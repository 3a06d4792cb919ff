"""Faults of the emulated Pico around its flash, its restarts, its main loop's end."""

from ccdmon.errors import DeviceError
from ccdmon.link.decoder import Message
from ccdmon.link.device import RefusedError
from ccdmon_fw import limits, wire
from ccdmon_hil.faults.black_box import compare_box, read_box, streamed
from ccdmon_hil.faults.fault import Fault
from ccdmon_hil.faults.in_pico import SHORTED, power_cycle, tear
from ccdmon_hil.faults.outcome import EMPTY, SINCE_BOOT, which_firmware
from ccdmon_hil.faults.stages.on_pico import QUICK, Act, OnPico, wait_for_opening
from ccdmon_hil.rigs.breakable.hooks import hook, in_fragments, settings, trip_in_fragments
from ccdmon_hil.rigs.breakable.pico import HookedTarget, run_for
from ccdmon_hil.rigs.session import Session

BOX_US = 400_000.0  # until a black box is on flash
KEPT = 8
KEPT_us = 500_000.0  # until a trip is latched on flash
WRAP_us = (1 << 30) * 1000  # of ticks_ms; ticks_us and TIMERAWL wrap in the same microsecond
BOOT_us = 1_500_000  # boot, self-test and arming, which take 1.0 s, end before the wrap
HUNG_us = 150_000.0  # until the heap is full; the watchdog bites after 500 ms
BY_THE_TICK_us = 3_000.0
STALL_us = 10_000_000.0
COLLECTING_us = 700_000.0
# Every sample can be sent at 2 kHz (`latency`); at 4 kHz, to a host that asks in each round, the ring is soon full.
SUSTAINED = {"sample_period_us": 500}
HOG = "hog = []\ntry:\n while True: hog.append(bytearray(1000))\nexcept MemoryError: "
# A heap full of small things, whose collection takes tens of ms and falls between the readings of clock and count.
COLLECTIONS = """
import gc
small = [[number] for number in range(900)]
rounds = [0]
poll = edge.watch.poll
def late(now_ms):
    rounds[0] += 1
    if rounds[0] % 13 == 0: gc.collect()
    poll(now_ms)
edge.watch.poll = late
"""


def _dies(text: str) -> Act:
    """`text` ends the main loop; what it has kept shows after a power cycle, for its watchdog takes 8 s by then."""

    def act(session: Session, rig: HookedTarget) -> str:
        rig.send(wire.encode(wire.KEEP_ALIVE, 1, text.encode()))
        wait_for_opening(session)
        run_for(session, KEPT_us)
        return power_cycle(session, rig)

    return act


def _short_beside_a_full_heap(session: Session, rig: HookedTarget) -> str:
    """The heap is full and the main loop hangs: the tick alone sees the short."""
    rig.send(wire.encode(wire.KEEP_ALIVE, 1, (HOG + "pass\nwhile True: pass").encode()))
    run_for(session, HUNG_us)
    assert rig.edges[-1].closed
    shorted_us = rig.virtual_us()
    rig.play_on(lambda _row, _closed: SHORTED)
    wait_for_opening(session)
    opened_us = rig.edges[-1].at_us
    assert opened_us is not None
    rig.await_reset()
    session.device.identify()
    return "cut off by the tick" if opened_us - shorted_us < BY_THE_TICK_us else "cut off by the watchdog"


def _full_flash(session: Session, rig: HookedTarget) -> str:
    """Not a block is free: what becomes of settings, of a trip and of its black box."""
    session.command(wire.DISARM)
    rig.fill_flash(True)
    power_cycle(session, rig)
    try:
        session.device.configure(settings(**QUICK, confirm_samples=3))
        kept = "settings ok"
    except RefusedError as refused:
        kept = f"settings {refused.result}"
    session.device.arm()
    session.command(wire.FORCE_TRIP)
    session.wait_for_trip()
    told = _await_event(session, rig, limits.SELF_CHECK)
    assert session.trip
    try:
        read_box(session, session.trip["trip_id"])
        box = "box"
    except RefusedError as refused:
        box = refused.result
    rig.fill_flash(False)
    power_cycle(session, rig)
    return f"{kept}, {box}, {'told' if told else 'not told'}"


def _await_event(session: Session, rig: HookedTarget, reason: int) -> bool:
    until_us = rig.virtual_us() + 2 * BOX_US
    while rig.virtual_us() < until_us:
        for event in session.pump():
            if isinstance(event, Message) and event.name == "event" and event.fields["reason"] == reason:
                return True
    return False


def _box_after_power_cycle(session: Session, rig: HookedTarget) -> str:
    """The black box holds what was streamed, on a chip that comes up latched."""
    run_for(session, 140_000)
    session.command(wire.FORCE_TRIP)
    session.wait_for_trip()
    run_for(session, BOX_US)
    assert session.trip
    trip_id = session.trip["trip_id"]
    known = streamed(session)
    session.trip = None
    power_cycle(session, rig)
    return compare_box(session, trip_id, known)


def _nine_trips(session: Session, rig: HookedTarget) -> str:
    """How many of nine black boxes are there after a power cycle; the oldest must be gone."""
    ids = []
    for _ in range(KEPT + 1):
        session.command(wire.FORCE_TRIP)
        session.wait_for_trip()
        assert session.trip
        ids.append(session.trip["trip_id"])
        if len(ids) <= KEPT:
            session.device.reset_trip(ids[-1])  # after its black box is on flash
            session.arm()
    run_for(session, BOX_US)
    power_cycle(session, rig)
    sizes = [_size(session, trip_id) for trip_id in ids]
    return f"{sum(size > 256 for size in sizes[1:])} kept" if sizes[0] == 0 else "the oldest too"


def _size(session: Session, trip_id: int) -> int:
    try:
        return len(read_box(session, trip_id)[1])
    except RefusedError:
        return 0


def _wrap_clock(session: Session, rig: HookedTarget) -> str:
    """A chip that has run for 12.4 days: its clocks wrap while it is armed."""
    session.command(wire.DISARM)
    rig.restore_power(clock_at_us=WRAP_us - BOOT_us)
    session.device.identify()
    session.device.self_test()
    session.arm()
    before = session.device.clock()["time_us"]
    begun_us = rig.virtual_us()
    while session.device.clock()["time_us"] >= before and rig.virtual_us() < begun_us + 2 * BOOT_us:
        run_for(session, 10_000)
    run_for(session, 50_000)
    wrapped = session.device.clock()["time_us"] < before
    return f"{'wrapped' if wrapped else 'not wrapped'}, {session.status()['overruns']} late"


def _stall(session: Session, rig: HookedTarget) -> str:
    """The host takes nothing for a while; what both count afterwards."""
    run_for(session, 50_000)
    rig.stall_console(True)
    run_for(session, STALL_us)
    rig.stall_console(False)
    run_for(session, 200_000)
    counts = session.decoder.counts
    same = counts.device_dropped == counts.missing_samples > 0
    return "both count the same" if same else f"{counts.device_dropped}, {counts.missing_samples}"


def _collections(session: Session, _rig: HookedTarget) -> str:
    """The heap is collected again and again; how many samples came late."""
    hook(session, COLLECTIONS)
    run_for(session, COLLECTING_us)
    return f"{session.status()['overruns']} late"


def _another_version(session: Session, _rig: HookedTarget) -> str:
    """The board has been flashed anew behind the host's back: no gate is closed for it."""
    session.command(wire.DISARM)
    hook(session, "limits.VERSION = '0.0.1'")
    session.device.identify()
    try:
        session.device.arm()
    except DeviceError as error:
        return which_firmware(error)
    return "armed"


FAULTS = (
    Fault("main loop raises an exception", OnPico(act=_dies("edge.alarms = None")), "open", "exception"),
    Fault("heap exhausted in the main loop", OnPico(act=_dies(HOG + "raise")), "open", "exception"),
    Fault("short while heap is full and loop hangs", OnPico(act=_short_beside_a_full_heap), "open", "watchdog",
          answer="cut off by the tick", kept=SINCE_BOOT),
    Fault("heap in fragments", OnPico(act=in_fragments, streamed=True, settings={"sample_period_us": 1000}),
          answer="identified"),
    Fault("trip with the heap in fragments", OnPico(act=trip_in_fragments), "open", "command", answer="told"),
    Fault("heap collected between clock and count",
          OnPico(act=_collections, streamed=True, settings=SUSTAINED), answer="0 late"),
    Fault("another firmware version", OnPico(act=_another_version), "open", answer="one line: another firmware"),
    Fault("newest slot of the settings torn", OnPico(act=tear()), answer="older: ok"),
    Fault("both slots of the settings torn", OnPico(act=tear(0, 1)), "open", answer="defaults: no_configuration"),
    Fault("flash full", OnPico(act=_full_flash), "open", "command", answer="settings ok, no_record, told",
          kept=EMPTY),
    Fault("power fails after a trip",
          OnPico(act=_box_after_power_cycle, streamed=True, settings={"sample_period_us": 500}), "open", "command",
          answer="512 samples as streamed"),
    Fault("nine trips, then a power cycle", OnPico(act=_nine_trips), "open", "command", answer="8 kept"),
    Fault("clock wraps while armed", OnPico(act=_wrap_clock, settings=SUSTAINED), answer="wrapped, 0 late"),
    Fault("host stalls for 10 s", OnPico(act=_stall, streamed=True, settings={"sample_period_us": 250}), lost=None,
          answer="both count the same"),
)  # fmt: skip
