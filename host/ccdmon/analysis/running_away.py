"""V that runs away in a half-cycle, and where it stands then: the limiting current, the cycler's limit."""

from collections.abc import Sequence

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.stretches import Stretch


def runs_away(stretches: Sequence[Stretch]) -> list[Event]:
    """V that runs away in a half-cycle while I stands, and never did before: the limiting current.

    Where one before ended as high and the test went on it is the program's cut-off: what was stripped is gone.
    """
    loaded = [s for s in stretches if s.kind == "current" and s.count >= 3 * th.LEAST_ROWS]
    ends: dict[int, list[float]] = {1: [], -1: []}  # in ohm
    edges_V = {1: 0.0, -1: 0.0}
    last = next((s for s in reversed(stretches) if s.sign != 0), None)
    for s in loaded:
        before = ends[s.sign]
        end_ohm = abs(s.end_V / s.current_A)
        enough = len(before) >= th.SLACK_ROWS or s is last
        far = end_ohm > s.ohm / th.MOST and s.is_kept and enough
        edge_V = abs(s.blocks.last[0]) if s.is_kept else abs(s.end_V)
        cut_off = edges_V[s.sign] > (1 - th.FALL) * edge_V
        edges_V[s.sign] = max(edges_V[s.sign], edge_V)
        if far and not cut_off and (not before or middle(before[-th.LEAST_ROWS :]) < th.HALF * end_ohm):
            found = _running_away(s)
            if found:
                return found
        before.append(end_ohm)
    return []


def runs_into_limit(s: Stretch, rows_highest: int) -> list[Event]:
    """V that climbs ever faster, then stands to the end of the half-cycle: the cycler drives no more, at any current.

    `rows_highest`: of its rows, those at the highest V; blocks say as much where noise hides a flat top.
    """
    least_V, most_V = sorted((s.sign * s.least_mean_V, s.sign * s.most_mean_V))
    if least_V > th.SUDDEN * most_V:  # as nearly all: V at half of the climb is no less than the least
        return []
    V = np.abs(s.volts)
    at_top = (1 - th.STANDS) * V[-1] < V
    blocks_at_top = V.size if at_top.all() else int(np.argmin(at_top[::-1]))
    by_blocks = s.blocks.rows[V.size - blocks_at_top :].sum() if blocks_at_top >= th.LIMIT_ROWS else 0
    stands = max(rows_highest, int(by_blocks))
    climbs = s.count - stands  # rows
    if stands < th.LIMIT_ROWS or climbs < th.LEAST_ROWS:
        return []
    middles = s.row - s.first_row + 0.5 * (s.blocks.rows - 1)
    apart = min(max(stands, th.LEAST_ROWS), climbs // 4)
    half, *climb = np.interp((climbs / 2, *(climbs - 1 - k * apart for k in (3, 2, 1))), middles, V)
    earlier, early, late = climb
    top = float(V.max())
    if V[middles < climbs - 1 - apart].max() > (1 + th.ALIKE) * late:  # it fell meanwhile
        return []
    if not (
        0 < earlier < early < late
        and late - early >= early - earlier
        and half < th.SUDDEN * top
        and top - late > (late - early) / th.HALF
    ):
        return []
    row = s.first_row + climbs
    evidence = {
        "criterion": "V climbs ever faster, then stands",
        "voltage_before_V": float(half),
        "highest_V": top,
    }
    start_s = float(np.interp(climbs, middles, s.time_s))
    return [Event("limit", start_s, row, None, s.current_A, None, False, True, evidence)]


def _running_away(s: Stretch) -> list[Event]:
    V = s.volts * (1.0 if s.middle_V >= 0 else -1.0)
    n, end = V.size, float(V[-1])
    if n < 3 * th.LEAST_ROWS:
        return []
    stands = int(np.sum((1 - th.STANDS) * end < V))  # at the compliance
    half, late = middle(V[n // 2 - 1 : n // 2 + 2]), float(V[max(n - stands - n // 8, 0)])
    if not 0 < half < th.HALF * end or end - late < 0.5 * (end - V[1]):
        return []
    at = int(np.flatnonzero(half + 0.1 * (end - half) > V)[-1])
    evidence = {"criterion": "polarisation runs away", "voltage_before_V": half, "highest_V": end}
    where = float(s.time_s[at]), int(s.row[at]), None, s.current_A, None
    return [Event("limit", *where, False, True, evidence)]
