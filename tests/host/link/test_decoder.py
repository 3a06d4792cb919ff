"""The decoder: any cutting of the stream gives the same events, and every loss is counted."""

import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdmon.link.decoder import (
    Decoder,
    Event,
    Identity,
    JoiningDecoder,
    Lost,
    Message,
    Refused,
    Restarted,
    Samples,
    read_message,
)
from ccdmon_fw import wire
from tests.host.wire_stream import Device, codes, stream


def described(events: list[Event]) -> list[object]:
    """Events as comparable values (arrays are not)."""
    return [
        (event.first_sample, event.run, event.codes.tolist()) if isinstance(event, Samples) else event
        for event in events
    ]


def test_samples_arrive_as_sent() -> None:
    events = Decoder().feed(Device().samples(7, 5, run=3, dropped=2))
    assert len(events) == 1
    event = events[0]
    assert isinstance(event, Samples)
    assert (event.first_sample, event.run, event.dropped, event.time_us) == (7, 3, 2, 1750)
    np.testing.assert_array_equal(event.codes, codes(7, 5))


def test_identity_and_trip() -> None:
    device = Device()
    identity, trip = Decoder().feed(device.identity() + device.trip(9, 1108))
    assert isinstance(identity, Identity)
    assert identity.document["board"] == "test"
    assert isinstance(trip, Message)
    assert (trip.name, trip.fields["trip_id"], trip.fields["sample"]) == ("trip", 9, 1108)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 5000), max_size=20))
def test_cutting_the_stream_changes_nothing(cuts: list[int]) -> None:
    data = stream(200)
    whole = Decoder()
    expected = described(whole.feed(data))
    parts, events = Decoder(), list[Event]()
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    for start, stop in pairwise(edges):
        events += parts.feed(data[start:stop])
    assert described(events) == expected
    assert parts.counts == whole.counts


DAMAGE = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), st.integers(0, 10_000), st.integers(1, 255)),
        st.tuples(st.just("cut"), st.integers(0, 10_000), st.integers(1, 400)),
        st.tuples(st.just("insert"), st.integers(0, 10_000), st.integers(0, 255)),
        st.tuples(st.just("repeat"), st.integers(0, 10_000), st.integers(1, 400)),
    ),
    max_size=8,
)


def odd_stream() -> bytes:
    """Every kind of body: with bytes too many, too few, none; types that nobody knows; a restart."""
    device, data = Device(), stream(100)
    head = wire.pack(wire.SAMPLES, 100, 3, 5, 1, 4, 0)
    for body in (head + bytes(32), head + bytes(40), head + bytes(31), head[:9], b""):
        data += device.frame(wire.SAMPLES, body)
    for kind in (*sorted(wire.MESSAGES), 0x00, 0x3F, 0xFF):
        data += device.frame(kind, bytes(range(60))) + device.frame(kind)
    return data


def damaged(damage: list[tuple[str, int, int]]) -> bytes:
    data = bytearray(ODD)
    for how, at, size in damage:
        place = at % len(data)
        if how == "flip":
            data[place] ^= size
        elif how == "cut":
            del data[place : min(place + size, len(data) - 1)]
        else:
            data[place:place] = [size] if how == "insert" else data[place : place + size]
    return bytes(data)


@settings(max_examples=150, deadline=None)
@given(damage=DAMAGE, cut=st.integers(1, 700))
def test_compiled_and_pure_frames_give_the_same_events(damage: list[tuple[str, int, int]], cut: int) -> None:
    data = damaged(damage)
    compiled, pure = Decoder(), Decoder(wire.Unframer())
    for start in range(0, len(data), cut):
        piece = data[start : start + cut]
        assert described(compiled.feed(piece)) == described(pure.feed(piece))
    assert compiled.counts == pure.counts


ODD = odd_stream()


