"""What a document that others wrote may hold at all, whatever its schema says: a board's identity, a run's `run.toml`.

Nested no deeper than anybody reads, finite numbers that the wire and a float can carry, and text that a terminal shows
as it stands: a control character in a board's name could write over what the recorder says.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

DEEPEST = 8
LONGEST_TEXT = 4096
LARGEST_NUMBER = 1e15  # beyond any time, range or count that is meant
MOST_VALUES = 20_000


def problem(document: Mapping[str, Any]) -> str | None:
    """Where and why the document is refused, in a few words; None: it is within bounds."""
    for count, (where, depth, value) in enumerate(_values(document), 1):
        if count > MOST_VALUES:
            return f"more than {MOST_VALUES} values"
        if depth > DEEPEST:
            return f"{where}: nested deeper than {DEEPEST} levels"
        if (wrong := _wrong(value)) is not None:
            return f"{where}: {wrong}"
    return None


def _values(document: Mapping[str, Any]) -> Iterator[tuple[str, int, Any]]:
    """Every key and value with its place and depth; nothing is gone into that lies too deep."""
    waiting: list[tuple[str, int, Any]] = [("", 0, document)]
    while waiting:
        where, depth, value = waiting.pop()
        yield where or "document", depth, value
        if depth > DEEPEST or not isinstance(value, Mapping | list | tuple):
            continue
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, inner in pairs:
            if isinstance(key, str) and _wrong(key) is not None:
                yield f"{where or 'document'}: a key", depth, key
                continue
            waiting.append((f"{where}.{key}".lstrip("."), depth + 1, inner))


def _wrong(value: Any) -> str | None:
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            return f"text longer than {LONGEST_TEXT} characters"
        return None if all(c.isprintable() or c in "\n\t" for c in value) else "text with control characters"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if math.isfinite(value) and abs(value) <= LARGEST_NUMBER else "not a usable number"
    return None
