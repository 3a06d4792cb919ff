"""Faults while a simulated healthy trace is replayed on a rig: in rows, on the wire, in commands."""

import struct
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ccdmon.link.device import RefusedError
from ccdmon_fw import limits, wire
from ccdmon_hil.faults.fault import Fault
from ccdmon_hil.faults.stages.played import CURRENT, HALF_WAY, PRESSURE, VOLTAGE, Played, Table
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import IDLE
from ccdmon_hil.rigs.wire_tap import WireTap, cut, flipped, preceded, repeated, swapped

FULL_FRAME = 32  # samples


# -- in the rows, from HALF_WAY on


def held(channel: int, code: int, count: int | None = None) -> Callable[[Table], None]:
    """One channel reads a constant."""
    stop = None if count is None else HALF_WAY + count

    def hold(table: Table) -> None:
        table[HALF_WAY:stop, channel] = code

    return hold


def stuck(channel: int) -> Callable[[Table], None]:
    """One channel keeps what it read."""

    def stick(table: Table) -> None:
        table[HALF_WAY:, channel] = table[HALF_WAY, channel]

    return stick


def noisy(codes: int, count: int) -> Callable[[Table], None]:
    """Noise of that standard deviation on voltage and current."""

    def add(table: Table) -> None:
        noise = np.random.default_rng(1).normal(0, codes, (count, 2)).astype(int)
        rows = slice(HALF_WAY, HALF_WAY + count)
        table[rows, :2] = np.clip(table[rows, :2] + noise, 100, 65400)

    return add


def dropped(count: int) -> Callable[[Table], None]:
    """The converter misses rows: those after them come at once."""

    def drop(table: Table) -> None:
        table[HALF_WAY:-count] = table[HALF_WAY + count :]

    return drop


def late(count: int) -> Callable[[Table], None]:
    """Each row is read so many times: the converter is too slow."""

    def repeat(table: Table) -> None:
        table[HALF_WAY:] = np.repeat(table[HALF_WAY:], count, axis=0)[: len(table) - HALF_WAY]

    return repeat


def current_wire_off(table: Table) -> None:
    """No current reads, and the voltage stands as it was."""
    table[HALF_WAY:, CURRENT] = IDLE[CURRENT]
    table[HALF_WAY:, VOLTAGE] = table[HALF_WAY - 1, VOLTAGE] + 16 * (np.arange(len(table) - HALF_WAY) % 2)


def voltage_wire_off(table: Table) -> None:
    """Noise around nothing reads, whatever the current does."""
    table[HALF_WAY:, VOLTAGE] = 32768 + 16 * np.random.default_rng(1).integers(-40, 41, len(table) - HALF_WAY)


# -- commands


def asked(kind: int, body: bytes = b"") -> Callable[[Session], str]:
    """The answer to a command, by name."""

    def ask(session: Session) -> str:
        try:
            session.command(kind, body)
        except RefusedError as refused:
            return refused.result
        return "ok"

    return ask


def in_turn(*commands: Callable[[Session], str]) -> Callable[[Session], str]:
    """Several; the last one's answer."""
    return lambda session: [command(session) for command in commands][-1]


def configured(schema: int = limits.SCHEMA, count: int | None = None) -> Callable[[Session], str]:
    """New settings are sent, under a schema and with a number of settings that may be wrong."""
    settings = list(limits.default_settings())[:count]
    head = wire.pack(wire.SET_CONFIG, schema, 0, len(settings))
    return asked(wire.SET_CONFIG, head + struct.pack(f"<{len(settings)}i", *settings))


def raw(data: bytes) -> Callable[[Session], str]:
    """Bytes for the firmware, and how many frames it then says came damaged."""

    def send(session: Session) -> str:
        before = session.status()["crc_errors"]
        session.target.send(data)
        return f"{session.status()['crc_errors'] - before} damaged"

    return send


def flood(data: bytes) -> Callable[[Session], str]:
    """As `raw`, asked when the firmware is through it: among so many answers that one would find no room."""

    def send(session: Session) -> str:
        before = session.status()["crc_errors"]
        until = session.samples_seen + FLOODED_ROWS
        session.target.send(data)
        session.device.wait(lambda: session.samples_seen >= until, "while it is flooded")
        return f"{session.status()['crc_errors'] - before} damaged"

    return send


