"""The time of a test from what the table has: time since its start, time within each step, dates.

Time since the start is best. Where it runs backwards at each new step it is time within the step: the date serves then,
or, where there is none, the steps are put one behind the other. A date is local: the hour that is lived twice in
autumn is
told by time running backwards by just that much.
"""

from typing import Literal

import numpy as np

from ccdmon.formats.tables.clock import date_forms, looks_like_date, one_form, pair_is_minutes, span_seconds
from ccdmon.formats.tables.layout import is_empty
from ccdmon.formats.tables.numbers import number
from ccdmon.formats.tables.units import scale_of
from ccdmon.model.trace import FloatArray

HOUR_s, DAY_s = 3600.0, 86400.0
DATES_FROM = 3e8  # seconds since 1970: a larger time is a date of 1979 or later
LONGEST_s = 20 * 365.25 * 86400.0
SHORTEST_s = 1e-3


Kind = Literal["span", "date", "unsure date"]  # unsure: which number is the month


class BadTimeError(Exception):
    """The cell at `row` (None: no cell in particular) is no time, or the column as a whole makes none.

    `advice`: what to do, in which `{place}` is the column's number from 1.
    """

    def __init__(
        self,
        what: str,
        row: int | None = None,
        advice: str = "mend it, or keep the readable rows with --salvage",
    ) -> None:
        self.what, self.row, self.advice = what, row, advice


def seconds_of(cells: list[str], unit: str | None, *, salvage: bool) -> tuple[FloatArray, Kind, list[str]]:
    """(seconds, what they are, notes) of a column of times as text. `BadTimeError` for a cell that is none.

    `unit`: what the label says of them, as 'mm:ss'.
    """
    first = next((cell for cell in cells if not is_empty(cell)), "")
    if looks_like_date(first):
        return _dates(cells, salvage)
    minutes = pair_is_minutes(cells, unit)
    if minutes is None:
        raise BadTimeError(
            f"{first[:40]!r} may be hours and minutes, or minutes and seconds",
            advice="say which with --columns time=#{place}[hh:mm] or time=#{place}[mm:ss]",
        )
    scale = scale_of("time", unit) if unit else None  # of cells that are mere numbers
    values = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        try:
            values[row] = np.nan if is_empty(cell) else _span(cell, minutes, scale.factor if scale else 1.0)
        except ValueError:
            if not salvage:
                raise BadTimeError(f"{cell[:40]!r} is not a number", row) from None
    return values, "span", []


def _span(cell: str, minutes: bool, factor: float) -> float:
    return span_seconds(cell, minutes=minutes) if ":" in cell else number(cell, ".") * factor


def with_time_of_day(days_s: FloatArray, time_s: FloatArray | None) -> FloatArray | None:
    """Dates without a time of day and that of another column as one; None where the other is no time of day."""
    if time_s is None or not _backwards(time_s).size or _backwards(days_s + time_s).size:
        return None
    known = time_s[np.isfinite(time_s)]
    return days_s + time_s if (known >= 0).all() and (known < DAY_s).all() else None


def are_days(date_s: FloatArray) -> bool:
    """Whether every date is a midnight: the column says no time of day."""
    known = date_s[np.isfinite(date_s)]
    return bool((known % DAY_s == 0).all())


def _dates(cells: list[str], salvage: bool) -> tuple[FloatArray, Kind, list[str]]:
    if salvage:
        cells = [cell if looks_like_date(cell) else "" for cell in cells]
    forms = date_forms(cells)
    first = next(cell for cell in cells if not is_empty(cell))
    if not forms:
        bad = next((k for k, cell in enumerate(cells) if not is_empty(cell) and not date_forms([cell])), 0)
        raise BadTimeError(f"{cells[bad][:40]!r} is not a date like those before it", bad)
    values, form, decided, sure = one_form(forms, first)
    notes = []
    if decided:
        order = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}[form]
        notes.append(f"dates like '{first}' are read with the {order}: the test is continuous that way")
    return values, "date" if sure else "unsure date", notes


