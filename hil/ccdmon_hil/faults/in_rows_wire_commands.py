"""Faults while a simulated healthy trace is replayed on a rig: in rows, on the wire, in commands.

On `unix` and `pico` each fault has a firmware of its own. The loop is closed, so that the firmware is never ahead of
the host by more than a frame, and what is done half-way is done there. A board stays, and is configured anew; its rows
are fewer and sent ahead. Longer than 250 lines: the table, and what it is made of.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from ccdmon.errors import DeviceError
from ccdmon.link.decoder import Message
from ccdmon.link.device import RefusedError
from ccdmon.model.front_end import FrontEnd
from ccdmon.model.trace import Trace
from ccdmon.simulation.simulate import simulate
from ccdmon_fw import limits, wire
from ccdmon_hil.faults.fault import Fault, Outcome
from ccdmon_hil.play.replay import detector_settings
from ccdmon_hil.rigs.session import Session
from ccdmon_hil.rigs.target import Codes, Source
from ccdmon_hil.rigs.wire_tap import FrameFault, WireTap, cut, flipped, preceded, repeated, swapped

ROWS = 1000  # two and a half half-cycles
HALF_WAY = 500
SILENT_S = 120.0  # of the rig's time, else of the machine's: an emulated board may be crowded
FULL_FRAME = 32  # samples
SEED = 10_000
VOLTAGE, CURRENT, PRESSURE = 0, 1, 2  # columns
IDLE: Codes = (32768, 32768, 32768)
Table = npt.NDArray[np.uint16]  # shape (rows, 3): codes


@dataclass(frozen=True)
class How:
    """`rows` changes the table of codes in place; `frames` is set while armed; `command` is given half-way, armed.

    `fresh`: the command is given to a firmware that was never configured. `rows_after`: half-way, of those that show
    what comes of it, where a rig plays no more than these.
    """

    rows: Callable[[Table], None] | None = None
    frames: Callable[[], FrameFault] | None = None
    command: Callable[[Session], str] | None = None
    fresh: bool = False
    rows_after: int = 200
    settings: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """The rows [start, stop) of the trace that are played; `closed_loop`: each waits for the answer to the last."""

    start: int = 0
    stop: int = ROWS
    closed_loop: bool = True

    @property
    def rows(self) -> int:
        """How many."""
        return self.stop - self.start


ALL = Part()


def around_half_way(fault: Fault) -> Part:
    """For a board: each row is dear, and they are sent ahead."""
    return Part(HALF_WAY - 120, HALF_WAY + fault.inject.rows_after, closed_loop=False)


def run(session: Session, fault: Fault, part: Part = ALL) -> Outcome:
    """Bring the fault about behind a `WireTap`, on a firmware that has just started or is to be configured anew."""
    how = fault.inject
    assert isinstance(how, How)
    return _run(session, how, part)


def faults_of(rig: str) -> tuple[Fault, ...]:
    """Those that a rig can have; `LOSING`: those in which it may lose some, counted."""
    losing = LOSING.get(rig, ())
    return tuple(replace(fault, lost=None) if fault.name in losing else fault for fault in FAULTS)


def _run(session: Session, how: How, part: Part) -> Outcome:
    table, settings = _healthy(how.settings)
    if how.rows:
        how.rows(table)
    if how.fresh:
        assert how.command
        return Outcome("closed" if session.status()["gate"] else "open", "none", 0, 0, how.command(session))
    tap = session.target
    assert isinstance(tap, WireTap)
    session.configure(settings)
    tap.play(_source(table[part.start : part.stop], part.closed_loop), part.closed_loop)
    session.arm()
    missed = session.decoder.counts.missing_samples
    tap.disturb(how.frames() if how.frames else None)
    warnings = _pump_to(session, HALF_WAY - part.start)
    answer = how.command(session) if how.command else ""
    warnings += _pump_to(session, part.rows)
    tap.disturb(None)
    return _outcome(session, part.rows, answer, missed, warnings)


def _outcome(session: Session, rows: int, answer: str, missed: int, warnings: list[str]) -> Outcome:
    if session.status()["reason"]:
        session.wait_for_trip()
    reason = limits.REASONS[session.trip["reason"]] if session.trip else (warnings or ["none"])[0]
    lost = rows - int(session.codes(rows)[1].sum())
    counted = session.decoder.counts.missing_samples - missed
    gate = "closed" if session.target.edges[-1].closed else "open"
    return Outcome(gate, reason, lost, max(0, lost - counted), answer)


def _pump_to(session: Session, rows: int) -> list[str]:
    """Until so many rows were seen; what was warned of meanwhile, in brackets. `DeviceError` where none comes."""
    warnings = []
    seen, since_s = session.samples_seen, session.now_s()
    while session.samples_seen < rows:
        if session.samples_seen > seen:
            seen, since_s = session.samples_seen, session.now_s()
        elif session.now_s() - since_s > SILENT_S:
            raise DeviceError(f"rig {session.target.name}: no sample for {SILENT_S:.0f} s after row {seen}")
        for event in session.pump():
            if (
                isinstance(event, Message)
                and event.name == "event"
                and event.fields["action"] == limits.ACTION_WARN
            ):
                warnings.append(f"({limits.REASONS[event.fields['reason']]})")
    return warnings


def _source(table: Table, closed_loop: bool) -> Source:
    """In a closed loop no current flows, and no voltage stands, while the gate is open."""
    rows: list[Codes] = [(row[VOLTAGE], row[CURRENT], row[PRESSURE]) for row in table.tolist()]

    def source(row: int, gate_closed: bool) -> Codes | None:
        if row >= len(rows):
            return None
        return rows[row] if gate_closed or not closed_loop else IDLE

    return source


def _healthy(changed: dict[str, int]) -> tuple[Table, list[int]]:
    """Codes of a healthy cell, and the settings that fit them."""
    trace = _trace()
    front_end = FrontEnd.for_trace(trace)
    settings = detector_settings(trace, front_end)
    for name, value in changed.items():
        settings[limits.SETTINGS.index(name)] = value
    return np.array(front_end.codes(trace), dtype=np.uint16), settings


@cache
def _trace() -> Trace:
    return simulate("healthy", SEED, max_rows=4 * ROWS).trace


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


def replayed(kind: int) -> Callable[[Session], str]:
    """The last command of a kind comes once more, as it was."""

    def replay(session: Session) -> str:
        tap = session.target
        assert isinstance(tap, WireTap)
        return raw(tap.sent[kind])(session)

    return replay


def reset_and_arm(session: Session) -> str:
    """The latched trip is cleared and the gate closed: a new run."""
    session.wait_for_trip()
    assert session.trip
    session.device.reset_trip(session.trip["trip_id"])
    session.arm()
    return "ok"


TRIP_FRAME = wire.encode(wire.FORCE_TRIP, 7)
DISARM_FRAME = wire.encode(wire.DISARM, 8)
DAMAGED = bytes([TRIP_FRAME[0], TRIP_FRAME[1] ^ 4]) + TRIP_FRAME[2:]
BAD = set(range(4, 7))  # three frames of samples, before HALF_WAY
LOST = len(BAD) * FULL_FRAME
GARBAGE = bytes(np.random.default_rng(2).integers(1, 256, 500, dtype=np.uint8)) + b"\0"
FLOOD = b"".join(wire.encode(wire.KEEP_ALIVE, 20_000 + number) for number in range(2000))
QUESTIONS = b"".join(wire.encode(wire.IDENTIFY, 30_000 + number) for number in range(100))
SHIFTED = DISARM_FRAME[:-1] + TRIP_FRAME
OFF = "sensor_fault"
FLOOD_NAME, QUESTIONS_NAME = "command flood", "a hundred identifies at once"
# The ring holds 1024 samples: 256 ms of the Pico's at 4 kHz, a second of an injected board's.
LOSING = {"pico": (FLOOD_NAME, QUESTIONS_NAME), "board": (FLOOD_NAME,)}

FAULTS = (
    Fault("none", How()),
    # in the rows
    Fault("voltage on its upper rail", How(held(VOLTAGE, 65520)), "open", OFF),
    Fault("voltage on its lower rail", How(held(VOLTAGE, 0)), "open", OFF),
    Fault("current on its upper rail", How(held(CURRENT, 65520)), "open", OFF),
    Fault("current on its lower rail", How(held(CURRENT, 0)), "open", OFF),
    Fault("pressure on its rail", How(held(PRESSURE, 65520)), "open", OFF),
    Fault("voltage code stuck", How(stuck(VOLTAGE), rows_after=350), "open", OFF),
    Fault("current wire open", How(current_wire_off), reason="(sensor_fault)"),
    # No voltage beside a current is what a hard short looks like, too: cut off.
    Fault("voltage wire open", How(voltage_wire_off), "open", "hard_short"),
    Fault("noise burst, 20 rows", How(noisy(200, 20))),
    Fault("dropped rows", How(dropped(5))),
    Fault("late rows: each read twice", How(late(2))),
    Fault("one wild voltage", How(held(VOLTAGE, 60000, 1), settings={"voltage_max_code": 58000})),
    Fault("voltage jumps beyond its limit", How(held(VOLTAGE, 60000), settings={"voltage_max_code": 58000}), "open",
          "limit"),
    # on the wire to the host
    Fault("bytes flipped to the host", How(frames=lambda: flipped(BAD, 40)), lost=LOST),
    Fault("frame ends eaten: flipped to the host", How(frames=lambda: flipped({4, 6, 8}, -1)), lost=6 * FULL_FRAME),
    Fault("frames cut to the host", How(frames=lambda: cut(BAD, 100)), lost=4 * FULL_FRAME),
    Fault("frames lost to the host", How(frames=lambda: cut(BAD, 0)), lost=LOST),
    Fault("frames twice to the host", How(frames=lambda: repeated(BAD))),
    Fault("frames out of order to the host", How(frames=lambda: swapped({4, 6, 8}))),
    Fault("garbage between frames to the host", How(frames=lambda: preceded(BAD, GARBAGE))),
    # on the wire to the firmware
    Fault("bytes flipped to the firmware", How(command=raw(DAMAGED * 3)), answer="3 damaged"),
    Fault("a command cut to the firmware", How(command=raw(TRIP_FRAME[:5] + b"\0")), answer="1 damaged"),
    Fault("two commands run together", How(command=raw(SHIFTED)), answer="1 damaged"),
    Fault("commands out of order to the firmware", How(command=raw(DISARM_FRAME + TRIP_FRAME)), "open", "command",
          answer="0 damaged"),
    Fault("garbage to the firmware", How(command=raw(GARBAGE * 4)), answer="4 damaged"),
    Fault("endless garbage to the firmware", How(command=raw(b"\xff" * 20_000 + b"\0")), answer="1 damaged"),
    Fault("unknown command", How(command=raw(wire.encode(0x7E, 9))), answer="0 damaged"),
    Fault(FLOOD_NAME, How(command=raw(FLOOD)), answer="0 damaged"),
    Fault(QUESTIONS_NAME, How(command=raw(QUESTIONS)), answer="0 damaged"),
    Fault("arm replayed after disarm", How(command=in_turn(asked(wire.DISARM), replayed(wire.ARM))), "open",
          answer="0 damaged"),
    Fault("trip replayed after its reset",
          How(command=in_turn(asked(wire.FORCE_TRIP), reset_and_arm, replayed(wire.FORCE_TRIP))), answer="0 damaged"),
    # commands
    Fault("trip forced", How(command=asked(wire.FORCE_TRIP)), "open", "command", answer="ok"),
    Fault("armed while latched", How(command=in_turn(asked(wire.FORCE_TRIP), asked(wire.ARM))), "open", "command",
          answer="latched"),
    Fault("reset under another id",
          How(command=in_turn(asked(wire.FORCE_TRIP), asked(wire.RESET_TRIP, struct.pack("<I", 999)))), "open",
          "command", answer="wrong_id"),
    Fault("armed without a configuration", How(command=asked(wire.ARM), fresh=True), "open", answer="no_configuration"),
    Fault("settings sent while armed", How(command=configured()), answer="armed"),
    Fault("settings of another schema", How(command=configured(limits.SCHEMA + 1), fresh=True), "open",
          answer="bad_length"),
    Fault("settings of an older firmware", How(command=configured(count=30), fresh=True), "open", answer="bad_value"),
    Fault("host falls silent", How(settings={"host_timeout_ms": 90}), "open", "host_silent"),
)  # fmt: skip
