"""Times as cyclers write them: seconds, '1d 02:03:04.5', '02:03:04', and dates of several countries.

'05/06/2026' is a day in June or in May; the whole column decides: a form that all cells take and in which time does not
run backwards; of two such, the one in which the test is shorter.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache

import numpy as np

from ccdmon.formats.tables.layout import is_empty
from ccdmon.model.trace import FloatArray

_SPAN = re.compile(r"^(?:(\d+)\s*(?:d|-|days?,?)\s*)?(\d+):(\d{1,2})(?::(\d{1,2}(?:[.,:]\d+)?))?$")
_DATE = re.compile(
    r"^(?:\w{2,9}\.?,?\s+)?(\d{1,4})\s*[-/.年]\s*(\w+?)\s*[-/.月]\s*(\d{1,4})日?(?:[T\s,]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,:](\d+))?)?"
    r"\s*([AaPp])?\.?[Mm]?\.?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$"
)
_MONTHS = {name: k % 12 + 1 for k, name in enumerate(
    "jan feb mar apr may jun jul aug sep oct nov dec jan feb mär apr mai jun jul aug sep okt nov dez "
    "janv févr mars avr mai juin juil août sept oct nov déc".split())}  # fmt: skip
FORMS = ("ymd", "mdy", "dmy")


def span_seconds(text: str) -> float:
    """Seconds of '02:03:04.5', '26:00:01' or '1d 02:03:04'. ValueError for something else."""
    found = _SPAN.match(text.strip())
    if not found:
        raise ValueError(text)
    days, hours, minutes, rest = found.groups()
    seconds = re.sub(r"[,:]", ".", rest or "0")
    return int(days or 0) * 86400.0 + int(hours) * 3600.0 + int(minutes) * 60.0 + float(seconds)


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


def one_form(forms: dict[str, FloatArray], first_text: str) -> tuple[FloatArray, str, bool]:
    """(seconds, form, whether another form would do as well): of those in which no time runs backwards, the shortest."""

    def length(form: str) -> tuple[bool, float, bool]:
        known = forms[form][np.isfinite(forms[form])]
        backwards = bool((np.diff(known) < 0).any())
        usual = "dmy" if "." in first_text.split(" ")[0] else "mdy"
        return backwards, float(np.ptp(known)) if known.size else 0.0, form != usual

    best = min(forms, key=length)
    others = [form for form in forms if form != best]
    return (
        forms[best],
        best,
        any(not np.array_equal(forms[form], forms[best], equal_nan=True) for form in others),
    )


def iso(value: object) -> str:
    """A date or time of a workbook as text that is read back."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.isoformat() if isinstance(value, date) else str(value)
