"""Where the level leaves what the cell kept: when, how far, how suddenly, and whether it came back.

The kept level is a running median of what was within its error. An excursion down ends when the level is back
(a dip) or when it has lasted for longer than a half-cycle (a fall, and the new level is kept); what is still down at
the end of the rows is open. Excursions up are contact and jolts: what comes back from one is no short.
"""

from copy import copy
from dataclasses import dataclass, field, replace

from ccd_fastcore import KeptLevel
from ccdmon.analysis import thresholds as th
from ccdmon.analysis.level.leveled import Leveled
from ccdmon.analysis.order_statistics import middle


@dataclass
class Excursion:
    """From the first block beyond the error. Rows of the test, seconds, levels in ohm."""

    row: int
    time_s: float
    kept: float
    error: float
    number: int  # half-cycle it began in
    place: int  # blocks into it
    lowest_kept: float | None
    levels: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    depth: float = 0.0
    end_row: int | None = None
    end_s: float | None = None
    state: str = "open"  # open, back, lasting
    share: float = 0.0  # of the fall, between two neighbouring blocks
    level: float = 0.0
    back: int = 0
    current_A: float = 0.0
    sign: int = -1
    spent: float = 0.0
    settled: bool = False  # its events have been told, see `LevelTest.settle`

    @property
    def ratio(self) -> float:
        return self.level / self.kept if self.kept else 1.0