def replayed(kind: int) -> Callable[[Session], str]:
    """The last command of a kind comes once more, as it was."""

    def replay(session: Session) -> str:
        tap = session.target
        assert isinstance(tap, WireTap)
        return raw(tap.sent[kind])(session)

    return replay


def rests(table: Table) -> None:
    """Nothing flows once the gate has been opened half-way, also where the rows were sent ahead."""
    table[HALF_WAY:] = IDLE


def reset_and_arm(session: Session) -> str:
    """The latched trip is cleared and the gate closed: a new run."""
    session.wait_for_trip()
    assert session.trip
    session.device.reset_trip(session.trip["trip_id"])
    session.arm()
    return "ok"


def armed(session: Session) -> str:
    """The gate closes again: a new run."""
    session.arm()
    return "ok"


def gate_stays(command: Callable[[Session], str]) -> Callable[[Session], str]:
    """The answer, and whether the gate's pin moved."""

    def watch(session: Session) -> str:
        before = len(session.target.edges)
        answer = command(session)
        return f"{answer}, the gate {'stays' if len(session.target.edges) == before else 'moves'}"

    return watch


# Numbered as no command of the session: an answer to one of these is none to those.
TRIP_FRAME = wire.encode(wire.FORCE_TRIP, 50_007)
DISARM_FRAME = wire.encode(wire.DISARM, 50_008)
UNKNOWN_FRAME = wire.encode(0x7E, 50_009)
DAMAGED = bytes([TRIP_FRAME[0], TRIP_FRAME[1] ^ 4]) + TRIP_FRAME[2:]
BAD = set(range(4, 7))  # three frames of samples, before HALF_WAY
LOST = len(BAD) * FULL_FRAME
GARBAGE = bytes(np.random.default_rng(2).integers(1, 256, 500, dtype=np.uint8)) + b"\0"
FLOOD = b"".join(wire.encode(wire.KEEP_ALIVE, 20_000 + number) for number in range(2000))
QUESTIONS = b"".join(wire.encode(wire.IDENTIFY, 30_000 + number) for number in range(100))
SHIFTED = DISARM_FRAME[:-1] + TRIP_FRAME
OFF = "sensor_fault"
FLOODED_ROWS = 100
FLOOD_NAME, QUESTIONS_NAME = "command flood", "a hundred identifies at once"
GARBAGE_NAME = "endless garbage to the firmware"
# The ring holds 1024 samples: 256 ms of the Pico's at 4 kHz, a second of an injected board's.
LOSING = {"pico": (FLOOD_NAME, QUESTIONS_NAME, GARBAGE_NAME), "board": (FLOOD_NAME,)}


def faults_of(rig: str) -> tuple[Fault[Played], ...]:
    """Those that a rig can have; `LOSING`: those in which it may lose some, counted."""
    losing = LOSING.get(rig, ())
    faults = tuple(replace(fault, lost=None) if fault.name in losing else fault for fault in FAULTS)
    if rig != "board":
        return faults
    return tuple(replace(fault, stage=fault.stage.around_half_way()) for fault in faults)


