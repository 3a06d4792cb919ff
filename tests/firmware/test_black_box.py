"""The black box numbers its samples right, whenever the timer's interrupt comes."""

import struct
from types import SimpleNamespace
from typing import Any

import pytest

from ccdmon_fw import limits
from ccdmon_fw.blackbox import BEFORE, HEAD_FORMAT, BlackBox
from ccdmon_fw.ring import COUNTER, HEAD, Ring

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
