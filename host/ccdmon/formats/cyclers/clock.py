"""Times as cyclers write them: seconds, '1d 02:03:04.5', '02:03:04', and dates of several countries."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

_SPAN = re.compile(r"^(?:(\d+)\s*(?:d|-)\s*)?(\d+):(\d{1,2})(?::(\d{1,2}(?:[.,]\d+)?))?$")
_DATES = (
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%d-%b-%y %I:%M:%S %p",
    "%d-%b-%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
)


def seconds_of(text: str) -> float:
    """Seconds of one time field: a number, a span, or a date (seconds since 1970, taken as UTC). ValueError else."""
    text = text.strip()
    try:
        return float(text.replace(",", "."))
    except ValueError:
        span = _SPAN.match(text)
        if span:
            days, hours, minutes, rest = span.groups()
            return int(days or 0) * 86400.0 + int(hours) * 3600.0 + int(minutes) * 60.0 + _number(rest or "0")
        return date_reader(text)(text)


def column_seconds(texts: Sequence[str]) -> list[float]:
    """Seconds of a whole column of dates, all in the format that its first date shows. ValueError with the text."""
    read: Callable[[str], float] | None = None
    values = []
    for text in texts:
        if read is None or ":" not in text:
            values.append(seconds_of(text))
            read = date_reader(text.strip()) if re.search(r"\d[-/.]\w+[-/.]\d", text) else None
        else:
            values.append(read(text.strip()))
    return values


def date_reader(text: str) -> Callable[[str], float]:
    """A reader of dates written like `text`. ValueError where no known format fits."""
    for pattern in _DATES:
        try:
            _date(text, pattern)
        except ValueError:
            continue
        return lambda other, pattern=pattern: _date(other, pattern)  # type: ignore[misc]
    raise ValueError(f"{text!r} is neither a number nor a time")


def _date(text: str, pattern: str) -> float:
    whole, fraction = text.replace("T", " "), 0.0
    found = re.search(r"(:\d\d)([.,]\d+)", whole)
    if found:
        whole, fraction = whole.replace(found[0], found[1]), _number("0" + found[2])
    return datetime.strptime(whole, pattern).replace(tzinfo=UTC).timestamp() + fraction


def _number(text: str) -> float:
    return float(text.replace(",", "."))
