"""Stretches of a test, rests included: each with its rows in blocks, and what the cycler controlled in it.

| kind | what stands, what gives way |
|---|---|
| current | I stands: the only one in which a resistance is judged |
| rest | no current |
| held | V stands, I gives way: the end of a CC-CV charge, a chronoamperometry |
| open | no current, and V beyond all that the cell had under current: a wire is off, or the contact |
| leaving | I stands, V goes its own way: lithium nucleates, or what was stripped is gone |
"""

from collections.abc import Sequence

import numpy as np

from ccd_fastcore import SEGMENT_FIELDS, Summary
from ccdmon.analysis import thresholds as th
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.rows_in_blocks import Array, Blocks


class Stretch(Summary):
    """Rows of one current: what the core says of them, and their blocks until they are let go."""

    __slots__ = ("_blocks", "index", "kind", "told")
    index: int
    kind: str

    def __init__(self, record: Sequence[float], told: bytes, last: "Stretch | None") -> None:
        """The core's record of a segment and what `RowBlocks` told of it; `last` is the stretch before."""
        super().__init__(record, told)
        self.index = 0 if last is None else last.index + 1
        self.kind = kind_of(self, last)
        self.told: bytes | None = told
        self._blocks: Blocks | None = None

    def __deepcopy__(self, memo: object) -> "Stretch":
        return self  # nothing of it changes

    @property
    def is_kept(self) -> bool:
        """Are its blocks there still?"""
        return self.told is not None

    def let_go(self, record: Sequence[float]) -> "Stretch":
        """What is kept of an old one: all but its blocks. Another thread may still be reading this."""
        kept = Stretch.__new__(Stretch)
        Summary.__init__(kept, record, self.told or b"")
        kept.index, kept.kind, kept.told, kept._blocks = self.index, self.kind, None, None
        return kept

    def part(self, blocks: slice, kind: str, **changed: float) -> "Stretch":
        """Some of its blocks as a stretch of their own, with these numbers of the record in place of its own."""
        record = {name: float(getattr(self, name, 0.0)) for name in SEGMENT_FIELDS} | changed
        found = Stretch(list(record.values()), self.blocks.told(blocks), None)
        found.index, found.kind = self.index, kind
        return found

    def shifted(self, by_V: Array) -> "Stretch":
        """The same with so many volts added to all rows of each block."""
        record = [float(getattr(self, name, 0.0)) for name in SEGMENT_FIELDS]
        found = Stretch(record, self.blocks.shifted(by_V), None)
        found.index, found.kind = self.index, self.kind
        return found

    @property
    def blocks(self) -> Blocks:
        """Of like numbers of rows."""
        if self._blocks is None:
            assert self.told is not None, "its blocks were let go"
            self._blocks = Blocks(self.told)
        return self._blocks

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

    @property
    def ohm(self) -> float:
        """|V / I|, medians of the blocks; 0 without a current."""
        return abs(self.middle_V) / self.level_A if self.level_A > 0 else 0.0


def kind_of(s: Summary, last: Stretch | None) -> str:
    """What was controlled in a stretch, `last` before it."""
    if s.sign == 0:
        return "rest"
    return "held" if _held(s) or (last is not None and _goes_on_held(last, s)) else "current"


def _held(s: Summary) -> bool:
    """Within it I gives way and V does not follow: by far less than in proportion."""
    first_A, last_A = abs(s.begin_A), abs(s.settled_A)
    moved = abs(last_A / first_A - 1) if first_A > 0 else 0.0  # NaN where there are too few blocks to tell
    if not moved > th.STANDS:
        return False
    return abs(s.settled_V - s.begin_V) < th.HALF * moved * max(abs(s.begin_V), abs(s.settled_V))


def _goes_on_held(last: Stretch, s: Summary) -> bool:
    """A current that gives way is cut into pieces; V stands at where the piece before ended."""
    if last.kind not in ("current", "held") or last.sign != s.sign or abs(s.current_A) >= abs(last.current_A):
        return False
    away_V = max(s.most_mean_V - last.end_V, last.end_V - s.least_mean_V)
    return away_V < th.STANDS * abs(last.end_V) and s.first_row - last.last_row <= 3


def steadied(s: Stretch) -> Stretch:
    """As if the current had stood: without what of V follows an excitation on it, once V has settled."""
    if s.kind != "current" or s.volts.size < 2 * th.LEAST_ROWS:
        return s
    amperes = s.blocks.amperes
    usual_A = middle(amperes)
    settled = slice(amperes.size // 4, None)
    if middle(np.abs(amperes[settled] - usual_A)) < th.STANDS * abs(usual_A):
        return s
    drift = np.vander(s.time_s[settled] - s.start_s, 3)
    excited_A, followed_V = (_without(drift, x[settled]) for x in (amperes, s.volts))
    ohm = float(excited_A @ followed_V) / float(excited_A @ excited_A)
    left_V = followed_V - ohm * excited_A
    if ohm <= 0 or float(left_V @ left_V) > th.HALF * float(followed_V @ followed_V):
        return s
    return s.shifted(ohm * (usual_A - amperes))


def _without(drift: Array, x: Array) -> Array:
    """What a drift leaves of it."""
    return np.asarray(x - drift @ np.linalg.lstsq(drift, x, rcond=None)[0])


def parts(s: Stretch, last: Stretch | None) -> list[Stretch]:
    """A stretch without the rows whose V goes its own way, not as I and a resistance do: before and behind it.

    `last` is the stretch of constant current before it, without such rows: where lithium nucleates V is beyond its.
    Where it still has a bare metal's voltage, V runs from there, against the current, to what the current makes it.
    """
    usual_V, direction = abs(s.middle_V), 1.0 if s.middle_V >= 0 else -1.0
    beside_V = usual_V if last is None else max(usual_V, last.ohm * abs(s.current_A))
    highest_V = s.most_mean_V if direction > 0 else -s.least_mean_V
    stands = abs(s.end_V - s.middle_V) < th.HALF * usual_V
    against = stands and direction * s.blocks.first[0] < -usual_V / th.UNKNOWN
    far = against or highest_V > beside_V / th.HALF or direction * s.end_V >= usual_V / th.UNKNOWN
    if s.kind != "current" or usual_V == 0 or s.count < th.LEAST_ROWS or not far:
        return [s]
    along = s.volts * direction
    if against:
        first = int(np.argmax(along > (1 - th.FALL) * usual_V))
    else:
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
    ends_s = time_s - (time_s - s.start_s) / (row - s.first_row)
    before = s.part(slice(0, block), kinds[0], last_row=row - 1, end_s=ends_s, charge_C=share * s.charge_C)
    after = s.part(
        slice(block, None), kinds[1], first_row=row, start_s=time_s, charge_C=(1 - share) * s.charge_C,
        after_gap=0.0,
    )  # fmt: skip
    return before, after
