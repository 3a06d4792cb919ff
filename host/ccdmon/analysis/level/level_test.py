"""The level of a test, stretch by stretch as they end; what lies far back is settled and let go."""

from array import array
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace

import numpy as np

from ccdmon.analysis.events import Event
from ccdmon.analysis.level.dips import followed, micro_shorts
from ccdmon.analysis.level.events import of_excursions, of_the_first
from ccdmon.analysis.level.excursions import Excursions
from ccdmon.analysis.level.leveled import Leveled
from ccdmon.analysis.level.line import Line
from ccdmon.analysis.level.tracker import LevelTracker
from ccdmon.analysis.rows_in_blocks import Array
from ccdmon.analysis.stretches import Stretch, parts, steadied

WARM = 6  # half-cycles that are looked at twice: the first time they only teach
AROUND = 64  # half-cycles on either side of a change of the level, more than any rule looks at
HALVES = ("first_row", "last_row", "first_s", "current_A", "lower_half_ohm")
Explained = Callable[[float, float, float], bool]  # rows, ratio: do temperature and pressure explain it?


class LevelTest:
    """`feed` stretches in their order; what is asked may be asked at any time."""

    def __init__(self) -> None:
        self._waiting: list[Stretch] | None = []
        self._current = 0
        self._last: Stretch | None = None  # of constant current, without what goes its own way
        self._again: list[int] = []
        self.tracker = LevelTracker()
        self._start()

    def _start(self) -> None:
        self.excursions = Excursions()
        self.leveled: list[Leveled] = []  # the first, the newest and those around what is not settled
        self._halves = array("d")  # of all, `HALVES`
        self.settled: list[Event] = []  # of those that were let go
        self._micro: list[Event] = []

    def feed(self, s: Stretch) -> None:
        """Take the next stretch."""
        for part in self._parts(s):
            self._feed(part)

    def _parts(self, s: Stretch) -> list[Stretch]:
        found = parts(steadied(s), self._last)
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
        else:
            other.tracker, other.excursions = self.tracker.copy(), self.excursions.copy()
            other.leveled, other._halves = list(self.leveled), self._halves[:]
            for s in last:
                other.feed(s)
        while other._waiting is not None:
            other._begin()
        return other

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        self.tracker = LevelTracker.warm(waiting)
        self._start()
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
            self._start()
        self.excursions.feed(leveled)
        self.leveled.append(leveled)
        first_s, ohm = leveled.first_s, leveled.lower_half_ohm
        self._halves.extend((s.first_row, s.last_row, first_s, s.current_A, ohm))

    @property
    def halves(self) -> Array:
        """Of each half-cycle what stays of it: a row of `HALVES` each, of shape (5, half-cycles)."""
        return np.array(self._halves).reshape(-1, len(HALVES)).T

    def events(self, steps: Sequence[dict[str, float]], explained: Explained) -> list[Event]:
        """Of the level alone, in the order of their rows."""
        if not self.leveled:
            return []
        changes, blocks = self.excursions.all(), self.excursions.blocks
        line = Line(self.leveled)
        found = [*self.settled, *of_excursions(line, changes, steps, blocks, explained)]
        first = Line(self.leveled[:WARM])
        found += of_the_first(first, changes, steps, blocks, explained, found)
        found += self._micro or micro_shorts(self.leveled)
        return sorted(followed(line, found), key=lambda x: x.row)

    def settle(
        self, first: int, newest_row: int, steps: Sequence[dict[str, float]], explained: Explained
    ) -> None:
        """Tell the events of what lies before a row, and let go of its half-cycles but for the `first` ones.

        What is kept around an event that is not over yet, and behind the row, is all that rules look at.
        """
        newest = next((h.number for h in self.leveled if h.stretch.first_row >= newest_row), 0)
        boundary = newest + AROUND
        if not self._micro:
            self._micro = micro_shorts([h for h in self.leveled if h.number < boundary])
        changes = self.excursions.all()
        if any(e.state != "open" and not e.settled and e.number < boundary for e in changes):
            line, blocks = Line(self.leveled), self.excursions.blocks
            self.settled += of_excursions(line, changes, steps, blocks, explained, before=boundary)
            self.excursions.found = [
                replace(e, settled=e.settled or e.number < boundary) for e in self.excursions.found
            ]  # others, for a snapshot may be reported on meanwhile
        open_ones = [e.number for e in changes if e.state == "open"]
        self.leveled = [
            h
            for h in self.leveled
            if h.number < first
            or h.number >= newest
            or any(-AROUND <= h.number - number <= AROUND for number in open_ones)
        ]