def flat(events: list[Event]) -> list[object]:
    """Every sample on its own, so that joined frames compare with single ones."""
    found: list[object] = []
    for event in events:
        if isinstance(event, Samples):
            rows = enumerate(event.codes.tolist(), event.first_sample)
            found += [(number, event.run, row) for number, row in rows]
        elif not isinstance(event, Lost) or event.what != "damaged":  # told once for each piece
            found.append(event)
    return found


@settings(max_examples=150, deadline=None)
@given(damage=DAMAGE, cut=st.integers(1, 3000))
def test_joined_frames_tell_the_same(damage: list[tuple[str, int, int]], cut: int) -> None:
    data = damaged(damage)
    single, joining = Decoder(), JoiningDecoder()
    for start in range(0, len(data), cut):
        piece = data[start : start + cut]
        assert flat(joining.feed(piece)) == flat(single.feed(piece))
    assert joining.counts == single.counts


def test_frames_without_a_gap_come_as_one_event() -> None:
    device = Device()
    data = b"".join(device.samples(first, 32, dropped=first) for first in range(0, 320, 32))
    decoder = JoiningDecoder()
    decoder.feed(data)
    assert decoder.counts.device_dropped == 288, "the last one's count"
    data += device.samples(352, 32, dropped=5) + device.trip(1, 360) + device.samples(384, 32, run=2)
    events = JoiningDecoder().feed(data)
    assert [type(event).__name__ for event in events] == ["Samples", "Lost", "Samples", "Message", "Samples"]
    first = events[0]
    assert isinstance(first, Samples)
    np.testing.assert_array_equal(first.codes, codes(0, 320))


@pytest.mark.parametrize("cut", [1, 64, 5000])
def test_packets_filled_up_with_zeros_tell_the_same(cut: int) -> None:
    frames = [frame + b"\0" for frame in stream(100).split(b"\0")[:-1]]
    filled = b"".join(frame + bytes(-len(frame) % 64) for frame in frames)
    for decoder in (Decoder(), JoiningDecoder(), Decoder(wire.Unframer())):
        plain, events = Decoder(), list[Event]()
        for start in range(0, len(filled), cut):
            events += decoder.feed(filled[start : start + cut])
        assert flat(events) == flat(plain.feed(b"".join(frames)))
        assert decoder.counts == plain.counts


@settings(max_examples=200, deadline=None)
@given(noise=st.binary(max_size=400))
def test_noise_never_raises_and_the_next_frame_is_read(noise: bytes) -> None:
    decoder = Decoder()
    decoder.feed(noise + b"\0")
    assert any(isinstance(event, Samples) for event in decoder.feed(Device().samples(0, 3)))


