"""One thread that empties the ports of many boards: a thread each would fight for the interpreter with the loop.

Every `READ_EVERY_S` the system is asked once which ports have something; what they have fits several times into the
system's buffers. Ports are closed here alone, so that none is asked for that is another's by now.

Where the system cannot be asked about ports (Windows), their links read them themselves (`SerialLink`).
"""

import selectors
import threading
import time
from collections import deque
from contextlib import suppress

from ccdmon.record.serial_link import OpenPort, SerialLink

# Not the quickest there is, which on some systems knows no terminals; `select` alone asks no more than 1024.
Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
READ_EVERY_S = 0.03  # 500 bytes of a board at 2 kHz; a terminal holds 4096


class PortReader:
    """Reads the links that were added until `close`."""

    def __init__(self) -> None:
        self._links: list[SerialLink] = []
        self._discarded: deque[OpenPort] = deque()
        self._stop = threading.Event()
        self._asked: list[tuple[SerialLink, OpenPort]] = []
        self._selector: selectors.BaseSelector = Selector()
        self.latest_s = 0.0  # the longest that ports had to wait
        self._thread = threading.Thread(target=self._run, name="port reader", daemon=True)
        self._thread.start()

    def add(self, link: SerialLink) -> None:
        """Read this one, too."""
        self._links = [*self._links, link]

    def remove(self, link: SerialLink) -> None:
        """Read it no longer."""
        self._links = [other for other in self._links if other is not link]

    def discard(self, port: OpenPort) -> None:
        """Close a port that broke."""
        self._discarded.append(port)

    def close(self) -> None:
        """End the thread; the links close their ports."""
        self._stop.set()
        self._thread.join(timeout=2.0)
        self._close_discarded()

    def _run(self) -> None:
        asked_s = time.monotonic()
        while not self._stop.wait(max(0.0, asked_s + READ_EVERY_S - time.monotonic())):
            if self._links:
                self.latest_s = max(self.latest_s, time.monotonic() - asked_s)
            asked_s = time.monotonic()
            self._close_discarded()
            for link, port in self._ready():
                link.receive(port)

    def _close_discarded(self) -> None:
        while self._discarded:
            with suppress(Exception):  # it is of no use any more
                self._discarded.popleft().close()

    def _ready(self) -> list[tuple[SerialLink, OpenPort]]:
        """Those that have something, or have gone."""
        wanted = []
        for link in self._links:
            port = link.port
            if port is None:
                link.reopen()
            elif not link.behind:
                wanted.append((link, port))
        if wanted != self._asked:
            self._ask_for(wanted)
        return [key.data for key, _ in self._selector.select(0)] if self._asked else []

    def _ask_for(self, wanted: list[tuple[SerialLink, OpenPort]]) -> None:
        """Other ports than before."""
        self._selector.close()
        self._selector, self._asked = Selector(), wanted
        for link, port in wanted:
            if (descriptor := port.fileno()) is not None:
                self._selector.register(descriptor, selectors.EVENT_READ, (link, port))
