"""The wire: frames, message formats and their dictionary; runs on CPython and MicroPython, does no I/O.

A frame is COBS(payload + CRC-32 of the payload, little-endian) + one zero byte; a payload is the message type (u8),
a sequence number (u16) and the body. All numbers are little-endian. `firmware/PROTOCOL.md` explains the messages and
quotes golden frames; the formats themselves live only in MESSAGES below and travel in the identity message.

Device to host the sequence counts frames, so a lost frame shows. Host to device it numbers commands: the device
answers with ACK carrying that number and, asked again with the same number, repeats the answer without acting twice.
"""

import binascii
import struct

try:
    import micropython
except ImportError:
    from ccdmon_fw.cpython import micropython, ptr8

PROTOCOL = 2
MAX_PAYLOAD_BYTES = 8192  # an identity has 4000; longer input without a frame end is noise
MAX_COMMAND_BYTES = 1024  # the same on its way to the device, whose memory is small; the longest has 200

# Device to host
IDENTITY, SAMPLES, TRIP, STATUS, ACK, CONFIG = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
BLOCKS, BLACKBOX, CLOCK, EVENT, BOX = 0x07, 0x08, 0x09, 0x0A, 0x0B
# Host to device: commands, each answered by ACK
IDENTIFY, GET_STATUS, ARM, DISARM, FORCE_TRIP, RESET_TRIP = 0x41, 0x42, 0x43, 0x44, 0x45, 0x46
SET_CONFIG, GET_CONFIG, GET_BLACKBOX, GET_CLOCK, STREAM, ACK_TRIP = 0x47, 0x48, 0x49, 0x4A, 0x4B, 0x4C
KEEP_ALIVE, EXIT, SELF_TEST = 0x4D, 0x4E, 0x4F

# Stream modes of the STREAM command
EVERY_SAMPLE, BLOCK_SUMMARY, EVENTS_ONLY = 0, 1, 2

NO_RULE = 255  # in EVENT: what happened is no rule of the detector
NO_TEMPERATURE = -32768  # in STATUS: not measured

# Results in ACK; zero is yes, all others name why nothing was done.
RESULTS = (
    "ok", "unknown_command", "bad_length", "bad_value", "armed", "not_armed", "latched", "wrong_id",
    "no_configuration", "self_test_failed", "not_supported", "no_record", "flash_failed", "busy",
    "not_safe", "faulty", "zero_too_large",
)  # fmt: skip
OK, UNKNOWN_COMMAND, BAD_LENGTH, BAD_VALUE, ARMED, NOT_ARMED, LATCHED, WRONG_ID = 0, 1, 2, 3, 4, 5, 6, 7
NO_CONFIGURATION, SELF_TEST_FAILED, NOT_SUPPORTED, NO_RECORD, FLASH_FAILED, BUSY = 8, 9, 10, 11, 12, 13
NOT_SAFE, FAULTY, ZERO_TOO_LARGE = 14, 15, 16

# Of the self-test. What may fail: the gate's pin, its feedback contact, the current; each when opening, when closing.
SELF_TESTS = (
    "not_tested", "passed", "passed_without_current", "testing", "aborted", "tripped",
    "pin_does_not_open", "pin_does_not_close", "contact_does_not_open", "contact_does_not_close",
    "current_does_not_stop", "current_does_not_follow", "external_trip_not_safe",
)  # fmt: skip
NOT_TESTED, PASSED, PASSED_DRY, TESTING, ABORTED, TRIPPED, FAILED_AT = 0, 1, 2, 3, 4, 5, 6
TRIP_NOT_SAFE = 12