class Excursions:
    """Feed leveled half-cycles in their order."""

    def __init__(self) -> None:
        self.kept = KeptLevel(th.LEAST, th.SURE, th.MOST, th.GROWN, th.SUDDEN, th.FALL, th.LEAST_ROWS)
        self.down: Excursion | None = None
        self.up: Excursion | None = None
        self.found: list[Excursion] = []
        self.fallen: tuple[Excursion, int, float | None] | None = (
            None  # that lasts; when, and what was lowest
        )
        self._last: tuple[Leveled, int] | None = None  # block of those that were looked at singly

    @property
    def blocks(self) -> float:
        """Of a half-cycle, running mean."""
        return self.kept.blocks

    def copy(self) -> "Excursions":
        """One that goes on from here on its own."""
        other = copy(self)
        other.kept, other.found = self.kept.copy(), list(self.found)
        other.down, other.up = (
            None if e is None else replace(e, levels=list(e.levels), weights=list(e.weights))
            for e in (self.down, self.up)
        )
        return other

    def feed(self, h: Leveled) -> None:
        """Take the next half-cycle: block by block where one of them is, or was, beyond its error."""
        calm = self.down is None and self.up is None
        beyond = self.kept.look(h.told, h.number, h.sound, h.median_ohm, calm)
        if beyond is None:
            return
        good: list[float] = []
        for k, (x, d) in enumerate(zip(h.level.tolist(), beyond, strict=True)):
            self._block(h, k, x, d, good)
        self.kept.close(h.told, h.number, h.sound, h.median_ohm, good)

    def _block(self, h: Leveled, k: int, x: float, d: float, good: list[float]) -> None:
        if d > th.SUDDEN:
            return
        if not self.kept.level > 0 or len(self.kept) < 4:
            if self.kept.half_cycles or k >= 1 or h.row.size <= 20:
                self._keep(x, good)
                self._last = h, k
            return
        rel = x / self.kept.level - 1
        if self.down is not None:
            self._below(h, k, x, rel, d, good)
        elif self.up is not None:
            self._above(h, k, x, rel, d, good)
        elif rel < -d:
            self._open(h, k, x, d, -1)
        elif rel > d:
            self._open(h, k, x, d, 1)
        else:
            self._keep(x, good)
        self._last = h, k

    def _keep(self, x: float, good: list[float]) -> None:
        self.kept.append(x)
        good.append(x)
        self.kept.level = self.kept.median()

    def _open(self, h: Leveled, k: int, x: float, d: float, sign: int) -> None:
        e = Excursion(
            int(h.row[k]),
            float(h.time_s[k]),
            self.kept.level,
            d,
            h.number,
            k,
            self.kept.lowest,
            sign=sign,
            current_A=h.stretch.current_A,
        )
        e.levels.append(x)
        e.weights.append(float(h.rows[k]))
        e.depth = abs(x / self.kept.level - 1)
        if sign < 0:
            self.down = e
        else:
            self.up = e

    def _below(self, h: Leveled, k: int, x: float, rel: float, d: float, good: list[float]) -> None:
        e = self.down
        assert e is not None
        if d > max(1.2 * e.error, 0.7 * e.depth) and rel > -d:  # this block tells nothing of a fall as small
            return
        if rel < -3 * max(e.depth, d) and e.spent >= 3:  # a fall of its own from where the first one led
            self._stays(e, h, k)
            if self.kept.level > 0:  # else it led to nothing, from which nothing falls
                self._open(h, k, x, d, -1)
            return
        if rel > -max(min(d / 2, th.GROWN - 1), (1 - th.MOST) * e.depth):
            e.back += 1
            if e.back >= (2 if self.blocks > 2 * th.LEAST_ROWS else 1):
                e.state, e.end_row, e.end_s = "back", int(h.row[k]), float(h.time_s[k])
                e.level = middle(e.levels)
                self.found.append(e)
                self.down = None
                self.kept.append(x)
                good.append(x)
            return
        e.back = 0
        e.levels.append(x)
        e.weights.append(float(h.rows[k]))
        e.depth = max(e.depth, -rel)
        e.spent += 1
        if e.spent * th.WHOLE >= self.blocks:
            e.level = middle(self._tail(e))
            if e.ratio > th.HARD_REMAINS:
                self._stays(e, h, k)

    def _tail(self, e: Excursion) -> list[float]:
        return e.levels[-max(6, int(self.blocks / 3)) :]

    def _stays(self, e: Excursion, h: Leveled, k: int) -> None:
        """The new level is the one that is kept."""
        lowest = self.kept.lowest
        tail = self._tail(e)
        e.level, e.state, e.end_row, e.end_s = (
            middle(tail),
            "lasting",
            int(h.row[k]),
            float(h.time_s[k]),
        )
        self.found.append(e)
        self.fallen = e, h.number, lowest
        self.down = None
        self.kept.restart(tail)
        self.kept.level = e.level

    def _above(self, h: Leveled, k: int, x: float, rel: float, d: float, good: list[float]) -> None:
        e = self.up
        assert e is not None
        if rel < d / 2:
            e.state, e.end_row, e.end_s, e.level = (
                "back",
                int(h.row[k]),
                float(h.time_s[k]),
                middle(e.levels),
            )
            self.found.append(e)
            self.up = None
            if rel < -d:
                self._open(h, k, x, d, -1)
            else:
                self.kept.append(x)
                good.append(x)
            return
        e.levels.append(x)
        e.spent += 1
        e.depth = max(e.depth, rel)
        if e.spent >= (th.AGED if h.number >= 2 else 1) * th.LEAST_ROWS:
            e.state, e.level = "lasting", middle(e.levels[-th.LEAST_ROWS :])
            undone = self._undone(e, h.number)
            if undone is not None:  # a soft short is nothing that the cell kept
                self.kept.undo(undone)
            elif h.number >= 1:
                self.kept.lowest = min(self.kept.lowest or e.kept, e.kept)
            e.end_row, e.end_s = int(h.row[k]), float(h.time_s[k])
            self.found.append(e)
            self.kept.restart(e.levels[-th.LEAST_ROWS :])
            self.kept.level = self.kept.median()
            self.up = None

    def _undone(self, up: Excursion, number: int) -> float | None:
        """What was lowest before the last fall, where a rise takes that back, soon."""
        if self.fallen is None or number - self.fallen[1] > th.SOFT_WITHIN:
            return None
        down, _, lowest = self.fallen
        if lowest is not None and down.level > (1 - th.HALF * th.FALL) * lowest:  # it was back from a jolt
            return None
        return lowest if up.level > down.level + th.MOST * (down.kept - down.level) else None

    def all(self) -> list[Excursion]:
        """Those found, and the one that is open, as it stands."""
        out = list(self.found)
        for e in (self.down, self.up):
            if e is not None:
                e.level = float(middle(e.levels[-max(3, int(self.blocks / 3)) :]))
                if e.sign < 0 and e.back and self._last is not None:  # it is coming back
                    h, k = self._last
                    e = replace(e, state="back", end_row=int(h.row[k]), end_s=None, level=middle(e.levels))
                out.append(e)
        return sorted(out, key=lambda e: e.row)
