"""Lines of one run's log on their way to a broker."""

from collections import deque
from collections.abc import Callable

from ccdmon.publish.log_tail import Cursor, Line
from ccdmon.publish.runs import Run


class Outbox:
    """Lines of one run on their way: `cursor` moves on behind what was acknowledged without a hole."""

    def __init__(self, run: Run, target: str) -> None:
        self.run, self.cursor = run, Cursor(run.folder, target)
        self.unreadable: OSError | None = None  # why its log is not: the others go on
        self._sent: deque[tuple[int, list[bool]]] = deque()
        self._ready: deque[Line] = deque()
        self._next = self._kept = 0

    def begin(self) -> None:
        """A new connection knows of nothing that is on its way."""
        self._sent.clear()
        self._ready.clear()
        self._next = self._kept = self.cursor.offset

    def take(self) -> tuple[Line, Callable[[], object]] | None:
        """The next line and what to call when it is acknowledged; None: there is none yet. Raises `OSError`."""
        if not self._ready and not self._read():
            return None
        line = self._ready.popleft()
        self._next = line.end
        acknowledged = [False]
        self._sent.append((line.end, acknowledged))

        def done() -> None:
            acknowledged[0] = True
            while self._sent and self._sent[0][1][0]:
                self.cursor.offset = self._sent.popleft()[0]

        return line, done

    def _read(self) -> bool:
        """Read on; whether there is something."""
        size = self.cursor.size()
        if self.cursor.run is None or size < self._next:  # a log that became shorter may be another
            self.cursor.run = None
            if self.cursor.identify() is None:
                return False
            self.begin()
        if size > self._next:
            self._ready.extend(self.cursor.lines(self._next))
        return bool(self._ready)

    def keep(self) -> None:
        """Write the cursor down where it moved."""
        if self.cursor.offset != self._kept:
            self._kept = self.cursor.offset
            self.cursor.keep()

    @property
    def under_way(self) -> bool:
        """Whether whole lines are; a last one that a kill tore waits for those that follow."""
        return bool(self._sent or self._ready)

    @property
    def waiting_bytes(self) -> int:
        """What the broker has not acknowledged."""
        return max(0, self.cursor.size() - self.cursor.offset)
