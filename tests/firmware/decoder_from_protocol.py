"""A second reader and arming host, written from firmware/PROTOCOL.md alone: nothing of ccdmon is imported here.

It is kept so that the document keeps sufficing: where it and the firmware part, this fails with it.
"""

import binascii
import json
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

Message = dict[str, Any]
Place = tuple[int, ...]

# "Device to host": name, fixed part as of struct, names of its fields.
DEVICE = {
    0x01: ("identity", "H", "json_bytes"),
    0x02: ("samples", "IIIHBB", "first_sample dropped time_us run count flags"),
    0x03: ("trip", "IHBBIIiiI", "trip_id run reason repeat sample time_us value limit uptime_ms"),
    0x04: (
        "status",
        "IIIIIIHBBBBIIBBh",
        "sample dropped overruns crc_errors uptime_ms trip_id run armed reason gate self_test config_crc"
        " config_generation contact stream_mode temperature_dC",
    ),
    0x05: ("ack", "HBBI", "command_sequence command result detail"),
    0x06: ("config", "IBBH", "generation schema slot count"),
    0x07: ("blocks", "IIIHBB", "first_sample dropped time_us run samples_per_block flags"),
    0x08: ("blackbox", "IiHH", "trip_id first_sample index total"),
    0x09: ("clock", "HIIII", "command_sequence time_us uptime_ms sample sample_time_us"),
    0x0A: ("event", "HBBIIiiIB", "run reason action sample time_us value limit times rule"),
    0x0B: (
        "box",
        "IHBIIiiIIiH",
        "trip_id run reason sample time_us value limit uptime_ms config_crc first_sample total",
    ),
}
COMMANDS = {"identify": 0x41, "get_status": 0x42, "arm": 0x43, "disarm": 0x44, "force_trip": 0x45, "reset_trip": 0x46,
            "set_config": 0x47, "get_config": 0x48, "get_blackbox": 0x49, "get_clock": 0x4A, "stream": 0x4B,
            "ack_trip": 0x4C, "keep_alive": 0x4D, "exit": 0x4E, "self_test": 0x4F}  # fmt: skip


def uncobs(stuffed: bytes) -> bytes:
    out, place = bytearray(), 0
    while place < len(stuffed):
        code = stuffed[place]
        out += stuffed[place + 1 : place + code]
        place += code
        if code < 255 and place < len(stuffed):
            out.append(0)
    return bytes(out)


def cobs(data: bytes) -> bytes:
    out = bytearray()
    for part in data.split(b"\0"):
        while len(part) >= 254:
            out += b"\xff" + part[:254]
            part = part[254:]
        out += bytes([len(part) + 1]) + part
    return bytes(out)


def command(name: str, number: int, body: bytes = b"") -> bytes:
    plain = struct.pack("<BH", COMMANDS[name], number) + body
    return cobs(plain + struct.pack("<I", binascii.crc32(plain))) + b"\0"


def payload(frame: bytes) -> bytes | None:
    """Of one frame without its zero: type, sequence and body; None where it is damaged."""
    plain = uncobs(frame)
    whole = len(plain) >= 7 and binascii.crc32(plain[:-4]) == int.from_bytes(plain[-4:], "little")
    return plain[:-4] if whole else None


def message(plain: bytes) -> Message:
    name, fixed, fields = DEVICE[plain[0]]
    body = plain[3:]
    if name == "status" and len(body) == struct.calcsize("<" + fixed) - 2:  # protocol 1
        fixed, fields = fixed[:-1], fields.rsplit(" ", 1)[0]
    size = struct.calcsize("<" + fixed)
    told = dict(zip(fields.split(), struct.unpack("<" + fixed, body[:size]), strict=True))
    rest = body[size:]
    out: Message = {"name": name, "number": struct.unpack("<H", plain[1:3])[0], **told}
    if name == "identity":
        out["identity"] = json.loads(rest)
    elif name in ("samples", "blackbox"):
        out["places"] = list(struct.iter_unpack("<HHHH", rest))
    elif name == "blocks":
        out["places"] = list(struct.iter_unpack("<10H", rest))
    elif name == "config":
        out["settings"] = [value for (value,) in struct.iter_unpack("<i", rest)]
    return out


def messages(stream: bytes) -> Iterator[Message]:
    """Of what is whole and of a known type in it."""
    for frame in stream.split(b"\0")[:-1]:
        plain = payload(frame)
        if plain is not None and plain[0] in DEVICE:
            yield message(plain)


def volts_amperes(front_end: dict[str, Any], place: Place) -> tuple[float, float]:
    return (
        (place[0] - 32768) / 32768 * front_end["voltage_full_scale_V"],
        (place[1] - 32768) / 32768 * front_end["current_full_scale_A"],
    )


class Board:
    """`read` gives what bytes have come (waiting a little), `write` takes bytes."""

    def __init__(self, read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
        self.read, self.write, self.kept, self.number = read, write, b"", random.randrange(65536)
        self.heard: list[Message] = []

    def until(self, wanted: Callable[[Message], bool], again: bytes) -> Message:
        for _ in range(20):
            self.write(again)
            for _ in range(50):
                self.kept += self.read()
                whole, _, self.kept = self.kept.rpartition(b"\0")
                new = list(messages(whole + b"\0"))
                self.heard += new
                for told in new:
                    if wanted(told):
                        return told
        raise TimeoutError("the board does not answer")

    def ask(self, name: str, answer: str, body: bytes = b"") -> Message:
        self.number = (self.number + 1) % 65536
        own = self.number
        return self.until(
            lambda m: m["name"] == answer and m.get("command_sequence", own) == own,
            command(name, own, body),
        )

    def prepare(self) -> None:
        """Steps 1 to 3 of "To arm a board"."""
        identity = self.ask("identify", "identity")["identity"]
        assert identity["protocol"] == 2
        settings = self.ask("get_config", "config")
        assert settings["schema"] == 4
        if settings["generation"] == 0:
            values = settings["settings"]
            body = struct.pack("<BBH", 4, 0, len(values)) + struct.pack(f"<{len(values)}i", *values)
            assert self.ask("set_config", "ack", body)["result"] == 0
            assert self.ask("get_config", "config")["settings"] == values
        assert self.ask("self_test", "ack")["result"] == 0

    def arm(self) -> int:
        """The run that begins. Step 4."""
        armed = self.ask("arm", "ack")
        assert armed["result"] == 0, armed
        return int(armed["detail"])
