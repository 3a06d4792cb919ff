"""What is wrong with a page: `html_faults`, by the parser of the HTML standard."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import html5lib


def html_faults(text: str) -> list[str]:
    """What a validator says first: errors of the parse, ids given twice, references that meet none, no landmark."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    elements = list(parser.parse(text).iter())
    found = [f"{code} at {place} {values}" for place, code, values in parser.errors]
    ids = Counter(element.get("id") for element in elements if element.get("id"))
    found += [f"id given {number} times: {name}" for name, number in ids.items() if number > 1]
    found += [f"nothing has the id {name}" for name in set(_referred(elements)) - set(ids)]
    tags = Counter(element.tag for element in elements)
    return found + [f"{tags[tag]} <{tag}>" for tag in ("main", "h1", "title") if tags[tag] != 1]


def _referred(elements: list[Any]) -> Iterator[str]:
    for element in elements:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            yield from (element.get(name) or "").split()
        for name in ("href", "{http://www.w3.org/1999/xlink}href"):
            if (element.get(name) or "").startswith("#"):
                yield element.get(name)[1:]
