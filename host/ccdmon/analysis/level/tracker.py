"""The level: V / I of each block over the shape that this cell's own linear response gives it (`ccd_fastcore.Level`).

What is left, the level, is the cell's resistance at any time since the step, after reversals, rests and pauses alike;
all else is judged on it.
"""

from collections.abc import Sequence

from ccd_fastcore import Level
from ccdmon.analysis import thresholds as th
from ccdmon.analysis.level.leveled import Leveled
from ccdmon.analysis.stretches import Stretch

MOST_OHM = 1e30  # no cell has more: behind a current of next to nothing
LEAST_A = 1e-30  # what no ammeter tells from nothing has no resistance behind it
TELLS = 2  # half-cycles that tell something of a shape


class LevelTracker:
    """Feeds on stretches in their order; keeps what the last eight sound ones taught."""

    def __init__(self) -> None:
        self.level = Level(LEAST_A, MOST_OHM, th.FALL, th.SPIKE_NOISE, th.HARD_REMAINS, th.UNKNOWN)

    @classmethod
    def warm(cls, first: Sequence[Stretch]) -> "LevelTracker":
        """One that the first half-cycles have taught already: they are looked at twice."""
        taught = cls()
        for s in first:
            taught.feed(s)
        if taught.level.taught < TELLS:
            return cls()
        taught.level.start()
        return taught

    @property
    def fresh(self) -> bool:
        """All before a stretch were scans, an offset, noise: it forgot them. May be set."""
        return self.level.fresh

    @fresh.setter
    def fresh(self, value: bool) -> None:
        self.level.fresh = value

    def copy(self) -> "LevelTracker":
        """One that goes on from here on its own."""
        other = LevelTracker()
        other.level = self.level.copy()
        return other

    def feed(self, s: Stretch) -> Leveled | None:
        """The level of a stretch of constant current; None of any other."""
        assert s.told is not None, "its blocks were let go"
        found = self.level.feed(s, s.told, s.kind == "current")
        return None if found is None else Leveled(s, *found)
