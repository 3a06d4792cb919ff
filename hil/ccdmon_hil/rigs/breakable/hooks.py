"""Python of ours inside a running firmware: how faults in it are brought about, on any rig that starts `HOOKS` first.

    hook(session, "edge.ring.records[4096] = 0")  # runs in the firmware's main loop; the answer comes afterwards
    hook(session, "trouble[0] = busy(700, 20)")   # called in each tick, after the converters were read

The text travels in the body of `keep_alive`, which has none otherwise. It sees the modules of the firmware, `board`,
`edge` (its App), `trouble`, `busy(us, ticks)` and `fail` (once). Everything else is the firmware as it is deployed.
"""

from ccdmon_fw import limits, wire
from ccdmon_hil.rigs.session import Session

# Runs before the firmware, where `board` is known already.
HOOKS = """
import micropython, time
from ccdmon_fw import app, blackbox, detector, limits, ring, store, watch, wire
scope = {}  # of our texts: a name new in the globals would move them under a tick that looks one up
trouble = [None]
_read = board.read
@micropython.native
def read(memory):
    unsafe = _read(memory)
    if trouble[0]:
        trouble[0](memory)
    return unsafe
def busy(us, ticks):
    left = [ticks]
    def wait(_memory):
        left[0] -= 1
        if left[0] < 0:
            return
        start_us = time.ticks_us()
        while time.ticks_diff(time.ticks_us(), start_us) < us:
            pass
    return wait
def fail(_memory):
    trouble[0] = None  # once: an exception takes longer than a period
    raise ValueError
def hook(_sequence, _fields, rest):
    exec(bytes(rest), scope)
class Hooked(app.App):
    def __init__(self, board):
        super().__init__(board)
        scope.update(globals())
        scope["edge"] = self
        self.commands._handlers[wire.KEEP_ALIVE] = hook
app.App = Hooked
"""
# Without it the converters are read as deployed, and `trouble` does nothing.
BREAKABLE = "board.read = read\n"
# Half of the heap is free and no 2 kB of it in one place; nothing the firmware needs while armed may want more.
FRAGMENTS = """
pieces = []
try:
    while True: pieces.append(bytearray(2000))
except MemoryError: pass
for place in range(0, len(pieces), 2): pieces[place] = None
"""


def in_fragments(session: Session, _rig: object) -> str:
    """The heap falls to pieces; then the longest message of all is asked for."""
    hook(session, FRAGMENTS)
    session.device.identify()
    return "identified"


def trip_in_fragments(session: Session, _rig: object) -> str:
    """The same before a trip, whose black box is the largest thing of all."""
    hook(session, FRAGMENTS)
    session.command(wire.FORCE_TRIP)
    session.wait_for_trip()
    return "told"


def hook(session: Session, text: str) -> None:
    """Let the firmware carry out `text`; returns when it has."""
    session.command(wire.KEEP_ALIVE, text.encode())


def settings(**named: int) -> list[int]:
    """The default settings with some changed by their names in `limits.SETTINGS`."""
    changed: list[int] = list(limits.default_settings())
    for name, value in named.items():
        changed[limits.SETTINGS.index(name)] = value
    return changed
