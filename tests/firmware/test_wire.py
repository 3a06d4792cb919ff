"""The wire against golden frames, which the protocol's description quotes, and against damage."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdmon_fw import limits, wire

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "tests" / "vectors" / "wire_frames.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_golden_frames(vector: dict) -> None:
    body = bytes.fromhex(vector["body"])
    frame = bytes.fromhex(vector["frame"])
    assert wire.encode(vector["kind"], vector["sequence"], body) == frame
    assert wire.Unframer().feed(frame) == [(vector["kind"], vector["sequence"], body)]


def test_the_description_quotes_golden_frames_and_only_such() -> None:
    text = (ROOT / "firmware" / "PROTOCOL.md").read_text()
    quoted = set(re.findall(r"\| `([0-9a-f]+)` \|", text))
    assert quoted <= {vector["frame"] for vector in VECTORS}
    assert len(quoted) >= 13


def test_the_description_names_every_message_with_its_fields() -> None:
    text = (ROOT / "firmware" / "PROTOCOL.md").read_text()
    rows = {
        row.split("|")[1].strip(): row for row in text.splitlines() if re.match(r"\| [0-9A-F]{2} \|", row)
    }
    codes = {"B": "u8", "H": "u16", "I": "u32", "i": "i32", "h": "i16"}
    for kind, (name, fixed, fields, _, _) in wire.MESSAGES.items():
        row = rows[f"{kind:02X}"]
        assert row.split("|")[2].strip() == name
        typed = [
            f"{field} {codes[code]}" for field, code in zip(fields, fixed.removeprefix("<"), strict=True)
        ]
        assert ", ".join(typed) in row


def test_golden_frames_on_micropython() -> None:
    script = (
        "import sys, json; sys.path.insert(0, sys.argv[1]); from ccdmon_fw import wire\n"
        "for v in json.load(open(sys.argv[2])):\n"
        "    b = bytes.fromhex(v['body']); f = bytes.fromhex(v['frame'])\n"
        "    assert wire.encode(v['kind'], v['sequence'], b) == f, v['name']\n"
        "    assert wire.Unframer().feed(f) == [(v['kind'], v['sequence'], b)], v['name']\n"
    )
    micropython = Path(sys.executable).with_name("micropython")
    done = subprocess.run(
        [micropython, "-c", script, str(ROOT / "firmware"), str(ROOT / "tests/vectors/wire_frames.json")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@settings(deadline=None)
@given(st.binary(max_size=700), st.integers(0, 65535), st.integers(1, 255))
def test_any_body_comes_back_and_has_no_zero_inside(body: bytes, sequence: int, kind: int) -> None:
    frame = wire.encode(kind, sequence, body)
    assert frame.index(0) == len(frame) - 1
    assert wire.Unframer().feed(frame) == [(kind, sequence, body)]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6), st.data())
def test_cut_anywhere_the_stream_gives_the_same_frames(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(wire.encode(5, number, body) for number, body in enumerate(bodies))
    cut = data.draw(st.integers(0, len(stream)))
    unframer = wire.Unframer()
    frames = unframer.feed(stream[:cut]) + unframer.feed(stream[cut:])
    assert [body for _, _, body in frames] == bodies
    assert unframer.crc_errors == 0


@settings(deadline=None)
@given(st.data())
def test_a_flipped_bit_never_passes(data: st.DataObject) -> None:
    frame = bytearray(wire.encode(3, 17, b"abcdefgh" * 4))
    frame[data.draw(st.integers(0, len(frame) - 2))] ^= 1 << data.draw(st.integers(0, 7))
    unframer = wire.Unframer()
    assert unframer.feed(bytes(frame)) == []
    assert unframer.crc_errors >= 1


@pytest.mark.parametrize("most_bytes", [wire.MAX_PAYLOAD_BYTES, wire.MAX_COMMAND_BYTES])
def test_noise_without_end_is_thrown_away_and_the_next_frame_is_read(most_bytes: int) -> None:
    unframer = wire.Unframer(most_bytes)
    for _ in range(most_bytes // 100 + 1):
        assert unframer.feed(b"x" * 100) == []
        assert len(unframer._held) <= most_bytes
    assert unframer.feed(b"yyy\0" + wire.encode(1, 2, b"z")) == [(1, 2, b"z")]
    assert unframer.crc_errors == 1


def test_every_message_packs_and_unpacks_its_fields() -> None:
    for kind, (_, _, fields, _, _) in wire.MESSAGES.items():
        values = list(range(1, len(fields) + 1))
        read, rest = wire.unpack(kind, wire.pack(kind, *values) + b"tail")
        assert list(read.values()) == values
        assert rest == b"tail"
    with pytest.raises(ValueError, match="short"):
        wire.unpack(wire.TRIP, b"\1")


@pytest.mark.parametrize(
    "names",
    [wire.RESULTS, wire.SELF_TESTS, limits.REASONS, limits.SETTINGS],
    ids=["results", "self-tests", "reasons", "settings"],
)
def test_the_description_numbers_every_name(names: tuple[str, ...]) -> None:
    text = " ".join((ROOT / "firmware" / "PROTOCOL.md").read_text().split())
    assert ", ".join(f"{number} {name}" for number, name in enumerate(names)) in text


def test_the_description_states_the_schema_of_the_settings() -> None:
    assert f"`schema` of the settings: {limits.SCHEMA}." in (ROOT / "firmware" / "PROTOCOL.md").read_text()
