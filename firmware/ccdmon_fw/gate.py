"""The gate: the pin that lets current flow to the cell. Open is the resting state; a trip is latched.

`armed` is permission, `reason` a latched trip; the pin is closed only with the one and without the other. The one
exception is a trial: the self-test closes the gate for a moment without arming, and may do so while a trip is latched,
for that is how the trip is cleared. What trips an armed gate opens it then too. Before either, `guard` is called: what
watches over a closed gate does so from before it closes.
"""


class Gate:
    """`pin(1)` closes, `pin(0)` opens; any callable will do. Starts open.

    Only the tick calls `pin` itself, to open without delay, and `trip` right after it.
    """

    def __init__(self, pin):
        self.pin = pin
        pin(0)
        self.closed = False
        self.armed = False
        self.reason = 0  # code in limits.REASONS; not 0: latched
        self.value = 0  # what tripped, and its limit, where it was not the detector
        self.limit = 0
        self.external = False  # whether the board's input that must be safe counts
        self.guard = lambda: None

    def trip(self, reason, value=0, limit=0):
        """Open and latch. Safe in an interrupt; the pin comes before anything else, the first reason wins."""
        self.pin(0)
        self.closed = False
        self.armed = False
        if self.reason == 0:
            self.reason = reason
            self.value = value
            self.limit = limit

    def close(self):
        """Arm: let current flow. False, and nothing moves, while a trip is latched."""
        if self.reason:
            return False
        self.guard()
        self.pin(1)
        self.closed = True
        self.armed = True
        return True

    def trial(self):
        """Close for the self-test, unarmed. Whoever calls this opens again soon."""
        self.guard()
        self.pin(1)
        self.closed = True

    def open(self):
        """Disarm: stop the current without latching anything."""
        self.pin(0)
        self.closed = False
        self.armed = False

    def clear(self):
        """Forget a latched trip; the gate stays open."""
        self.open()
        self.reason = 0
        self.value = 0
        self.limit = 0
