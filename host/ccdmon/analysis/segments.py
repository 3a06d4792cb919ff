"""From the core's segments to half-cycles: scans and offsets in rests left out, pieces joined, numbered."""

from collections.abc import Sequence

from ccdmon.analysis.half_cycles import AT, HalfCycle, same_level
from ccdmon.analysis.thresholds import LEAST_ROWS, OFFSET_CURRENT, SCAN, SCAN_CHARGE, WHOLE

_ROWS, _SIGN, _CURRENT, _AFTER_GAP = (AT[name] for name in ("rows", "sign", "current_A", "after_gap"))


def half_cycles_of(records: Sequence[Sequence[float]]) -> list[HalfCycle]:
    """The core's segment records that are half-cycles, joined and numbered."""
    loaded: list[HalfCycle] = []
    last: HalfCycle | None = None
    crumb = False  # a row or two right after a hole may be means across a reversal
    for record in records:
        gap = record[_AFTER_GAP] != 0
        if gap and last is not None:
            last.before_gap = True
        last = None
        if record[_SIGN] != 0 and record[_CURRENT] != 0:
            last = HalfCycle(record, after_gap=gap or crumb)
            loaded.append(last)
        crumb = gap and record[_ROWS] < 3
    return _numbered(_joined(_without_scans(loaded)))


def _without_scans(loaded: list[HalfCycle]) -> list[HalfCycle]:
    """Without what scans, offsets and noise leave in rests; noise beside noise goes when its neighbour has gone."""
    most_A = max((h.level_A for h in loaded), default=0.0)
    most_C = max((h.charge_C for h in loaded), default=0.0)
    if not any(h.level_A < SCAN * most_A or h.charge_C < SCAN_CHARGE * most_C for h in loaded):
        return loaded  # none is as small beside any other
    while True:
        kept: list[HalfCycle] = []
        for h, later in zip(loaded, _next_larger(loaded), strict=True):
            beside = [x for x in (kept[-1] if kept else None, later) if x is not None]
            if _goes_on(h, kept) or not any(_is_scan(h, x) for x in beside):
                kept.append(h)
        if len(kept) == len(loaded):
            return kept
        loaded = kept


def _goes_on(h: HalfCycle, kept: Sequence[HalfCycle]) -> bool:
    """The rest of a half-cycle behind a hole, however little it is beside the levels to come."""
    last = kept[-1] if kept else None
    return (
        last is not None
        and h.after_gap
        and h.current_A * last.current_A > 0
        and same_level(h.level_A, last.level_A)
    )


def _is_scan(h: HalfCycle, beside: HalfCycle) -> bool:
    if h.level_A < OFFSET_CURRENT * beside.level_A or (
        h.rows < 3 and h.charge_C < OFFSET_CURRENT * beside.charge_C
    ):
        return True
    goes_on = (
        0 < h.first_row - beside.last_row <= LEAST_ROWS and h.current_A * beside.current_A > 0
    )  # a current gives way
    if h.charge_C < SCAN_CHARGE * beside.charge_C and not (same_level(h.level_A, beside.level_A) or goes_on):
        return h.first_row < beside.first_row or h.level_A < beside.level_A
    return h.level_A < SCAN * beside.level_A and h.duration_s < SCAN * beside.duration_s


def _next_larger(loaded: Sequence[HalfCycle]) -> list[HalfCycle | None]:
    """For each segment the next one that moves five times its charge."""
    found: list[HalfCycle | None] = []
    ahead: list[HalfCycle] = []  # later segments, each larger than all between it and here; the nearest last
    for h in reversed(loaded):
        while ahead and ahead[-1].charge_C <= h.charge_C:
            ahead.pop()
        low, high = 0, len(ahead)
        while low < high:  # charges fall towards the end: the last one above the bound is the nearest
            middle = (low + high) // 2
            low, high = (middle + 1, high) if ahead[middle].charge_C > 5 * h.charge_C else (low, middle)
        found.append(ahead[low - 1] if low else None)
        ahead.append(h)
    return found[::-1]