@pytest.mark.parametrize("bit", [0, 13, 100, 250])
def test_a_flipped_bit_is_counted_and_the_gap_it_leaves_too(bit: int) -> None:
    device, decoder = Device(), Decoder()
    first, second, third = device.samples(0, 8), device.samples(8, 8), device.samples(16, 8)
    broken = bytearray(second)
    broken[bit // 8] ^= 1 << bit % 8
    events = decoder.feed(first + bytes(broken) + third)
    assert decoder.counts.crc_errors >= 1
    assert decoder.counts.missing_frames == 1
    assert decoder.counts.missing_samples == 8
    assert Lost("samples", 8) in events
    assert Lost("frames", 1) in events


def test_a_dropped_frame_is_counted() -> None:
    device, decoder = Device(), Decoder()
    decoder.feed(device.samples(0, 4))
    device.samples(4, 4)
    device.samples(8, 4)
    decoder.feed(device.samples(12, 4))
    assert (decoder.counts.missing_frames, decoder.counts.missing_samples) == (2, 8)
    assert decoder.counts.crc_errors == 0


def test_samples_dropped_by_the_device_are_missing_without_a_missing_frame() -> None:
    device, decoder = Device(), Decoder()
    decoder.feed(device.samples(0, 4) + device.samples(10, 4, dropped=6))
    counts = decoder.counts
    assert (counts.missing_frames, counts.missing_samples, counts.device_dropped) == (0, 6, 6)


def test_the_sequence_wraps_without_a_loss() -> None:
    device, decoder = Device(), Decoder()
    device.sequence = 0xFFFF
    decoder.feed(device.samples(0, 4) + device.samples(4, 4))
    assert decoder.counts.missing_frames == 0


def test_a_restarted_device_is_told_from_a_loss() -> None:
    old, decoder = Device(), Decoder()
    old.sequence = 500
    decoder.feed(old.samples(9000, 4))
    events = decoder.feed(Device().samples(0, 4))
    assert isinstance(events[0], Restarted)
    assert (decoder.counts.restarts, decoder.counts.missing_frames) == (1, 0)
    assert decoder.counts.missing_samples == 0


@pytest.mark.parametrize("kind", [Decoder, JoiningDecoder])
def test_a_restarted_device_counts_samples_from_its_own_beginning(kind: type[Decoder]) -> None:
    """Its run has the same number: a jump ahead of what was expected would be a loss that never was."""
    before, after, decoder = Device(), Device(), kind()
    for first in range(0, 320, 32):
        decoder.feed(before.samples(first, 32))
    decoder.feed(after.samples(5000, 32))
    assert (decoder.counts.restarts, decoder.counts.missing_samples, decoder.counts.samples) == (1, 0, 352)


def test_a_new_run_starts_its_own_count() -> None:
    device, decoder = Device(), Decoder()
    decoder.feed(device.samples(0, 4, run=1) + device.samples(0, 4, run=2))
    assert decoder.counts.missing_samples == 0


@pytest.mark.parametrize("kind", sorted(wire.MESSAGES))
def test_a_short_body_of_any_kind_is_counted_not_raised(kind: int) -> None:
    decoder = Decoder()
    decoder.feed(Device().frame(kind, b""))
    empty = struct.calcsize(wire.MESSAGES[kind][1]) == 0
    assert decoder.counts.unreadable == (0 if empty else 1)


def test_an_unknown_kind_is_counted() -> None:
    decoder = Decoder()
    assert decoder.feed(Device().frame(0x3F, b"later version")) == []
    assert decoder.counts.unreadable == 1


def test_blocks_are_counted_as_the_samples_they_tell_of() -> None:
    device, decoder = Device(), Decoder()

    def blocks(first: int, count: int) -> bytes:
        head = wire.pack(wire.BLOCKS, first, 0, 0, 1, 50, 0)
        items = b"".join(struct.pack("<10H", *range(block, block + 10)) for block in range(count))
        return device.frame(wire.BLOCKS, head + items)

    (event,) = decoder.feed(blocks(0, 4))
    assert isinstance(event, Message)
    assert (event.name, len(event.items), event.items[3]) == ("blocks", 4, tuple(range(3, 13)))
    lost, _ = decoder.feed(blocks(300, 2))
    assert lost == Lost("samples", 100)
    assert (decoder.counts.samples, decoder.counts.missing_samples) == (300, 100)


def test_a_status_of_the_first_protocol_still_reads() -> None:
    names = wire.MESSAGES[wire.STATUS][2]
    body = wire.pack(wire.STATUS, *range(len(names) - 1), 231)
    new, old = read_message(wire.STATUS, body), read_message(wire.STATUS, body[:-2])
    assert new.fields["temperature_dC"] == 231
    assert old.fields == new.fields | {"temperature_dC": wire.NO_TEMPERATURE}
    with pytest.raises(ValueError, match="short"):
        read_message(wire.STATUS, body[:-3])


def test_losses_of_many_pieces_add_up() -> None:
    device, decoder = Device(), Decoder()
    for round_ in range(1, 5):
        broken = bytearray(device.samples(8 * round_, 8))
        broken[9] ^= 4
        assert Lost("damaged", 1) in decoder.feed(bytes(broken) + device.trip(round_, 0))
        assert decoder.counts.crc_errors == round_
    assert decoder.counts.missing_frames == 3, "nothing is missing before the first"
    assert decoder.counts.frames == 4


@pytest.mark.parametrize("jump", [0, 1, 2, 5, 32767, 32768, 32769, 65535])
@pytest.mark.parametrize("kind", [Decoder, JoiningDecoder])
def test_a_sequence_that_jumps_is_a_loss_or_a_restart(kind: type[Decoder], jump: int) -> None:
    device, decoder = Device(), kind()
    data = device.samples(0, 4)
    device.sequence = (device.sequence + jump) % 65536
    events = decoder.feed(data + device.samples(4, 4) + device.samples(8, 4))
    restarted = jump >= 32768
    assert (Restarted() in events) is restarted
    assert (Lost("frames", jump) in events) is (0 < jump < 32768)
    assert (decoder.counts.restarts, decoder.counts.missing_frames) == (
        int(restarted),
        0 if restarted else jump,
    )
    assert decoder.counts.missing_samples == 0 and decoder.counts.samples == 12


def test_a_sequence_goes_round() -> None:
    device, decoder = Device(), Decoder()
    device.sequence = 65535
    assert [type(event) for event in decoder.feed(device.samples(0, 2) + device.samples(2, 2))] == [
        Samples
    ] * 2


def test_samples_of_two_runs_are_counted_apart_and_what_comes_again_is_not_missing() -> None:
    device, decoder = Device(), Decoder()
    decoder.feed(device.samples(0, 4, run=1) + device.samples(100, 4, run=2) + device.samples(4, 4, run=1))
    assert decoder.counts.missing_samples == 0
    events = decoder.feed(device.samples(2, 4, run=1) + device.samples(7, 4, run=1))
    assert decoder.counts.missing_samples == 1 and Lost("samples", 1) in events
    assert decoder.counts.samples == 20


@pytest.mark.parametrize("kind", [wire.STATUS, wire.TRIP, wire.ACK, wire.CLOCK])
def test_only_the_status_may_lack_the_temperature(kind: int) -> None:
    size = struct.calcsize(wire.MESSAGES[wire.STATUS][1]) - 2
    if kind == wire.STATUS:
        found = read_message(kind, bytes(size))
        assert found.fields["temperature_dC"] == wire.NO_TEMPERATURE and found.fields["gate"] == 0
        with pytest.raises((ValueError, struct.error)):
            read_message(kind, bytes(size - 1))
        assert read_message(kind, bytes(size + 2)).fields["temperature_dC"] == 0
        return
    body = bytes(struct.calcsize(wire.MESSAGES[kind][1]))
    assert read_message(kind, body) == read_message(kind, body[:]) and read_message(kind, body).items == ()
    if len(body) == size + 2:
        with pytest.raises((ValueError, struct.error)):
            read_message(kind, bytes(size))


def test_blocks_are_whole_items_and_count_their_samples() -> None:
    device, decoder = Device(), Decoder()
    size = struct.calcsize(wire.MESSAGES[wire.BLOCKS][3])
    names = wire.MESSAGES[wire.BLOCKS][2]
    known = {"run": 1, "first_sample": 64, "samples_per_block": 32, "dropped": 9}
    body = wire.pack(wire.BLOCKS, *(known.get(name, 0) for name in names)) + bytes(3 * size + 1)
    (event,) = decoder.feed(device.frame(wire.BLOCKS, body))
    assert isinstance(event, Message) and len(event.items) == 3
    assert (decoder.counts.samples, decoder.counts.device_dropped) == (96, 9)
    assert (
        decoder.feed(device.samples(160, 4))[0] != Lost("samples", 0) and decoder.counts.missing_samples == 0
    )


def test_an_identity_that_is_refused_is_unreadable_and_says_why() -> None:
    device, decoder = Device(), Decoder()
    events = decoder.feed(
        device.frame(wire.IDENTITY, struct.pack("<H", 2) + b"[]") + device.frame(wire.TRIP, b"")
    )
    assert events == [Refused("no JSON object")]
    assert decoder.counts.unreadable == 2
