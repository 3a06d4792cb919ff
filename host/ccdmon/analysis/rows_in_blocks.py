"""The rows of each of the core's segments, in at most 64 blocks of like numbers of rows: what the level is judged on.

Blocks are made by joining neighbours, two by two, as often as needed: the same numbers whatever the chunks were. What
is kept of the running segment is bounded: its rows are joined as soon as there are many.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
MOST_BLOCKS = 64
COLUMNS = (
    "row", "time_s", "rows", "sum_V", "sum_A", "lowest_V", "highest_V", "fall_V", "rise_V", "temperature_degC",
    "pressure_Pa",
)  # fmt: skip
MOST_ROWS = 1 << 14  # of a running segment kept one by one


@dataclass(frozen=True)
class Blocks:
    """One number a block: first row, its time in s, rows, sums of V and A, lowest and highest V, and more.

    `fall` and `rise` are the largest steps of |V| from row to row, in V; temperature and pressure are the first known.
    """

    row: Array
    time_s: Array
    rows: Array
    sum_V: Array
    sum_A: Array
    lowest_V: Array
    highest_V: Array
    fall_V: Array
    rise_V: Array
    temperature_degC: Array
    pressure_Pa: Array
    first: tuple[float, float] = (0.0, 0.0)  # V and A of the very first row, and of the last
    last: tuple[float, float] = (0.0, 0.0)

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

    def joined(self) -> "Blocks":
        """Half as many, each of two; one that is left over stays alone."""

        n = self.row.size // 2 * 2

        def pairs(x: Array, join: np.ufunc) -> Array:
            halved = x[::2].copy()
            join(x[:n:2], x[1:n:2], out=halved[: n // 2])
            return halved

        def known(x: Array) -> Array:
            halved = x[::2].copy()
            unknown = np.flatnonzero(~np.isfinite(halved[: n // 2]))
            halved[unknown] = x[2 * unknown + 1]
            return halved

        return Blocks(
            self.row[::2].copy(), self.time_s[::2].copy(), pairs(self.rows, np.add), pairs(self.sum_V, np.add),
            pairs(self.sum_A, np.add), pairs(self.lowest_V, np.minimum), pairs(self.highest_V, np.maximum),
            pairs(self.fall_V, np.maximum), pairs(self.rise_V, np.maximum), known(self.temperature_degC),
            known(self.pressure_Pa), self.first, self.last,
        )  # fmt: skip


class RowsInBlocks:
    """Rows as they come, cut where the core says that a segment ended."""

    def __init__(self) -> None:
        self._settled = np.zeros((6, 0))  # row, time, V, A, temperature, pressure
        self._coming: list[Array] = []  # behind them, as they came: joined where they are looked at
        self._coming_rows = 0
        self._next = 0
        self._head: Blocks | None = (
            None  # the beginning of a long running segment, in whole blocks of `_width` rows
        )
        self._width = 1

    def feed(
        self,
        time_s: Array,
        volts: Array,
        amperes: Array,
        temperature_degC: Array | None,
        pressure_Pa: Array | None,
    ) -> None:
        """Take rows; those without a voltage or a current are left out."""
        row = np.arange(self._next, self._next + time_s.size, dtype=float)
        self._next += time_s.size
        unknown = np.full(time_s.size, np.nan)
        columns = [unknown if x is None else x for x in (temperature_degC, pressure_Pa)]
        more = np.array([row, time_s, volts, amperes, *columns])
        good = np.isfinite(volts) & np.isfinite(amperes)
        self._coming.append(more if good.all() else more[:, good])
        self._coming_rows += self._coming[-1].shape[1]

    @property
    def _rows(self) -> Array:
        """All single rows; joining them at each of many small chunks would copy them as often."""
        if self._coming:
            self._rows = np.concatenate([self._settled, *self._coming], axis=1)
        return self._settled

    @_rows.setter
    def _rows(self, rows: Array) -> None:
        self._settled, self._coming, self._coming_rows = rows, [], 0

    @property
    def many(self) -> bool:
        """Are there more single rows than need be kept?"""
        return self._settled.shape[1] + self._coming_rows > MOST_ROWS

    def shorten(self, first_row: int, last_row: int) -> None:
        """Join the rows of the segment that is running, `first_row` to `last_row` of it so far."""
        a, b = np.searchsorted(self._rows[0], (first_row if self._head is None else -1, last_row + 0.5))
        if self._head is None:
            self._width = MOST_ROWS // MOST_BLOCKS
        whole = (b - a) // self._width * self._width
        if whole == 0:
            return
        more = self._joined(self._rows[:, a : a + whole])
        self._head = more if self._head is None else _together(self._head, more)
        self._rows = self._rows[:, a + whole :]
        while self._head.row.size >= 4 * MOST_BLOCKS and self._head.row.size % 2 == 0:
            self._head, self._width = self._head.joined(), 2 * self._width

    def take(self, first_row: int, last_row: int) -> Blocks:
        """The blocks of these rows; they and all before them are forgotten."""
        blocks = self.look(first_row, last_row)
        self._rows = self._rows[:, np.searchsorted(self._rows[0], last_row, "right") :]
        self._head, self._width = None, 1
        return blocks

    def look(self, first_row: int, last_row: int) -> Blocks:
        """As `take`, but nothing is forgotten."""
        a, b = np.searchsorted(self._rows[0], (first_row, last_row + 0.5))
        blocks = self._joined(self._rows[:, a:b])
        if self._head is not None:
            blocks = _together(self._head, blocks) if blocks.row.size else self._head
        while blocks.row.size > MOST_BLOCKS:
            blocks = blocks.joined()
        return blocks

    def _joined(self, rows: Array) -> Blocks:
        """Blocks of `_width` rows each."""
        blocks = _single(rows, None if self._head is None else abs(self._head.last[0]))
        for _ in range(self._width.bit_length() - 1):
            blocks = blocks.joined()
        return blocks


def _single(rows: Array, before_V: float | None) -> Blocks:
    """Each row a block; `before_V` is |V| of the row before them, if it is of the same segment."""
    row, time_s, volts, amperes, temperature, pressure = rows.copy()  # a view would keep the whole chunk
    size = np.abs(volts)
    step = np.diff(size, prepend=size[:1] if before_V is None else before_V)
    first, last = ((float(volts[k]), float(amperes[k])) if volts.size else (0.0, 0.0) for k in (0, -1))
    return Blocks(
        row, time_s, np.ones(row.size), volts, amperes, volts, volts, np.maximum(-step, 0.0),
        np.maximum(step, 0.0), temperature, pressure, first, last,
    )  # fmt: skip


def _together(a: Blocks, b: Blocks) -> Blocks:
    columns: dict[str, Any] = {name: np.concatenate([getattr(a, name), getattr(b, name)]) for name in COLUMNS}
    return replace(a, **columns, last=b.last)