def ascends(time_s: FloatArray) -> bool:
    """Whether every row has its time and none is before the last: nearly always, so it is asked first."""
    return bool(len(time_s) and np.isfinite(time_s[[0, -1]]).all() and (time_s[1:] >= time_s[:-1]).all())


def _backwards(time_s: FloatArray) -> np.ndarray:
    """Rows whose time is before that of the last row that has one."""
    if ascends(time_s):
        return np.zeros(0, np.int64)
    known = np.flatnonzero(np.isfinite(time_s))
    return known[1:][np.diff(time_s[known]) < 0] if known.size else known


def with_hours_put_right(date_s: FloatArray, step_s: FloatArray | None) -> tuple[FloatArray, list[str]]:
    """Local dates without the jumps of daylight saving time."""
    back = _backwards(date_s)
    steps = np.diff(date_s, prepend=np.nan)
    right = date_s.copy()
    notes = []
    for row in back:
        if -HOUR_s <= steps[row] < 0 and len(back) <= 4:
            right[row:] += HOUR_s
            notes.append(f"data row {row}: the hour that daylight saving gives back is counted twice")
    if step_s is not None:
        within = np.diff(step_s, prepend=np.nan)
        jumps = np.flatnonzero((within >= 0) & (np.abs(steps - within - HOUR_s) < 2.0))
        if 0 < len(jumps) <= 4:
            for row in jumps:
                right[row:] -= HOUR_s
                notes.append(f"data row {row}: the hour that daylight saving takes is left out")
    return right, notes


def steps_added_up(time_s: FloatArray, step: FloatArray | None, *, declared: bool) -> FloatArray | None:
    """Time within each step as one time; None where the restarts are no steps: neither called so, nor with a new
    step."""
    restarts = _backwards(time_s)
    if not restarts.size:
        return time_s
    if step is not None:
        new = np.flatnonzero(np.diff(step, prepend=step[:1]) != 0)
        if not np.isin(restarts, new).all():
            return None
    elif not declared:
        return None
    known = np.where(np.isfinite(time_s), time_s, 0.0)
    offsets = np.zeros(len(time_s))
    offsets[restarts] = known[restarts - 1]
    return time_s + np.cumsum(offsets)


def choose_time(
    time_s: FloatArray | None, step_s: FloatArray | None, date_s: FloatArray | None, step: FloatArray | None
) -> tuple[FloatArray, FloatArray | None, list[str]]:
    """(time, date or None, notes) from columns of which at least one is there."""
    notes: list[str] = []
    only_date_s = date_s
    if date_s is not None:
        date_s, notes = with_hours_put_right(date_s, step_s if step_s is not None else time_s)
        if _backwards(date_s).size or np.isnan(date_s).any():
            date_s = None
    if time_s is not None and not _backwards(time_s).size:
        return time_s, date_s, notes if date_s is time_s else []
    within = time_s if time_s is not None else step_s
    if within is not None and date_s is not None:
        word = "the time is that within a step: " if time_s is not None else ""
        return date_s, date_s, [f"{word}time is taken from the date", *notes]
    if within is not None:
        added = steps_added_up(within, step, declared=time_s is None)
        if added is not None:
            return (
                added,
                None,
                ["the file tells the time within each step only: the steps are put one behind the other"],
            )
        return within, None, []
    assert only_date_s is not None, "the caller has one of them"
    return only_date_s if date_s is None else date_s, date_s, notes


def remarks(time_s: FloatArray) -> list[str]:
    """What is odd about the length of a test: a unit that is not what the label says, most likely."""
    known = time_s[[0, -1]] if ascends(time_s) else time_s[np.isfinite(time_s)]
    length_s = float(np.ptp(known)) if known.size > 1 else 0.0
    if length_s > LONGEST_s:
        return [f"the test lasts {length_s / 31557600:.3g} years: is that the unit of its time?"]
    if 0 < length_s < SHORTEST_s:
        return [f"the test lasts {length_s:.3g} s: is that the unit of its time?"]
    return []