def _joined(loaded: list[HalfCycle]) -> list[HalfCycle]:
    """Pieces of one half-cycle put together: holes in the data, and a current that gives way at the limit."""
    joined: list[HalfCycle] = []
    last_A = 0.0
    for k, h in enumerate(loaded):
        h_A = h.current_A
        if last_A * h_A > 0 and _one(joined[-1], h, loaded[max(0, k - 8) : k + 9]):
            joined[-1] = _together(joined[-1], h)
            last_A = joined[-1].current_A
        else:
            joined.append(h)
            last_A = h_A
    return joined


def _one(a: HalfCycle, b: HalfCycle, around: Sequence[HalfCycle]) -> bool:
    near = same_level(a.level_A, b.level_A)
    if b.first_row - a.last_row <= 3 and not b.after_gap:
        gives_way = b.level_A < a.level_A and b.highest_V >= 0.98 * a.highest_V and b.end_V > 0.9 * a.end_V
        return near or gives_way or min(a.rows, b.rows) < 4
    # Across a hole: a half-cycle of the other sign may hide in it, as long as the longest of this level is.
    longest_s = max(h.duration_s for h in [a, b, *around] if same_level(h.level_A, a.level_A))
    if near and b.start_s - a.end_s < WHOLE * longest_s:
        return True
    # Or all of it together is no longer than a whole half-cycle of this charge or this time.
    middle = len(around) // 2
    charge_s = sorted(h.charge_C for h in around)[middle] / a.level_A
    time_s = sorted(h.duration_s for h in around)[middle]
    return near and b.end_s - a.start_s <= max(longest_s, charge_s, time_s) / WHOLE + 2 * b.interval_s


def _together(a: HalfCycle, b: HalfCycle) -> HalfCycle:
    rows = a.rows + b.rows
    # What flowed in a hole is guessed; in a rest that was recorded nothing did.
    rested = b.first_row - a.last_row > 3 and not b.after_gap
    hole_s = 0.0 if rested else max(b.start_s - a.end_s, 0.0)
    long = a if a.rows >= b.rows else b
    start = a if a.rows >= 8 else long
    together = a.changed(
        profile_V=start.profile_V,
        last_row=b.last_row,
        rows=rows,
        end_s=b.end_s,
        # The program's current is the one before it gave way.
        current_A=a.current_A if a.rows >= 4 and a.level_A > b.level_A else _mean_A(a, b),
        charge_C=a.charge_C + b.charge_C + 0.5 * (a.level_A + b.level_A) * max(hole_s - b.interval_s, 0.0),
        voltage_mean_V=(a.voltage_mean_V * a.rows + b.voltage_mean_V * b.rows) / rows,
        start_V=start.start_V,
        end_V=b.end_V if b.rows >= 4 else a.end_V,
        noise_V=long.noise_V,
        highest_V=max(a.highest_V, b.highest_V),
        rows_highest=a.rows_highest + b.rows_highest if b.highest_V > 0.99 * a.highest_V else a.rows_highest,
        current_end_A=b.current_end_A,
        pressure_end_Pa=b.pressure_end_Pa,
    )
    together.after_gap, together.before_gap = a.after_gap or b.after_gap, b.before_gap
    return together


def _mean_A(a: HalfCycle, b: HalfCycle) -> float:
    return (a.current_A * a.rows + b.current_A * b.rows) / (a.rows + b.rows)


def _numbered(half_cycles: list[HalfCycle]) -> list[HalfCycle]:
    """Two half-cycles of opposite sign are a cycle; one that finds no partner is a cycle of its own."""
    last: HalfCycle | None = None
    paired = True
    for index, h in enumerate(half_cycles):
        new = paired or last is None or last.current_A * h.current_A > 0
        paired = not new
        h.index, h.cycle = index, (last.cycle if last else 0) + (1 if new else 0)
        last = h
    return half_cycles
