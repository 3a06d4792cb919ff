"""`ccdmon watch` as it is, but each beat of a page leaves a line: `python -m tests.host.live.beating FILE watch ...`.

A line is which page, the clock and what the process has worked by then, s. So the server is measured where it works,
not where a test that gets no processor hears of it.
"""

import sys
import time
from itertools import pairwise
from pathlib import Path

from ccdmon.cli import main
from ccdmon.live.page import Beat

Line = tuple[str, float, float]


def beats(file: Path) -> list[Line]:
    """Those of the page that was opened first."""
    lines = [line.split() for line in file.read_text().splitlines()]
    return [(page, float(at_s), float(worked_s)) for page, at_s, worked_s in lines if page == lines[0][0]]


def most_between(lines: list[Line]) -> tuple[float, float]:
    """(longest time, most work) between two beats, s."""
    pairs = list(pairwise(lines))
    return max(b[1] - a[1] for a, b in pairs), max(b[2] - a[2] for a, b in pairs)


def _noting(file: Path) -> None:
    again = Beat.again

    def noted(self: Beat) -> None:
        with file.open("a") as lines:
            lines.write(f"{id(self)} {time.monotonic()} {time.process_time()}\n")
        again(self)

    Beat.again = noted  # type: ignore[method-assign]


if __name__ == "__main__":
    _noting(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
