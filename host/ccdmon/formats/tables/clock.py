"""Times as cyclers write them: seconds, '1d 02:03:04.5', '02:03:04', and dates of several countries.

'05/06/2026' is a day in June or in May; the whole column decides: a form that all cells take and in which time does not
run backwards; of two such, the one in which the test is shorter.
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import numpy as np

from ccdmon.formats.tables.layout import is_empty
from ccdmon.model.trace import FloatArray

_SPAN = re.compile(r"^(?:(\d+)\s*(?:d|-|days?,?)\s*)?(\d+):(\d{1,2})(?::(\d{1,2}(?:[.,:]\d+)?))?$")
_PAIR = re.compile(r"^\d+:\d{1,2}(?:[.,]\d+)?$")  # hours and minutes, or minutes and seconds
_DATE = re.compile(
    r"^(?:\w{2,9}\.?,?\s+)?(\d{1,4})\s*[-/.年]\s*(\w+?)\s*[-/.月]\s*(\d{1,4})日?(?:[T\s,]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,:](\d+))?)?"
    r"\s*([AaPp])?\.?[Mm]?\.?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$"
)
_MONTH_NAMES = """jan feb mar apr may jun jul aug sep oct nov dec jan feb mär apr mai jun jul aug sep okt nov dez
    janv févr mars avr mai juin juil août sept oct nov déc"""
_MONTHS = {name: k % 12 + 1 for k, name in enumerate(_MONTH_NAMES.split())}
FORMS = ("ymd", "mdy", "dmy")


def span_seconds(text: str, *, minutes: bool = False) -> float:
    """Seconds of '02:03:04.5', '26:00:01' or '1d 02:03:04'; of '03:04' as minutes and seconds where `minutes`.

    ValueError for something else.
    """
    if minutes and _PAIR.match(text.strip()):
        whole, _, part = text.partition(":")
        return int(whole) * 60.0 + float(part.replace(",", "."))
    found = _SPAN.match(text.strip())
    if not found:
        raise ValueError(text)
    days, hours, sixtieths, rest = found.groups()
    seconds = re.sub(r"[,:]", ".", rest or "0")
    return int(days or 0) * 86400.0 + int(hours) * 3600.0 + int(sixtieths) * 60.0 + float(seconds)


def pair_is_minutes(texts: Sequence[str], unit: str | None) -> bool | None:
    """Whether '03:04' among these is minutes and seconds, not hours and minutes; None where nothing tells.

    The unit of the label does ('mm:ss'), and cells with a fraction or, some of them, with a third number.
    """
    pairs = [text for text in texts if _PAIR.match(text.strip())]
    if not pairs:
        return False
    if unit is not None and ":" in unit:
        return unit.strip("[]() ").lower().startswith(("m", "分"))
    longer = any(text.count(":") == 2 for text in texts)
    return True if longer or any("." in text or "," in text for text in pairs) else None


@lru_cache(maxsize=4096)
def _day(first: str, middle: str, last: str, form: str) -> float:
    """Seconds from 1970 to midnight. ValueError for a date that cannot be in this form."""
    if form == "ymd":
        year, month, day = first, middle, last
    elif form == "mdy":
        month, day, year = first, middle, last
    else:
        day, month, year = first, middle, last
    if not day.isdigit() or len(day) > 2 or not year.isdigit() or (form == "ymd") != (len(first) == 4):
        raise ValueError(form)
    number = int(month) if month.isdigit() else _MONTHS.get(month.lower()[:3]) or _MONTHS[month.lower()]
    whole = int(year) + (2000 if len(year) == 2 and int(year) < 70 else 1900 if len(year) == 2 else 0)
    return float((date(whole, number, int(day)) - date(1970, 1, 1)).days * 86400)


def date_seconds(text: str, form: str) -> float:
    """Seconds since 1970 of a date and time, taken as UTC where it names no zone. ValueError."""
    found = _DATE.match(text.strip())
    if not found:
        raise ValueError(text)
    first, middle, last, hour, minute, second, fraction, half, zone = found.groups()
    try:
        midnight = _day(first, middle, last, form)
    except (KeyError, ValueError):
        raise ValueError(text) from None
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half.lower() == "p" else 0)
    if hours > 23 or int(minute or 0) > 59 or int(second or 0) > 60:
        raise ValueError(text)
    offset = 0.0
    if zone and zone[0] in "+-":
        offset = (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60) * (-1 if zone[0] == "-" else 1)
    return (
        midnight
        + hours * 3600
        + int(minute or 0) * 60
        + int(second or 0)
        + float(f"0.{fraction or 0}")
        - offset
    )


def looks_like_date(text: str) -> bool:
    """Whether a cell is a date, in whatever form."""
    return _DATE.match(text.strip()) is not None


def date_forms(texts: Sequence[str]) -> dict[str, FloatArray]:
    """Seconds since 1970 by form, for every form that all of these dates take; NaN where a cell is empty."""
    forms: dict[str, FloatArray] = {}
    for form in FORMS:
        try:
            values = [np.nan if is_empty(text) else date_seconds(text, form) for text in texts]
        except ValueError:
            continue
        forms[form] = np.array(values)
    return forms


def one_form(forms: dict[str, FloatArray], first_text: str) -> tuple[FloatArray, str, bool, bool]:
    """(seconds, form, whether the rows decided it, whether the day is sure) of the forms that all cells take.

    The one in which no time runs backwards, then the one in which the test is shorter; where that is all the same, the
    one that goes with the punctuation, of which only half a day in letters (AM, PM) and points are sure.
    """

    def length(form: str) -> tuple[bool, float]:
        known = forms[form][np.isfinite(forms[form])]
        return bool((np.diff(known) < 0).any()), float(np.ptp(known)) if known.size else 0.0

    points = "." in first_text.split(" ")[0]
    usual = "dmy" if points else "mdy"
    best = min(forms, key=lambda form: (*length(form), form != usual))
    rivals = [
        form
        for form in forms
        if form != best and not np.array_equal(forms[form], forms[best], equal_nan=True)
    ]
    even = [form for form in rivals if length(form) == length(best)]
    half_day = re.search(r"[AaPp]\.?[Mm]\.?\s*$", first_text) is not None
    return forms[best], best, bool(rivals) and not even, not even or points or half_day
