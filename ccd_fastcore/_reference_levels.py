"""The reference twin of `_levels.pyx`: `_level.py` and `_kept.py` interpreted as they stand, and their classes."""

from array import array
from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ccd_fastcore._interpreted import fields_of, source_of, zeros
from ccd_fastcore._reference_blocks import HEAD, Summary

FloatArray = npt.NDArray[np.float64]
Told = tuple[bytes, float, float, float, int, bool, int, list[float] | None]
MOST, LEAST_FIELDS, COLUMNS = 64, 9, 5


class _Struct:
    """A C struct of `_level_state.pxd`, where its fields are explained: all zero at first."""

    NAME = ""

    def __init__(self) -> None:
        for name, code, lengths in fields_of("_level_state.pxd", self.NAME):
            setattr(self, name, zeros(code, lengths))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...


class LevelState(_Struct):
    """What is remembered of half-cycles."""

    NAME = "level_t"


class Half(_Struct):
    """A stretch that is looked at."""

    NAME = "half_t"


class KeptState(_Struct):
    """What is remembered of their levels."""

    NAME = "kept_t"


class Seen(_Struct):
    """A half-cycle whose levels are looked at."""

    NAME = "seen_t"


if TYPE_CHECKING:
    from . import _filters, _kept, _learning, _level
else:  # first those that import none of the others
    _filters, _shape, _learning, _level, _kept = map(
        source_of, ("_filters", "_shape", "_learning", "_level", "_kept")
    )


FILTERS: int = _filters.FILTERS


class Filters:
    """I behind RC filters."""

    def __init__(self) -> None:
        self.currents_A = [0.0] * FILTERS

    def passed(self, amperes: float, lasted_s: float) -> None:
        """`amperes` flowed for so long."""
        _filters.passed(self.currents_A, amperes, lasted_s)

    def answers(self, amperes: float, begin_s: FloatArray, stop_s: FloatArray) -> FloatArray:
        """As `_levels.pyi` says."""
        left, away, found, last = [0.0] * FILTERS, [0.0] * FILTERS, [], None
        _filters.beside(self.currents_A, amperes, away)
        for begin, stop in zip(begin_s.tolist(), stop_s.tolist(), strict=True):
            found.append([0.0] * FILTERS)
            _filters.answers(away, begin, stop, begin == last, left, found[-1])
            last = stop
        return np.array(found).reshape(-1, FILTERS)


class Level:
    """The level of half-cycles, on what the last eight sound ones taught."""

    def __init__(
        self, least_A: float, most_ohm: float, fall: float, spike_noise: float, hard_remains: float,
        unknown: float,
    ) -> None:  # fmt: skip
        self.s = LevelState()
        self.s.least_A, self.s.most_ohm = least_A, most_ohm
        self.s.fall, self.s.spike_noise = fall, spike_noise
        self.s.hard_remains, self.s.unknown = hard_remains, unknown
        _level.start(self.s)

    def feed(self, summary: Summary, told: bytes, flows: bool) -> Told | None:
        """Take the next stretch. Returns what `_levels.pyi` says."""
        numbers = array("d", told).tolist()
        n = int(numbers[0]) if len(numbers) > HEAD else 0
        fields, left = divmod(len(numbers) - HEAD, n or 1)
        if not 1 <= n <= MOST or left or fields < LEAST_FIELDS:
            raise ValueError("not what RowBlocks told of a segment")
        h, blocks = Half(), numbers[HEAD:]
        h.n, h.flows, h.after_gap = n, int(flows), int(summary.after_gap)
        for name in ("start_s", "end_s", "count", "sign", "current_A", "charge_C", "noise_V", "middle_V"):
            setattr(h, name, getattr(summary, name))
        if not _level.feed(self.s, h, blocks):
            return None
        found = [0.0] * (COLUMNS * n)
        _level.write(h, blocks, found)
        dips, lower_half_ohm = h.dips[: h.dips_n] or None, _learning.lower_half_ohm(self.s, h)
        return (
            array("d", found).tobytes(), found[0], h.level_ohm * h.scale, lower_half_ohm, self.s.number - 1,
            bool(h.sound), h.peaks, dips,
        )  # fmt: skip

    def start(self) -> None:
        """A test begins: what is known of the shape is kept."""
        _level.start(self.s)

    def copy(self) -> "Level":
        """One that goes on from here on its own."""
        return deepcopy(self)

    @property
    def taught(self) -> int:
        """Sound half-cycles that the shape is made of."""
        return int(min(self.s.taught_n, 8))

    @property
    def fresh(self) -> bool:
        """Forgot all with a stretch."""
        return bool(self.s.fresh)

    @fresh.setter
    def fresh(self, value: bool) -> None:
        self.s.fresh = int(value)


