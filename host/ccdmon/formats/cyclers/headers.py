"""Finds the line of labels in a table, and what separates its fields."""

import re
from collections.abc import Callable, Sequence

from ccdmon.formats.cyclers.labels import split_label


def separator_of(line: str) -> str:
    """Tab, semicolon or comma, whichever the line of labels has most of."""
    return max("\t;,", key=line.count)


def header_with(*wanted: str) -> Callable[[Sequence[str]], int | None]:
    """Finds the first line whose labels, without units and in small letters, include all of `wanted`."""

    def find(lines: Sequence[str]) -> int | None:
        for at, line in enumerate(lines):
            if len(re.findall(r"[\t;,]", line)) >= len(wanted) - 1:
                names = {split_label(label)[0] for label in line.split(separator_of(line))}
                if names.issuperset(wanted):
                    return at
        return None

    return find
