"""Stretches of a test, rests included: each with its rows in blocks, and what the cycler controlled in it.

| kind | what stands, what gives way |
|---|---|
| current | I stands: the only one in which a resistance is judged |
| rest | no current |
| held | V stands, I gives way: the end of a CC-CV charge, a chronoamperometry |
| open | no current, and V beyond all that the cell had under current: a wire is off, or the contact |
"""

from dataclasses import dataclass
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
