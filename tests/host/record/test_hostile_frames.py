"""Intact frames with bodies no firmware of ours sends: all are counted, none ends or misleads the recording."""

import json
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdmon.link.decoder import Decoder, Identity
from ccdmon.link.identity import checked
from ccdmon.run.rows import RowReader
from ccdmon_fw import wire
from tests.host.record.memory_link import recording, to_the_end
from tests.host.whole_run import open_run
from tests.host.wire_stream import Device

FRAMES = 20_000
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
DEEP = "[" * 60_000 + "]" * 60_000

ODD_IDENTITIES: list[Any] = [
    [], "board", 7, None, True, {"sample_period_us": 0}, {"sample_period_us": -500}, {"sample_period_us": "500"},
    {"sample_period_us": 1e300}, {"sample_period_us": [500]}, {"sample_period_us": {"us": 500}},
    {"sample_period_us": True}, {"sample_period_us": 1 << 40}, {"reasons": "none"}, {"reasons": [1, 2]},
    {"reasons": {"0": "none"}}, {"reasons": ["x"] * 1000}, {"rules": 3}, {"compared": [[1]]},
    {"rule_reasons": [-1]}, {"rule_reasons": ["hard_short"]},
    {"rules": [None]}, {"settings": []},
    {"settings": {"confirm_samples": "2"}}, {"settings": {"confirm_samples": 1 << 40}},
    {"settings": {"confirm_samples": 2.5}}, {"front_end": 3}, {"front_end": {"voltage_full_scale_V": 0}},
    {"front_end": {"voltage_full_scale_V": -1}}, {"front_end": {"current_full_scale_A": "x"}},
    {"version": {"major": 1}}, {"version": "x" * 9000}, {"board": ["b"]}, {"board": "\x1b[2J"}, {"schema": "1"},
    {"protocol": -1}, {"temperature": "yes"}, {"fault": 3}, {"messages": json.loads("[" * 20 + "]" * 20)},
    {"x": 1e300}, {"\x07": 1},
]  # fmt: skip
ODD_TEXTS = (
    b"", b"{", b"\xff\xfe", b'{"sample_period_us": NaN}', b'{"a": Infinity}', b'{"sample_period_us": 1e999}',
    b'{"sample_period_us": ' + b"9" * 5000 + b"}", DEEP.encode()[:8000], b"[" * 7000,
)  # fmt: skip


def identity_frame(device: Device, text: bytes) -> bytes:
    return device.frame(wire.IDENTITY, struct.pack("<H", len(text)) + text)


@pytest.mark.parametrize("document", ODD_IDENTITIES, ids=lambda d: str(d)[:40])
def test_an_odd_identity_is_refused_whole(document: Any) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        checked(json.dumps(document).encode())


@pytest.mark.parametrize("text", ODD_TEXTS, ids=lambda t: str(t[:24]))
def test_what_is_no_document_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        checked(text)


def test_what_this_and_later_firmware_state_is_taken() -> None:
    later = {
        "schema": 9,
        "protocol": 3,
        "new": {"key": [1]},
        "front_end": {"gain": 2, "voltage_full_scale_V": 6},
    }
    assert checked(json.dumps(later).encode()) == later
    assert checked(b"{}") == {}
    (event,) = Decoder().feed(Device().identity())
    assert isinstance(event, Identity)


def test_a_refused_identity_is_told_once_and_the_next_good_one_is_taken(tmp_path: Path) -> None:
    device, said = Device(), list[str]()
    odd = [identity_frame(device, b'{"sample_period_us": "soon"}') for _ in range(5)]
    pieces = [*odd, device.identity(), *(device.samples(32 * n, 32) for n in range(20))]
    done = to_the_end(recording(tmp_path / "r", pieces, said))
    assert [line for line in said if "cannot be used" in line] == [
        "port memory: what the board states of itself cannot be used (sample_period_us: Input should be a valid "
        "integer); its frames are recorded"
    ]
    assert done.device.identity["board"] == "test"
    assert done.recorder.rows.counts.unreadable == 5
    assert len(open_run(tmp_path / "r").trace) == 640


def hostile(seed: int, count: int) -> Iterator[tuple[int, bytes]]:
    """(type, body): of each known type bodies that fit with extreme numbers, too short, too long; unknown types."""
    chance = random.Random(seed)
    kinds = [*wire.MESSAGES, 0, 0x3F, 0xFF]
    for _ in range(count):
        kind = chance.choice(kinds)
        shape = wire.MESSAGES.get(kind, ("", "<", (), "", ()))
        size = struct.calcsize(shape[1])
        fields = b"".join(struct.pack("<I", chance.choice(EXTREMES)) for _ in range(size // 4 + 1))[:size]
        items = bytes(chance.choice((0, 1, 0x80, 0xFF)) for _ in range(chance.choice((0, 1, 8, 20, 64))))
        body = chance.choice(
            (fields + items, fields, fields[:-1], chance.randbytes(chance.randrange(60)), b"")
        )
        if kind == wire.IDENTITY and chance.random() < 0.7:
            text = json.dumps(chance.choice(ODD_IDENTITIES)).encode()[:4000]
            body = struct.pack("<H", len(text)) + text
        yield kind, body


def test_20000_hostile_frames_are_all_counted_and_nothing_raises(tmp_path: Path) -> None:
    """Through decoder and recorder: 0.1.0 ended at the first odd identity."""
    device, said = Device(), list[str]()
    frames = [device.frame(kind, body) for kind, body in hostile(1, FRAMES)]
    pieces = [b"".join(frames[at : at + 50]) for at in range(0, FRAMES, 50)]
    done = to_the_end(recording(tmp_path / "r", [device.identity(), *pieces], said))
    counts = done.recorder.rows.counts
    assert counts.frames == FRAMES + 1
    assert (counts.crc_errors, counts.missing_frames) == (0, 0)
    assert counts.unreadable > FRAMES // 10
    assert (done._beside.failures, done.live.problem) == ({}, None)
    assert (tmp_path / "r" / "frames.bin").stat().st_size == sum(map(len, frames)) + len(Device().identity())
    again = RowReader()
    again.feed((tmp_path / "r" / "frames.bin").read_bytes())
    assert again.counts == counts, "read back, the files say the same"
    assert (tmp_path / "r" / "events.ndjson").stat().st_size < 20e6


def test_good_frames_between_hostile_ones_arrive_whole(tmp_path: Path) -> None:
    """None of the hostile ones are samples of the run that goes on."""
    device, said, sent = Device(), list[str](), 0
    pieces = [device.identity()]
    for number, (kind, body) in enumerate(hostile(2, 2000)):
        if kind not in (wire.SAMPLES, wire.BLOCKS):
            pieces.append(device.frame(kind, body))
        if number % 10 == 0:
            pieces.append(device.samples(sent, 32))
            sent += 32
    to_the_end(recording(tmp_path / "r", pieces, said))
    run = open_run(tmp_path / "r")
    assert run.samples.tolist() == list(range(sent))
    assert run.counts.missing_samples == 0