class KeptLevel:
    """The level that a cell kept."""

    def __init__(
        self,
        least: float,
        sure: float,
        most: float,
        grown: float,
        sudden: float,
        fall: float,
        least_rows: int,
    ) -> None:
        self.s = KeptState()
        self.s.least, self.s.sure, self.s.most, self.s.grown = least, sure, most, grown
        self.s.sudden, self.s.fall, self.s.least_rows = sudden, fall, least_rows
        self.s.level = self.s.lowest = float("nan")

    def look(
        self, told: bytes, number: int, sound: bool, median_ohm: float, calm: bool
    ) -> list[float] | None:
        """As `_levels.pyi` says."""
        h, level, error = _seen(told, number, sound, median_ohm)
        _kept.look(self.s, h, error)
        if calm and _kept.within(self.s, h, level):
            _kept.close(self.s, h, level, error)
            return None
        beyond: list[float] = h.beyond[: h.n]
        return beyond

    def close(self, told: bytes, number: int, sound: bool, median_ohm: float, good: Sequence[float]) -> None:
        """As `_levels.pyi` says."""
        h, level, error = _seen(told, number, sound, median_ohm)
        if len(good) > MOST:
            raise ValueError(f"at most {MOST} levels, not {len(good)}")
        h.good_n = len(good)
        h.good[: h.good_n] = good
        _kept.close(self.s, h, level, error)

    def append(self, level: float) -> None:
        """A block is at the kept level."""
        _kept.append(self.s, level)

    def restart(self, levels: Iterable[float]) -> None:
        """These are kept now, none before."""
        self.s.kept_n = 0
        for level in levels:
            _kept.append(self.s, level)

    def undo(self, lowest: float) -> None:
        """What was kept lately counts for nothing: this was the lowest."""
        self.s.lowest, self.s.medians_n = lowest, 0

    def median(self) -> float:
        """Of the levels that are kept."""
        return _kept.median(self.s, Seen())

    def copy(self) -> "KeptLevel":
        """One that goes on from here on its own."""
        return deepcopy(self)

    def __len__(self) -> int:
        return int(min(self.s.kept_n, MOST))

    @property
    def level(self) -> float:
        """The kept level; NaN before there is one."""
        return float(self.s.level)

    @level.setter
    def level(self, value: float) -> None:
        self.s.level = value

    @property
    def lowest(self) -> float | None:
        """The lowest of it so far."""
        return None if self.s.lowest != self.s.lowest else float(self.s.lowest)

    @lowest.setter
    def lowest(self, value: float) -> None:
        self.s.lowest = value

    @property
    def blocks(self) -> float:
        """Of a half-cycle, running mean."""
        return float(self.s.blocks)

    @property
    def half_cycles(self) -> int:
        """That are closed."""
        return int(self.s.half_cycles)


def _seen(told: bytes, number: int, sound: bool, median_ohm: float) -> tuple[Seen, list[float], list[float]]:
    """What `Level.feed` told, its levels and their errors."""
    h = Seen()
    h.n = len(told) // (8 * COLUMNS)
    if not 0 < h.n <= MOST:
        raise ValueError(f"1 to {MOST} blocks, not {h.n}")
    h.number, h.sound, h.median_ohm = number, int(sound), median_ohm
    numbers = array("d", told).tolist()
    return h, numbers[2 * h.n : 3 * h.n], numbers[3 * h.n : 4 * h.n]
