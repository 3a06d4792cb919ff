"""The firmware itself on a board in memory, behind a real terminal: what a port shows, without an emulator's time."""

import os
import threading
import time
import tty
from types import TracebackType

from tests.firmware.fake_board import Bench


class PtyFirmware:
    """A context manager; `port` is the terminal's name, `bench` the firmware (`bench.board.level` the gate's pin)."""

    def __init__(self) -> None:
        self.bench = Bench()
        self._ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(self._ours, False)
        self.port = os.ttyname(theirs)
        self._theirs = theirs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "PtyFirmware":
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._ours)
        os.close(self._theirs)

    def _serve(self) -> None:
        board, app = self.bench.board, self.bench.app
        while not self._stop.is_set():
            try:
                board.inbox += os.read(self._ours, 4096)
            except BlockingIOError:
                time.sleep(0.001)
            board.now_us += 250
            board.tick(None)
            app.step()
            while board.sent and not self._stop.is_set():
                try:
                    board.sent = board.sent[os.write(self._ours, board.sent) :]
                except BlockingIOError:
                    time.sleep(0.001)
