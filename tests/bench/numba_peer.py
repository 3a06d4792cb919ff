"""The list of `peers` as one loop in numba: what hand-written compiled code takes for it."""

from typing import Any

import numpy as np

from .data import FloatArray
from .peers import FOLLOW, LEVEL, USUAL, Peer

FIELDS = (
    "start", "end", "rows", "charge", "voltage", "current", "slope", "noise", "lowest", "highest", "stuck",
    "level", "follows", "drop", "settled", "last_rows",
)  # fmt: skip


def numba_composite() -> Peer:
    """The loop, compiled before it is timed."""
    import numba

    loop = numba.njit(_loop)

    def work(time_s: FloatArray, voltage_V: FloatArray, current_A: FloatArray) -> Any:
        halves = np.count_nonzero(np.diff(np.sign(current_A))) + 1
        return loop(time_s, voltage_V, current_A, np.zeros((halves, len(FIELDS))), np.zeros(16))

    work(np.arange(40.0), np.ones(40), np.ones(40))
    return work


# One loop on purpose, longer than a function should be: its variables stay in registers.
def _loop(t: FloatArray, v: FloatArray, i: FloatArray, found: FloatArray, ring: FloatArray) -> FloatArray:
    k = first = stuck = 0
    level = usual = cov = var = t_last = v_last = i_last = dv_last = recent = before = 0.0
    charge = sum_v = sum_i = sum_t = sum_tv = sum_tt = noise = settled = drop = 0.0
    low, high = np.inf, -np.inf
    for row in range(len(t) + 1):
        if row == len(t) or (row and (i[row] > 0) != (i_last > 0)):
            n = row - first
            slope = (sum_tv / n - sum_t / n * sum_v / n) / (sum_tt / n - (sum_t / n) ** 2)
            follows = cov / var if var > 0 else 0.0
            found[k] = np.array(
                [t[first], t_last, n, charge, sum_v / n, sum_i / n, slope, noise / max(n - 2, 1), low, high,
                 stuck, level, follows, drop, settled / 4, recent / 8]
            )  # fmt: skip
            if row == len(t):
                break
            k, first, stuck, low, high = k + 1, row, 0, np.inf, -np.inf
            charge = sum_v = sum_i = sum_t = sum_tv = sum_tt = noise = settled = drop = 0.0
        dv, di, since = v[row] - v_last, i[row] - i_last, t[row] - t[first]
        charge += 0.5 * (abs(i[row]) + abs(i_last)) * (t[row] - t_last)
        sum_v, sum_i, sum_t = sum_v + v[row], sum_i + i[row], sum_t + since
        sum_tv, sum_tt = sum_tv + since * v[row], sum_tt + since * since
        low, high = min(low, v[row]), max(high, v[row])
        if 4 <= row - first < 8:
            settled += v[row]
        level += LEVEL * (v[row] / i[row] - level)
        cov, var = cov + FOLLOW * (dv * di - cov), var + FOLLOW * (di * di - var)
        middle = ring[(row - 8) & 15]
        recent, before = recent + v[row] - middle, before + middle - ring[row & 15]
        ring[row & 15] = v[row]
        if row - first >= 2:
            size = abs(dv - dv_last)
            noise += size
            usual += USUAL * (size - usual)
            if usual > 0 and row >= 15:
                drop = max(drop, (before - recent) / 8 / usual)
        if dv == 0.0:
            stuck += 1
        t_last, v_last, i_last, dv_last = t[row], v[row], i[row], dv
    return found
