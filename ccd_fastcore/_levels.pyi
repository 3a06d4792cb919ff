from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ccd_fastcore._blocks import Summary

FloatArray = npt.NDArray[np.float64]
Told = tuple[bytes, float, float, float, int, bool, int, list[float] | None]
FILTERS: int
LEVEL_BYTES: int

class Filters:
    """I behind RC filters, nine on a logarithmic grid of times from 0.3 s to 3e5 s; none has flowed."""

    def passed(self, amperes: float, lasted_s: float) -> None:
        """`amperes` flowed for so long."""

    def answers(self, amperes: float, begin_s: FloatArray, stop_s: FloatArray) -> FloatArray:
        """What they answer to a current of `amperes` from now on, over it: means of blocks, of shape (n, `FILTERS`).

        Blocks go from `begin_s` to `stop_s`, seconds from now. Raises ValueError where one has no end.
        """

class Level:
    """The level of half-cycles: V / I of each block over the shape that the last eight sound ones taught.

    Currents below `least_A` have no resistance behind them, and none is above `most_ohm`. `fall`: the smallest step
    of the level that counts, relative; `spike_noise`: standard deviations of a row that is no noise; `hard_remains`:
    what a hard short leaves of the level, relative; `unknown`: an error that tells nothing. Memory does not grow.
    """

    def __init__(
        self, least_A: float, most_ohm: float, fall: float, spike_noise: float, hard_remains: float, unknown: float
    ) -> None: ...
    def feed(self, summary: Summary, told: bytes, flows: bool) -> Told | None:
        """Take the next stretch, and what `RowBlocks` told of it. None: it has no level.

        `flows`: a current stands in it, no voltage is held. Returns

        - float64 of shape (5, blocks) as bytes, of each block: middle in s, interval of its rows in s, level in ohm,
          its relative error (one standard deviation of shape and noise), V / I in ohm;
        - the middle of the first block in s;
        - the half-cycle's level in ohm, the lower one of its two halves (of blocks whose error is below `unknown`; NaN
          where fewer than four are), its number since all was forgotten, whether it is sound;
        - the number of blocks with a single row far from 0, and the first rows of those with one far towards 0 or None.

        Raises ValueError for other bytes.
        """

    def start(self) -> None:
        """A test begins: what is known of the shape, the noise and the largest current is kept."""

    def copy(self) -> Level:
        """One that goes on from here on its own."""

    @property
    def taught(self) -> int:
        """Half-cycles that the shape is made of, at most eight."""

    @property
    def fresh(self) -> bool:
        """Whether all was forgotten, for what went before were scans; may be set."""

    @fresh.setter
    def fresh(self, value: bool) -> None:
        """Whether all was forgotten."""

class KeptLevel:
    """The level that a cell kept: a running median of its blocks that were within their error.

    `least` and `sure`: smallest deviation that counts, relative, and in standard errors; `most`: share of a whole;
    `grown`: a deviation that is no shape's; `sudden`: an error above it tells nothing; `fall`: below it an error is
    small; `least_rows` blocks tell a level. Memory does not grow.
    """

    def __init__(
        self,
        least: float,
        sure: float,
        most: float,
        grown: float,
        sudden: float,
        fall: float,
        least_rows: int,
    ) -> None: ...
    def look(
        self, told: bytes, number: int, sound: bool, median_ohm: float, calm: bool
    ) -> list[float] | None:
        """A half-cycle as `Level.feed` told it. None: all of it is within its error of the kept level, and kept now.

        Else, and where not `calm`, the relative deviation of each block that counts: look at them and `close`.
        """

    def close(self, told: bytes, number: int, sound: bool, median_ohm: float, good: Sequence[float]) -> None:
        """A half-cycle that was looked at has ended; `good` are those of its levels, at most 64, that were kept."""

    def append(self, level: float) -> None:
        """A block is within its error."""

    def restart(self, levels: Iterable[float]) -> None:
        """These levels are kept now, none before them."""

    def undo(self, lowest: float) -> None:
        """What was kept lately counts for nothing: this was the lowest, and medians are gathered anew."""

    def median(self) -> float:
        """Of the last 64 levels, in the first half-cycles of the last eight; NaN of none."""

    def copy(self) -> KeptLevel:
        """One that goes on from here on its own."""

    def __len__(self) -> int:
        """Levels that are kept, at most 64."""

    @property
    def level(self) -> float:
        """What deviations are told from; NaN before there is one; may be set."""

    @level.setter
    def level(self, value: float) -> None:
        """What deviations are told from."""

    @property
    def lowest(self) -> float | None:
        """The lowest of three half-cycles' medians so far, from the third on; may be set."""

    @lowest.setter
    def lowest(self, value: float) -> None:
        """The lowest so far."""

    @property
    def blocks(self) -> float:
        """Of a half-cycle, running mean."""

    @property
    def half_cycles(self) -> int:
        """Half-cycles that have ended."""
