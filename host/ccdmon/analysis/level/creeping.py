"""Does a level creep to where it ends, or fall there at once? A leak that forms takes rows, a short of metal none."""

import numpy as np
import numpy.typing as npt

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.level.excursions import Excursion
from ccdmon.analysis.level.line import Line


def creeps(line: Line, place: int, e: Excursion) -> bool:
    """Is the fall around a block seen on its way, block after block ever lower, in more than a step leaves there?

    A step leaves one block of two levels; noise leaves some, but in no order.
    """
    share = (line.level - e.level) / (e.kept - e.level)
    on_its_way = (share > 1 - th.WHOLE) & (share < th.WHOLE) & (line.number == line.number[place])
    first, last = _run(on_its_way, place)
    return last - first > th.LIMIT_ROWS and bool(np.all(np.diff(line.level[first:last]) < 0))


def _run(where: npt.NDArray[np.bool_], at: int) -> tuple[int, int]:
    """Beginning and end of the run of True that holds `at`, or begins right behind or ends right before it."""
    inside = next((k for k in (at, at + 1, at - 1) if 0 <= k < where.size and where[k]), None)
    if inside is None:
        return at, at
    first, last = inside, inside + 1
    while first > 0 and where[first - 1]:
        first -= 1
    while last < where.size and where[last]:
        last += 1
    return first, last
