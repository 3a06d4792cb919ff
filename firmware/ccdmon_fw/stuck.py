"""Current that keeps flowing though the gate is open: the relay sticks, and nobody but a human can stop it.

Its own alarm beside the latched trip, told every second until the trip is acknowledged after it.
"""

from ccdmon_fw import detector, limits

AFTER_MS = 500  # a relay and the cycler's output take some time
REPEAT_MS = 1_000


class StuckWatch:
    """`judge` holds the newest sample and the current that counts as flowing."""

    def __init__(self, judge, gate, telemetry):
        self._memory = judge.memory
        self._gate = gate
        self._telemetry = telemetry
        self._since_ms = -1
        self._due_ms = 0
        self.raised = False
        self.acknowledged = False

    def poll(self, now_ms):
        """To be called often; sends the alarm."""
        current = abs(self._memory[detector.I] - limits.CODE_ZERO) >> 1
        limit = self._memory[detector.CURRENT_ON]
        if not self._gate.reason or self._gate.closed or current < limit:
            self._since_ms = -1
            self.raised = self.raised and self._gate.reason != 0
            self.acknowledged = self.acknowledged and self.raised
            return
        if self._since_ms < 0:
            self._since_ms = now_ms
        if now_ms - self._since_ms < AFTER_MS or self.acknowledged:
            return
        if not self.raised or now_ms - self._due_ms >= 0:
            self.raised = True
            self._due_ms = now_ms + REPEAT_MS
            self._telemetry.event(limits.GATE_STUCK, limits.ACTION_WARN, current, limit)

    def acknowledge(self):
        """The host has seen it, if it was raised."""
        self.acknowledged = self.raised
