"""Stretches of a test, rests included: each with its rows in blocks, and what the cycler controlled in it.

| kind | what stands, what gives way |
|---|---|
| current | I stands: the only one in which a resistance is judged |
| rest | no current |
| held | V stands, I gives way: the end of a CC-CV charge, a chronoamperometry |
| open | no current, and V beyond all that the cell had under current: a wire is off, or the contact |
| leaving | I stands, V goes its own way: lithium nucleates, or what was stripped is gone |
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.rows_in_blocks import Array, Blocks


@dataclass
class Stretch:
    """Rows of one current: currents in A (signed), charge of |I| in C, `blocks` of like numbers of rows."""

    index: int
    first_row: int
    last_row: int
    start_s: float
    end_s: float
    sign: int
    current_A: float
    charge_C: float
    noise_V: float
    after_gap: bool
    blocks: Blocks
    kind: str = "current"

    @property
    def count(self) -> int:
        """Rows."""
        return self.last_row - self.first_row + 1

    @property
    def time_s(self) -> Array:
        """Of the first row of each block."""
        return self.blocks.time_s

    @property
    def volts(self) -> Array:
        """Means of the blocks."""
        return self.blocks.volts

    @property
    def row(self) -> Array:
        """First row of each block."""
        return self.blocks.row

    @cached_property
    def middle_V(self) -> float:
        """Median over the blocks."""
        return middle(self.volts)

    @cached_property
    def ohm(self) -> float:
        """|V / I|, medians; 0 without a current."""
        amperes = middle(np.abs(self.blocks.amperes))
        return abs(self.middle_V) / amperes if amperes > 0 else 0.0


def kind_of(s: Stretch, last: Stretch | None) -> str:
    """What was controlled in a stretch, `last` before it."""
    if s.sign == 0:
        return "rest"
    return "held" if _held(s) or (last is not None and _goes_on_held(last, s)) else "current"


def _held(s: Stretch) -> bool:
    """Within it I gives way and V does not follow: by far less than in proportion."""
    if len(s.row) < 6:
        return False
    third, amperes = len(s.row) // 3, s.blocks.amperes
    first_A, last_A = (abs(middle(amperes[k])) for k in (slice(2), slice(-third, None)))
    moved = abs(last_A / first_A - 1) if first_A > 0 else 0.0
    if moved <= th.STANDS:
        return False
    volts = s.volts
    first_V, last_V = (middle(volts[k]) for k in (slice(2), slice(-third, None)))
    return abs(last_V - first_V) < th.HALF * moved * max(abs(first_V), abs(last_V))


def _goes_on_held(last: Stretch, s: Stretch) -> bool:
    """A current that gives way is cut into pieces; V stands at where the piece before ended."""
    if last.kind not in ("current", "held") or last.sign != s.sign or abs(s.current_A) >= abs(last.current_A):
        return False
    end_V = float(last.volts[-1])
    stands = float(np.max(np.abs(s.volts - end_V))) < th.STANDS * abs(end_V)
    return stands and s.first_row - last.last_row <= 3


def parts(s: Stretch, last: Stretch | None) -> list[Stretch]:
    """A stretch without the rows whose V goes its own way, not as I and a resistance do: before and behind it.

    `last` is the stretch of constant current before it, without such rows: where lithium nucleates V is beyond its.
    """
    usual_V, along = abs(s.middle_V), s.volts * (1.0 if s.middle_V >= 0 else -1.0)
    if s.kind != "current" or usual_V == 0 or along.size < th.LEAST_ROWS:
        return [s]
    beside_V = usual_V if last is None else max(usual_V, last.ohm * abs(s.current_A))
    first = _nucleated(along, usual_V) if along[: along.size // 2].max() > beside_V / th.HALF else 0
    end = _emptied(along, usual_V)
    before = list(_cut(s, first, "leaving", "current")) if first else [s]
    behind = (
        list(_cut(before.pop(), end - first, "current", "leaving")) if end < along.size else [before.pop()]
    )
    return before + behind


def _nucleated(along: Array, usual_V: float) -> int:
    """The first block behind a peak of V from which it sinks block by block, as lithium nucleates on a bare metal."""
    half = along.size // 2
    k = int(np.argmax(along[:half]))
    peak_V, largest_V = float(along[k]), 0.0
    while along[k] > (1 + th.FALL) * usual_V and k < half:
        largest_V, k = max(largest_V, float(along[k] - along[k + 2])), k + 1  # a step may lie within a block
    gradual = largest_V < th.SUDDEN * (peak_V - usual_V)
    return k if gradual and k < half else 0


def _emptied(along: Array, usual_V: float) -> int:
    """The block from which on V runs away: what was stripped is gone."""
    n = along.size
    if along[-1] < usual_V / th.UNKNOWN:
        return n
    k = n - int(np.argmin((along > usual_V / th.HALF)[::-1]))  # from here on all are far up
    if k < n - 1 and along[k] > th.HALF * along[-1]:  # it stands there: V came back
        return n
    while k > 0 and along[k - 1] > (1 + th.FALL) * usual_V and along[k - 1] < along[min(k, n - 1)]:
        k -= 1
    return k if k > n // 2 else n


def _cut(s: Stretch, block: int, *kinds: str) -> tuple[Stretch, Stretch]:
    """Two stretches of these kinds, the second from this block on."""
    row, time_s = int(s.row[block]), float(s.time_s[block])
    share = (row - s.first_row) / s.count
    before = replace(s, last_row=row - 1, end_s=time_s - (time_s - s.start_s) / (row - s.first_row),
                     charge_C=share * s.charge_C, kind=kinds[0],
                     blocks=s.blocks.between(0, block))  # fmt: skip
    after = replace(s, first_row=row, start_s=time_s, charge_C=(1 - share) * s.charge_C, after_gap=False,
                    kind=kinds[1], blocks=s.blocks.between(block, s.row.size))  # fmt: skip
    return before, after
