"""The level of a test, stretch by stretch as they end."""

from collections.abc import Sequence
from copy import copy, deepcopy

from ccdmon.analysis.level.excursions import Excursions
from ccdmon.analysis.level.tracker import LevelTracker
from ccdmon.analysis.stretches import Stretch, parts

WARM = 6  # half-cycles that are looked at twice: the first time they only teach


class LevelTest:
    """`feed` stretches in their order; what is asked may be asked at any time."""

    def __init__(self) -> None:
        self._waiting: list[Stretch] | None = []
        self._current = 0
        self._last: Stretch | None = None  # of constant current, without what goes its own way
        self._again: list[int] = []
        self.tracker = LevelTracker()
        self.excursions = Excursions()

    def feed(self, s: Stretch) -> None:
        """Take the next stretch."""
        for part in self._parts(s):
            self._feed(part)

    def _parts(self, s: Stretch) -> list[Stretch]:
        found = parts(s, self._last)
        self._last = next((x for x in found if x.kind == "current" and x.count >= 3), self._last)
        return found

    def _feed(self, s: Stretch) -> None:
        if self._waiting is None:
            self._take(s)
            return
        self._waiting.append(s)
        self._current += s.kind == "current" and s.count >= 3
        if self._current >= WARM:
            self._begin()

    def ended(self, last: Sequence[Stretch]) -> "LevelTest":
        """As if the test ended with these stretches; the original goes on."""
        other = copy(self)
        if self._waiting is not None:
            other._waiting = [*self._waiting, *(part for s in last for part in other._parts(s))]
            while other._waiting is not None:
                other._begin()
            return other
        out, self.tracker.out = self.tracker.out, []
        other.tracker = deepcopy(self.tracker)
        self.tracker.out, other.tracker.out = out, list(out)
        other.excursions = deepcopy(self.excursions)
        for s in last:
            other.feed(s)
        while other._waiting is not None:
            other._begin()
        return other

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        self.tracker, self.excursions = LevelTracker.warm(waiting), Excursions()
        for k, s in enumerate(waiting):
            self._take(s)
            if self._waiting is not None:  # it began anew
                for later in waiting[k + 1 :]:
                    self._feed(later)
                return

    def _take(self, s: Stretch) -> None:
        leveled = self.tracker.feed(s)
        if self.tracker.fresh and len(self._again) < 2:  # all before were scans: the test begins here
            self._again = [*self._again, s.index]
            self.tracker.fresh = False
            self._waiting, self._current = [s], 1
            return
        if leveled is None:
            return
        if leveled.number == 0:  # the first, or all before it were scans
            self.excursions = Excursions()
        self.excursions.feed(leveled)
