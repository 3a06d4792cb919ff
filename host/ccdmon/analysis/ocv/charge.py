"""Charge beyond all that the cell held, and charge that does not come back."""

import itertools
from collections.abc import Sequence
from statistics import median

import numpy as np

from ccdmon.analysis import thresholds as th
from ccdmon.analysis.events import Event
from ccdmon.analysis.ocv.runs import Run, ocv_event
from ccdmon.analysis.order_statistics import middle
from ccdmon.analysis.stretches import Stretch


def rising_with(runs: Sequence[Run]) -> int:
    """Sign of the current that charges: V rises with it."""
    vote = sum(r.sign * float(np.sign(r.end_V - r.begin_V)) * r.span_V for r in runs)
    return 1 if vote >= 0 else -1


def endless(runs: Sequence[Run]) -> list[Event]:
    """A charge that takes far more than the cell ever held while V makes no progress."""
    charging = rising_with(runs) if runs else 1
    held_C, highest_V = 0.0, -np.inf
    for last, run in itertools.pairwise(runs):
        if last.span_V > th.OCV_SPAN_V:
            held_C = max(held_C, last.charge_C)
            # Where charges ended; before there was one, where the cell stood that was discharged.
            highest_V = max(highest_V, charging * (last.end_V if last.sign == charging else last.begin_V))
        if run.sign == charging and held_C > 0:
            found = _beyond(run, held_C, highest_V, charging)
            if found is not None:
                return [found]
    return []


def _beyond(run: Run, held_C: float, highest_V: float, charging: int) -> Event | None:
    """The charge `run` where it goes beyond what was held and V would need as much again to where charges ended."""
    total_C = 0.0
    for s in run.loaded:
        if total_C + s.charge_C <= th.GROWN * held_C:
            total_C += s.charge_C
            continue
        beyond, before = (
            _block_at(s, min(max((share * held_C - total_C) / s.charge_C, 0.0), 1.0))
            for share in (th.GROWN, th.HALF)
        )
        v = s.volts * charging
        late_V, early_V = middle(v[max(beyond - 2, 0) : beyond + 1]), middle(v[before : before + 3])
        progress_V = late_V - early_V - 3 * s.noise_V
        if progress_V * held_C > (highest_V - late_V) * s.charge_C * (beyond - before) / v.size:
            return None
        return ocv_event(
            "soft_short",
            s,
            beyond,
            provisional=True,
            criterion="charge beyond all that the cell held",
            charge_C=total_C + s.charge_C,
            held_C=held_C,
        )
    return None


def _block_at(s: Stretch, share: float) -> int:
    return int(
        np.searchsorted(s.time_s, s.start_s + share * (s.end_s - s.start_s)).clip(0, s.time_s.size - 1)
    )


def unreturned(runs: Sequence[Run], end: int) -> list[Event]:
    """Charge that does not come back: less of it than before, twice in a row."""
    charging = rising_with(runs) if runs else 1
    shares: list[tuple[float, Run]] = []
    for a, b in itertools.pairwise(runs):
        whole = (
            a.sign == charging
            and min(a.span_V, b.span_V) > th.OCV_SPAN_V
            and b.loaded[-1].last_row < end
            and b is not runs[-1]
        )
        if whole and a.charge_C > 0:
            shares.append((b.charge_C / a.charge_C, b))
    for k in range(2, len(shares) - 1):
        usual = median(x for x, _ in shares[max(0, k - 4) : k])
        if max(shares[k][0], shares[k + 1][0]) < min(usual, 1.0) - th.FALL and usual > 0.5:
            s = shares[k][1].loaded[0]  # of the discharge that shows it
            return [
                ocv_event(
                    "soft_short",
                    s,
                    0,
                    provisional=True,
                    criterion="charge that does not come back",
                    efficiency=shares[k][0],
                    efficiency_before=usual,
                )
            ]
    return []
