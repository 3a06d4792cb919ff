"""The rows of each of the core's segments, in at most 64 blocks of as many rows: what the level is judged on."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ccd_fastcore import BLOCK_FIELDS

Array = npt.NDArray[np.float64]
_HEAD = 5  # numbers before the blocks, see `RowBlocks.look`
_AT = {name: k for k, name in enumerate(BLOCK_FIELDS)}


def _column(name: str) -> property:
    at = _AT[name]
    return property(lambda blocks: blocks.table[at])


class Blocks:
    """One number a block: first row, its time in s, rows, sums of V and A, lowest and highest V, and more.

    `fall` and `rise` are the largest steps of |V| from row to row, in V; temperature and pressure are the first known.
    `told` is what `ccd_fastcore.RowBlocks` tells of a segment; nothing of it is copied.
    """

    __slots__ = ("first", "last", "table")

    row: Array = _column("row")  # type: ignore[assignment]
    time_s: Array = _column("time_s")  # type: ignore[assignment]
    rows: Array = _column("rows")  # type: ignore[assignment]
    sum_V: Array = _column("sum_V")  # type: ignore[assignment]
    sum_A: Array = _column("sum_A")  # type: ignore[assignment]
    lowest_V: Array = _column("lowest_V")  # type: ignore[assignment]
    highest_V: Array = _column("highest_V")  # type: ignore[assignment]
    fall_V: Array = _column("fall_V")  # type: ignore[assignment]
    rise_V: Array = _column("rise_V")  # type: ignore[assignment]

    def __init__(self, told: bytes) -> None:
        numbers = np.frombuffer(told)
        self.table: Array = numbers[_HEAD:].reshape(-1, int(numbers[0]))
        self.first: tuple[float, float] = tuple(numbers[1:3].tolist())  # V and A of the very first row
        self.last: tuple[float, float] = tuple(numbers[3:5].tolist())

    def told(self, some: slice) -> bytes:
        """Some of them as `RowBlocks` would tell them; the very first and last rows are not theirs."""
        return self._as_told(self.table[:, some])

    def shifted(self, by_V: Array) -> bytes:
        """As `RowBlocks` would tell them with so many volts added to all rows of each block."""
        table = self.table.copy()
        for name, rows in (("sum_V", self.rows), ("lowest_V", 1.0), ("highest_V", 1.0)):
            table[_AT[name]] += by_V * rows
        return self._as_told(table)

    def _as_told(self, table: Array) -> bytes:
        return np.concatenate([[table.shape[1], *self.first, *self.last], table.ravel()]).tobytes()

    @property
    def volts(self) -> Array:
        """Means."""
        return self.sum_V / self.rows

    @property
    def trimmed_V(self) -> Array:
        """Means without the lowest and the highest row, which a spike is; of three rows and fewer those of all."""
        inner = (self.sum_V - self.lowest_V - self.highest_V) / np.maximum(self.rows - 2, 1)
        return np.where(self.rows > 2, inner, self.volts)

    @property
    def amperes(self) -> Array:
        """Means."""
        return self.sum_A / self.rows

    @property
    def temperature_degC(self) -> Array:
        """NaN where no row tells."""
        return self._known("temperature_degC")

    @property
    def pressure_Pa(self) -> Array:
        """NaN where no row tells."""
        return self._known("pressure_Pa")

    def _known(self, name: str) -> Array:
        known = len(self.table) > _AT[name]
        return self.table[_AT[name]] if known else np.full(self.table.shape[1], np.nan)


def side_by_side(each: Sequence[Blocks]) -> Blocks:
    """All blocks of at least one, one after the other; a column that only some have is NaN in the others."""
    most = max(len(blocks.table) for blocks in each)
    tables = [_with_columns(blocks.table, most) for blocks in each]
    found = Blocks.__new__(Blocks)
    found.first, found.last, found.table = each[0].first, each[-1].last, np.concatenate(tables, axis=1)
    return found


def _with_columns(table: Array, most: int) -> Array:
    missing = most - len(table)
    return np.pad(table, ((0, missing), (0, 0)), constant_values=np.nan) if missing else table