FAULTS = (
    Fault("none", Played()),
    # in the rows
    Fault("voltage on its upper rail", Played(held(VOLTAGE, 65520)), "open", OFF),
    Fault("voltage on its lower rail", Played(held(VOLTAGE, 0)), "open", OFF),
    Fault("current on its upper rail", Played(held(CURRENT, 65520)), "open", OFF),
    Fault("current on its lower rail", Played(held(CURRENT, 0)), "open", OFF),
    Fault("pressure on its rail", Played(held(PRESSURE, 65520)), "open", OFF),
    Fault("voltage code stuck", Played(stuck(VOLTAGE), rows_after=350), "open", OFF),
    Fault("current wire open", Played(current_wire_off), "open", "sensor_fault"),
    # No voltage beside a current is what a hard short looks like, too: cut off.
    Fault("voltage wire open", Played(voltage_wire_off), "open", "hard_short"),
    Fault("noise burst, 20 rows", Played(noisy(200, 20))),
    Fault("dropped rows", Played(dropped(5))),
    Fault("late rows: each read twice", Played(late(2))),
    Fault("one wild voltage", Played(held(VOLTAGE, 60000, 1), settings={"voltage_max_code": 58000})),
    Fault("voltage jumps beyond its limit", Played(held(VOLTAGE, 60000), settings={"voltage_max_code": 58000}), "open",
          "limit"),
    # on the wire to the host
    Fault("bytes flipped to the host", Played(frames=lambda: flipped(BAD, 40)), lost=LOST),
    Fault("frame ends eaten: flipped to the host", Played(frames=lambda: flipped({4, 6, 8}, -1)), lost=6 * FULL_FRAME),
    Fault("frames cut to the host", Played(frames=lambda: cut(BAD, 100)), lost=4 * FULL_FRAME),
    Fault("frames lost to the host", Played(frames=lambda: cut(BAD, 0)), lost=LOST),
    Fault("frames twice to the host", Played(frames=lambda: repeated(BAD))),
    Fault("frames out of order to the host", Played(frames=lambda: swapped({4, 6, 8}))),
    Fault("garbage between frames to the host", Played(frames=lambda: preceded(BAD, GARBAGE))),
    # on the wire to the firmware
    Fault("bytes flipped to the firmware", Played(command=raw(DAMAGED * 3)), answer="3 damaged"),
    Fault("a command cut to the firmware", Played(command=raw(TRIP_FRAME[:5] + b"\0")), answer="1 damaged"),
    Fault("two commands run together", Played(command=raw(SHIFTED)), answer="1 damaged"),
    Fault("commands out of order to the firmware", Played(command=raw(DISARM_FRAME + TRIP_FRAME)), "open", "command",
          answer="0 damaged"),
    Fault("garbage to the firmware", Played(command=raw(GARBAGE * 4)), answer="4 damaged"),
    Fault(GARBAGE_NAME, Played(command=raw(b"\xff" * 20_000 + b"\0")), answer="1 damaged"),
    Fault("unknown command", Played(command=raw(UNKNOWN_FRAME)), answer="0 damaged"),
    Fault(FLOOD_NAME, Played(command=flood(FLOOD)), answer="0 damaged"),
    Fault(QUESTIONS_NAME, Played(command=flood(QUESTIONS)), answer="0 damaged"),
    Fault("arm replayed after disarm", Played(command=in_turn(asked(wire.DISARM), replayed(wire.ARM))), "open",
          answer="0 damaged"),
    Fault("trip replayed after its reset",
          Played(command=in_turn(asked(wire.FORCE_TRIP), reset_and_arm, replayed(wire.FORCE_TRIP))), "open", "command",
          answer="0 damaged"),
    Fault("disarm under a number seen before",
          Played(rests, command=in_turn(asked(wire.DISARM), armed, replayed(wire.DISARM))), "open", answer="0 damaged"),
    # commands
    Fault("trip forced", Played(command=asked(wire.FORCE_TRIP)), "open", "command", answer="ok"),
    Fault("armed while latched", Played(command=in_turn(asked(wire.FORCE_TRIP), asked(wire.ARM))), "open", "command",
          answer="latched"),
    Fault("reset under another id",
          Played(command=in_turn(asked(wire.FORCE_TRIP), asked(wire.RESET_TRIP, struct.pack("<I", 999)))), "open",
          "command", answer="wrong_id"),
    Fault("armed without a configuration", Played(command=asked(wire.ARM), fresh=True), "open",
          answer="no_configuration"),
    Fault("self-test without a configuration", Played(command=gate_stays(asked(wire.SELF_TEST)), fresh=True), "open",
          answer="no_configuration, the gate stays"),
    Fault("settings sent while armed", Played(command=configured()), answer="armed"),
    Fault("settings of another schema", Played(command=configured(limits.SCHEMA + 1), fresh=True), "open",
          answer="bad_length"),
    Fault("settings of an older firmware", Played(command=configured(count=30), fresh=True), "open",
          answer="bad_value"),
    Fault("host falls silent", Played(settings={"host_timeout_ms": 90}), "open", "host_silent"),
)  # fmt: skip
