"""The gate does not do what it is told: `gate_stuck`.

A feedback contact that disagrees for longer than a relay needs trips and latches, armed or not. Current that keeps
flowing after a trip, or a contact that stays closed then, is an alarm of its own beside the latched trip: nobody but a
human can stop it now. It is told every second until the trip is acknowledged after it.
"""

from ccdmon_fw import detector, limits

AFTER_MS = 500  # a relay and the cycler's output take some time
CONTACT_AFTER_MS = 100
REPEAT_MS = 1_000


class StuckWatch:
    """`judge` holds the newest sample and the current that counts as flowing, `test` knows the contact."""

    def __init__(self, judge, gate, telemetry, test):
        self._memory = judge.memory
        self._gate = gate
        self._telemetry = telemetry
        self._test = test
        self._since_ms = -1
        self._contact_since_ms = -1
        self._due_ms = 0
        self.raised = False
        self.acknowledged = False

    def poll(self, now_ms):
        """To be called often; trips, or sends the alarm."""
        if self._test.running():
            self._since_ms = self._contact_since_ms = -1
            return
        contact = self._contact_disagrees(now_ms)
        if contact and not self._gate.reason:
            self._gate.trip(limits.GATE_STUCK, int(not self._gate.closed), int(self._gate.closed))
            return
        current = abs(self._memory[detector.I] - self._memory[detector.I_ZERO]) >> 1
        limit = self._memory[detector.ON]
        if not self._gate.reason or self._gate.closed or (current < limit and not contact):
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

    def _contact_disagrees(self, now_ms):
        """Whether the contact has said for long enough that the gate is not where it was put."""
        contact = self._test.contact()
        if contact is None or contact == self._gate.closed:
            self._contact_since_ms = -1
            return False
        if self._contact_since_ms < 0:
            self._contact_since_ms = now_ms
        return now_ms - self._contact_since_ms >= CONTACT_AFTER_MS

    def acknowledge(self):
        """The host has seen it, if it was raised."""
        self.acknowledged = self.raised
