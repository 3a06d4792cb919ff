"""The bench's own messages between `board.py` and `data/injected_board.py`, beside those of `ccdmon_fw.wire`.

Runs on CPython and MicroPython; the board gets it as text, in front of the script. Firmware in the field knows none of
them. Every answer carries the whole state, so that a lost one costs nothing.
"""

import struct

BENCH_ROWS, BENCH_ASK, BENCH_IDLE = 0x60, 0x61, 0x62  # host to board
BENCH_STATE, BENCH_INSTANT, BENCH_ENDED = 0x30, 0x31, 0x32  # board to host
BENCH_MESSAGES = {
    # Rows to play, `first_row` being the one expected next; flags below.
    BENCH_ROWS: (
        "bench_rows", "<IBB", ("first_row", "flags", "count"),
        "<HHH", ("voltage_code", "current_code", "pressure_code"),
    ),
    # What stands at the converters while nothing plays, over and over; answered with the state.
    BENCH_IDLE: ("bench_idle", "<B", ("count",), "<HHH", ("voltage_code", "current_code", "pressure_code")),
    # When was this row sampled?
    BENCH_ASK: ("bench_ask", "<I", ("row",), "", ()),
    # Rows received and played; ticks that found no row; the gate's pad; its moves with rows played until then.
    BENCH_STATE: (
        "bench_state", "<IIIBB", ("received", "played", "starved", "closed", "playing"),
        "<BII", ("edge_closed", "edge_rows", "edge_us"),
    ),
    # Board time of a row's sample, modulo 2**30; known is 0 where it is too long ago.
    BENCH_INSTANT: ("bench_instant", "<IIB", ("row", "time_us", "known"), "", ()),
    # The firmware has ended, with this exception; the board resets.
    BENCH_ENDED: ("bench_ended", "<", (), "<B", ("text",)),
}  # fmt: skip
FIRST, LAST, LOCK_STEP = 1, 2, 4  # flags: forget all rows before; no row follows; say so after each row
PLAYING, KNOWS_END = 1, 2  # bits of `playing`
CAPACITY_ROWS = 1024  # the board holds
IDLE_ROWS = 64  # at most
BATCH_ROWS = 64  # at most in one message; divides the capacity
BENCH_PERIOD_US = 1000  # between two samples: what the console carries both ways


def pack(kind: int, *values: int) -> bytes:
    """Fixed part of a body, as `wire.pack`."""
    _, fixed, _, _, _ = BENCH_MESSAGES[kind]
    return struct.pack(fixed, *values)


def unpack(kind: int, body: bytes) -> tuple[dict[str, int], bytes]:
    """(fields dict, bytes after the fixed part), as `wire.unpack`; a body too short raises ValueError."""
    _, fixed, fields, _, _ = BENCH_MESSAGES[kind]
    size = struct.calcsize(fixed)
    if len(body) < size:
        raise ValueError("a message of the bench is short")
    values = struct.unpack_from(fixed, body, 0)
    return dict(zip(fields, values)), body[size:]  # noqa: B905 - MicroPython knows no strict
