"""The self-test: opens, closes and opens the gate, and looks each time whether contact and current follow.

Runs in the main loop, one `poll` at a time, while the tick goes on judging: a rule that would trip opens the gate in a
trial too. It does not close the gate while an input that must be safe is not. Where no current can be looked for
(`self_test_current_units` is 0 and none came) it says so: PASSED_DRY.
"""

from ccdmon_fw import detector, limits, wire, zeros

ZERO_SAMPLES = 16  # of an open gate, before it closes
HOLD_MS = 5  # so long, and for two samples, must everything agree
_LEVELS = (0, 1, 0)  # of the gate, one after the other
_PIN, _CONTACT, _CURRENT = 0, 2, 4  # places of the two results of each in wire.SELF_TESTS, from FAILED_AT on


class SelfTest:
    """`state` is an index into wire.SELF_TESTS; a passed one counts until a trip, other settings or a reset."""

    def __init__(self, board, judge, gate, samples):
        self._board = board
        self._judge = judge
        self._gate = gate
        self._samples = samples
        self._control = samples.control
        self.state = wire.NOT_TESTED
        self.needed_units = 0
        self.patience_ms = limits.SELF_TEST_MS
        self.feedback = 0
        self._step = 0
        self._began_ms = 0
        self._agreed_ms = 0
        self._agreed_head = 0
        self._zeroed = False  # the current's zero was taken in this test
        self._flowed = False
        self._reason = 0  # latched when the test began: another ends it
        self._aborted = False

    def configure(self, edge):
        """Take settings by their names."""
        self.needed_units = edge["self_test_current_units"]
        self.patience_ms = edge["self_test_ms"]
        self.feedback = edge["gate_feedback"]
        self.state = wire.NOT_TESTED

    def passed(self):
        """Whether the gate may be armed."""
        return self.state in (wire.PASSED, wire.PASSED_DRY)

    def running(self):
        return self.state == wire.TESTING

    def start(self):
        """To begin with the next `poll`, unless it is held up; the caller has seen to it that the gate is not armed."""
        self.state = wire.TESTING
        self._flowed = False
        self._aborted = False
        self._reason = self._gate.reason
        self._step = -1

    def abort(self):
        """End it now, gate open."""
        if self.running():
            self._gate.open()
            self._aborted = True

    def forget_current(self):
        """The gate has been opened: what flowed until now is no zero."""
        self._agreed_head = self._control[0]

    def take_zero(self):
        """Of the samples since the gate was opened and nothing flowed any more; False: it is beyond what is allowed."""
        return zeros.take(self._judge, self._samples, self._agreed_head, self._board)

    def expire(self):
        """A trip: what was passed before it counts no more. A running test sees it by itself."""
        if not self.running():
            self.state = wire.NOT_TESTED

    def contact(self):
        """Whether the feedback contact says closed; None without one."""
        if self.feedback == 0:
            return None
        return bool(self._board.feedback()) == (self.feedback == 2)

    def unsafe(self):
        """Whether the board's external trip is not held safe, and counts."""
        return self._gate.external and hasattr(self._board, "unsafe") and bool(self._board.unsafe())

    def poll(self, now_ms, hold_up):
        """One look; True when the test has just ended. `hold_up`: do not begin yet."""
        if not self.running():
            return False
        if self.unsafe():
            return self._end(wire.TRIP_NOT_SAFE)
        if self._step < 0 and not self._aborted:
            if not hold_up:
                self._enter(0, now_ms)
            return False
        closed = _LEVELS[self._step]
        if self._aborted:
            return self._end(wire.ABORTED)
        if self._gate.reason != self._reason or self._gate.closed != bool(
            closed
        ):  # a rule, or an input, opened it
            return self._end(wire.TRIPPED)
        if self._step == 0 and not self._zeroed:
            samples = (self._control[0] - self._agreed_head) & 0x3FFFFFFF
            if samples < 2 or (samples < ZERO_SAMPLES and now_ms - self._began_ms < HOLD_MS):
                return False
            self.take_zero()  # what is beyond the allowed flows
            self._zeroed = True
        fault = self._fault(closed)
        if fault < 0:
            if self._agreed_ms < 0:
                self._agreed_ms = now_ms
                self._agreed_head = self._control[0]
            samples = (self._control[0] - self._agreed_head) & 0x3FFFFFFF
            if now_ms - self._agreed_ms < HOLD_MS or samples < 2:
                return False
            if self._step + 1 < len(_LEVELS):
                self._enter(self._step + 1, now_ms)
                return False
            return self._end(wire.PASSED if self._flowed else wire.PASSED_DRY)
        self._agreed_ms = -1
        if now_ms - self._began_ms > self.patience_ms:
            return self._end(wire.FAILED_AT + fault + closed)
        return False

    def _enter(self, step, now_ms):
        self._step = step
        self._began_ms = now_ms
        self._agreed_ms = -1
        self._agreed_head = self._control[0]
        self._zeroed = step > 0
        held = self._board.lock()
        if _LEVELS[step]:
            self._judge.reset()
            self._gate.trial()
        else:
            self._gate.open()
        self._board.unlock(held)

    def _end(self, state):
        self._gate.open()
        self.state = state
        return True

    def _fault(self, closed):
        """What does not follow the gate; -1: everything does."""
        level = getattr(self._board, "gate_level", None)
        if level is not None and level() != closed:
            return _PIN
        contact = self.contact()
        if contact is not None and contact != bool(closed):
            return _CONTACT
        units = abs(self._judge.memory[detector.I] - self._judge.memory[detector.I_ZERO]) >> 1
        flows = units >= self._judge.memory[detector.ON]
        if not closed:
            return _CURRENT if flows else -1
        self._flowed = flows or self._flowed
        return _CURRENT if units < self.needed_units else -1
