"""The gate: the pin that lets current flow to the cell. Open is the resting state; a trip is latched.

`armed` is permission, `reason` a latched trip; the pin is closed only with the one and without the other.
"""


class Gate:
    """`pin(1)` closes, `pin(0)` opens; any callable will do. Starts open."""

    def __init__(self, pin):
        self._pin = pin
        pin(0)
        self.closed = False
        self.armed = False
        self.reason = 0  # code in limits.REASONS; not 0: latched

    def trip(self, reason):
        """Open and latch. Safe in an interrupt; the pin comes before anything else, the first reason wins."""
        self._pin(0)
        self.closed = False
        self.armed = False
        if self.reason == 0:
            self.reason = reason

    def close(self):
        """Arm: let current flow. False, and nothing moves, while a trip is latched."""
        if self.reason:
            return False
        self._pin(1)
        self.closed = True
        self.armed = True
        return True

    def open(self):
        """Disarm: stop the current without latching anything."""
        self._pin(0)
        self.closed = False
        self.armed = False

    def clear(self):
        """Forget a latched trip; the gate stays open."""
        self.open()
        self.reason = 0
