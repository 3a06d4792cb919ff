"""V that falls within a row or two while nothing else changes, and stays down."""

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.half_cycles import same_level
from ccdmon.analysis.ocv.runs import ocv_event, offset_A
from ccdmon.analysis.order_statistics import middle, quantile
from ccdmon.analysis.stretches import Stretch


def losses(stretches: Sequence[Stretch], steps: Sequence[dict[str, float]]) -> Iterator[Event]:
    """V that falls within a row or two while nothing else changes, and stays down."""
    volts = np.concatenate([np.abs(s.volts) for s in stretches]) if stretches else np.zeros(0)
    known: dict[tuple[int, int], list[float]] = {}
    offset, least_A = 0, offset_A(stretches)
    for at, s in enumerate(stretches):
        n = s.volts.size
        places = [
            (k, abs(middle(s.volts[max(0, k - 3) : k])) if k else abs(s.blocks.first[0]))
            for k in (_falls(s, least_A) if n >= 5 else [])
        ]
        if at and not s.after_gap:
            between = _between(
                stretches[at - 1], s, stretches[at + 1] if at + 1 < len(stretches) else None, known
            )
            places = ([(0, between)] if between else []) + places
        for k, before in places:
            left = np.abs(s.volts[k + (n > k + 2) : k + 13])
            drop = before - middle(left[:4] if k else np.abs(s.volts))
            later = volts[offset + k + (n > k + 2) :]
            least_V = th.HALF * float(s.blocks.fall_V[k]) if k else 0.2 * th.OCV_LOSS_V  # V goes on meanwhile
            if drop < least_V:
                continue
            dies = later.size >= 2 and quantile(later, th.WHOLE) < th.HARD_REMAINS * before
            dead = dies and before - drop < th.HALF * before  # by this fall, not by a later one
            if (
                s.sign
                and s.count < 24
                and any(
                    x.sign == s.sign and x.count < 24 and abs(x.end_V) < before - th.MOST * drop
                    for x in stretches[:at]
                )
            ):
                continue  # a short reversal, as there were before
            if not dead and k and _is_knee(s, k, stretches[:at]):
                continue
            if not dead and bool(np.any(s.blocks.rise_V[k + 1 :] > 0.5 * drop)):
                continue
            kind = "hard_short" if dead else "partial_short"
            yield ocv_event(
                kind,
                s,
                k,
                _row(s, k, before, before - drop, steps),
                criterion="V lost within a row",
                voltage_before_V=before,
                voltage_after_V=before - drop,
            )
            if dead:
                return
            break
        offset += n


def _is_knee(s: Stretch, k: int, before: Sequence[Stretch]) -> bool:
    """V gives way where the charge ends: the stretch ends soon, or an earlier one of its direction went as far."""
    after = float(s.blocks.rows[k + 1 :].sum())
    if after < th.LEAST_ROWS:
        return True
    reached_V = abs(s.end_V)
    as_far = any(
        x.sign == s.sign and abs(x.end_V) <= (1 + th.LEAST) * reached_V for x in before if x.kind == "current"
    )
    return as_far and after < (1 - th.MOST) * s.count


def _row(s: Stretch, k: int, before_V: float, after_V: float, steps: Sequence[dict[str, float]]) -> int:
    """The core's row of that step; where it saw none, the one that the block's mean tells."""
    low, high = s.row[max(k - 1, 0)] - 2, s.row[k] + s.blocks.rows[k] + 2
    near = [x for x in steps if low <= x["row"] <= high and x["before_V"] > x["after_V"]]
    if near:
        return int(max(near, key=lambda x: x["before_V"] - x["after_V"])["row"])
    share = (abs(float(s.volts[k])) - after_V) / (before_V - after_V)
    return int(s.row[k]) + round(min(max(share, 0.0), 1.0) * (float(s.blocks.rows[k]) - 1))


def _between(
    a: Stretch, b: Stretch, c: Stretch | None, known: dict[tuple[int, int], list[float]]
) -> float | None:
    """|V| before a step of the current across which V lost more than any such step did before; None else."""
    dI = b.blocks.first[1] - a.blocks.last[1]
    if abs(dI) < 0.5 * max(abs(a.blocks.last[1]), abs(b.blocks.first[1])) or "held" in (a.kind, b.kind):
        return None
    before = known.setdefault((a.sign, b.sign), [])
    ohm = (b.blocks.first[0] - a.blocks.last[0]) / dI
    usual = median(before[-5:]) if len(before) >= 2 else None
    before.append(ohm)
    if usual is None:
        return None
    expected = a.blocks.last[0] + usual * dI
    lost = min(abs(expected), abs(a.blocks.last[0])) - (
        abs(b.blocks.first[0]) if expected * b.blocks.first[0] > 0 else -abs(b.blocks.first[0])
    )
    if lost < max(th.OCV_LOSS_V, 0.5 * abs(usual * dI)):
        return None
    if c is not None and not c.after_gap:  # a resistance that grew gives back what it took
        like = known.get((b.sign, c.sign))
        back = (
            abs(c.blocks.first[0])
            - abs(b.blocks.last[0])
            - (
                abs(median(like[-5:]) * (c.blocks.first[1] - b.blocks.last[1]))
                if like and b.sign < 0
                else 0.0
            )
        )
        if back > 0.5 * lost:
            return None
    return abs(expected)


def _falls(s: Stretch, least_A: float) -> list[int]:
    """Blocks in which |V| falls from one row to the next by far more than around them, at the same current.

    `least_A` or less is none; the tail of a held voltage is part of the rest behind it. Under a current the first two
    blocks are left out but for what takes half of V, in a rest the row in which it begins.
    """
    fall_V, rise_V = s.blocks.fall_V, s.blocks.rise_V
    least_V = np.minimum(0.2 * th.OCV_LOSS_V, th.FALL * np.abs(s.volts))
    least = np.maximum(least_V, max(th.SPIKE_NOISE * s.noise_V, 4 * middle(fall_V)))

    def stands_out(k: int) -> bool:
        before, after = slice(max(0, k - 5), k), fall_V[k + 1 : k + 4]
        near_A = s.blocks.amperes[[max(k - 1, 0), min(k + 1, fall_V.size - 1)]]
        if s.sign and not same_level(*np.abs(near_A).tolist()):
            return False
        if not s.sign and np.abs(near_A).max() > least_A:
            return False
        around = np.concatenate([fall_V[before], rise_V[before], after])
        goes_on = middle(after) if after.size else 0.0  # at a knee V falls as much in each row that follows
        return bool(fall_V[k] > 3 * max(quantile(around, th.MOST), goes_on))

    first = 2
    if s.sign:  # no step of the current takes half of V
        first = next((k for k in (0, 1) if fall_V[k] > th.HALF * abs(s.blocks.first[0])), 2)
    else:
        within_first_V = abs(s.blocks.first[0]) - abs(float(s.volts[1]))
        first = 0 if within_first_V > th.HALF * float(fall_V[0]) else 1
    return [k for k in np.flatnonzero(fall_V > least).tolist() if k >= first and stands_out(k)]
