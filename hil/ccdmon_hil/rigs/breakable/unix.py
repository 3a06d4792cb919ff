"""The rig `unix` with a flash that survives power cuts, and with Python of ours in its firmware (`hook.py`).

rig = HookedUnix(folder)      # settings and trips lie there
hook(session, "trouble[0] = fail")
rig.fill_flash(True)          # nothing can be written any more
rig.cut_power()               # the pin is nobody's: its pull-down opens the gate
rig.restart()
"""

import fcntl
import resource
from pathlib import Path

from ccdmon_hil.rigs.breakable.hooks import BREAKABLE, HOOKS
from ccdmon_hil.rigs.target import Edge
from ccdmon_hil.rigs.unix import UnixTarget

# A board never waits for its host; this rig's does, so that a replay loses nothing. Here it does not, either. Once a
# sample, for the host reads at its leisure until the next is wanted: a second time would be a matter of luck.
SEND_WITHOUT_WAITING = """
import select, sys
_out = select.poll()
_out.register(sys.stdout, select.POLLOUT)
_said = [-1]
def send(buffer, size):
    if _said[0] == board._ticks or not _out.poll(0):
        return 0
    _said[0] = board._ticks
    taken = min(size, 512)
    sys.stdout.buffer.write(memoryview(buffer)[:taken])
    return taken
board.send = send
"""
HOST_BUFFER_BYTES = 4096  # of the pipe from the firmware then: the least that Linux gives


class HookedUnix(UnixTarget):
    """See the top of this file; `before`: Python that runs before the firmware."""

    def __init__(self, store: Path, before: str = "") -> None:
        super().__init__()
        self.store = store
        self.before = f"board.STORE = {str(store)!r}\n{HOOKS}{BREAKABLE}{before}"

    @property
    def rows_given(self) -> int:
        """Rows that the firmware has asked for so far."""
        return self._next_row

    def cut_power(self) -> None:
        """The firmware ends between two instructions."""
        self.close()
        if self._closed:
            self.edges.append(Edge(False, self._next_row, None))
            self._closed = False

    def restart(self) -> None:
        """A firmware that boots from the same flash; edges go on."""
        self.cut_power()
        edges = self.edges
        UnixTarget.__init__(self)
        self.edges = edges
        self.start()

    def fill_flash(self, full: bool) -> None:
        """Nothing, or everything, can be written from now on."""
        assert self._process
        limit = 0 if full else resource.RLIM_INFINITY
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def narrow_wire(self) -> None:
        """Little is buffered between firmware and host."""
        fcntl.fcntl(self._wire_in_fd, fcntl.F_SETPIPE_SZ, HOST_BUFFER_BYTES)
