"""The black box numbers its samples right, whenever the timer's interrupt comes."""

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ccdmon_fw import limits, store, wire
from ccdmon_fw.blackbox import BEFORE, HEAD_FORMAT, BlackBox
from ccdmon_fw.ring import COUNTER, HEAD, Ring
from tests.firmware.fake_board import Bench

HEAD_FIRST, AFTER = 300, 256


class Interrupted(list[int]):
    """The ring's control words; a tick comes right after the reading number `at`."""

    def __init__(self, ring: Ring, at: int) -> None:
        super().__init__(ring.control)
        self._left = at
        self.ring = ring

    def __getitem__(self, place: Any) -> Any:
        value = super().__getitem__(place)
        self._left -= 1
        if self._left == 0:
            self.tick()
        return value

    def tick(self) -> None:
        head, number = list.__getitem__(self, HEAD), list.__getitem__(self, COUNTER)
        self.ring.records[4 * (head % self.ring.capacity)] = number
        self[HEAD], self[COUNTER] = head + 1, number + 1


@pytest.mark.parametrize("in_latch", range(5))
@pytest.mark.parametrize("in_poll", range(8))
def test_256_samples_lie_before_the_one_of_a_trip_that_no_rule_made(in_latch: int, in_poll: int) -> None:
    ring: Any = Ring(1024)
    ring.control = Interrupted(ring, 0)
    for _ in range(HEAD_FIRST):
        ring.control.tick()
    box = BlackBox(ring, [0] * 8, None)
    ring.control._left = in_latch
    box.latch(SimpleNamespace(reason=limits.COMMAND, value=0, limit=0), 1, 1000, 0)
    for _ in range(AFTER):
        ring.control.tick()
    ring.control._left = in_poll
    assert box.poll(1100)
    head, _samples = box.find(box.trip.trip_id)
    *_, first, _count = struct.unpack(HEAD_FORMAT, head)
    assert box.trip.sample - first + 1 == BEFORE


def test_a_box_on_its_way_ends_where_another_takes_its_memory(tmp_path: Path) -> None:
    bench = Bench(str(tmp_path))
    kept = [tripped(bench) for _ in range(2)]
    assert bench.ask(wire.GET_BLACKBOX, kept[0])["result"] == wire.OK
    sent = [fields["index"] for name, fields, _ in bench.asked if name == "blackbox"]
    bench.app.telemetry.send_box(*bench.app.box.find(kept[0]))
    bench.messages(3, 1000)
    bench.app.box.find(kept[1])
    assert [name for name, _, _ in bench.messages() if name == "blackbox"] == []
    assert bench.ask(wire.GET_BLACKBOX, kept[1])["result"] == wire.OK
    assert [fields["index"] for name, fields, _ in bench.asked if name == "blackbox"] == sent
    assert {fields["trip_id"] for name, fields, _ in bench.asked if name == "blackbox"} == {kept[1]}


def tripped(bench: Bench) -> int:
    """Id of a trip that is kept and cleared."""
    bench.ask(wire.ARM)
    bench.play(40000, 40000, count=300)
    bench.ask(wire.FORCE_TRIP)
    bench.play(32768, 32768, count=300)
    bench.messages()
    number = bench.app.box.trip.trip_id
    assert bench.test(wire.RESET_TRIP, number)["result"] == wire.OK
    return number


CHANGES = (
    lambda data: data[:-1],
    lambda data: data + b"x",
    lambda data: b"",
    lambda data: data[:9],
    lambda data: b"none" + data[4:],
    lambda data: data[:-2] + bytes([data[-2] ^ 1]) + data[-1:],
)


@pytest.mark.parametrize("change", CHANGES)
def test_a_slot_that_is_not_what_was_written_is_none(tmp_path: Path, change: Any) -> None:
    """Checked piece by piece: the content is longer than a piece, and no multiple of it."""
    slots = store.Slots(str(tmp_path), "trip", 2)
    content = bytes(range(256)) * 3 + b"end"
    generation, slot = slots.save(memoryview(content))
    path = Path(slots.path(slot))
    assert store.read_slot(str(path)) == (generation, content)
    buffer = memoryview(bytearray(1000))
    assert list(slots.read_each(buffer)) == [(generation, len(content), slot)]
    assert bytes(buffer[: len(content)]) == content
    assert list(slots.read_each(buffer[:100])) == []
    path.write_bytes(change(path.read_bytes()))
    assert store.read_slot(str(path)) is None
    assert list(slots.read_each(buffer)) == []
    assert slots.save(content)[0] == 1