# type: (name, struct format of the fixed part, field names, struct format of each repeated item or "", item names)
MESSAGES = {
    IDENTITY: ("identity", "<H", ("json_bytes",), "<B", ("json",)),
    SAMPLES: (
        "samples", "<IIIHBB", ("first_sample", "dropped", "time_us", "run", "count", "flags"),
        "<HHHH", ("voltage_code", "current_code", "pressure_code", "verdict"),
    ),
    TRIP: (
        "trip", "<IHBBIIiiI",
        ("trip_id", "run", "reason", "repeat", "sample", "time_us", "value", "limit", "uptime_ms"), "", (),
    ),
    STATUS: (
        "status", "<IIIIIIHBBBBIIBBh",
        ("sample", "dropped", "overruns", "crc_errors", "uptime_ms", "trip_id", "run", "armed", "reason", "gate",
         "self_test", "config_crc", "config_generation", "contact", "stream_mode", "temperature_dC"), "", (),
    ),
    ACK: ("ack", "<HBBI", ("command_sequence", "command", "result", "detail"), "", ()),
    CONFIG: ("config", "<IBBH", ("generation", "schema", "slot", "count"), "<i", ("setting",)),
    BLOCKS: (
        "blocks", "<IIIHBB", ("first_sample", "dropped", "time_us", "run", "samples_per_block", "flags"),
        "<HHHHHHHHHH",
        ("voltage_min_code", "voltage_max_code", "voltage_mean_code", "current_min_code", "current_max_code",
         "current_mean_code", "pressure_min_code", "pressure_max_code", "pressure_mean_code", "verdict"),
    ),
    BLACKBOX: (
        "blackbox", "<IiHH", ("trip_id", "first_sample", "index", "total"),
        "<HHHH", ("voltage_code", "current_code", "pressure_code", "verdict"),
    ),
    BOX: (
        "box", "<IHBIIiiIIiH",
        ("trip_id", "run", "reason", "sample", "time_us", "value", "limit", "uptime_ms", "config_crc",
         "first_sample", "total"), "", (),
    ),
    CLOCK: (
        "clock", "<HIIII", ("command_sequence", "time_us", "uptime_ms", "sample", "sample_time_us"), "", (),
    ),
    EVENT: (
        "event", "<HBBIIiiIB",
        ("run", "reason", "action", "sample", "time_us", "value", "limit", "times", "rule"), "", (),
    ),
    IDENTIFY: ("identify", "<", (), "", ()),
    GET_STATUS: ("get_status", "<", (), "", ()),
    ARM: ("arm", "<", (), "", ()),
    DISARM: ("disarm", "<", (), "", ()),
    FORCE_TRIP: ("force_trip", "<", (), "<B", ("reason",)),
    RESET_TRIP: ("reset_trip", "<I", ("trip_id",), "", ()),
    SET_CONFIG: ("set_config", "<BBH", ("schema", "flags", "count"), "<i", ("setting",)),
    GET_CONFIG: ("get_config", "<", (), "", ()),
    GET_BLACKBOX: ("get_blackbox", "<I", ("trip_id",), "", ()),
    GET_CLOCK: ("get_clock", "<", (), "", ()),
    STREAM: ("stream", "<BB", ("mode", "samples_per_block"), "", ()),
    ACK_TRIP: ("ack_trip", "<I", ("trip_id",), "", ()),
    KEEP_ALIVE: ("keep_alive", "<", (), "", ()),
    EXIT: ("exit", "<", (), "", ()),
    SELF_TEST: ("self_test", "<", (), "", ()),
}  # fmt: skip


def dictionary():
    """MESSAGES as plain lists, for the identity message: {type: [name, format, fields, item format, items]}."""
    return {
        str(kind): [name, fixed, list(fields), item, list(items)]
        for kind, (name, fixed, fields, item, items) in MESSAGES.items()
    }


def pack(kind, *values):
    """Fixed part of a body from its field values, in the order MESSAGES names them."""
    return struct.pack(MESSAGES[kind][1], *values)


def unpack(kind, body):
    """(fields dict, bytes after the fixed part); raises ValueError when the body is too short for its type."""
    fields = MESSAGES[kind][2]
    size = struct.calcsize(MESSAGES[kind][1])
    if len(body) < size:
        raise ValueError("body of %s is short: %d bytes" % (MESSAGES[kind][0], len(body)))
    return dict(zip(fields, struct.unpack_from(MESSAGES[kind][1], body, 0))), body[size:]


@micropython.viper
def cobs_encode(source: ptr8, length: int, target: ptr8) -> int:
    """Stuff `length` bytes into `target` (length + length // 254 + 2 bytes long) with the final zero; bytes written."""
    code_at = 0
    code = 1
    out = 1
    k = 0
    while k < length:
        byte = source[k]
        if byte:
            target[out] = byte
            out += 1
            code += 1
        if byte == 0 or code == 255:
            target[code_at] = code
            code_at = out
            out += 1
            code = 1
        k += 1
    target[code_at] = code
    target[out] = 0
    return out + 1


def cobs_decode(block):
    """Bytes of one stuffed block, without its zero; None when the block is not one."""
    out = bytearray()
    at = 0
    size = len(block)
    while at < size:
        code = block[at]
        end = at + code
        if code == 0 or end > size:
            return None
        out += block[at + 1 : end]
        if code < 255 and end < size:
            out.append(0)
        at = end
    return out


def encode(kind, sequence, body=b""):
    """One whole frame."""
    payload = struct.pack("<BH", kind, sequence & 0xFFFF) + bytes(body)
    payload += struct.pack("<I", binascii.crc32(payload) & 0xFFFFFFFF)
    frame = bytearray(len(payload) + len(payload) // 254 + 3)
    return bytes(frame[: cobs_encode(payload, len(payload), frame)])


def open_frame(block):
    """(kind, sequence, body) of a stuffed block, None when it is damaged."""
    payload = cobs_decode(block)
    if payload is None or len(payload) < 7:
        return None
    (crc,) = struct.unpack_from("<I", payload, len(payload) - 4)
    content = bytes(payload[:-4])
    if binascii.crc32(content) & 0xFFFFFFFF != crc:
        return None
    kind, sequence = struct.unpack_from("<BH", content, 0)
    return kind, sequence, content[3:]


class Unframer:
    """Cuts a byte stream into frames. Counts what it cannot read in `crc_errors`; never raises on input."""

    def __init__(self, most_bytes=MAX_PAYLOAD_BYTES):
        self._most_bytes = most_bytes
        self._held = b""
        self._skipping = False
        self.crc_errors = 0

    def feed(self, data):
        """List of (kind, sequence, body) completed by `data`."""
        blocks = (self._held + bytes(data)).split(b"\0")
        self._held = blocks.pop()
        frames = []
        for block in blocks:
            frame = None if self._skipping else open_frame(block)
            if frame is not None:
                frames.append(frame)
            elif block or self._skipping:
                self.crc_errors += 1
            self._skipping = False
        if len(self._held) > self._most_bytes:
            self._held = b""
            self._skipping = True
        return frames
