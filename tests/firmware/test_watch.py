"""The watch on the rate of samples: a timer that is wrong trips, whatever holds the main loop up does not."""

from types import SimpleNamespace

import numpy as np
import pytest

from ccdmon_fw import limits, ring, watch
from ccdmon_fw.detector import Detector
from ccdmon_fw.limits import default_settings

ROUND_us = 1_500
PERIOD_us = 250


class Bench:
    """A watch over a timer that runs at `speed` times its rate, and a heap whose collections stop the main loop."""

    def __init__(self, speed: float = 1.0, collection_us: int = 0, every: int = 1) -> None:
        self.now_us = 0
        self.trips: list[tuple[int, int]] = []
        self._speed, self._collection_us, self._every = speed, collection_us, every
        self._rng = np.random.default_rng(1)
        self._samples = ring.Ring(256)
        self._gate = SimpleNamespace(
            closed=1, armed=1, trip=lambda reason, value=0, _limit=0: self._trip(reason, value)
        )
        board = SimpleNamespace(
            uptime_ms=self._uptime_ms, gate_level=lambda: self._gate.closed, lock=lambda: 0,
            unlock=lambda _: None, feed_watchdog=lambda *_: None,
        )  # fmt: skip
        self._board = board
        self._watch = watch.Watch(board, self._gate, Detector(default_settings()), self._samples)
        self._watch.configure(limits.edge(default_settings()), PERIOD_us)

    def _trip(self, reason: int, value: int) -> None:
        self._gate.closed = 0
        self.trips.append((reason, value))

    def _pass(self, us: int) -> None:
        self.now_us += us
        self._samples.control[ring.HEAD] = int(self.now_us * self._speed) // PERIOD_us

    def _uptime_ms(self) -> int:
        now_ms = self.now_us // 1000
        if self._collection_us and self._rng.integers(self._every) == 0:
            self._pass(self._collection_us)
        return now_ms

    def run(self, seconds: float) -> list[tuple[int, int]]:
        """(reason, value) of every trip."""
        until_us = self.now_us + seconds * 1e6
        while self.now_us < until_us and not self.trips:
            self._pass(ROUND_us)
            self._watch.poll(self._board.uptime_ms())
        return self.trips


@pytest.mark.parametrize("every", [1, 2, 20, 100])
@pytest.mark.parametrize("collection_us", [10_000, 30_000, 80_000])
def test_a_collection_between_clock_and_count_is_no_wrong_rate(collection_us: int, every: int) -> None:
    assert Bench(collection_us=collection_us, every=every).run(30) == []


@pytest.mark.parametrize(("collection_us", "every"), [(0, 1), (30_000, 100), (30_000, 2)])
@pytest.mark.parametrize("speed", [0.7, 1.35])
def test_a_timer_that_is_wrong_trips_all_the_same(speed: float, collection_us: int, every: int) -> None:
    assert Bench(speed, collection_us, every).run(2) == [(limits.SELF_CHECK, watch.RATE)]
