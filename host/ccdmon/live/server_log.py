"""What Bokeh and Tornado say of errors, in few short lines: nonsense from a client must not fill a log."""

import logging
import sys
import time

MOST_LINES, INTERVAL_S = 10, 60.0
LONGEST = 300


class FewLines(logging.Handler):
    """`MOST_LINES` in an interval, each one line; the rest is counted."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._begin_s, self._lines, self.left_out = time.monotonic(), 0, 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, or not. A terminal that is gone is told nothing."""
        now_s = time.monotonic()
        if now_s - self._begin_s > INTERVAL_S:
            self._begin_s, self._lines = now_s, 0
        self._lines += 1
        if self._lines > MOST_LINES:
            self.left_out += 1
            return
        try:
            cause = f": {record.exc_info[1]!r}" if record.exc_info else ""
            said = " ".join(f"{record.getMessage()[:LONGEST]}{cause[:LONGEST]}".split())
            more = f" ({self.left_out} more were left out)" if self.left_out else ""
            sys.stderr.write(f"ccdmon watch: {said}{more}\n")
            self.left_out = 0
        except Exception:  # noqa: BLE001  a log must not end what it tells of
            self.left_out += 1


def say_little() -> None:
    """For all that Bokeh and Tornado log."""
    handler = FewLines()
    for name in ("bokeh", "tornado"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.ERROR)
