"""Dips of some rows at constant current that come back: micro-shorts."""

from collections.abc import Sequence

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.ocv.runs import ocv_event
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.stretches import Stretch


def dips_of(stretches: Sequence[Stretch], end: int, share: float = 0.0) -> list[Event]:
    """Dips of some rows at constant current or in a rest, several: micro-shorts; each at least this share of V."""
    found: list[tuple[float, int, Stretch, int, float]] = []  # row, weight of a dip or -2 of a peak
    lengths = [s.count for s in stretches if s.kind == "current"]
    window = 2.0 * middle(lengths) if lengths else 0.0
    for s in stretches:
        if s.kind in ("current", "held", "rest") and s.volts.size >= 12 and s.last_row < end:
            down, up, least = _one_sided(s, share)
            found += [(float(s.row[k]), _weight(depth, least), s, k, depth) for k, depth in down]
            found += [(float(s.row[k]), -2, s, k, 0.0) for k in up]
    found.sort(key=lambda x: x[0])
    for n, (row, sign, s, k, _) in enumerate(found):
        near = [x for x in found[max(0, n - 2) :] if x[0] <= row + window]
        dips = [x for x in near if x[1] > 0 and x[0] >= row]
        if sign > 0 and len(dips) > 1 and sum(x[1] for x in near if x in dips or x[1] < 0) >= th.DIPS:
            last = dips[-1]
            _, _, s, k, _ = next(
                (x for x in dips if x[1] > 1), dips[0]
            )  # what is hardly one may be before them
            return [
                ocv_event(
                    "soft_short",
                    s,
                    k,
                    recovered=True,
                    end_s=float(last[2].time_s[last[3]]),
                    criterion="dips at constant current",
                    dips=len(dips),
                    deepest_V=max(x[4] for x in dips),
                )
            ]
    return []


def _weight(depth: float, least: float) -> int:
    """What a dip counts: one that is far beyond the noise is no chance."""
    return 1 + (depth > 2 * least) + (depth > 4 * least)


def _one_sided(s: Stretch, share: float) -> tuple[list[tuple[int, float]], list[int], float]:
    """Blocks with rows far below the line of their neighbours, their depth; those as far above; the least depth."""
    v = s.volts * (1.0 if s.middle_V >= 0 else -1.0)
    low, high = (
        (s.blocks.lowest_V, s.blocks.highest_V)
        if s.middle_V >= 0
        else (-s.blocks.highest_V, -s.blocks.lowest_V)
    )
    usual = middle(np.maximum(s.blocks.fall_V, s.blocks.rise_V))
    least = max(share * abs(s.middle_V) or th.OCV_DIP_V, 4 * usual, th.SPIKE_NOISE * s.noise_V)
    down: list[tuple[int, float]] = []
    up: list[int] = []
    k = 1
    calm_V = float(v[0])  # of the last block in which nothing happened
    while k < v.size:
        fell, rose = s.blocks.fall_V[k] > least, s.blocks.rise_V[k] > least
        if k < 2 or not (fell or rose):
            calm_V = float(v[k])
            k += 1
            continue
        if fell and rose:
            around_V = middle(v[max(0, k - 2) : k + 3])
            if around_V - low[k] > high[k] - around_V or low[k] + least < calm_V >= high[k] - least:
                down.append((k, float(s.blocks.fall_V[k])))
            else:
                up.append(k)
        elif fell:
            back = next(
                (
                    m
                    for m in range(k + 1, min(k + 12, v.size))
                    if s.blocks.rise_V[m] > (1 - th.SUDDEN) * s.blocks.fall_V[k]
                ),
                None,
            )
            if back is not None:
                down.append((k, float(s.blocks.fall_V[k])))
                k = back
        else:
            back = next(
                (
                    m
                    for m in range(k + 1, min(k + 12, v.size))
                    if s.blocks.fall_V[m] > (1 - th.SUDDEN) * s.blocks.rise_V[k]
                ),
                None,
            )
            if back is not None and high[k : back + 1].max() > calm_V + least:  # else it is back from a dip
                up.append(k)
                k = back
        k += 1
    return down, up, float(least)
